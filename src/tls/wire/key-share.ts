/** Key shares of TLS 1.3 for the groups that node:crypto can compute: RFC 8446 §4.2.8, RFC 7748, RFC 8422 §5.10. */
import {
  createECDH,
  createPublicKey,
  decapsulate,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';

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

/** Pairs of a curve and ML-KEM, in the order in which both stand in share and secret (draft-ietf-tls-ecdhe-mlkem §4). */
const hybrids: ReadonlyMap<number, readonly [number | MlKem, number | MlKem]> = new Map([
  [0x11ec, ['ml-kem-768', 29]],
  [0x11eb, [23, 'ml-kem-768']],
  [0x11ed, [24, 'ml-kem-1024']],
]);
type MlKem = 'ml-kem-512' | 'ml-kem-768' | 'ml-kem-1024';
const pure: ReadonlyMap<number, MlKem> = new Map([
  [0x0200, 'ml-kem-512'],
  [0x0201, 'ml-kem-768'],
  [0x0202, 'ml-kem-1024'],
]);
/** Octets of an encapsulation key and of a ciphertext, FIPS 203 table 3. */
const mlKemSizes = { 'ml-kem-512': [800, 768], 'ml-kem-768': [1184, 1088], 'ml-kem-1024': [1568, 1568] } as const;

/** Groups that a share can be made for. */
export const shareable: readonly number[] = [
  ...montgomery.keys(),
  ...weierstrass.keys(),
  ...hybrids.keys(),
  ...pure.keys(),
];

/** A fresh share; undefined for a group that is not `shareable`. */
export function makeKeyShare(group: number): KeyShare | undefined {
  const curve = weierstrass.get(group);
  if (curve !== undefined) return weierstrassShare(group, curve);
  const type = montgomery.get(group);
  if (type !== undefined) return montgomeryShare(group, type);
  const kem = pure.get(group);
  if (kem !== undefined) return mlKemShare(group, kem);
  const pair = hybrids.get(group);
  return pair === undefined ? undefined : hybridShare(group, pair);
}

function mlKemShare(group: number, type: MlKem): KeyShare {
  const { publicKey, privateKey } = generateMlKem(type);
  const key = publicKey.export({ format: 'der', type: 'spki' }).subarray(-mlKemSizes[type][0]);
  return { group, key, secret: (peer) => orRangeError(() => decapsulate(privateKey, peer)) };
}

function generateMlKem(type: MlKem): { publicKey: KeyObject; privateKey: KeyObject } {
  if (type === 'ml-kem-512') return generateKeyPairSync('ml-kem-512');
  return type === 'ml-kem-768' ? generateKeyPairSync('ml-kem-768') : generateKeyPairSync('ml-kem-1024');
}

/** Both shares and both secrets one behind the other. */
function hybridShare(group: number, pair: readonly [number | MlKem, number | MlKem]): KeyShare {
  const parts = pair.map((part) => (typeof part === 'string' ? mlKemShare(0, part) : makeKeyShare(part)));
  const [first, second] = parts;
  if (first === undefined || second === undefined) throw new RangeError('a hybrid of groups that are not known');
  const [kind] = pair;
  // The server sends a ciphertext where the client sent an encapsulation key.
  const length = typeof kind === 'string' ? mlKemSizes[kind][1] : first.key.length;
  return {
    group,
    key: Buffer.concat([first.key, second.key]),
    secret: (peer) => Buffer.concat([first.secret(peer.subarray(0, length)), second.secret(peer.subarray(length))]),
  };
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
