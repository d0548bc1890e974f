/**
 * Certificates as openssl writes them: each is described to `openssl asn1parse -genconf`, all of a call in one run, and
 * signed by OpenSSL. Not one octet of a name comes from the code under test, and any octet can be had.
 */
import { execFileSync } from 'node:child_process';
import { createHash, type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** An attribute value: its ASN.1 tag and its octets. */
export interface NameValue {
  readonly oid: string;
  /** Universal tag: 12 is UTF8String, 30 BMPString … */
  readonly tag: number;
  readonly octets: Buffer;
  /** Octets of the identifier where they are not those that openssl writes for `oid`. */
  readonly rawOid?: Buffer;
}

/** Steps in the order of the encoding; a step of several values is multi-valued. */
export type Name = readonly (readonly NameValue[])[];

/** One extension, with its value as genconf describes it: a line such as `OCTWRAP,SEQUENCE:x` needs `sections`. */
export interface Extension {
  readonly oid: string;
  readonly critical?: boolean;
  /** DER of the value. */
  readonly value: Buffer;
}

export interface Template {
  readonly subject: Name;
  readonly issuer: Name;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly serial: bigint;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Buffer;
  readonly signingKey: KeyObject;
  /** Default sha256; without meaning for Ed25519. */
  readonly hash?: 'sha1' | 'sha256' | 'sha384';
  /** Default 3; 1 has no extensions. */
  readonly version?: 1 | 3;
  readonly extensions: readonly Extension[];
  /** The signature is made and then damaged. */
  readonly forged?: boolean;
}

/** The certificates as DER, in order. */
export function makeCertificates(templates: readonly Template[]): Buffer[] {
  const sections = templates.map((template, i) => tbsSections(template, `c${i}`));
  const list = templates.map((_, i) => `c${i}=SEQUENCE:c${i}`);
  const all = generate([`asn1=SEQUENCE:all`, '[all]', ...list, ...sections.flat()].join('\n'));
  return elements(all).map((element, i) => {
    const tbs = universal(element);
    const template = templates[i];
    if (template === undefined) throw new Error('openssl made more than it was asked for');
    return signed(tbs, template);
  });
}

/** DER of one value that genconf describes. Throws when openssl does not take the description. */
export function generate(description: string): Buffer {
  // Files, because openssl opens no socket by its /dev name, and Node's pipes to children are sockets.
  const folder = mkdtempSync(`${tmpdir()}/edge-certs-`);
  try {
    writeFileSync(`${folder}/description`, `${description}\n`);
    execFileSync('openssl', ['asn1parse', '-genconf', 'description', '-noout', '-out', 'der'], { cwd: folder });
    return readFileSync(`${folder}/der`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function signed(tbs: Buffer, { signingKey, hash, forged = false }: Template): Buffer {
  const algorithm = signatureAlgorithm(signingKey, hash);
  const signature = sign(algorithm.hash, tbs, signingKey);
  if (forged) signature[signature.length >> 1] = (signature[signature.length >> 1] ?? 0) ^ 1;
  return tlv(0x30, tbs, algorithm.der, tlv(0x03, Buffer.of(0), signature));
}

/** AlgorithmIdentifiers, spelled out: openssl has no command that prints one. */
function signatureAlgorithm(key: KeyObject, hash: Template['hash'] = 'sha256'): { der: Buffer; hash: string | null } {
  const rows: Readonly<Record<string, string>> = {
    'rsa sha1': '300d06092a864886f70d0101050500',
    'rsa sha256': '300d06092a864886f70d01010b0500',
    'rsa sha384': '300d06092a864886f70d01010c0500',
    'ec sha1': '300906072a8648ce3d0401',
    'ec sha256': '300a06082a8648ce3d040302',
    'ec sha384': '300a06082a8648ce3d040303',
  };
  const type = key.asymmetricKeyType ?? '';
  if (type === 'ed25519') return { der: Buffer.from('300506032b6570', 'hex'), hash: null };
  return { der: Buffer.from(rows[`${type} ${hash}`] ?? '', 'hex'), hash };
}

/** Sections of one tbsCertificate, RFC 5280 §4.1. */
function tbsSections(template: Template, id: string): string[] {
  const { version = 3, serial, issuer, subject, notBefore, notAfter, publicKey, extensions } = template;
  const [algorithmOid, algorithmNull] = elements(signatureAlgorithm(template.signingKey, template.hash).der);
  return [
    `[${id}]`,
    ...(version === 3 ? ['version=EXPLICIT:0,INTEGER:2'] : []),
    `serial=INTEGER:0x${serial.toString(16)}`,
    `algorithm=SEQUENCE:${id}.algorithm`,
    `issuer=SEQUENCE:${id}.issuer`,
    `validity=SEQUENCE:${id}.validity`,
    `subject=SEQUENCE:${id}.subject`,
    `key=SEQUENCE:${id}.key`,
    ...(version === 3 ? [`extensions=EXPLICIT:3,SEQUENCE:${id}.extensions`] : []),
    `[${id}.algorithm]`,
    `oid=${raw(6, content(algorithmOid))}`,
    ...(algorithmNull === undefined ? [] : ['parameters=NULL']),
    `[${id}.validity]`,
    `notBefore=${time(notBefore)}`,
    `notAfter=${time(notAfter)}`,
    ...nameSections(issuer, `${id}.issuer`),
    ...nameSections(subject, `${id}.subject`),
    ...keySections(publicKey, `${id}.key`),
    ...(version === 3 ? extensionSections(extensions, `${id}.extensions`) : []),
  ];
}

/**
 * Any primitive universal element from its octets, as one of class `private` for the time being: openssl looks into
 * those that it knows and does not write what is wrong in them.
 */
function raw(tag: number, octets: Buffer): string {
  const format = octets.length === 0 ? '' : 'FORMAT:HEX,';
  return `IMPLICIT:${tag}P,${format}OCTETSTRING:${octets.toString('hex')}`;
}

function time(at: number): string {
  const text = `${new Date(at).toISOString().replace(/[-:T]|\.\d+Z/g, '')}Z`;
  return Number(text.slice(0, 4)) < 2050 ? `UTCTIME:${text.slice(2)}` : `GENERALIZEDTIME:${text}`;
}

/** Section names in one document are unique; lines within a section are taken in order. */
function nameSections(name: Name, id: string): string[] {
  return [
    `[${id}]`,
    ...name.map((_, i) => `s${i}=SET:${id}.${i}`),
    ...name.flatMap((step, i) => [
      `[${id}.${i}]`,
      ...step.map((_, j) => `v${j}=SEQUENCE:${id}.${i}.${j}`),
      ...step.flatMap(({ oid, rawOid, tag, octets }, j) => [
        `[${id}.${i}.${j}]`,
        `type=${rawOid === undefined ? `OID:${oid}` : raw(6, rawOid)}`,
        `value=${raw(tag, octets)}`,
      ]),
    ]),
  ];
}

/** SubjectPublicKeyInfo: the algorithm with its parameters (NULL or a curve), and the bits. */
function keySections(spki: Buffer, id: string): string[] {
  const [algorithm, bits] = elements(spki);
  const [oid, parameters] = elements(algorithm ?? spki);
  const shown = parameters === undefined ? [] : [parameters[0] === 5 ? 'p=NULL' : `p=${raw(6, content(parameters))}`];
  return [
    `[${id}]`,
    `algorithm=SEQUENCE:${id}.algorithm`,
    `bits=FORMAT:HEX,BITSTRING:${content(bits).subarray(1).toString('hex')}`,
    `[${id}.algorithm]`,
    `oid=${raw(6, content(oid))}`,
    ...shown,
  ];
}

function extensionSections(extensions: readonly Extension[], id: string): string[] {
  return [
    `[${id}]`,
    ...extensions.map((_, i) => `e${i}=SEQUENCE:${id}.${i}`),
    ...extensions.flatMap(({ oid, critical = false, value }, i) => [
      `[${id}.${i}]`,
      `id=OID:${oid}`,
      ...(critical ? ['critical=BOOLEAN:TRUE'] : []),
      `value=FORMAT:HEX,OCTETSTRING:${value.toString('hex')}`,
    ]),
  ];
}

/** One element of DER from its parts. */
export function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length < 0x80) return Buffer.concat([Buffer.of(tag, body.length), body]);
  const hex = body.length.toString(16);
  const length = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.of(tag, 0x80 | length.length), length, body]);
}

