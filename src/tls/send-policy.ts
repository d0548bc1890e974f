/** What a send connector demands of TLS, and whether a peer meets it. */
import { asciiLowerCase, matchesHost, nameMatches } from './host-match.ts';

/** Exchange's TlsAuthLevel. */
export type TlsAuthLevel = 'EncryptionOnly' | 'CertificateValidation' | 'DomainValidation';

/** From least to most. 'opportunistic': STARTTLS when offered, clear when not or when it fails. */
export type SendTlsPolicy =
  | { readonly level: 'none' }
  | { readonly level: 'opportunistic' }
  | { readonly level: 'encryption' }
  | { readonly level: 'certificate' }
  /** The certificate must stand for one of `names`. */
  | { readonly level: 'domain'; readonly names: readonly string[] };

/** The connector's properties that decide. */
export interface SendTlsSettings {
  readonly requireTls: boolean;
  readonly ignoreStartTls: boolean;
  /** Absent or '': not set. */
  readonly tlsAuthLevel?: TlsAuthLevel | '';
  /** Absent or '': the recipient's domain. */
  readonly tlsDomain?: string;
}

/** Which property of the connector the policy comes from, in words. */
export function reasonOfPolicy({ requireTls, ignoreStartTls, tlsAuthLevel = '' }: SendTlsSettings): string {
  if (tlsAuthLevel !== '') return `TlsAuthLevel ${tlsAuthLevel}`;
  if (requireTls) return 'RequireTLS';
  return ignoreStartTls ? 'IgnoreSTARTTLS' : 'opportunistic TLS';
}

/** A TlsAuthLevel is a demand even where RequireTLS is off: a check that clear text escapes would be none. */
export function sendTlsPolicy(settings: SendTlsSettings, recipientDomain: string): SendTlsPolicy {
  const { requireTls, ignoreStartTls, tlsAuthLevel = '', tlsDomain = '' } = settings;
  switch (tlsAuthLevel) {
    case 'DomainValidation':
      return { level: 'domain', names: [tlsDomain === '' ? recipientDomain : tlsDomain] };
    case 'CertificateValidation':
      return { level: 'certificate' };
    case 'EncryptionOnly':
      return { level: 'encryption' };
    case '':
      if (requireTls) return { level: 'encryption' };
      return { level: ignoreStartTls ? 'none' : 'opportunistic' };
  }
}

/** What was found at the peer's end. */
export interface PeerIdentity {
  /** TLS is up. */
  readonly encrypted: boolean;
  /** OpenSSL's verdict on the chain: '' when it is trusted, else its error, as in `socket.authorizationError`. */
  readonly chainError: string;
  /** Absent: none was shown. */
  readonly certificate?: { readonly dnsNames: readonly string[]; readonly commonName: string };
}

export interface PeerVerdict {
  readonly acceptable: boolean;
  /** What was reached, whatever was asked; 'domain' only where the policy names some. */
  readonly reached: 'none' | 'encryption' | 'certificate' | 'domain';
  readonly reason: string;
}

const order = ['none', 'encryption', 'certificate', 'domain'] as const;

/** The least that a level is content with. */
const least: Readonly<Record<SendTlsPolicy['level'], PeerVerdict['reached']>> = {
  none: 'none',
  opportunistic: 'none',
  encryption: 'encryption',
  certificate: 'certificate',
  domain: 'domain',
};

/** Pure: says what was reached and whether mail may go. */
export function judgePeer(policy: SendTlsPolicy, peer: PeerIdentity): PeerVerdict {
  const { reached, reason } = reachedBy(policy, peer);
  return { acceptable: order.indexOf(reached) >= order.indexOf(least[policy.level]), reached, reason };
}

function reachedBy(
  policy: SendTlsPolicy,
  { encrypted, chainError, certificate }: PeerIdentity,
): Omit<PeerVerdict, 'acceptable'> {
  if (!encrypted) return { reached: 'none', reason: 'the connection is not encrypted' };
  if (certificate === undefined) return { reached: 'encryption', reason: 'the peer showed no certificate' };
  if (chainError !== '') return { reached: 'encryption', reason: `the certificate is not trusted: ${chainError}` };
  if (policy.level !== 'domain') return { reached: 'certificate', reason: 'the certificate is trusted' };
  const name = policy.names.find((wanted) => standsFor(certificate, wanted));
  return name === undefined
    ? { reached: 'certificate', reason: `the certificate does not stand for ${policy.names.join(' or ')}` }
    : { reached: 'domain', reason: `the certificate is trusted and stands for ${name}` };
}

/** A TlsDomain of the form *.contoso.com asks for any host of the domain, or for the same wildcard. */
function standsFor(certificate: NonNullable<PeerIdentity['certificate']>, wanted: string): boolean {
  if (!wanted.startsWith('*.')) return matchesHost(certificate, wanted);
  const names = certificate.dnsNames.length > 0 ? certificate.dnsNames : [certificate.commonName];
  return names.some((name) => asciiLowerCase(name) === asciiLowerCase(wanted) || nameMatches(wanted, name));
}
