/**
 * Makes X.509 v3 certificates for keys of any type: the structure by node-forge's ASN.1, the signature by node:crypto.
 * RFC 5280 §4.1, §4.2. Used for the server's own certificate.
 */
import { createHash, type KeyObject, sign } from 'node:crypto';
import { createRequire } from 'node:module';
import { isIPv6 } from 'node:net';
import type forge from 'node-forge';

const load = createRequire(import.meta.url);
const asn1 = load('node-forge/lib/asn1.js') as typeof forge.asn1;
const { createBuffer } = load('node-forge/lib/util.js') as typeof forge.util;
const { Class, Type } = asn1;
type Node = forge.asn1.Asn1;

/** String types of names that are in use; `utf8` unless told otherwise. */
export type NameStringType = 'utf8' | 'printable' | 'ia5';

export interface NamePart {
  readonly oid: string;
  readonly value: string;
  readonly type?: NameStringType;
}

/** Steps of a name in the order of the encoding; a step of several parts is multi-valued. */
export type NameSteps = readonly (readonly NamePart[])[];

export interface CertificateRequest {
  readonly subject: NameSteps;
  readonly issuer: NameSteps;
  /** Milliseconds since 1970; whole seconds count. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Up to 20 octets, positive. */
  readonly serial: Buffer;
  /** Of the subject. */
  readonly publicKey: KeyObject;
  /** Of the issuer. */
  readonly signingKey: KeyObject;
  /** Public key of the issuer, for the authority key identifier. */
  readonly issuerPublicKey: KeyObject;
  /** Default sha256; without meaning for Ed25519. */
  readonly hash?: 'sha1' | 'sha256' | 'sha384';
  readonly ca?: boolean;
  readonly keyUsage?: readonly KeyUsage[];
  /** Dotted identifiers. */
  readonly extendedKeyUsage?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

export type KeyUsage = 'digitalSignature' | 'keyEncipherment' | 'keyCertSign' | 'cRLSign';

/** Bits of RFC 5280 §4.2.1.3 in the first octet. */
const keyUsageBits: Readonly<Record<KeyUsage, number>> = {
  digitalSignature: 0x80,
  keyEncipherment: 0x20,
  keyCertSign: 0x04,
  cRLSign: 0x02,
};

/** RFC 5280 §4.2.1.12. */
export const purposes = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' } as const;

/** The certificate as DER. Throws RangeError for a key that it cannot sign with. */
export function buildCertificate(request: CertificateRequest): Buffer {
  const { oid, hash } = signatureAlgorithm(request.signingKey, request.hash ?? 'sha256');
  const algorithm = sequence(
    objectIdentifier(oid),
    ...(hash !== null && request.signingKey.asymmetricKeyType === 'rsa' ? [primitive(Type.NULL, none)] : []),
  );
  const body = sequence(
    context(0, primitive(Type.INTEGER, Buffer.of(2))),
    primitive(Type.INTEGER, request.serial),
    algorithm,
    nameNode(request.issuer),
    sequence(timeNode(request.notBefore), timeNode(request.notAfter)),
    nameNode(request.subject),
    parsed(spkiOf(request.publicKey)),
    context(3, sequence(...extensions(request))),
  );
  const signature = sign(hash, toDer(body), request.signingKey);
  return toDer(sequence(body, algorithm, bitString(signature)));
}

/** What a certification authority is asked for: PKCS #10, RFC 2986. */
export interface SigningRequest {
  readonly subject: NameSteps;
  readonly publicKey: KeyObject;
  readonly signingKey: KeyObject;
  readonly dnsNames: readonly string[];
}

/** DER. Throws RangeError for a key that it cannot sign with. */
export function buildSigningRequest({ subject, publicKey, signingKey, dnsNames }: SigningRequest): Buffer {
  const { oid, hash } = signatureAlgorithm(signingKey, 'sha256');
  const parameters = signingKey.asymmetricKeyType === 'rsa' ? [primitive(Type.NULL, none)] : [];
  const names = sequence(...dnsNames.map((name) => contextPrimitive(2, Buffer.from(name))));
  const wanted = dnsNames.length === 0 ? [] : [extension('2.5.29.17', false, names)];
  const attribute = sequence(
    objectIdentifier('1.2.840.113549.1.9.14'),
    asn1.create(Class.UNIVERSAL, Type.SET, true, [sequence(...wanted)]),
  );
  const attributes = wanted.length === 0 ? [] : [attribute];
  const info = sequence(
    primitive(Type.INTEGER, Buffer.of(0)),
    nameNode(subject),
    parsed(spkiOf(publicKey)),
    asn1.create(Class.CONTEXT_SPECIFIC, 0, true, attributes),
  );
  const signature = sign(hash, toDer(info), signingKey);
  return toDer(sequence(info, sequence(objectIdentifier(oid), ...parameters), bitString(signature)));
}

/** Signature algorithms by key type and hash. */
function signatureAlgorithm(key: KeyObject, hash: 'sha1' | 'sha256' | 'sha384'): { oid: string; hash: string | null } {
  const rows: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    rsa: { sha1: '1.2.840.113549.1.1.5', sha256: '1.2.840.113549.1.1.11', sha384: '1.2.840.113549.1.1.12' },
    ec: { sha1: '1.2.840.10045.4.1', sha256: '1.2.840.10045.4.3.2', sha384: '1.2.840.10045.4.3.3' },
  };
  const type = key.asymmetricKeyType ?? '';
  if (type === 'ed25519') return { oid: '1.3.101.112', hash: null };
  const oid = rows[type]?.[hash];
  if (oid === undefined) throw new RangeError(`no signature is made with a key of type '${type}'`);
  return { oid, hash };
}

