import { createHash, X509Certificate } from 'node:crypto';
import {
  countTimestamps,
  extensionOf,
  findPath,
  hasIssued,
  isCriticalIn,
  longestPath,
  matchesHost,
  type RevocationVerdict,
  readCertificate,
  readOcspResponse,
  type TrustAnchors,
} from '../../tls/index.ts';
import type { Flight } from '../../tls/wire/index.ts';
import type { CertificateFact, ChainFact } from './facts.ts';

/** What chains are judged by. */
export interface ChainJudge {
  /** Name that the leaf must hold; '' for an address alone. */
  readonly host: string;
  readonly anchors: TrustAnchors;
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

/** The chains that were shown, and what a verifier makes of them. */
export interface ShownChains {
  readonly certificates: CertificateFact[];
  readonly chain: ChainFact[];
  /** From the leaf to its anchor (DER), for each of `chain`; empty where it is not trusted. */
  readonly paths: (readonly Buffer[])[];
  readonly unreadable: string[];
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

  facts(judge: ChainJudge): ShownChains {
    const certificates: CertificateFact[] = [];
    const paths: (readonly Buffer[])[] = [];
    const unreadable: string[] = [];
    const positionOf = (der: Buffer): number => {
      const known = certificates.findIndex((fact) => fact.sha256 === sha256(der));
      return known >= 0 ? known : certificates.push(certificateFact(der)) - 1;
    };
    const chain = [...this.#seen.values()].flatMap((seen): ChainFact[] => {
      try {
        const { fact, path } = chainFact(seen, seen.ders.map(positionOf), judge);
        paths.push(path);
        return [fact];
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        unreadable.push(`${[...seen.with].join(', ')}: ${error.message}`);
        return [];
      }
    });
    return { certificates, chain, paths, unreadable };
  }
}

/** Has issuers asked about chains that are trusted and whose leaf names a place: of the others nobody vouches for an answer. */
export async function askIssuers(
  { certificates, chain, paths }: ShownChains,
  ask: (path: readonly Buffer[]) => Promise<RevocationVerdict>,
): Promise<ChainFact[]> {
  return Promise.all(
    chain.map(async (fact, i) => {
      const path = paths[i] ?? [];
      const leaf = certificates[fact.certificates[0] ?? -1];
      if (path.length === 0 || leaf?.revocation === undefined) return fact;
      return { ...fact, revocation: await ask(path) };
    }),
  );
}

function certificateFact(der: Buffer): CertificateFact {
  const read = readCertificate(der);
  const certificate = new X509Certificate(der);
  const curve = curveOf(certificate);
  const revocation = [...read.ocspUrls, ...read.crlUrls];
  return {
    sha256: sha256(der),
    serial: read.serialNumber,
    version: read.version,
    subject: read.subjectText,
    issuer: read.issuerText,
    ...(read.commonName === '' ? {} : { commonName: read.commonName }),
    ...(read.subject.some(({ length }) => length > 1) ? { multiValued: true } : {}),
    sans: [...read.dnsNames, ...read.ipAddresses],
    notBefore: new Date(read.notBefore).toISOString(),
    notAfter: new Date(read.notAfter).toISOString(),
    key: { type: read.keyType, bits: read.keyBits, ...(curve === undefined ? {} : { curve }) },
    signatureAlgorithm: read.signatureAlgorithm,
    selfSigned: read.selfSigned,
    isCa: read.isCa,
    ...(read.keyUsage === undefined ? {} : { keyUsage: read.keyUsage, keyUsageCritical: isCriticalIn(der, keyUsage) }),
    ...(read.extendedKeyUsage === undefined ? {} : { extendedKeyUsage: read.extendedKeyUsage }),
    ...(revocation.length === 0 ? {} : { revocation }),
    mustStaple: extensionOf(der, tlsFeature) !== undefined,
    spkiSha256: spkiOf(certificate),
    pem: certificate.toString(),
  };
}

/** RFC 5280 §4.2.1.3. */
const keyUsage = '2.5.29.15';
/** RFC 7633 §4. */
const tlsFeature = '1.3.6.1.5.5.7.1.24';

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

