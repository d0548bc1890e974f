/**
 * While one server holds the lease, no other account of EdgeSync may write: decided inside the transaction of each write, by the
 * edge's own clock. Holder and beginning are the modifiersName and modifyTimestamp of the lease entry, which no client can set.
 */
import type { Clock } from '../../base/index.ts';
import type { AccessPolicy, DirectoryReader, EntryRights, Principal } from '../../directory/index.ts';
import { type Entry, parseGeneralizedTime } from '../../ldap/index.ts';
import { accountOfDn, type EdgePlace, leaseDn } from './place.ts';

/** Longest lease, in seconds, whatever is asked for. */
const longestLease = 3600;

export interface Lease {
  /** Server that holds it; '' for none. */
  readonly holder: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

export function leaseOf(store: Pick<DirectoryReader, 'get'>, place: EdgePlace): Lease {
  const entry = store.get(leaseDn(place));
  const holder = accountOfDn(entry?.values('modifiersName')[0] ?? '')?.server ?? '';
  const since = parseGeneralizedTime(entry?.values('modifyTimestamp')[0] ?? '') ?? 0;
  const seconds = Math.min(longestLease, Math.max(0, Number(entry?.values('edgeSyncLeaseSeconds')[0] ?? 0)));
  return { holder, until: since + seconds * 1000 };
}

export class LeasePolicy implements AccessPolicy {
  readonly #inner: AccessPolicy;
  readonly #parts: { readonly store: Pick<DirectoryReader, 'get'>; readonly place: EdgePlace; readonly clock: Clock };

  constructor(
    inner: AccessPolicy,
    parts: { readonly store: Pick<DirectoryReader, 'get'>; readonly place: EdgePlace; readonly clock: Clock },
  ) {
    this.#inner = inner;
    this.#parts = parts;
  }

  rights(principal: Principal, entry: Entry): EntryRights {
    return this.#limited(principal, this.#inner.rights(principal, entry));
  }

  rightsAtPlace(principal: Principal, entry: Entry): EntryRights {
    return this.#limited(principal, this.#inner.rightsAtPlace(principal, entry));
  }

  #limited(principal: Principal, rights: EntryRights): EntryRights {
    if (principal.kind !== 'account') return rights;
    const account = accountOfDn(principal.dn);
    if (account === undefined) return rights;
    const { store, place, clock } = this.#parts;
    const { visible, reads } = rights;
    const held = (): boolean => {
      const { holder, until } = leaseOf(store, place);
      return holder !== '' && holder.toLowerCase() !== account.server.toLowerCase() && clock.now() < until;
    };
    // Asked for writes alone: reading costs nothing more.
    return {
      visible,
      reads: (attribute) => reads.call(rights, attribute),
      writes: (attribute) => rights.writes(attribute) && !held(),
      get creates() {
        return rights.creates && !held();
      },
      get deletes() {
        return rights.deletes && !held();
      },
      get setsClasses() {
        return rights.setsClasses && !held();
      },
    };
  }
}
