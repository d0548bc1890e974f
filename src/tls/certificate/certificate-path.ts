/** Paths of certificates, each issued by the next: by signatures and not by names alone. RFC 5280 §6.1. Bounded, pure. */
import type { X509Certificate } from 'node:crypto';
import type { TrustAnchors } from './trust-anchors.ts';

/** Certificates in a path at the most, and signatures looked at, whatever a stranger sends (RFC 5280 sets no limit). */
export const longestPath = 10;
const mostSignatures = 50;

export interface PathQuestion {
  /** What the peer sent, in any order behind the leaf (RFC 8446 §4.4.2). */
  readonly leaf: X509Certificate;
  readonly others: readonly X509Certificate[];
  /** Where a path may end. Absent: nowhere but where `isEnd` says so. */
  readonly anchors?: TrustAnchors;
  /** Whether a path may end at this certificate, which was sent. Default: at none but one that is an anchor itself. */
  readonly isEnd?: (certificate: X509Certificate) => boolean;
  /** What is wrong with a certificate at its place, in words: 0 is the leaf. '' when nothing is. */
  readonly flawOf: (certificate: X509Certificate, place: number) => string;
}

export interface PathResult {
  /** It ends where it may. */
  readonly found: boolean;
  /** From the leaf to its end; the longest one that was tried when none was found. */
  readonly path: readonly X509Certificate[];
  /** The first flaw of a certificate that was otherwise right; '' when none was found. */
  readonly flaw: string;
}

interface Search extends PathQuestion {
  /** Verifications that may still be done. */
  signatures: number;
  best: readonly X509Certificate[];
  flaw: string;
}

/** Looks for a path from the leaf to an end. */
export function findPath(question: PathQuestion): PathResult {
  const search: Search = { ...question, signatures: mostSignatures, best: [question.leaf], flaw: '' };
  const path = extend([question.leaf], search);
  return path === undefined ? { found: false, path: search.best, flaw: search.flaw } : { found: true, path, flaw: '' };
}

/** `path` as far as it is without its last certificate is sound. */
function extend(path: readonly X509Certificate[], search: Search): readonly X509Certificate[] | undefined {
  const last = path.at(-1);
  if (last === undefined || path.length > longestPath) return undefined;
  if (!isSound(last, path.length - 1, search)) return undefined;
  if (path.length > search.best.length) search.best = path;
  if (search.isEnd?.(last) === true) return path;
  for (const anchor of search.anchors?.named(last.issuer) ?? []) {
    // An anchor that is the certificate itself: pinned by importing it.
    if (anchor.raw.equals(last.raw)) return path;
    if (issued(anchor, last, search) && isSound(anchor, path.length, search)) return [...path, anchor];
  }
  for (const issuer of search.others) {
    if (path.some(({ raw }) => raw.equals(issuer.raw)) || !issued(issuer, last, search)) continue;
    const found = extend([...path, issuer], search);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isSound(certificate: X509Certificate, place: number, search: Search): boolean {
  const flaw = search.flawOf(certificate, place);
  search.flaw ||= flaw;
  return flaw === '';
}

function issued(issuer: X509Certificate, certificate: X509Certificate, search: Search): boolean {
  return search.signatures > 0 && hasIssued(issuer, certificate, () => search.signatures--);
}

/** By name, key identifiers and, above all, signature. `verifying` is called before the signature is looked at. */
export function hasIssued(issuer: X509Certificate, certificate: X509Certificate, verifying?: () => void): boolean {
  if (issuer.subject !== certificate.issuer || !certificate.checkIssued(issuer)) return false;
  verifying?.();
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    // A key that OpenSSL cannot use has signed nothing.
    return false;
  }
}
