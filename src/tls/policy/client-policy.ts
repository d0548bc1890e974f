/**
 * What a receive connector demands of the certificate of its clients, and whether one meets it. TlsSenderCertificateName
 * is Exchange Online's parameter of inbound connectors; ClientEku and TlsRevocation are additions.
 */
import type { ChainVerdict } from '../certificate/certificate-chain.ts';
import type { ParsedCertificate } from '../certificate/parsed-certificate.ts';
import { nameInDomain, nameMatches } from '../names/host-match.ts';
import type { SenderCertificateName } from '../names/sender-certificate-name.ts';
import { certificateNameDifference } from '../names/tls-certificate-name.ts';
import type { RevocationVerdict } from '../revocation/revocation.ts';

/** What a missing clientAuth purpose means: public authorities stopped issuing it. */
export type ClientEku = 'Ignore' | 'Warn' | 'Require';

/** What a client showed. */
export interface ClientCertificate {
  readonly certificate: ParsedCertificate;
  /**
   * OpenSSL's verdict in the handshake: '' when it trusts the chain for clientAuth, else its code. INVALID_PURPOSE covers
   * up a chain that is not trusted, so that `chain` decides then.
   */
  readonly opensslError: string;
  /** The chain verified afresh by signature, without regard to purposes. */
  readonly chain: Pick<ChainVerdict, 'trusted' | 'reason'>;
  /** Absent: revocation was not asked about. */
  readonly revocation?: RevocationVerdict;
}

export interface ClientDemand {
  /** Undefined: any trusted certificate. */
  readonly name?: SenderCertificateName;
  readonly eku: ClientEku;
  /** True: unknown revocation is not good enough (TlsRevocation Require). */
  readonly revocationRequired: boolean;
}

export interface ClientVerdict {
  readonly acceptable: boolean;
  /** The refusal can pass by itself: revocation could not be asked about. */
  readonly temporary: boolean;
  /** What was expected, what came and where they differ. */
  readonly reason: string;
  /** Things to tell although it is acceptable. */
  readonly warnings: readonly string[];
}

/** Pure. Trust first, then purpose, then revocation, then the name: a stranger learns nothing of names. */
export function judgeClient(demand: ClientDemand, shown: ClientCertificate | undefined): ClientVerdict {
  if (shown === undefined) return refused(`expected a certificate${named(demand)}, none came`);
  const { certificate } = shown;
  const who = `${certificate.subjectText === '' ? 'a certificate without subject' : certificate.subjectText}`;
  const distrust = distrustOf(shown);
  if (distrust !== '') return refused(`expected a trusted certificate${named(demand)}, ${who} came: ${distrust}`);
  const forClients = mayAuthenticateClients(certificate);
  if (!forClients && demand.eku === 'Require')
    return refused(`expected a certificate with the purpose clientAuth, ${who} came without it (ClientEku Require)`);
  const { state = 'good', reason: revocation = '' } = shown.revocation ?? {};
  if (state === 'revoked') return refused(`${who} is revoked: ${revocation}`);
  if (state === 'unknown' && demand.revocationRequired)
    return {
      ...refused(`whether ${who} is revoked is not known: ${revocation} (TlsRevocation Require)`),
      temporary: true,
    };
  const difference = demand.name === undefined ? '' : nameDifference(demand.name, certificate);
  if (difference !== '') return refused(difference);
  return {
    acceptable: true,
    temporary: false,
    reason: `${who} is trusted${demand.name === undefined ? '' : ` and satisfies ${senderNameText(demand.name)}`}`,
    warnings: [
      ...(forClients || demand.eku === 'Ignore' ? [] : [`${who} lacks the purpose clientAuth`]),
      ...(state === 'unknown' ? [`whether ${who} is revoked is not known: ${revocation}`] : []),
    ],
  };
}

function refused(reason: string): ClientVerdict {
  return { acceptable: false, temporary: false, reason, warnings: [] };
}

function named({ name }: ClientDemand): string {
  return name === undefined ? '' : ` for ${senderNameText(name)}`;
}

/** '' when the chain is trusted. */
function distrustOf({ opensslError, chain }: ClientCertificate): string {
  // OpenSSL asks all authorities; the connector may have named a few.
  if (opensslError === '') return chain.trusted ? '' : chain.reason || 'it is not trusted here';
  if (!/INVALID_PURPOSE|unsuitable certificate purpose/i.test(opensslError))
    return chain.trusted || chain.reason === '' ? opensslError : chain.reason;
  return chain.trusted ? '' : chain.reason || opensslError;
}

/** RFC 5280 §4.2.1.12: without the extension every purpose is allowed. */
function mayAuthenticateClients({ extendedKeyUsage }: Pick<ParsedCertificate, 'extendedKeyUsage'>): boolean {
  return (
    extendedKeyUsage === undefined ||
    extendedKeyUsage.includes('clientAuth') ||
    extendedKeyUsage.includes('anyExtendedKeyUsage')
  );
}

/** As it is configured. */
function senderNameText(name: SenderCertificateName): string {
  if (name.kind === 'name') return name.text;
  return name.kind === 'wildcard' ? `*.${name.domain}` : name.domain;
}

/** '' when the certificate has the name. */
function nameDifference(name: SenderCertificateName, certificate: ParsedCertificate): string {
  if (name.kind === 'name') {
    const difference = certificateNameDifference(certificate, name.name);
    return difference === undefined ? '' : `the certificate does not satisfy ${name.text}: ${difference}`;
  }
  const names = hostNames(certificate);
  const fits = (presented: string): boolean =>
    name.kind === 'wildcard'
      ? nameMatches(`*.${name.domain}`, presented) || presented === `*.${name.domain}`
      : nameMatches(presented, name.domain);
  if (names.some(fits)) return '';
  return `expected a certificate for ${senderNameText(name)}, one for ${list(names)} came`;
}

/** dNSName entries; the common name only where there are none. */
function hostNames({ dnsNames, commonName }: ParsedCertificate): readonly string[] {
  if (dnsNames.length > 0) return dnsNames;
  return commonName === '' ? [] : [commonName];
}

function list(names: readonly string[]): string {
  if (names.length === 0) return 'no host';
  return names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
}

/** Domain security: does the certificate stand for a sender's domain, by the domain's own name or a host in it? */
export function standsForDomain(certificate: ParsedCertificate, domain: string): boolean {
  return hostNames(certificate).some((name) => nameInDomain(name, domain));
}
