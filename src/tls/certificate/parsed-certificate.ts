/** What a certificate says: RFC 5280. Names and extensions come from the ASN.1, the key from OpenSSL. */
import { X509Certificate } from 'node:crypto';
import { domainToASCII, domainToUnicode } from 'node:url';
import { children, type DerNode, isContext, isUniversal, objectIdentifier, octets, readDer } from '../der/der.ts';
import { type DistinguishedName, nameFromDer } from '../names/distinguished-name.ts';
import { asciiLowerCase } from '../names/host-match.ts';
import { sameName } from '../names/name-comparison.ts';
import { formatName } from '../names/name-syntax.ts';

export interface ParsedCertificate {
  readonly der: Buffer;
  /** SHA-1 of the DER, 40 upper-case hexadecimal digits, as Exchange shows it. */
  readonly thumbprint: string;
  /** 3 for every certificate with extensions. */
  readonly version: number;
  /** Hexadecimal, upper case. */
  readonly serialNumber: string;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** In .NET's print. */
  readonly subjectText: string;
  readonly issuerText: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** dNSName entries of the subject alternative name, lower case, A-labels. */
  readonly dnsNames: readonly string[];
  /** iPAddress entries: '192.0.2.1', '2001:db8::1'. */
  readonly ipAddresses: readonly string[];
  /** Last common name of the subject; '' when there is none. */
  readonly commonName: string;
  /** 'rsa', 'rsa-pss', 'ec', 'ed25519', 'ed448' … as node:crypto names it; 'unknown' for a key it cannot read. */
  readonly keyType: string;
  /** Modulus or field size in bits; 0 when unknown. */
  readonly keyBits: number;
  /** 'sha256WithRSAEncryption' or the dotted identifier. */
  readonly signatureAlgorithm: string;
  /** Undefined: the extension is absent and every use is allowed. */
  readonly keyUsage?: readonly string[];
  /** 'serverAuth', 'clientAuth', 'anyExtendedKeyUsage' or dotted identifiers. Undefined: absent. */
  readonly extendedKeyUsage?: readonly string[];
  readonly isCa: boolean;
  /** Authorities that may stand below this one; undefined: any number. */
  readonly pathLength?: number;
  /** Dotted identifiers of critical extensions that are not understood: such a certificate is not used (RFC 5280 §4.2). */
  readonly unknownCritical: readonly string[];
  /** Where revocation is told: `http:` addresses of OCSP responders and of CRLs. */
  readonly ocspUrls: readonly string[];
  readonly crlUrls: readonly string[];
  /** It names a place, whatever the way there (ldap: among others): its issuer may revoke it. */
  readonly revocable: boolean;
  /** Issuer is subject, and its own key made the signature. */
  readonly selfSigned: boolean;
}

/** Reads DER, or the first certificate of a PEM text, whatever its key type. Throws RangeError. */
export function readCertificate(data: Buffer | string): ParsedCertificate {
  const certificate = parse(data);
  const tbs = tbsOf(certificate.raw);
  const { subject, issuer } = tbs;
  return {
    der: certificate.raw,
    thumbprint: certificate.fingerprint.replaceAll(':', ''),
    version: tbs.version,
    serialNumber: certificate.serialNumber,
    subject,
    issuer,
    subjectText: formatName(subject),
    issuerText: formatName(issuer),
    notBefore: certificate.validFromDate.getTime(),
    notAfter: certificate.validToDate.getTime(),
    ...alternativeNames(tbs.extensions.get(oids.subjectAltName)),
    commonName: commonNameOf(subject),
    ...keyFacts(certificate),
    signatureAlgorithm: certificate.signatureAlgorithm ?? certificate.signatureAlgorithmOid,
    ...usages(tbs.extensions),
    isCa: certificate.ca,
    ...constraints(tbs),
    ...revocationSources(tbs.extensions),
    selfSigned: tbs.selfIssued && signedBy(certificate),
  };
}

function parse(data: Buffer | string): X509Certificate {
  try {
    return new X509Certificate(data);
  } catch (cause) {
    throw new RangeError('this is no X.509 certificate', { cause });
  }
}

