/** Signatures over DER that is no certificate: CRLs and OCSP responses. RFC 4055, RFC 5758, RFC 8410. */
import { constants, type KeyObject, type VerifyKeyObjectInput, verify } from 'node:crypto';
import { contentOf, type DerSlice, membersOf, sliceTags } from './der-slices.ts';

interface Algorithm {
  /** OpenSSL's name of the hash; null: the key's own. */
  readonly hash: string | null;
  readonly key: 'rsa' | 'ec' | 'ed25519' | 'ed448';
  readonly pss?: boolean;
}

/** By the DER of the identifier, hexadecimal. MD5 and SHA-1 are not among them: who forges those signs what he likes. */
const algorithms: Readonly<Record<string, Algorithm>> = {
  '2a864886f70d01010b': { hash: 'sha256', key: 'rsa' },
  '2a864886f70d01010c': { hash: 'sha384', key: 'rsa' },
  '2a864886f70d01010d': { hash: 'sha512', key: 'rsa' },
  '2a864886f70d01010a': { hash: null, key: 'rsa', pss: true },
  '2a8648ce3d040302': { hash: 'sha256', key: 'ec' },
  '2a8648ce3d040303': { hash: 'sha384', key: 'ec' },
  '2a8648ce3d040304': { hash: 'sha512', key: 'ec' },
  '2b6570': { hash: null, key: 'ed25519' },
  '2b6571': { hash: null, key: 'ed448' },
};

/** Hashes that the parameters of RSASSA-PSS name. */
const pssHashes: Readonly<Record<string, string>> = {
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
};

export interface SignedDer {
  /** What was signed, with its header. */
  readonly signed: DerSlice | undefined;
  /** AlgorithmIdentifier. */
  readonly algorithm: DerSlice | undefined;
  /** BIT STRING. */
  readonly signature: DerSlice | undefined;
}

/** Whether the key made the signature. Throws RangeError for what does not read; false for an algorithm that is not taken. */
export function signatureHolds({ signed, algorithm, signature }: SignedDer, key: KeyObject): boolean {
  const parts = membersOf(algorithm, sliceTags.sequence, 'the signature algorithm');
  const oid = contentOf(parts[0], sliceTags.objectIdentifier, 'the signature algorithm').toString('hex');
  const known = algorithms[oid];
  const bits = contentOf(signature, sliceTags.bitString, 'the signature');
  if (bits[0] !== 0) throw new RangeError('the signature does not read');
  if (known === undefined || signed === undefined || !(key.asymmetricKeyType ?? '').startsWith(known.key)) return false;
  const hash = known.pss === true ? pssHash(parts[1]) : known.hash;
  if (hash === undefined) return false;
  const input: VerifyKeyObjectInput =
    known.pss === true
      ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
      : { key };
  try {
    return verify(hash, signed.whole, input, bits.subarray(1));
  } catch {
    // A key that OpenSSL cannot use has signed nothing.
    return false;
  }
}

/** RFC 4055 §3.1: hashAlgorithm is [0]; the default, SHA-1, is not taken. */
function pssHash(parameters: DerSlice | undefined): string | undefined {
  const hex = parameters?.content.toString('hex') ?? '';
  return Object.entries(pssHashes).find(([oid]) => hex.startsWith(`a00f300d0609${oid}`))?.[1];
}
