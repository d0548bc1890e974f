import { createHash, X509Certificate } from 'node:crypto';
import { formatTlsCertificateName, matchesHost, readCertificate } from '../tls/index.ts';
import type { Flight } from '../tls/wire/index.ts';
import type { CertificateFact, ChainFact } from './facts.ts';
import { readOcspStatus } from './ocsp-status.ts';
import { countTimestamps } from './timestamps.ts';

/** What chains are judged by. */
export interface ChainJudge {
  /** Name that the leaf must hold; '' for an address alone. */
  readonly host: string;
  /** Trusted roots, PEM. */
  readonly anchors: readonly string[];
  readonly now: number;
  /** Says whether `<I>…<S>…` is met; undefined: nothing is demanded. */
  readonly demanded?: ((leafDer: Buffer) => string) | undefined;
}

interface Seen {
  readonly ders: readonly Buffer[];
  readonly with: Set<string>;
  staple: Buffer | undefined;
  timestamps: Buffer | undefined;
}

/** Collects every chain that any hello was answered with. */
export class Chains {
  readonly #seen = new Map<string, Seen>();

  /** `label`: where it was shown, 'tls1_2'. */
  add(flight: Flight, label: string): void {
    if (flight.certificates.length === 0) return;
    const key = flight.certificates.map(sha256).join();
    const seen = this.#seen.get(key) ?? {
      ders: flight.certificates,
      with: new Set<string>(),
      staple: undefined,
      timestamps: undefined,
    };
    this.#seen.set(key, seen);
    seen.with.add(label);
    seen.staple ??= flight.staple;
    seen.timestamps ??= flight.timestamps;
  }

  facts(judge: ChainJudge): {
    readonly certificates: CertificateFact[];
    readonly chain: ChainFact[];
    readonly unreadable: string[];
  } {
    const certificates: CertificateFact[] = [];
    const unreadable: string[] = [];
    const positionOf = (der: Buffer): number => {
      const known = certificates.findIndex((fact) => fact.sha256 === sha256(der));
      return known >= 0 ? known : certificates.push(certificateFact(der)) - 1;
    };
    const chain = [...this.#seen.values()].flatMap((seen): ChainFact[] => {
      try {
        return [chainFact(seen, seen.ders.map(positionOf), judge)];
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        unreadable.push(`${[...seen.with].join(', ')}: ${error.message}`);
        return [];
      }
    });
    return { certificates, chain, unreadable };
  }
}

function certificateFact(der: Buffer): CertificateFact {
  const read = readCertificate(der);
  const certificate = new X509Certificate(der);
  const curve = curveOf(certificate);
  return {
    sha256: sha256(der),
    subject: read.subjectText,
    issuer: read.issuerText,
    sans: [...read.dnsNames, ...read.ipAddresses],
    notBefore: new Date(read.notBefore).toISOString(),
    notAfter: new Date(read.notAfter).toISOString(),
    key: { type: read.keyType, bits: read.keyBits, ...(curve === undefined ? {} : { curve }) },
    signatureAlgorithm: read.signatureAlgorithm,
    selfSigned: read.selfSigned,
    isCa: read.isCa,
    ...(read.keyUsage === undefined ? {} : { keyUsage: read.keyUsage }),
    ...(read.extendedKeyUsage === undefined ? {} : { extendedKeyUsage: read.extendedKeyUsage }),
    mustStaple: der.includes(mustStaple),
    spkiSha256: spkiOf(certificate),
    pem: certificate.toString(),
  };
}

/** The identifier 1.3.6.1.5.5.7.1.24 (RFC 7633 §4) in DER. */
const mustStaple = Buffer.from('06082b06010505070118', 'hex');

