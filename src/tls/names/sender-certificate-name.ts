/** TlsSenderCertificateName: Exchange Online's parameter of inbound connectors. */
import { parseTlsCertificateName, type TlsCertificateName } from './tls-certificate-name.ts';

/** A certificate's name that a client must have: of a domain, of the hosts of a domain, or issuer and subject. */
export type SenderCertificateName =
  | { readonly kind: 'domain'; readonly domain: string }
  /** `*.contoso.com`: the wildcard itself or any host one label below. */
  | { readonly kind: 'wildcard'; readonly domain: string }
  | { readonly kind: 'name'; readonly text: string; readonly name: TlsCertificateName };

/** Reads a TlsSenderCertificateName. Throws RangeError that says what is wrong. */
export function parseSenderCertificateName(text: string): SenderCertificateName {
  const value = text.trim();
  if (/^<I>/i.test(value)) return { kind: 'name', text: value, name: parseTlsCertificateName(value) };
  const [, wildcard = '', domain = ''] = /^(\*\.)?([a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+)\.?$/i.exec(value) ?? [];
  if (domain === '' || value.length > 255)
    throw new RangeError(`'${value}' is none of contoso.com, *.contoso.com and <I>issuer<S>subject`);
  return { kind: wildcard === '' ? 'domain' : 'wildcard', domain: domain.toLowerCase() };
}
