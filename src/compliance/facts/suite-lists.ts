/** In which company and order cipher suites are offered. */
import { suiteName, suitesOfVersion } from '../../tls/wire/index.ts';

/** Some servers ignore suites beyond the 64th of a hello. */
export const chunkSize = 64;

/** Whether a suite agrees on its key in a finite field that the server must have been given. */
export function isFiniteField(code: number): boolean {
  return /^TLS_(DHE|DH_anon|PSK_DHE)_/.test(suiteName(code));
}

/** All suites of a version as codes; what servers have stands in front, so that most of it is offered at once. */
export function suitesByRarity(version: number): number[] {
  return suitesOfVersion(version)
    .toSorted((a, b) => rarity(a.name) - rarity(b.name))
    .map(({ code }) => code);
}

function rarity(name: string): number {
  if (!/^TLS_(ECDHE_(RSA|ECDSA)|DHE_(RSA|DSS)|RSA|ECDH_anon|DH_anon)_/.test(name)) return 3;
  if (/_WITH_(AES_\d+_(GCM|CBC)|CHACHA20|3DES|RC4)_/.test(name)) return 0;
  // Those of finite fields fill the first chunk: what is left of them then fits into one.
  return /^TLS_DH/.test(name) ? 1 : 2;
}

/** At most so many in one hello. */
export function chunksOf(codes: readonly number[]): number[][] {
  return Array.from({ length: Math.ceil(codes.length / chunkSize) }, (_, i) =>
    codes.slice(i * chunkSize, (i + 1) * chunkSize),
  );
}
