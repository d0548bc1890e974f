/** Which certificate a connector shows after STARTTLS: Exchange's rules, as a pure function. */

import { matchesHost } from '../names/host-match.ts';
import { hasCertificateName, parseTlsCertificateName } from '../names/tls-certificate-name.ts';
import type { ParsedCertificate } from './parsed-certificate.ts';

export interface CertificateCandidate {
  readonly certificate: ParsedCertificate;
  readonly hasPrivateKey: boolean;
  /** Enabled for SMTP (Enable-ExchangeCertificate -Services SMTP). */
  readonly enabledForSmtp: boolean;
}

export interface CertificateQuery {
  /** The connector's TlsCertificateName; absent or '': choose by name. */
  readonly tlsCertificateName?: string;
  /** The connector's Fqdn; absent or '': the server's. */
  readonly fqdn?: string;
  readonly serverFqdn: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** All that the event 'certificate-chosen' needs. */
export interface CertificateChoice<C extends CertificateCandidate = CertificateCandidate> {
  /** Absent: STARTTLS is not to be offered (Exchange's event 12014). */
  readonly chosen?: C;
  /** Offered beside it, for clients that want another key algorithm: the best of each, of the same standing. */
  readonly companions: readonly C[];
  /** What was looked for, in words. */
  readonly wanted: string;
  readonly reason: string;
  /** The chosen one is expired or not yet valid: offered all the same, and told (event 12016). */
  readonly outOfDate: boolean;
  readonly passedOver: readonly PassedOverCandidate<C>[];
}

export interface PassedOverCandidate<C extends CertificateCandidate = CertificateCandidate> {
  readonly candidate: C;
  /** For a person: the subject, and the beginning of the thumbprint. */
  readonly name: string;
  readonly reason: string;
}

/** What is searched: a test of one certificate, and how to say it. */
interface Search {
  readonly wanted: string;
  readonly matches: (certificate: ParsedCertificate) => boolean;
  readonly mismatch: string;
}

/**
 * The inbound choice of Exchange. Also used for the client certificate of a send connector. Deviation: a matching
 * certificate that is not enabled for SMTP is passed over with that reason; Exchange offers STARTTLS and then fails.
 */
export function chooseReceiveCertificate<C extends CertificateCandidate>(
  candidates: readonly C[],
  query: CertificateQuery,
): CertificateChoice<C> {
  const search = searchFor(query);
  if (typeof search === 'string')
    return { wanted: query.tlsCertificateName ?? '', reason: search, outOfDate: false, passedOver: [], companions: [] };
  const judged = candidates.map((candidate) => ({ candidate, flaw: flawOf(candidate, search) }));
  const eligible = judged.filter(({ flaw }) => flaw === '').map(({ candidate }) => candidate);
  const ranked = eligible.toSorted(
    (a, b) =>
      rank(a, query.now) - rank(b, query.now) ||
      b.certificate.notBefore - a.certificate.notBefore ||
      // Made together: RSA first, which every peer and EdgeSync of Exchange takes.
      Number(keyFamily(b) === 'rsa') - Number(keyFamily(a) === 'rsa'),
  );
  const [chosen, ...others] = ranked;
  const flawed = judged.filter(({ flaw }) => flaw !== '').map(({ candidate, flaw }) => passedOver(candidate, flaw));
  if (chosen === undefined) {
    const reason = 'no certificate of the store is fit';
    return { wanted: search.wanted, reason, outOfDate: false, passedOver: flawed, companions: [] };
  }
  const companions = companionsOf(chosen, others, query.now);
  const age = ageOf(chosen.certificate, query.now);
  return {
    chosen,
    companions,
    wanted: search.wanted,
    reason: reasonFor(chosen, age, others.length - companions.length) + besides(companions),
    outOfDate: age !== '',
    passedOver: [
      ...flawed,
      ...others
        .filter((other) => !companions.includes(other))
        .map((other) => passedOver(other, lostTo(chosen, other, query.now))),
    ],
  };
}

/**
 * Exchange's order runs per key algorithm. One that is only self-signed, or out of date, never stands beside a better one:
 * the client chooses between them.
 */
function companionsOf<C extends CertificateCandidate>(chosen: C, others: readonly C[], now: number): readonly C[] {
  const taken = new Set([keyFamily(chosen)]);
  return others.filter((other) => {
    if (rank(other, now) !== rank(chosen, now) || taken.has(keyFamily(other))) return false;
    taken.add(keyFamily(other));
    return true;
  });
}

/** A TLS context holds one certificate of each. */
function keyFamily({ certificate }: CertificateCandidate): string {
  return certificate.keyType.startsWith('rsa') ? 'rsa' : certificate.keyType;
}

function besides(companions: readonly CertificateCandidate[]): string {
  return companions
    .map(({ certificate }) => `; beside it ${certificate.thumbprint.slice(0, 8)} for ${certificate.keyType} keys`)
    .join('');
}

/** TlsCertificateName, else the connector's Fqdn, else the server's. A string: why nothing can be searched. */
function searchFor({ tlsCertificateName = '', fqdn = '', serverFqdn }: CertificateQuery): Search | string {
  if (tlsCertificateName === '') {
    const host = fqdn === '' ? serverFqdn : fqdn;
    return {
      wanted: host,
      matches: (certificate) => standsFor(certificate, host),
      mismatch: `does not stand for ${host}`,
    };
  }
  try {
    const name = parseTlsCertificateName(tlsCertificateName);
    const matches = (certificate: ParsedCertificate): boolean => hasCertificateName(certificate, name);
    return { wanted: tlsCertificateName, matches, mismatch: 'issuer or subject is not that of TlsCertificateName' };
  } catch (error) {
    if (error instanceof RangeError) return `TlsCertificateName: ${error.message}`;
    throw error;
  }
}

/** For its own certificate Exchange looks at the subject as well as at the alternative names. */
function standsFor(certificate: ParsedCertificate, host: string): boolean {
  return matchesHost(certificate, host) || matchesHost({ dnsNames: [], commonName: certificate.commonName }, host);
}

/** Why a candidate cannot be taken at all; '' when it can. */
function flawOf({ certificate, hasPrivateKey, enabledForSmtp }: CertificateCandidate, search: Search): string {
  if (!search.matches(certificate)) return search.mismatch;
  if (certificate.version < 3) return `is of X.509 version ${certificate.version}, not 3`;
  if (!hasPrivateKey) return 'has no private key here';
  if (!enabledForSmtp) return 'is not enabled for SMTP: Enable-ExchangeCertificate -Services SMTP';
  return '';
}

/** In time before out of time, issued by a CA before self-signed. Among equals the newest NotBefore wins. */
function rank({ certificate }: CertificateCandidate, now: number): number {
  return (ageOf(certificate, now) === '' ? 0 : 2) + (certificate.selfSigned ? 1 : 0);
}

function ageOf({ notBefore, notAfter }: ParsedCertificate, now: number): string {
  if (now > notAfter) return `expired on ${day(notAfter)}`;
  return now < notBefore ? `not valid before ${day(notBefore)}` : '';
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function reasonFor({ certificate }: CertificateCandidate, age: string, others: number): string {
  const kind = certificate.selfSigned ? 'self-signed' : 'issued by a certification authority';
  const among = others === 0 ? 'the only one that fits' : `first of ${others + 1} that fit`;
  return `${among}; ${kind}${age === '' ? '' : `; ${age}, and no better one is there`}`;
}

function lostTo(chosen: CertificateCandidate, other: CertificateCandidate, now: number): string {
  const age = ageOf(other.certificate, now);
  const sameAge = other.certificate.notBefore === chosen.certificate.notBefore;
  if (sameAge && rank(other, now) === rank(chosen, now)) return 'has the same age: the other one stands first';
  if (age !== '' && ageOf(chosen.certificate, now) === '') return age;
  if (other.certificate.selfSigned && !chosen.certificate.selfSigned)
    return 'is self-signed, and one issued by an authority fits';
  return `is older: valid from ${day(other.certificate.notBefore)}, the chosen one from ${day(chosen.certificate.notBefore)}`;
}

function passedOver<C extends CertificateCandidate>(candidate: C, reason: string): PassedOverCandidate<C> {
  const { subjectText, thumbprint } = candidate.certificate;
  return {
    candidate,
    name: `${subjectText === '' ? '(no subject)' : subjectText} [${thumbprint.slice(0, 8)}]`,
    reason,
  };
}
