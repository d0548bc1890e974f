/**
 * Is a certificate issued, link by link, by an authority that is trusted? RFC 5280 §6.1, by signatures and not by names.
 * OpenSSL judges every handshake; this is for what its verdict leaves open: Node hands out the last error alone, so that
 * an untrusted certificate which also lacks a purpose looks as if it lacked nothing but the purpose.
 */
import type { X509Certificate } from 'node:crypto';
import { findPath, longestPath } from './certificate-path.ts';
import { type ParsedCertificate, readCertificate } from './parsed-certificate.ts';
import { parseCertificate, type TrustAnchors } from './trust-anchors.ts';

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

/** Certificates of a chain that are looked at. */
const mostShown = longestPath * 2;

/** Builds a path from the leaf to an anchor. Pure. */
export function verifyChain({ shown, anchors, now }: ChainQuestion): ChainVerdict {
  const [leaf, ...others] = shown.slice(0, mostShown).map(parseCertificate);
  if (leaf === undefined) return { trusted: false, reason: 'the certificate does not read', path: [] };
  const { found, path, flaw } = findPath({
    leaf,
    others: others.filter((one) => one !== undefined),
    anchors,
    flawOf: (certificate, place) => flawOf(certificate, place, now),
  });
  return { trusted: found, reason: found ? '' : flaw || whyEnded(path), path };
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
