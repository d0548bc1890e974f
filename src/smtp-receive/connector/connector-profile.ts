/** What every session of one connector shares, worked out once: names, offered parameters, and replies ready to send. */
import { asciiText } from '../../base/text/index.ts';
import type { InternalServer, ReceiveConnector } from '../../config/index.ts';
import { type OfferedParameters, type Reply, renderReply, replies } from '../../smtp/index.ts';
import {
  describeTls,
  type NegotiatedTls,
  type ServerTlsSettings,
  serverTlsSettings,
  type TlsDescription,
} from '../../tls/index.ts';
import { type ClientPolicy, clientPolicyOf } from '../rights/client-certificate.ts';
import { type PinnedKeys, pinnedKeysOf } from '../rights/direct-trust.ts';
import { anonymous, externallySecured } from '../rights/principal.ts';
import { RightsTable, type SessionRights } from '../rights/session-rights.ts';

/** How a connector uses its certificate in handshakes. */
export interface TlsUse {
  readonly settings: ServerTlsSettings;
  /** A ticket of one connector and policy is worth nothing on another. */
  readonly sessionContext: string;
  /** Clients are asked for a certificate. */
  readonly clients: boolean;
  /**
   * No session is resumed, where chains are judged. A key that is looked for needs none of it: a resumed session has the
   * certificate of the first one, and whoever resumes it holds what only that client was given.
   */
  readonly fresh: boolean;
}

const versions = { Tls12: 'TLSv1.2', Tls13: 'TLSv1.3' } as const;

function tlsUseOf(
  connector: ReceiveConnector,
  policy: ClientPolicy | undefined,
  pinnedKeys: PinnedKeys | undefined,
): TlsUse {
  const { tlsCipherProfile, tlsMinVersion, tlsSenderCertificateName, clientEku, guid, dn } = connector;
  const demand = policy === undefined ? [] : [tlsSenderCertificateName, clientEku, ...policy.secureDomains];
  return {
    settings: serverTlsSettings(tlsCipherProfile, versions[tlsMinVersion]),
    sessionContext: JSON.stringify([
      guid === '' ? dn : guid,
      tlsCipherProfile,
      tlsMinVersion,
      ...demand,
      ...(pinnedKeys === undefined ? [] : ['direct trust']),
    ]),
    clients: policy !== undefined || pinnedKeys !== undefined,
    fresh: policy !== undefined,
  };
}

/** Which certificate the connector shows behind STARTTLS: by its TlsCertificateName, its Fqdn or the server's name. */
function certificateRequestOf({ tlsCertificateName, fqdn }: ReceiveConnector, serverFqdn: string, use: TlsUse) {
  return {
    purpose: 'STARTTLS',
    ...(tlsCertificateName === null ? {} : { tlsCertificateName }),
    ...(fqdn === null ? {} : { fqdn }),
    serverFqdn,
    use,
  };
}

/** One receive connector, compiled. */
export class ConnectorProfile {
  readonly connector: ReceiveConnector;
  readonly serverFqdn: string;
  /** What it demands of clients' certificates; undefined: it asks for none. */
  readonly clientPolicy: ClientPolicy | undefined;
  /** Servers that are known by their keys; undefined: none, or not on this connector. */
  readonly pinnedKeys: PinnedKeys | undefined;
  /** Versions, suites and groups, and what session tickets belong to. */
  readonly tlsUse: TlsUse;
  /** The same object for all sessions, by which the choice is found again. */
  readonly certificateRequest: ReturnType<typeof certificateRequestOf>;
  /** Name in the greeting, the EHLO reply and Received. */
  readonly fqdn: string;
  /** Write every line of the conversation. */
  readonly verbose: boolean;
  readonly offered: OfferedParameters;
  readonly rights: RightsTable;
  /** The rights that every session begins with. */
  readonly initialRights: SessionRights;
  #texts: ReadonlyMap<Reply, string>;
  /** As many as there are suites. */
  readonly #described = new Map<string, TlsDescription>();

  /** `secureDomains`: TLSReceiveDomainSecureList. */
  constructor(
    connector: ReceiveConnector,
    serverFqdn: string,
    secureDomains: readonly string[] = [],
    internalServers: readonly InternalServer[] = [],
  ) {
    this.connector = connector;
    this.clientPolicy = clientPolicyOf(connector, secureDomains);
    this.pinnedKeys = pinnedKeysOf(connector, internalServers);
    this.tlsUse = tlsUseOf(connector, this.clientPolicy, this.pinnedKeys);
    this.serverFqdn = serverFqdn;
    this.certificateRequest = certificateRequestOf(connector, serverFqdn, this.tlsUse);
    this.fqdn = connector.fqdn ?? serverFqdn;
    this.verbose = connector.protocolLoggingLevel === 'Verbose';
    this.offered = {
      auth: connector.authMechanism.includes('BasicAuth') || connector.externalAuthEnabled,
      chunking: connector.chunkingEnabled,
      binaryMime: connector.binaryMimeEnabled && connector.chunkingEnabled,
      size: connector.sizeEnabled !== 'Disabled',
      eightBitMime: connector.eightBitMimeEnabled,
      smtpUtf8: connector.smtpUtf8Enabled,
      dsn: connector.deliveryStatusNotificationEnabled,
      ...(connector.defaultDomain !== null && { defaultDomain: connector.defaultDomain }),
    };
    this.rights = new RightsTable(connector);
    this.initialRights = this.rights.of(
      connector.authMechanism.includes('ExternalAuthoritative') ? externallySecured : anonymous,
    );
    const fixed = Object.values(replies).filter((reply) => typeof reply !== 'function');
    this.#texts = new Map(fixed.map((reply) => [reply, this.#render(reply)]));
  }

  /** A reply as it goes out: without enhanced codes where the connector does not offer them (RFC 2034 §3). */
  text(reply: Reply): string {
    return this.#texts.get(reply) ?? this.#render(reply);
  }

  /** What was negotiated, in the words of logs and Received. */
  describe(negotiated: NegotiatedTls): TlsDescription {
    const suite = `${negotiated.protocol} ${negotiated.cipher}`;
    const known = this.#described.get(suite);
    if (known !== undefined) return known;
    const description = describeTls(negotiated);
    this.#described.set(suite, description);
    return description;
  }

  /** RFC 5321 §4.2: the greeting, or the connector's Banner. */
  greeting(date: string): Reply {
    const { banner } = this.connector;
    return banner === null ? replies.greeting(this.fqdn, date) : replies.banner(banner);
  }

  #render(reply: Reply): string {
    const { code, detail } = reply;
    // RFC 5321 §4.2: replies are ASCII, and RFC 6531 §3.7.4 lets UTF-8 into addresses of 251 and 551 alone, which are never sent.
    const lines = reply.lines.map(asciiText);
    return renderReply(
      this.connector.enhancedStatusCodesEnabled && detail !== undefined ? { code, detail, lines } : { code, lines },
    );
  }
}
