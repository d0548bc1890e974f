/** Which certificate LDAPS shows: one function for the listener and for the subscription file, which must say the same. */
import { X509Certificate } from 'node:crypto';
import { keyDigest } from '../../base/index.ts';

/** A certificate of this server: PEM, the chain behind it. */
export interface OwnCertificate {
  readonly chainPem: string;
}

/**
 * The one that is meant for LDAPS where the inside knows its key or there is no inside; else the newest whose key the inside
 * knows, so that a renewed one is shown as soon as the inside has heard of its key. Undefined when it knows none of them.
 * `all` comes newest first, without those that have expired.
 */
export function presentedCertificate<T extends OwnCertificate>(
  meant: T | undefined,
  all: readonly T[],
  pinnedKeys: readonly string[],
): T | undefined {
  const isKnown = ({ chainPem }: T): boolean => pinnedKeys.includes(keyDigest(new X509Certificate(chainPem)));
  if (meant !== undefined && (pinnedKeys.length === 0 || isKnown(meant))) return meant;
  return all.find(isKnown);
}
