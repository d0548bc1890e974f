/** What becomes of one certificate when its issuer is asked whether it was revoked. */

/** 'unknown': no answer that counts. */
export interface RevocationVerdict {
  readonly state: 'good' | 'revoked' | 'unknown';
  /** Who said so, or why nobody did. */
  readonly reason: string;
}

/** A verdict, and how long it may be kept. */
export interface RevocationAnswer extends RevocationVerdict {
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Clocks of two machines may differ so much, in milliseconds. */
const skewMs = 5 * 60_000;

/** '' when an answer made at `thisUpdate` counts now. RFC 6960 §4.2.2.1, RFC 5280 §5.1.2.5. */
export function staleness(thisUpdate: number, nextUpdate: number | undefined, now: number): string {
  if (thisUpdate > now + skewMs) return `it is not valid before ${new Date(thisUpdate).toISOString()}`;
  if (nextUpdate !== undefined && nextUpdate < now - skewMs)
    return `it was to be renewed at ${new Date(nextUpdate).toISOString()}`;
  return '';
}

/** RFC 5280 §5.3.1. */
const reasons = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  '',
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
] as const;

/** 'revoked on 2026-01-02 (keyCompromise)'. */
export function revokedText(at: number, reason: number | undefined): string {
  const name = reason === undefined ? '' : (reasons[reason] ?? '');
  return `revoked on ${new Date(at).toISOString().slice(0, 10)}${name === '' ? '' : ` (${name})`}`;
}
