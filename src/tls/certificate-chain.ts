/**
 * Is a certificate issued, link by link, by an authority that is trusted? RFC 5280 §6.1, by signatures and not by names.
 * OpenSSL judges every handshake; this is for what its verdict leaves open: Node hands out the last error alone, so that
 * an untrusted certificate which also lacks a purpose looks as if it lacked nothing but the purpose.
 */
import { X509Certificate } from 'node:crypto';
import { type ParsedCertificate, readCertificate } from './parsed-certificate.ts';

/** Authorities that are trusted, ready for many judgements. */
export class TrustAnchors {
  readonly #bySubject = new Map<string, X509Certificate[]>();
  /** PEM, for OpenSSL's own judgement in the handshake. */
  readonly pem: readonly string[];

  /** PEM of one certificate each; those that do not read are left out. */
  constructor(pem: readonly string[]) {
    this.pem = pem;
    for (const text of pem) {
      const certificate = parse(text);
      if (certificate === undefined) continue;
      const known = this.#bySubject.get(certificate.subject) ?? [];
      known.push(certificate);
      this.#bySubject.set(certificate.subject, known);
    }
  }

  /** Those with the name of an issuer. */
  named(issuer: string): readonly X509Certificate[] {
    return this.#bySubject.get(issuer) ?? [];
  }

  get size(): number {
    return this.#bySubject.size;
  }
}

function parse(data: string | Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(data);
  } catch {
    // What OpenSSL does not read vouches for nobody.
    return undefined;
  }
}

export interface ChainQuestion {
  /** DER, leaf first; what the peer sent, in any order behind the leaf. */
  readonly shown: readonly Buffer[];
  readonly anchors: TrustAnchors;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface ChainVerdict {
  readonly trusted: boolean;
  /** In words; '' when it is trusted. */
  readonly reason: string;
  /** From the leaf to the anchor; as far as it went when it is not trusted. */
  readonly path: readonly X509Certificate[];
}

/** Certificates in a chain at the most, and signatures looked at, whatever a stranger sends (RFC 5280 sets no limit). */
const longestPath = 10;
const mostSignatures = 50;

/** Builds a path from the leaf to an anchor. Pure. */
export function verifyChain({ shown, anchors, now }: ChainQuestion): ChainVerdict {
  const [leaf, ...others] = shown.slice(0, longestPath * 2).map(parse);
  if (leaf === undefined) return { trusted: false, reason: 'the certificate does not read', path: [] };
  const search: Search = {
    anchors,
    others: others.filter((one) => one !== undefined),
    now,
    signatures: mostSignatures,
    best: [leaf],
    reason: '',
  };
  const path = extend([leaf], search);
  if (path !== undefined) return { trusted: true, reason: '', path };
  return { trusted: false, reason: search.reason || whyEnded(search.best), path: search.best };
}

interface Search {
  readonly anchors: TrustAnchors;
  readonly others: readonly X509Certificate[];
  readonly now: number;
  /** Verifications that may still be done. */
  signatures: number;
  /** The longest path that was tried. */
  best: readonly X509Certificate[];
  /** The first fault of a link that was otherwise right. */
  reason: string;
}

function extend(path: readonly X509Certificate[], search: Search): readonly X509Certificate[] | undefined {
  const last = path.at(-1);
  if (last === undefined || path.length > longestPath) return undefined;
  const fault = flawOf(last, path.length - 1, search.now);
  if (fault !== '') {
    search.reason ||= fault;
    return undefined;
  }
  if (path.length > search.best.length) search.best = path;
  for (const anchor of search.anchors.named(last.issuer)) {
    // An anchor that is the certificate itself: pinned by importing it.
    if (anchor.raw.equals(last.raw)) return path;
    const anchored = [...path, anchor];
    if (!issued(anchor, last, search)) continue;
    const flaw = flawOf(anchor, path.length, search.now);
    if (flaw === '') return anchored;
    search.reason ||= flaw;
  }
  for (const issuer of search.others) {
    if (path.includes(issuer) || !issued(issuer, last, search)) continue;
    const found = extend([...path, issuer], search);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** By name, key identifiers and, above all, signature. */
function issued(issuer: X509Certificate, certificate: X509Certificate, search: Search): boolean {
  if (issuer.subject !== certificate.issuer || !certificate.checkIssued(issuer)) return false;
  if (search.signatures-- <= 0) return false;
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    // A key that OpenSSL cannot use has signed nothing.
    return false;
  }
}

/** What is wrong with a certificate at its place: 0 is the leaf. '' when nothing is. */
function flawOf(certificate: X509Certificate, place: number, now: number): string {
  const parsed = readOrUndefined(certificate);
  if (parsed === undefined) return 'a certificate of the chain does not read';
  const who = place === 0 ? 'the certificate' : `the issuer ${parsed.subjectText}`;
  if (now < parsed.notBefore) return `${who} is not valid before ${day(parsed.notBefore)}`;
  if (now > parsed.notAfter) return `${who} expired on ${day(parsed.notAfter)}`;
  if (parsed.unknownCritical.length > 0) return `${who} has a critical extension that is not known here`;
  if (isWeak(parsed)) return `${who} has a key or signature that is too weak`;
  return place === 0 ? '' : authorityFlaw(parsed, place, who);
}

function authorityFlaw(parsed: ParsedCertificate, place: number, who: string): string {
  if (!parsed.isCa) return `${who} is no certification authority`;
  if (parsed.keyUsage !== undefined && !parsed.keyUsage.includes('keyCertSign'))
    return `${who} may not sign certificates`;
  if (parsed.pathLength !== undefined && place - 1 > parsed.pathLength)
    return `${who} allows ${parsed.pathLength} authorities below it`;
  return '';
}

/** The limits of OpenSSL's security level 2, without which a forged signature costs little. */
function isWeak({ keyType, keyBits, signatureAlgorithm, selfSigned }: ParsedCertificate): boolean {
  if (keyType === 'unknown') return true;
  if (keyType.startsWith('rsa') && keyBits < 2048) return true;
  if (keyType === 'ec' && keyBits < 224) return true;
  // What signs itself is trusted or not by itself: its signature says nothing.
  return !selfSigned && /md5|sha1(?!\d)|md2/i.test(signatureAlgorithm);
}

function readOrUndefined(certificate: X509Certificate): ParsedCertificate | undefined {
  try {
    return readCertificate(certificate.raw);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function whyEnded(path: readonly X509Certificate[]): string {
  const last = path.at(-1);
  const parsed = last === undefined ? undefined : readOrUndefined(last);
  if (parsed === undefined) return 'the chain does not read';
  if (parsed.selfSigned)
    return path.length === 1 ? 'it is self-signed and not trusted here' : `${parsed.subjectText} is not trusted here`;
  return `no trusted authority issued it: its issuer is ${parsed.issuerText}`;
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