function header(der: Buffer, at: number): { start: number; end: number } {
  const first = der[at + 1] ?? 0;
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const octets = first & 0x7f;
  const start = at + 2 + octets;
  return { start, end: start + der.readUIntBE(at + 2, octets) };
}

/** Elements inside a constructed one, each with its header. */
export function elements(der: Buffer): Buffer[] {
  const { start, end } = header(der, 0);
  const found: Buffer[] = [];
  for (let at = start; at < end; at = header(der, at).end) found.push(der.subarray(at, header(der, at).end));
  return found;
}

/** The same with its elements of class `private` made universal. */
function universal(der: Buffer): Buffer {
  const [first = 0] = der;
  if ((first & 0xc0) === 0xc0) return Buffer.concat([Buffer.of(first & 0x1f), der.subarray(1)]);
  return (first & 0x20) === 0 ? der : tlv(first, ...elements(der).map(universal));
}

function content(der: Buffer | undefined): Buffer {
  if (der === undefined) return Buffer.alloc(0);
  const { start, end } = header(der, 0);
  return der.subarray(start, end);
}

/** SHA-1 over the key bits: RFC 5280 §4.2.1.2 (1). */
export function keyIdentifier(spki: Buffer): Buffer {
  return createHash('sha1')
    .update(content(elements(spki)[1]).subarray(1))
    .digest();
}
