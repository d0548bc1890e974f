/** Whether an address is known, for the mail path: one hash and one look into the index, and how fresh that knowledge is. */
import type { Clock } from '../../base/index.ts';
import type { DirectoryReader } from '../../directory/index.ts';
import { Dn, type Entry, parseGeneralizedTime } from '../../ldap/index.ts';
import { canonicalMailbox, lookupForms } from '../address.ts';
import { RecipientHasher } from '../recipient-hash.ts';
import { type EdgePlace, heartbeatDn } from './place.ts';
import { readRecipientKey, recipientKeyVersion } from './recipient-key-file.ts';

/** What is known of recipients. */
export type RecipientKnowledge =
  | { readonly kind: 'known' }
  | { readonly kind: 'unknown' /** Milliseconds since the last successful synchronization. */; readonly ageMs: number }
  /** No edge subscription is in force: nobody knows. */
  | { readonly kind: 'no-subscription' };

export interface RecipientDirectoryParts {
  readonly store: Pick<DirectoryReader, 'hasValue' | 'get'>;
  readonly place: EdgePlace;
  /** Path of the key file. */
  readonly keyFile: string;
  readonly clock: Pick<Clock, 'now'>;
}

/** As the schema's table has it, which is asked once less for a name in lower case. */
const hashedAddress = 'edgehashedaddress';
/** How long the time of the last success is taken as read, in milliseconds. */
const lookMs = 1000;

export class RecipientDirectory {
  readonly #parts: RecipientDirectoryParts;
  #hasher: RecipientHasher | undefined;
  #version = '';
  /** Parsed once: every unknown address asks. */
  readonly #heartbeat: Dn;
  #known: { readonly usn: number; readonly at: number | undefined; readonly seen: number } | undefined;

  constructor(parts: RecipientDirectoryParts) {
    this.#parts = parts;
    this.#heartbeat = Dn.parse(heartbeatDn(parts.place));
    this.refresh();
  }

  /** Looks whether the key changed. */
  refresh(): void {
    const version = recipientKeyVersion(this.#parts.keyFile);
    if (version === this.#version) return;
    this.#version = version;
    const key = readRecipientKey(this.#parts.keyFile);
    this.#hasher = key === undefined ? undefined : new RecipientHasher(key);
  }

  /** Looks a mailbox up: local part as meant, domain in A-labels. */
  lookup(localPart: string, domain: string): RecipientKnowledge {
    const hasher = this.#hasher;
    if (hasher === undefined) return { kind: 'no-subscription' };
    const { store } = this.#parts;
    for (const form of lookupForms(canonicalMailbox({ localPart, domain }))) {
      if (store.hasValue(hashedAddress, hasher.hash(form))) return known;
    }
    const now = this.#parts.clock.now();
    const at = this.#lastSuccess(now);
    // Before the first run has ended nothing can be said to be unknown.
    return at === undefined ? { kind: 'no-subscription' } : { kind: 'unknown', ageMs: now - at };
  }

  /** When the last run ended well, in milliseconds since 1970; undefined before the first. */
  get lastSuccess(): number | undefined {
    return this.#lastSuccess(this.#parts.clock.now());
  }

  #lastSuccess(now: number): number | undefined {
    const known = this.#known;
    // Days decide, not seconds: under a flood of unknown addresses it is read once in a second.
    if (known?.at !== undefined && Math.abs(now - known.seen) < lookMs) return known.at;
    const entry = this.#parts.store.get(this.#heartbeat);
    if (entry === undefined) return undefined;
    const at = known?.usn === entry.usn ? known.at : successOf(entry);
    this.#known = { usn: entry.usn, at, seen: now };
    return at;
  }
}

function successOf(entry: Entry): number | undefined {
  if (Number(entry.values('edgeSyncRun')[0] ?? 0) === 0) return undefined;
  return parseGeneralizedTime(entry.values('modifyTimestamp')[0] ?? '');
}

const known: RecipientKnowledge = { kind: 'known' };
