/** Whether an address is known, for the mail path: one hash and at most one look into the index, and how fresh that knowledge is. */
import type { Clock } from '../../base/index.ts';
import type { DirectoryReader, ValueProbe } from '../../directory/index.ts';
import { Dn, type Entry, parseGeneralizedTime } from '../../ldap/index.ts';
import { canonicalMailbox, lookupForms } from '../address.ts';
import { hashBytes, RecipientHasher } from '../recipient-hash.ts';
import { AbsentHashes } from './absent-hashes.ts';
import { FoundHashes } from './found-hashes.ts';
import { type EdgePlace, heartbeatDn } from './place.ts';
import { readRecipientKey, recipientKeyVersion } from './recipient-key-file.ts';

/** What is known of recipients. */
export type RecipientKnowledge =
  | { readonly kind: 'known' }
  | { readonly kind: 'unknown' /** Milliseconds since the last successful synchronization. */; readonly ageMs: number }
  /** No edge subscription is in force: nobody knows. */
  | { readonly kind: 'no-subscription' };

export interface RecipientDirectoryParts {
  readonly store: Pick<DirectoryReader, 'valueProbe' | 'get' | 'usn' | 'changesSince' | 'byGuid'>;
  readonly place: EdgePlace;
  /** Path of the key file. */
  readonly keyFile: string;
  readonly clock: Pick<Clock, 'now'>;
}

/** How long the time of the last success is taken as read, in milliseconds. */
const lookMs = 1000;
/** How long what is known of hashes is taken as right, in milliseconds: changes are in force within a second. */
const foundMs = 500;
const hashAttribute = 'edgeHashedAddress';

export class RecipientDirectory {
  readonly #parts: RecipientDirectoryParts;
  #hasher: RecipientHasher | undefined;
  /** The hash in question, as octets and as words. */
  readonly #words = new Int32Array(hashBytes / Int32Array.BYTES_PER_ELEMENT);
  readonly #octets = Buffer.from(this.#words.buffer);
  readonly #found = new FoundHashes();
  /** Change of the store up to which `#found` is right, and when that was seen. */
  #foundUpTo = { usn: 0, seen: Number.NEGATIVE_INFINITY };
  #index: { readonly probe: ValueProbe; readonly absent: AbsentHashes } | undefined;
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
    this.#found.clear();
  }

  /** Looks a mailbox up: local part as meant, domain in A-labels. */
  lookup(localPart: string, domain: string): RecipientKnowledge {
    const hasher = this.#hasher;
    if (hasher === undefined) return { kind: 'no-subscription' };
    const now = this.#parts.clock.now();
    this.#lookForChanges(now);
    for (const form of lookupForms(canonicalMailbox({ localPart, domain }))) {
      hasher.hashInto(this.#octets, form);
      if (this.#isThere()) return known;
    }
    const at = this.#lastSuccess(now);
    // Before the first run has ended nothing can be said to be unknown.
    return at === undefined ? { kind: 'no-subscription' } : { kind: 'unknown', ageMs: now - at };
  }

  /** Whether the hash in question is in the directory. */
  #isThere(): boolean {
    if (this.#found.has(this.#words)) return true;
    const { probe, absent } = (this.#index ??= this.#openIndex());
    if (absent.has(this.#words)) return false;
    this.#octets.copy(probe.value);
    if (!probe.holds()) {
      absent.missed();
      return false;
    }
    this.#found.add(this.#words);
    return true;
  }

  #openIndex(): { readonly probe: ValueProbe; readonly absent: AbsentHashes } {
    const { store } = this.#parts;
    const probe = store.valueProbe(hashAttribute, hashBytes);
    return { probe, absent: new AbsentHashes({ store, probe, attribute: hashAttribute }) };
  }

  /** Takes up what changed in the directory: what was found may be there no more, what was absent may be there. */
  #lookForChanges(now: number): void {
    if (Math.abs(now - this.#foundUpTo.seen) < foundMs) return;
    const { usn } = this.#parts.store;
    if (usn !== this.#foundUpTo.usn) {
      this.#found.clear();
      this.#index?.absent.follow();
    }
    this.#foundUpTo = { usn, seen: now };
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
