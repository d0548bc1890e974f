/** What TLS is asked to reach, and whether a peer meets it. */
import { keyDigestOf } from '../../base/index.ts';
import { asciiLowerCase, matchesHost, nameMatches } from '../names/host-match.ts';
import { matchTlsa, type TlsaRecord } from './tlsa.ts';

/** Exchange's TlsAuthLevel. */
export type TlsAuthLevel = 'EncryptionOnly' | 'CertificateValidation' | 'DomainValidation';

/** From least to most. 'opportunistic': STARTTLS when offered, clear when not or when it fails. */
export type SendTlsPolicy =
  | { readonly level: 'none' }
  | { readonly level: 'opportunistic' }
  | { readonly level: 'encryption' }
  | { readonly level: 'certificate' }
  /** The certificate must stand for one of `names`; `subjectAltNameOnly`: never by its common name (RFC 8461 §4.2). */
  | { readonly level: 'domain'; readonly names: readonly string[]; readonly subjectAltNameOnly?: boolean }
  /** The chain must meet one of the TLSA records; with usage 2 the leaf must stand for one of `names` too (RFC 7672 §3.2.3). */
  | { readonly level: 'dane'; readonly records: readonly TlsaRecord[]; readonly names: readonly string[] }
  /** The key of the leaf must be one of `keys` (as `keyDigest` has them); names, dates and issuers mean nothing. */
  | { readonly level: 'pinned'; readonly keys: readonly string[] };

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
  /** What was shown, leaf first, DER. */
  readonly chain?: readonly Buffer[];
}

/** From least to most. */
export type TlsReached = 'none' | 'encryption' | 'certificate' | 'domain' | 'dane' | 'pinned';

export interface PeerVerdict {
  readonly acceptable: boolean;
  /** What was reached, whatever was asked; 'domain', 'dane' and 'pinned' only where the policy asks for them. */
  readonly reached: TlsReached;
  readonly reason: string;
}

export const reachedOrder: readonly TlsReached[] = ['none', 'encryption', 'certificate', 'domain', 'dane', 'pinned'];

/** The least that a level is content with. */
const least: Readonly<Record<SendTlsPolicy['level'], TlsReached>> = {
  none: 'none',
  opportunistic: 'none',
  encryption: 'encryption',
  certificate: 'certificate',
  domain: 'domain',
  dane: 'dane',
  pinned: 'pinned',
};

/** Pure: says what was reached and whether mail may go. `now`: milliseconds since 1970, for the dates of a DANE chain. */
export function judgePeer(policy: SendTlsPolicy, peer: PeerIdentity, now: number): PeerVerdict {
  const { reached, reason } = foundBy(policy, peer, now);
  return { acceptable: reachedOrder.indexOf(reached) >= reachedOrder.indexOf(least[policy.level]), reached, reason };
}

type Reached = Omit<PeerVerdict, 'acceptable'>;

function foundBy(policy: SendTlsPolicy, peer: PeerIdentity, now: number): Reached {
  if (policy.level === 'dane') return reachedByTlsa(policy, peer, now);
  return policy.level === 'pinned' ? reachedByKey(policy, peer) : reachedBy(policy, peer);
}

type LevelPolicy<L extends SendTlsPolicy['level']> = Extract<SendTlsPolicy, { level: L }>;

const notEncrypted: Reached = { reached: 'none', reason: 'the connection is not encrypted' };

function reachedBy(policy: SendTlsPolicy, { encrypted, chainError, certificate }: PeerIdentity): Reached {
  if (!encrypted) return notEncrypted;
  if (certificate === undefined) return { reached: 'encryption', reason: 'the peer showed no certificate' };
  if (chainError !== '') return { reached: 'encryption', reason: `the certificate is not trusted: ${chainError}` };
  if (policy.level !== 'domain') return { reached: 'certificate', reason: 'the certificate is trusted' };
  const presented = policy.subjectAltNameOnly === true ? { ...certificate, commonName: '' } : certificate;
  const name = policy.names.find((wanted) => standsFor(presented, wanted));
  return name === undefined
    ? { reached: 'certificate', reason: `the certificate does not stand for ${policy.names.join(' or ')}` }
    : { reached: 'domain', reason: `the certificate is trusted and stands for ${name}` };
}

/** What OpenSSL says of the chain does not matter here: the records take the place of its authorities. */
function reachedByTlsa({ records, names }: LevelPolicy<'dane'>, peer: PeerIdentity, now: number): Reached {
  if (!peer.encrypted) return notEncrypted;
  const { certificate, chain = [] } = peer;
  const namesMatch = certificate !== undefined && names.some((name) => matchesHost(certificate, name));
  const { matches, reason } = matchTlsa(records, chain, { namesMatch, now });
  return { reached: matches ? 'dane' : 'encryption', reason };
}

function reachedByKey({ keys }: LevelPolicy<'pinned'>, { encrypted, chain: [leaf] = [] }: PeerIdentity): Reached {
  if (!encrypted) return notEncrypted;
  if (leaf === undefined) return { reached: 'encryption', reason: 'the peer showed no certificate' };
  const key = keyDigestOf(leaf);
  return key !== undefined && keys.includes(key)
    ? { reached: 'pinned', reason: `the key ${key} is pinned` }
    : { reached: 'encryption', reason: `the key ${key ?? 'that came'} is none of the ${keys.length} that are pinned` };
}

/** A TlsDomain of the form *.contoso.com asks for any host of the domain, or for the same wildcard. */
function standsFor(certificate: NonNullable<PeerIdentity['certificate']>, wanted: string): boolean {
  if (!wanted.startsWith('*.')) return matchesHost(certificate, wanted);
  const names = certificate.dnsNames.length > 0 ? certificate.dnsNames : [certificate.commonName];
  return names.some((name) => asciiLowerCase(name) === asciiLowerCase(wanted) || nameMatches(wanted, name));
}
