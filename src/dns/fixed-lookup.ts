import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** For `request` and `connect`: the name is looked up no more, so that only addresses that were judged are connected to. */
export function fixedLookup(addresses: readonly string[]): LookupFunction {
  const all: LookupAddress[] = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  return (_host, { all: wantsAll }, done) => {
    if (wantsAll === true) done(null, all);
    else done(null, all[0]?.address ?? '', all[0]?.family);
  };
}
