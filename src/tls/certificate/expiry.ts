/** Certificates that are shown and end soon, and places that have none. Exchange tells of the first when it is too late (event 12016). */
import { type CertificateCandidate, chooseReceiveCertificate } from './certificate-choice.ts';

/** Days ahead at which it is told. */
const expiryDays = [60, 30, 7] as const;

/** A connector, or another place that shows a certificate. */
export interface ShownAt {
  /** As messages call it. */
  readonly title: string;
  readonly tlsCertificateName: string;
  readonly fqdn: string;
}

export interface ExpiryNotice {
  readonly thumbprint: string;
  /** The smallest of `expiryDays` that is reached; 0: expired. */
  readonly within: 60 | 30 | 7 | 0;
  readonly text: string;
}

/** A place whose certificate is not there. */
export interface MissingCertificate {
  readonly title: string;
  readonly text: string;
}

/** What is to be told of the certificates that places show. */
export interface CertificateNotices {
  /** Only of certificates that are chosen somewhere: one that a newer one has replaced may end in peace. */
  readonly expiring: readonly ExpiryNotice[];
  /** A place that chooses by its name alone is missing one only where there is none at all. */
  readonly missing: readonly MissingCertificate[];
}

const dayMs = 86_400_000;

/** Pure. */
export function certificateNotices(
  candidates: readonly CertificateCandidate[],
  places: readonly ShownAt[],
  { serverFqdn, now }: { readonly serverFqdn: string; readonly now: number },
): CertificateNotices {
  const users = new Map<CertificateCandidate, string[]>();
  const missing: MissingCertificate[] = [];
  for (const place of places) {
    const { chosen, companions, wanted, reason } = chooseReceiveCertificate(candidates, { ...place, serverFqdn, now });
    for (const one of chosen === undefined ? [] : [chosen, ...companions])
      users.set(one, [...(users.get(one) ?? []), place.title]);
    if (chosen === undefined && (place.tlsCertificateName !== '' || candidates.length === 0))
      missing.push({ title: place.title, text: missingText(place.title, wanted, reason) });
  }
  return { expiring: expiring(users, now), missing };
}

function missingText(title: string, wanted: string, reason: string): string {
  return `${title} has no certificate to show (wanted: ${wanted}; ${reason}): Test-TlsCertificateSelection says why each one is passed over, New-ExchangeCertificate makes one`;
}

function expiring(users: ReadonlyMap<CertificateCandidate, readonly string[]>, now: number): readonly ExpiryNotice[] {
  return [...users].flatMap(([{ certificate }, titles]) => {
    const days = Math.ceil((certificate.notAfter - now) / dayMs);
    const within = days <= 0 ? 0 : expiryDays.findLast((limit) => days <= limit);
    if (within === undefined) return [];
    const when =
      days <= 0
        ? `expired on ${day(certificate.notAfter)}`
        : `expires in ${days} days, on ${day(certificate.notAfter)}`;
    const text = `the certificate ${certificate.subjectText} (${certificate.thumbprint}) ${when}; it is shown by ${titles.join(', ')}`;
    return [{ thumbprint: certificate.thumbprint, within, text }];
  });
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
