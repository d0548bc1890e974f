/** The hello of SSL 2.0, which no library offers any more: Hickman, "The SSL Protocol", 1995, §5.5 and §5.6. */
import { OctetReader, uint } from './octets.ts';

/** Cipher kinds, three octets each. */
const cipherKinds: ReadonlyMap<number, string> = new Map([
  [0x010080, 'SSL_CK_RC4_128_WITH_MD5'],
  [0x020080, 'SSL_CK_RC4_128_EXPORT40_WITH_MD5'],
  [0x030080, 'SSL_CK_RC2_128_CBC_WITH_MD5'],
  [0x040080, 'SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5'],
  [0x050080, 'SSL_CK_IDEA_128_CBC_WITH_MD5'],
  [0x060040, 'SSL_CK_DES_64_CBC_WITH_MD5'],
  [0x0700c0, 'SSL_CK_DES_192_EDE3_CBC_WITH_MD5'],
]);

/** The whole record of a CLIENT-HELLO that offers every cipher kind, with a challenge of 16 octets. */
export function ssl2ClientHello(challenge: Buffer): Buffer {
  const kinds = Buffer.concat([...cipherKinds.keys()].map((kind) => uint(kind, 3)));
  const body = Buffer.concat([
    Buffer.from([1, 0, 2]),
    uint(kinds.length, 2),
    uint(0, 2),
    uint(challenge.length, 2),
    kinds,
    challenge,
  ]);
  return Buffer.concat([uint(0x8000 | body.length, 2), body]);
}

export interface Ssl2ServerHello {
  /** Cipher kinds that the server shares; none: it speaks SSL 2.0 and refuses all of them. */
  readonly ciphers: readonly string[];
  readonly certificate: Buffer;
}

/** The SERVER-HELLO at the beginning of these octets; undefined while more must come. Throws RangeError for anything else. */
export function readSsl2ServerHello(octets: Buffer): Ssl2ServerHello | undefined {
  const first = octets[0];
  if (first === undefined || octets.length < 2) return undefined;
  if ((first & 0x80) === 0) throw new RangeError('this is no record of SSL 2.0');
  const length = octets.readUInt16BE(0) & 0x7fff;
  if (length < 11) throw new RangeError('a record of SSL 2.0 that is too short for a hello');
  if (octets.length < 2 + length) return octets.length >= 3 && octets[2] !== 4 ? refuse() : undefined;
  const reader = new OctetReader(octets.subarray(2, 2 + length));
  if (reader.uint(1) !== 4) refuse();
  reader.take(2);
  if (reader.uint(2) !== 2) throw new RangeError('a hello of another version than SSL 2.0');
  const [certificateLength, kindsLength] = [reader.uint(2), reader.uint(2)];
  reader.take(2);
  const certificate = reader.take(certificateLength);
  const kinds = new OctetReader(reader.take(kindsLength));
  const ciphers: string[] = [];
  while (kinds.left >= 3) {
    const kind = kinds.uint(3);
    ciphers.push(cipherKinds.get(kind) ?? `0x${kind.toString(16).padStart(6, '0')}`);
  }
  return { ciphers, certificate };
}

function refuse(): never {
  throw new RangeError('this is no SERVER-HELLO of SSL 2.0');
}