function chainFact(
  seen: Seen,
  positions: readonly number[],
  judge: ChainJudge,
): { readonly fact: ChainFact; readonly path: readonly Buffer[] } {
  const chain = seen.ders.map((der) => new X509Certificate(der));
  const [leaf, ...others] = chain;
  if (leaf === undefined) throw new RangeError('an empty chain');
  const { dnsNames } = readCertificate(leaf.raw);
  const anchored = pathToAnchor([leaf, ...others], judge);
  const fact: ChainFact = {
    certificates: positions,
    seenWith: [...seen.with],
    inOrder: chain.every((certificate, i) => i === 0 || isIssuerOf(certificate, chain[i - 1])),
    complete: anchored.complete,
    trust: anchored.trust,
    ...(judge.host === '' ? {} : { matchesHost: matchesHost({ dnsNames, commonName: '' }, judge.host) }),
    ...stapleFact(
      seen.staple,
      leaf,
      issuerAmong([...anchored.path.slice(1), ...others], leaf, judge.anchors),
      judge.now,
    ),
    timestamps: countTimestamps(leaf.raw, seen.timestamps),
    ...(judge.demanded === undefined ? {} : { demanded: judge.demanded(leaf.raw) }),
  };
  return { fact, path: anchored.complete ? anchored.path.map(({ raw }) => raw) : [] };
}

/** Who issued the leaf, as far as it was sent or is trusted. */
function issuerAmong(
  sent: readonly X509Certificate[],
  leaf: X509Certificate,
  anchors: TrustAnchors,
): X509Certificate | undefined {
  return [...sent, ...anchors.named(leaf.issuer)].find((candidate) => hasIssued(candidate, leaf));
}

/** What the staple is worth: RFC 6960 §3.2, judged as every other answer of a responder. */
function stapleFact(
  staple: Buffer | undefined,
  certificate: X509Certificate,
  issuer: X509Certificate | undefined,
  now: number,
): Pick<ChainFact, 'staple' | 'stapleReason'> {
  if (staple === undefined) return { staple: 'none' };
  if (issuer === undefined)
    return {
      staple: 'unverified',
      stapleReason: 'the issuer, who vouches for the answer, was not sent and is not trusted',
    };
  try {
    const { state, reason } = readOcspResponse(staple, { certificate, issuer }, now);
    return { staple: state === 'good' ? 'good' : 'revoked', stapleReason: reason };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { staple: 'refused', stapleReason: error.message };
  }
}

function isIssuerOf(issuer: X509Certificate, subject: X509Certificate | undefined): boolean {
  return subject !== undefined && hasIssued(issuer, subject);
}

/** Whether what was sent leads from the leaf to an anchor, and why not. */
function pathToAnchor(
  [leaf, ...others]: readonly [X509Certificate, ...X509Certificate[]],
  { anchors, now }: ChainJudge,
): { readonly complete: boolean; readonly trust: string; readonly path: readonly X509Certificate[] } {
  const at = new Date(now);
  const { found, path, flaw } = findPath({
    leaf,
    others,
    anchors,
    flawOf: (certificate, place) => flawOf(certificate, place, at),
  });
  return found ? { complete: true, trust: 'trusted', path } : { complete: false, trust: flaw || whyEnded(path), path };
}

function flawOf({ subject, ca, validFromDate, validToDate }: X509Certificate, place: number, at: Date): string {
  if (validFromDate > at) return `not valid yet: ${oneLine(subject)}`;
  if (validToDate < at) return `expired: ${oneLine(subject)}`;
  return place > 0 && !ca ? `issued by a certificate that is no authority: ${oneLine(subject)}` : '';
}

function whyEnded(path: readonly X509Certificate[]): string {
  const last = path.at(-1);
  if (last === undefined || path.length >= longestPath) return `the chain is longer than ${longestPath} certificates`;
  if (!hasIssued(last, last)) return `no issuer was sent or is trusted: ${oneLine(last.issuer)}`;
  return path.length === 1 ? 'self-signed' : `unknown root: ${oneLine(last.subject)}`;
}

const oneLine = (name: string): string => name.split('\n').toReversed().join(', ');

function sha256(octets: Buffer): string {
  return createHash('sha256').update(octets).digest('hex');
}