function extensions(request: CertificateRequest): Node[] {
  const { ca = false, keyUsage, extendedKeyUsage, dnsNames = [], ipAddresses = [] } = request;
  const names = [
    ...dnsNames.map((name) => contextPrimitive(2, Buffer.from(name))),
    ...ipAddresses.map((address) => contextPrimitive(7, addressOctets(address))),
  ];
  return [
    extension('2.5.29.19', true, sequence(...(ca ? [primitive(Type.BOOLEAN, Buffer.of(0xff))] : []))),
    ...(keyUsage === undefined ? [] : [extension('2.5.29.15', true, keyUsageNode(keyUsage))]),
    ...(extendedKeyUsage === undefined
      ? []
      : [extension('2.5.29.37', false, sequence(...extendedKeyUsage.map(objectIdentifier)))]),
    ...(names.length === 0 ? [] : [extension('2.5.29.17', false, sequence(...names))]),
    extension('2.5.29.14', false, primitive(Type.OCTETSTRING, keyIdentifier(request.publicKey))),
    extension('2.5.29.35', false, sequence(contextPrimitive(0, keyIdentifier(request.issuerPublicKey)))),
  ];
}

/** SHA-1 over the key, as everybody computes it (RFC 5280 §4.2.1.2 leaves the method open). */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha1').update(spkiOf(key)).digest();
}

function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function keyUsageNode(uses: readonly KeyUsage[]): Node {
  const bits = uses.reduce((sum, use) => sum | keyUsageBits[use], 0);
  const unused = Math.clz32(bits & -bits) === 32 ? 0 : 31 - Math.clz32(bits & -bits);
  return primitive(Type.BITSTRING, Buffer.of(unused, bits));
}

function extension(oid: string, critical: boolean, value: Node): Node {
  const flag = critical ? [primitive(Type.BOOLEAN, Buffer.of(0xff))] : [];
  return sequence(objectIdentifier(oid), ...flag, primitive(Type.OCTETSTRING, toDer(value)));
}

const stringTypes: Readonly<Record<NameStringType, readonly [type: number, encode: (text: string) => Buffer]>> = {
  utf8: [Type.UTF8, (text) => Buffer.from(text)],
  printable: [Type.PRINTABLESTRING, (text) => Buffer.from(text, 'latin1')],
  ia5: [Type.IA5STRING, (text) => Buffer.from(text, 'latin1')],
};

function nameNode(name: NameSteps): Node {
  return sequence(...name.map((step) => asn1.create(Class.UNIVERSAL, Type.SET, true, sorted(step.map(attributeNode)))));
}

/** DER: the elements of a SET OF stand in ascending order of their octets. */
function sorted(nodes: Node[]): Node[] {
  return nodes.toSorted((a, b) => Buffer.compare(toDer(a), toDer(b)));
}

function attributeNode({ oid, value, type = 'utf8' }: NamePart): Node {
  const [tag, encode] = stringTypes[type];
  return sequence(objectIdentifier(oid), primitive(tag, encode(value)));
}

/** RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime after. */
function timeNode(at: number): Node {
  const text = new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '');
  return Number(text.slice(0, 4)) < 2050
    ? primitive(Type.UTCTIME, Buffer.from(text.slice(2)))
    : primitive(Type.GENERALIZEDTIME, Buffer.from(text));
}

function addressOctets(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const full = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = full.split('::');
  const words = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const before = words(head);
  const after = words(tail ?? '');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return Buffer.from([...before, ...zeros, ...after].map((word) => word.padStart(4, '0')).join(''), 'hex');
}

const none = Buffer.alloc(0);

function primitive(type: number, value: Buffer): Node {
  return asn1.create(Class.UNIVERSAL, type, false, value.toString('latin1'));
}

function sequence(...nodes: Node[]): Node {
  return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, nodes);
}

function context(tag: number, node: Node): Node {
  return asn1.create(Class.CONTEXT_SPECIFIC, tag, true, [node]);
}

function contextPrimitive(tag: number, value: Buffer): Node {
  return asn1.create(Class.CONTEXT_SPECIFIC, tag, false, value.toString('latin1'));
}

function bitString(value: Buffer): Node {
  return primitive(Type.BITSTRING, Buffer.concat([Buffer.of(0), value]));
}

function objectIdentifier(oid: string): Node {
  return primitive(Type.OID, Buffer.from(asn1.oidToDer(oid).getBytes(), 'latin1'));
}

function parsed(der: Buffer): Node {
  return asn1.fromDer(createBuffer(der.toString('latin1')));
}

function toDer(node: Node): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
}
