/** TlsCertificateName of Exchange's connectors: `<I>issuer<S>subject`, both as .NET prints them. */
import type { CertificateFacts } from './certificate-facts.ts';
import { type DistinguishedName, formatName, parseName } from './distinguished-name.ts';

export interface TlsCertificateName {
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
}

/** `<` in a value stands in quotes, so that the first `<S>` outside quotes is the border. */
const form = /^\s*<I>((?:[^"<]|"[^"]*")*)<S>((?:[^"<]|"[^"]*")*)$/i;

/** Throws RangeError that says what is wrong. */
export function parseTlsCertificateName(text: string): TlsCertificateName {
  const [, issuer, subject] = form.exec(text) ?? [];
  if (issuer === undefined || subject === undefined) {
    throw new RangeError(`'${text}' is not of the form <I>issuer<S>subject`);
  }
  return { issuer: parseName(issuer), subject: parseName(subject) };
}

/** The name of a certificate, ready for Set-ReceiveConnector -TlsCertificateName. */
export function formatTlsCertificateName({ issuer, subject }: Pick<CertificateFacts, 'subject' | 'issuer'>): string {
  return `<I>${formatName(issuer)}<S>${formatName(subject)}`;
}
