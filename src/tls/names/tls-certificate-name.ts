/** TlsCertificateName of Exchange's connectors: `<I>issuer<S>subject`. */
import type { DistinguishedName } from './distinguished-name.ts';
import { firstDifference, prohibited, sameName } from './name-comparison.ts';
import { formatName, parseName } from './name-syntax.ts';

export interface TlsCertificateName {
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
}

/** `<` in a value stands in quotes or behind a backslash, so that the first `<S>` outside of both is the border. */
const part = String.raw`((?:[^"<\\]|"[^"]*"|\\[\s\S])*)`;
const form = new RegExp(`^<I>${part}<S>${part}$`, 'i');

/**
 * Throws RangeError that says what is wrong. An empty subject is refused: every certificate without one would match, and
 * certificates without a subject are told apart by their alternative names, that is by the connector's Fqdn.
 */
export function parseTlsCertificateName(text: string): TlsCertificateName {
  const [, issuer, subject] = form.exec(text.trim()) ?? [];
  if (issuer === undefined || subject === undefined)
    throw new RangeError(`'${text}' is not of the form <I>issuer<S>subject`);
  if (subject.trim() === '')
    throw new RangeError('the subject behind <S> is empty: let Fqdn choose such a certificate');
  if (issuer.trim() === '') throw new RangeError('the issuer behind <I> is empty: every certificate has one');
  return { issuer: parseName(issuer), subject: parseName(subject) };
}

/**
 * The name of a certificate, ready for Set-ReceiveConnector -TlsCertificateName. Throws RangeError for a certificate that
 * no name can stand for: an empty subject, a value that does not decode or holds control characters.
 */
export function formatTlsCertificateName({ issuer, subject }: TlsCertificateName): string {
  for (const [part, name] of [
    ['issuer', issuer],
    ['subject', subject],
  ] as const) {
    if (name.length === 0) throw new RangeError(`the certificate has no ${part}: let Fqdn choose it`);
    if (name.flat().some(({ value, undecoded }) => undecoded !== undefined || prohibited.test(value)))
      throw new RangeError(`the ${part} holds characters that no name can stand for: ${formatName(name)}`);
  }
  return `<I>${formatName(issuer)}<S>${formatName(subject)}`;
}

/** Does a certificate carry the configured name? `expected` comes from parseTlsCertificateName. */
export function hasCertificateName(certificate: TlsCertificateName, expected: TlsCertificateName): boolean {
  return (
    expected.subject.length > 0 &&
    sameName(certificate.issuer, expected.issuer) &&
    sameName(certificate.subject, expected.subject)
  );
}

/** What differs first: `subject, step 1: expected CN=a, found CN=b`; undefined when the certificate carries the name. */
export function certificateNameDifference(
  certificate: TlsCertificateName,
  expected: TlsCertificateName,
): string | undefined {
  const issuer = firstDifference(expected.issuer, certificate.issuer);
  if (issuer !== undefined) return `issuer, ${issuer}`;
  const subject = firstDifference(expected.subject, certificate.subject);
  return subject === undefined ? undefined : `subject, ${subject}`;
}