function signedBy(certificate: X509Certificate): boolean {
  try {
    return certificate.verify(certificate.publicKey);
  } catch {
    // A key that OpenSSL cannot use proves nothing.
    return false;
  }
}

function commonNameOf(subject: DistinguishedName): string {
  return subject.flat().findLast(({ oid }) => oid === '2.5.4.3')?.value ?? '';
}

const oids = {
  subjectAltName: '2.5.29.17',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  basicConstraints: '2.5.29.19',
  crlDistributionPoints: '2.5.29.31',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
} as const;

/** Critical extensions that are looked at here or by OpenSSL in every handshake. */
const understood: ReadonlySet<string> = new Set([
  ...Object.values(oids),
  // Name constraints, certificate policies, policy mappings, policy constraints, inhibit any-policy, TLS features.
  '2.5.29.30',
  '2.5.29.32',
  '2.5.29.33',
  '2.5.29.36',
  '2.5.29.54',
  '1.3.6.1.5.5.7.1.24',
]);

interface Tbs {
  readonly version: number;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  /** Issuer and subject are the same name; by octets where a value does not decode. */
  readonly selfIssued: boolean;
  /** DER of each extension's value by identifier. */
  readonly extensions: ReadonlyMap<string, Buffer>;
  readonly critical: readonly string[];
}

/** DER of the value of one extension; undefined where the certificate has none of that identifier. Throws RangeError. */
export function extensionOf(der: Buffer, identifier: string): Buffer | undefined {
  return tbsOf(der).extensions.get(identifier);
}

/** Whether the certificate has that extension, marked critical. Throws RangeError. */
export function isCriticalIn(der: Buffer, identifier: string): boolean {
  return tbsOf(der).critical.includes(identifier);
}

/** RFC 5280 §4.1: version [0], serial, algorithm, issuer, validity, subject, key, …, extensions [3]. */
function tbsOf(der: Buffer): Tbs {
  const fields = children(children(readDer(der))[0]);
  const first = fields[0];
  const explicit = first !== undefined && isContext(first, 0);
  const [, , issuerNode, , subjectNode] = explicit ? fields.slice(1) : fields;
  const [issuer, subject] = [nameFromDer(issuerNode), nameFromDer(subjectNode)];
  const list = fields.find((field) => isContext(field, 3));
  return {
    version: explicit ? (octets(children(first)[0])[0] ?? 0) + 1 : 1,
    issuer,
    subject,
    selfIssued: sameName(issuer, subject) || formatName(issuer) === formatName(subject),
    extensions: new Map(children(children(list)[0]).map(extension)),
    critical: children(children(list)[0])
      .filter(isCritical)
      .map((node) => objectIdentifier(children(node)[0])),
  };
}

/** Extension ::= identifier, critical (absent: false), value. */
function isCritical(node: DerNode): boolean {
  const parts = children(node);
  return parts.length > 2 && (octets(parts[1])[0] ?? 0) !== 0;
}

function constraints({ extensions, critical }: Tbs): Pick<ParsedCertificate, 'pathLength' | 'unknownCritical'> {
  const basic = extensions.get(oids.basicConstraints);
  const length = basic === undefined ? undefined : children(readDer(basic)).find((node) => isUniversal(node, 2));
  const value = octets(length);
  return {
    ...(length === undefined || value.length > 4 ? {} : { pathLength: value.readUIntBE(0, value.length) }),
    unknownCritical: critical.filter((oid) => !understood.has(oid)),
  };
}

/** RFC 5280 §4.2.2.1 and §4.2.1.13: the uniformResourceIdentifier [6] of each place. */
function revocationSources(
  extensions: ReadonlyMap<string, Buffer>,
): Pick<ParsedCertificate, 'ocspUrls' | 'crlUrls' | 'revocable'> {
  const access = extensions.get(oids.authorityInfoAccess);
  const points = extensions.get(oids.crlDistributionPoints);
  const responders = (access === undefined ? [] : children(readDer(access))).filter(
    (node) => objectIdentifier(children(node)[0]) === '1.3.6.1.5.5.7.48.1',
  );
  return {
    ocspUrls: responders.flatMap((node) => urls(children(node).slice(1))),
    crlUrls: (points === undefined ? [] : children(readDer(points)))
      .flatMap((point) => children(children(children(point).find((node) => isContext(node, 0)))[0]))
      .flatMap((name) => urls([name])),
    revocable: responders.length > 0 || points !== undefined,
  };
}