function curveOf(certificate: X509Certificate): string | undefined {
  try {
    const { asymmetricKeyType = '', asymmetricKeyDetails } = certificate.publicKey;
    const { namedCurve } = asymmetricKeyDetails ?? {};
    if (namedCurve === undefined) return /^ed\d/.test(asymmetricKeyType) ? asymmetricKeyType : undefined;
    // The registry's name, as groups have it.
    return namedCurve === 'prime256v1' ? 'secp256r1' : namedCurve;
  } catch {
    // A key that OpenSSL cannot read has no curve that can be named.
    return undefined;
  }
}

function spkiOf(certificate: X509Certificate): string {
  try {
    return sha256(certificate.publicKey.export({ type: 'spki', format: 'der' }));
  } catch {
    // The same: its digest is left empty, and no TLSA record of the key can match.
    return '';
  }
}

function chainFact(seen: Seen, positions: readonly number[], judge: ChainJudge): ChainFact {
  const chain = seen.ders.map((der) => new X509Certificate(der));
  const [leaf] = chain;
  if (leaf === undefined) throw new RangeError('an empty chain');
  const { dnsNames } = readCertificate(leaf.raw);
  const anchored = pathToAnchor(chain, judge);
  return {
    certificates: positions,
    seenWith: [...seen.with],
    inOrder: chain.every((certificate, i) => i === 0 || issued(certificate, chain[i - 1])),
    complete: anchored.complete,
    trust: anchored.trust,
    ...(judge.host === '' ? {} : { matchesHost: matchesHost({ dnsNames, commonName: '' }, judge.host) }),
    staple: seen.staple === undefined ? 'none' : readOcspStatus(seen.staple),
    timestamps: countTimestamps(leaf.raw, seen.timestamps),
    ...(judge.demanded === undefined ? {} : { demanded: judge.demanded(leaf.raw) }),
  };
}

function issued(issuer: X509Certificate, subject: X509Certificate | undefined): boolean {
  if (subject === undefined || !subject.checkIssued(issuer)) return false;
  try {
    return subject.verify(issuer.publicKey);
  } catch {
    // A key that cannot be used signs nothing.
    return false;
  }
}

/** Builds a path from the leaf through what was sent to an anchor; sent order does not matter (RFC 8446 §4.4.2). */
function pathToAnchor(
  chain: readonly X509Certificate[],
  { anchors, now }: ChainJudge,
): { readonly complete: boolean; readonly trust: string } {
  const trusted = anchors.map((pem) => new X509Certificate(pem));
  const at = new Date(now);
  let current = chain[0];
  const used = new Set<string>();
  for (let depth = 0; current !== undefined && depth < 10; depth++) {
    const { subject } = current;
    if (current.validFromDate > at) return { complete: false, trust: `not valid yet: ${oneLine(subject)}` };
    if (current.validToDate < at) return { complete: false, trust: `expired: ${oneLine(subject)}` };
    const here = current;
    if (trusted.some((anchor) => anchor.fingerprint256 === here.fingerprint256 || issued(anchor, here))) {
      return { complete: true, trust: 'trusted' };
    }
    used.add(here.fingerprint256);
    if (issued(here, here))
      return { complete: false, trust: depth === 0 ? 'self-signed' : `unknown root: ${oneLine(subject)}` };
    const next = chain.find((candidate) => !used.has(candidate.fingerprint256) && issued(candidate, here));
    if (next !== undefined && !next.ca)
      return { complete: false, trust: `issued by a certificate that is no authority: ${oneLine(next.subject)}` };
    if (next === undefined)
      return { complete: false, trust: `no issuer was sent or is trusted: ${oneLine(here.issuer)}` };
    current = next;
  }
  return { complete: false, trust: 'the chain is longer than 10 certificates' };
}

const oneLine = (name: string): string => name.split('\n').toReversed().join(', ');

function sha256(octets: Buffer): string {
  return createHash('sha256').update(octets).digest('hex');
}

/** The name to paste into a connector's TlsCertificateName. */
export function nameOfLeaf(der: Buffer): string {
  return formatTlsCertificateName(readCertificate(der));
}
