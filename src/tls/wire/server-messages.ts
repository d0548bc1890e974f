/** Reading what a server says in the clear: RFC 8446 §4.1.3, RFC 5246 §7.4, RFC 8422 §5.4. Every reader throws RangeError. */
import { suiteName } from './cipher-suites.ts';
import { OctetReader } from './octets.ts';
import { extensions, versions } from './registries.ts';

export interface ServerHello {
  /** Version agreed on, from `supported_versions` where it stands there. */
  readonly version: number;
  readonly random: Buffer;
  readonly sessionId: Buffer;
  readonly suite: number;
  /** IANA's name. */
  readonly suiteName: string;
  readonly compression: number;
  readonly extensions: ReadonlyMap<number, Buffer>;
  /** RFC 8446 §4.1.4: it asks for a second hello. */
  readonly helloRetry: boolean;
  /** Group of `key_share`. */
  readonly group?: number;
  /** The server's share; absent in a HelloRetryRequest. */
  readonly keyShare?: Buffer;
  /** What the last eight octets of the random say of a version not chosen (RFC 8446 §4.1.3). */
  readonly sentinel?: 'tls1_2' | 'tls1_1';
}

/** SHA-256 of "HelloRetryRequest". */
const helloRetryRandom = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');

/** Reads the body of a ServerHello. */
export function readServerHello(body: Buffer): ServerHello {
  const reader = new OctetReader(body);
  const legacy = reader.uint(2);
  const random = reader.take(32);
  const sessionId = reader.vector(1);
  const suite = reader.uint(2);
  const compression = reader.uint(1);
  const list = reader.left === 0 ? new Map<number, Buffer>() : readExtensions(reader.vector(2));
  const selected = list.get(extensions.supportedVersions);
  const helloRetry = random.equals(helloRetryRandom);
  return {
    version: selected?.length === 2 ? selected.readUInt16BE(0) : legacy,
    random,
    sessionId,
    suite,
    suiteName: suiteName(suite),
    compression,
    extensions: list,
    helloRetry,
    ...readKeyShare(list.get(extensions.keyShare), helloRetry),
    ...sentinelOf(random),
  };
}

function readKeyShare(data: Buffer | undefined, helloRetry: boolean): Pick<ServerHello, 'group' | 'keyShare'> {
  if (data === undefined) return {};
  const reader = new OctetReader(data);
  const group = reader.uint(2);
  return helloRetry ? { group } : { group, keyShare: reader.vector(2) };
}

function sentinelOf(random: Buffer): Pick<ServerHello, 'sentinel'> {
  const end = random.subarray(24).toString('latin1');
  if (end === 'DOWNGRD\x01') return { sentinel: 'tls1_2' };
  return end === 'DOWNGRD\x00' ? { sentinel: 'tls1_1' } : {};
}

/** Extensions by type; one that comes twice is read as it came last. */
export function readExtensions(list: Buffer): Map<number, Buffer> {
  const reader = new OctetReader(list);
  const found = new Map<number, Buffer>();
  while (reader.left > 0) found.set(reader.uint(2), reader.vector(2));
  return found;
}

/** DER of each certificate of a Certificate message up to TLS 1.2, leaf first. */
export function readCertificates(body: Buffer): Buffer[] {
  const list = new OctetReader(new OctetReader(body).vector(3));
  const found: Buffer[] = [];
  while (list.left > 0) found.push(list.vector(3));
  return found;
}

/** One entry of the Certificate message of TLS 1.3, RFC 8446 §4.4.2. */
export interface CertificateEntry {
  readonly der: Buffer;
  readonly extensions: ReadonlyMap<number, Buffer>;
}

export function readCertificateEntries(body: Buffer): CertificateEntry[] {
  const reader = new OctetReader(body);
  reader.vector(1);
  const list = new OctetReader(reader.vector(3));
  const found: CertificateEntry[] = [];
  while (list.left > 0) found.push({ der: list.vector(3), extensions: readExtensions(list.vector(2)) });
  return found;
}

/** The leaf's OCSP response of a CertificateStatus message or extension: RFC 6066 §8, or the first of several by RFC 6961 §2.2. */
export function readStaple(body: Buffer): Buffer {
  const reader = new OctetReader(body);
  const type = reader.uint(1);
  if (type === 2) return new OctetReader(reader.vector(3)).vector(3);
  if (type !== 1) throw new RangeError('a certificate status that is no OCSP');
  return reader.vector(3);
}

/** Lifetime in seconds and, for TLS 1.3, how much early data a ticket allows. */
export interface Ticket {
  readonly lifetime: number;
  /** Octets; 0 when early data is not allowed. */
  readonly maxEarlyData: number;
}

/** NewSessionTicket of RFC 5077 §3.3, or of RFC 8446 §4.6.1. */
export function readTicket(body: Buffer, version: number): Ticket {
  const reader = new OctetReader(body);
  const lifetime = reader.uint32();
  if (version < versions.tls1_3) return { lifetime, maxEarlyData: 0 };
  reader.uint32();
  reader.vector(1);
  reader.vector(2);
  const early = readExtensions(reader.vector(2)).get(extensions.earlyData);
  return { lifetime, maxEarlyData: early?.length === 4 ? early.readUInt32BE(0) : 0 };
}

/** What a ServerKeyExchange shows. */
export type KeyExchange =
  | { readonly kind: 'ecdhe'; readonly group: number; readonly signature?: number }
  | { readonly kind: 'dhe'; readonly bits: number; readonly prime: Buffer; readonly signature?: number }
  | { readonly kind: 'rsa'; readonly bits: number; readonly signature?: number }
  | { readonly kind: 'other' };

/** Reads a ServerKeyExchange by the suite that it belongs to. `signature` stands there from TLS 1.2 on. */
export function readKeyExchange(body: Buffer, { version, suiteName: suite }: ServerHello): KeyExchange {
  const reader = new OctetReader(body);
  const signed = (): { signature?: number } =>
    version < versions.tls1_2 || /_anon_/.test(suite) ? {} : { signature: reader.uint(2) };
  if (/PSK|SRP|ECCPWD|KRB5/.test(suite)) return { kind: 'other' };
  if (/_ECDHE?_/.test(suite)) {
    if (reader.uint(1) !== 3) throw new RangeError('a curve that is not named');
    const group = reader.uint(2);
    reader.vector(1);
    return { kind: 'ecdhe', group, ...signed() };
  }
  if (/_DHE?_/.test(suite)) {
    const prime = reader.vector(2);
    reader.vector(2);
    reader.vector(2);
    return { kind: 'dhe', bits: bitLength(prime), prime, ...signed() };
  }
  const modulus = reader.vector(2);
  reader.vector(2);
  return { kind: 'rsa', bits: bitLength(modulus), ...signed() };
}

/** Bits of an unsigned number, leading zeros apart. */
function bitLength(number: Buffer): number {
  const first = number.findIndex((octet) => octet !== 0);
  if (first < 0) return 0;
  return (number.length - first) * 8 - Math.clz32(number[first] ?? 0) + 24;
}
