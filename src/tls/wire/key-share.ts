/** Key shares of TLS 1.3 for the groups that node:crypto can compute: RFC 8446 §4.2.8, RFC 7748, RFC 8422 §5.10. */
import { createECDH, createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto';

export interface KeyShare {
  readonly group: number;
  /** What the hello carries. */
  readonly key: Buffer;
  /** The secret shared with the peer's share. Throws RangeError for a share that is none. */
  secret(peer: Buffer): Buffer;
}

/** Curves by group. */
const weierstrass: ReadonlyMap<number, string> = new Map([
  [23, 'prime256v1'],
  [24, 'secp384r1'],
  [25, 'secp521r1'],
  [31, 'brainpoolP256r1'],
  [32, 'brainpoolP384r1'],
  [33, 'brainpoolP512r1'],
]);
const montgomery: ReadonlyMap<number, 'x25519' | 'x448'> = new Map([
  [29, 'x25519'],
  [30, 'x448'],
]);

/** Groups that a share can be made for. */
export const shareable: readonly number[] = [...montgomery.keys(), ...weierstrass.keys()];

/** A fresh share; undefined for a group that is not `shareable`. */
export function makeKeyShare(group: number): KeyShare | undefined {
  const curve = weierstrass.get(group);
  if (curve !== undefined) return weierstrassShare(group, curve);
  const type = montgomery.get(group);
  return type === undefined ? undefined : montgomeryShare(group, type);
}

function weierstrassShare(group: number, curve: string): KeyShare {
  const own = createECDH(curve);
  const key = own.generateKeys();
  return { group, key, secret: (peer) => orRangeError(() => own.computeSecret(peer)) };
}

function montgomeryShare(group: number, type: 'x25519' | 'x448'): KeyShare {
  const { publicKey, privateKey } = type === 'x25519' ? generateKeyPairSync('x25519') : generateKeyPairSync('x448');
  const crv = type === 'x25519' ? 'X25519' : 'X448';
  const peerKey = (peer: Buffer): KeyObject =>
    createPublicKey({ key: { kty: 'OKP', crv, x: peer.toString('base64url') }, format: 'jwk' });
  return {
    group,
    key: Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'),
    secret: (peer) => orRangeError(() => diffieHellman({ privateKey, publicKey: peerKey(peer) })),
  };
}

function orRangeError<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw new RangeError('the share of the server is no point of the group', { cause });
  }
}
