/**
 * While one server holds the lease, no other account of EdgeSync may write: decided inside the transaction of each write, by the
 * edge's own clock. Holder and beginning are the modifiersName and modifyTimestamp of the lease entry, which no client can set.
 */
import type { Clock } from '../../base/index.ts';
import type { AccessPolicy, DirectoryReader, EntryRights, Principal } from '../../directory/index.ts';
import { Dn, type Entry, parseGeneralizedTime } from '../../ldap/index.ts';
import { accountOfDn, type EdgePlace, leaseDn } from './place.ts';

/** Longest lease, in seconds, whatever is asked for. */
const longestLease = 3600;

export interface Lease {
  /** Server that holds it; '' for none. */
  readonly holder: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly until: number;
}

/** What an entry of a lease says; none for undefined. */
export function leaseOf(entry: Entry | undefined): Lease {
  if (entry === undefined) return { holder: '', since: 0, until: 0 };
  const holder = accountOfDn(entry.values('modifiersName')[0] ?? '')?.server ?? '';
  const since = parseGeneralizedTime(entry.values('modifyTimestamp')[0] ?? '');
  const seconds = Math.min(longestLease, Math.max(0, Number(entry.values('edgeSyncLeaseSeconds')[0] ?? 0)));
  return { holder, since, until: since + seconds * 1000 };
}

/** Whether it binds others at this time, in milliseconds. */
export function isInForce({ holder, since, until }: Lease, now: number): boolean {
  // A clock that was put back must not make it longer than one lease more.
  return holder !== '' && now < until && since - now < until - since;
}

export interface LeaseParts {
  readonly store: Pick<DirectoryReader, 'get'>;
  readonly place: EdgePlace;
  readonly clock: Pick<Clock, 'now'>;
}

export class LeasePolicy implements AccessPolicy {
  readonly #inner: AccessPolicy;
  readonly #parts: LeaseParts;
  /** Parsed once: every write asks. */
  readonly #dn: Dn;
  #known: { readonly usn: number; readonly lease: Lease } | undefined;
  /** The account that asked last: it asks for each entry. */
  #account: { readonly dn: string; readonly server: string | undefined } | undefined;

  constructor(inner: AccessPolicy, parts: LeaseParts) {
    this.#inner = inner;
    this.#parts = parts;
    this.#dn = Dn.parse(leaseDn(parts.place));
  }

  /** As it stands in the transaction that asks. */
  get #lease(): Lease {
    const entry = this.#parts.store.get(this.#dn);
    if (entry === undefined) return leaseOf(undefined);
    if (this.#known?.usn !== entry.usn) this.#known = { usn: entry.usn, lease: leaseOf(entry) };
    return this.#known.lease;
  }

  rights(principal: Principal, entry: Entry): EntryRights {
    return this.#limited(principal, this.#inner.rights(principal, entry));
  }

  rightsAtPlace(principal: Principal, entry: Entry): EntryRights {
    return this.#limited(principal, this.#inner.rightsAtPlace(principal, entry));
  }

  #limited(principal: Principal, rights: EntryRights): EntryRights {
    if (principal.kind !== 'account') return rights;
    const server = this.#serverOf(principal.dn);
    return server === undefined ? rights : new LeasedRights(rights, () => this.#isHeldBeside(server));
  }

  /** Name of the server that an account of EdgeSync belongs to, in lower case; undefined for another account. */
  #serverOf(dn: string): string | undefined {
    if (this.#account?.dn !== dn) this.#account = { dn, server: accountOfDn(dn)?.server.toLowerCase() };
    return this.#account.server;
  }

  #isHeldBeside(server: string): boolean {
    const lease = this.#lease;
    return lease.holder.toLowerCase() !== server && isInForce(lease, this.#parts.clock.now());
  }
}

/** Rights of an account while another may hold the lease. Asked for writes alone: reading costs nothing more. */
class LeasedRights implements EntryRights {
  readonly #rights: EntryRights;
  readonly #look: () => boolean;
  /** Rights are made for one operation, so the answer is the same for each of its attributes. */
  #answer: boolean | undefined;

  constructor(rights: EntryRights, look: () => boolean) {
    this.#rights = rights;
    this.#look = look;
  }

  get visible(): boolean {
    return this.#rights.visible;
  }

  reads(attribute: string): boolean {
    return this.#rights.reads(attribute);
  }

  writes(attribute: string): boolean {
    return this.#rights.writes(attribute) && !this.#held;
  }

  get creates(): boolean {
    return this.#rights.creates && !this.#held;
  }

  get deletes(): boolean {
    return this.#rights.deletes && !this.#held;
  }

  get setsClasses(): boolean {
    return this.#rights.setsClasses && !this.#held;
  }

  get #held(): boolean {
    this.#answer ??= this.#look();
    return this.#answer;
  }
}