/** Only http: these are signed themselves, and https would ask for a certificate to judge a certificate. */
function urls(names: readonly DerNode[]): string[] {
  return names
    .filter((name) => isContext(name, 6))
    .map((name) => octets(name).toString('latin1'))
    .filter((url) => /^http:\/\/[!-~]+$/i.test(url));
}

function extension(node: DerNode): readonly [string, Buffer] {
  const parts = children(node);
  return [objectIdentifier(parts[0]), octets(parts.at(-1))];
}

/** RFC 5280 §4.2.1.6: dNSName is [2], iPAddress [7]. */
function alternativeNames(value: Buffer | undefined): Pick<ParsedCertificate, 'dnsNames' | 'ipAddresses'> {
  const names = value === undefined ? [] : children(readDer(value));
  return {
    dnsNames: names.filter((name) => isContext(name, 2)).map((name) => dnsName(octets(name))),
    ipAddresses: names.filter((name) => isContext(name, 7)).map((name) => ipText(octets(name))),
  };
}

/**
 * Some CAs wrote U-labels; the type allows only ASCII. Taken where the text is the U-label itself, not something that
 * UTS 46 maps to another name (full-width letters become ASCII). What is no name stays text and matches nothing.
 */
function dnsName(value: Buffer): string {
  const text = asciiLowerCase(value.toString('utf8'));
  if (/^[\0-\x7f]*$/.test(text)) return text;
  const encoded = domainToASCII(text);
  return encoded !== '' && domainToUnicode(encoded) === text ? encoded : text;
}

function ipText(value: Buffer): string {
  if (value.length === 4) return value.join('.');
  if (value.length !== 16) return value.toString('hex');
  const groups = Array.from({ length: 8 }, (_, i) => value.readUInt16BE(i * 2).toString(16));
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}

function keyFacts(certificate: X509Certificate): Pick<ParsedCertificate, 'keyType' | 'keyBits'> {
  try {
    const { asymmetricKeyType = 'unknown', asymmetricKeyDetails } = certificate.publicKey;
    const { modulusLength, namedCurve = '' } = asymmetricKeyDetails ?? {};
    const ofCurve = Number(/\d{3}/.exec(namedCurve)?.[0] ?? 0);
    return { keyType: asymmetricKeyType, keyBits: modulusLength ?? (ofCurve || (fixedBits[asymmetricKeyType] ?? 0)) };
  } catch {
    return { keyType: 'unknown', keyBits: 0 };
  }
}

const fixedBits: Readonly<Record<string, number>> = { ed25519: 256, ed448: 456 };

/** RFC 5280 §4.2.1.3, in the order of the bits. */
const keyUsageNames = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

/** RFC 5280 §4.2.1.12. */
const purposes: Readonly<Record<string, string>> = {
  '2.5.29.37.0': 'anyExtendedKeyUsage',
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  '1.3.6.1.5.5.7.3.2': 'clientAuth',
  '1.3.6.1.5.5.7.3.4': 'emailProtection',
  '1.3.6.1.5.5.7.3.9': 'OCSPSigning',
};

function usages(extensions: ReadonlyMap<string, Buffer>): Pick<ParsedCertificate, 'keyUsage' | 'extendedKeyUsage'> {
  const bits = extensions.get(oids.keyUsage);
  const list = extensions.get(oids.extendedKeyUsage);
  return {
    ...(bits === undefined ? {} : { keyUsage: keyUsages(octets(readDer(bits))) }),
    ...(list === undefined ? {} : { extendedKeyUsage: children(readDer(list)).map(purpose) }),
  };
}

/** A BIT STRING: the first octet counts unused bits, the highest bit of the next is bit 0. */
function keyUsages(value: Buffer): string[] {
  return keyUsageNames.filter((_, bit) => ((value[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0);
}

function purpose(node: DerNode): string {
  const oid = objectIdentifier(node);
  return purposes[oid] ?? oid;
}
