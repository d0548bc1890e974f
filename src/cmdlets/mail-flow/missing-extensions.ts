/** Why an answer to EHLO lacks an extension, and the cmdlet line that brings it. Pure. */
import type { ReceiveConnector } from '../../config/index.ts';
import { quoted } from './receive-remedies.ts';

/** An extension that is not offered. */
export interface MissingExtension {
  readonly name: string;
  readonly reason: string;
  /** '' when no line of a cmdlet changes it. */
  readonly remedy: string;
}

/** What the answer depends on besides the connector. */
export interface OfferState {
  readonly connector: ReceiveConnector;
  /** Name that the certificate is chosen for. */
  readonly fqdn: string;
  readonly secure: boolean;
  /** Why no certificate fits; undefined: one does, or none was looked for. */
  readonly withoutCertificate: string | undefined;
}

type Missing = Omit<MissingExtension, 'name'>;

/** A switch that is off. */
function byParameter(parameter: string, value = '$true'): (state: OfferState) => Missing {
  return ({ connector }) => ({
    reason: `${parameter} of the connector is ${value === '$true' ? '$false' : 'Disabled'}`,
    remedy: setLine(connector, `-${parameter} ${value}`),
  });
}

const setLine = ({ identity }: ReceiveConnector, parameters: string): string =>
  `Set-ReceiveConnector ${quoted(identity)} ${parameters}`;

/** The line that adds mechanisms to those that a connector has. ExternalAuthoritative stands beside Tls only. */
export function mechanismLine(connector: ReceiveConnector, ...added: readonly string[]): string {
  const alone = added.every((one) => one === 'Tls');
  const kept = connector.authMechanism.filter((one) => alone || one !== 'ExternalAuthoritative');
  return setLine(connector, `-AuthMechanism ${[...new Set([...kept, ...added])].join(',')}`);
}

/** Why a connector does not begin TLS. */
export function withoutStartTls({ connector, fqdn, withoutCertificate }: Omit<OfferState, 'secure'>): Missing {
  if (!connector.authMechanism.includes('Tls'))
    return { reason: 'AuthMechanism of the connector lacks Tls', remedy: mechanismLine(connector, 'Tls') };
  const remedy =
    connector.tlsCertificateName === null
      ? `New-ExchangeCertificate -DomainName ${fqdn} -Services SMTP -Force`
      : setLine(connector, '-TlsCertificateName $null');
  return { reason: `no certificate fits: ${withoutCertificate ?? ''}`, remedy };
}

function withoutAuth({ connector, secure }: OfferState): Missing {
  const { authMechanism: offered, externalAuthEnabled } = connector;
  if (offered.includes('BasicAuth'))
    return { reason: 'AuthMechanism has BasicAuthRequireTLS: it is offered behind STARTTLS', remedy: '' };
  if (offered.includes('ExternalAuthoritative'))
    return { reason: 'AuthMechanism is ExternalAuthoritative: the peer is trusted as it is', remedy: '' };
  if (externalAuthEnabled && !secure)
    return { reason: 'EXTERNAL is offered behind STARTTLS to who shows a certificate', remedy: '' };
  const reason = externalAuthEnabled
    ? 'the client has shown no certificate that the connector asked for, and AuthMechanism lacks BasicAuth'
    : 'AuthMechanism of the connector lacks BasicAuth';
  return { reason, remedy: mechanismLine(connector, 'Tls', 'BasicAuth', 'BasicAuthRequireTLS') };
}

function withoutBinaryMime({ connector }: OfferState): Missing {
  const { chunkingEnabled } = connector;
  const reason = chunkingEnabled
    ? 'BinaryMimeEnabled of the connector is $false'
    : 'ChunkingEnabled of the connector is $false, and binary content comes by BDAT alone';
  return { reason, remedy: setLine(connector, '-ChunkingEnabled $true -BinaryMimeEnabled $true') };
}

/** Every extension that a connector can offer to anybody. XCLIENT is for named balancers. */
const extensions: readonly (readonly [name: string, why: (state: OfferState) => Missing | undefined])[] = [
  ['SIZE', byParameter('SizeEnabled', 'Enabled')],
  ['PIPELINING', byParameter('PipeliningEnabled')],
  ['DSN', byParameter('DeliveryStatusNotificationEnabled')],
  ['ENHANCEDSTATUSCODES', byParameter('EnhancedStatusCodesEnabled')],
  // RFC 3207 §4.2: nobody expects it a second time.
  ['STARTTLS', (state) => (state.secure ? undefined : withoutStartTls(state))],
  ['AUTH', withoutAuth],
  ['8BITMIME', byParameter('EightBitMimeEnabled')],
  ['BINARYMIME', withoutBinaryMime],
  ['CHUNKING', byParameter('ChunkingEnabled')],
  ['SMTPUTF8', byParameter('SmtpUtf8Enabled')],
  ['REQUIRETLS', () => ({ reason: 'it is offered behind STARTTLS alone (RFC 8689)', remedy: '' })],
  ['LIMITS', byParameter('LimitsEnabled')],
];

/** What an answer to EHLO lacks. `reply`: all of its lines. */
export function missingExtensions(reply: string, state: OfferState): readonly MissingExtension[] {
  const [, ...lines] = reply.split(/\r?\n/);
  const offered = new Set(lines.map((line) => line.slice(4).split(' ')[0]?.toUpperCase()));
  return extensions.flatMap(([name, why]) => {
    const missing = offered.has(name) ? undefined : why(state);
    return missing === undefined ? [] : [{ name, ...missing }];
  });
}
