/** What every session of one connector shares, worked out once: rights, limits, and replies ready to send. */
import {
  decidingEntry,
  grantedRights,
  principalName,
  type ReceiveConnector,
  type Right,
  wellKnownSids,
} from '../config/index.ts';
import { type OfferedParameters, type Reply, renderReply, replies } from '../smtp/index.ts';

/** Who a session is before it authenticates ([MS-DTYP] 2.4.2.4). */
const anonymousSid = wellKnownSids.anonymous;
const anonymousName = principalName(anonymousSid);

/** Rights as the protocol log names them, in its order. */
const permissionTokens: readonly (readonly [Right, string])[] = [
  ['ms-Exch-SMTP-Submit', 'SMTPSubmit'],
  ['ms-Exch-SMTP-Accept-Any-Recipient', 'SMTPAcceptAnyRecipient'],
  ['ms-Exch-SMTP-Accept-Authentication-Flag', 'SMTPAcceptAuthenticationFlag'],
  ['ms-Exch-SMTP-Accept-Any-Sender', 'SMTPAcceptAnySender'],
  ['ms-Exch-SMTP-Accept-Authoritative-Domain-Sender', 'SMTPAcceptAuthoritativeDomainSender'],
  ['ms-Exch-Bypass-Anti-Spam', 'BypassAntiSpam'],
  ['ms-Exch-Bypass-Message-Size-Limit', 'BypassMessageSizeLimit'],
  ['ms-Exch-SMTP-Accept-Exch50', 'SMTPAcceptEXCH50'],
  ['ms-Exch-Accept-Headers-Routing', 'AcceptRoutingHeaders'],
  ['ms-Exch-Accept-Headers-Forest', 'AcceptForestHeaders'],
  ['ms-Exch-Accept-Headers-Organization', 'AcceptOrganizationHeaders'],
  ['ms-Exch-SMTP-Accept-XShadow', 'SMTPAcceptXShadow'],
];

/** A right of the session, and why it holds it or not. */
export interface RightCheck {
  readonly right: Right;
  readonly granted: boolean;
  readonly principal: string;
  /** The entry that decided, in words. */
  readonly by: string;
}

/** One receive connector, compiled. */
export class ConnectorProfile {
  readonly connector: ReceiveConnector;
  readonly serverFqdn: string;
  /** Name in the greeting, the EHLO reply and Received. */
  readonly fqdn: string;
  /** Write every line of the conversation. */
  readonly verbose: boolean;
  readonly offered: OfferedParameters;
  /** The rights of an anonymous session as the protocol log lists them. */
  readonly permissions: string;
  /** Octets; Infinity with ms-Exch-Bypass-Message-Size-Limit. */
  readonly maxMessageSize: number;
  readonly bypassAntiSpam: boolean;
  readonly submit: RightCheck;
  readonly anyRecipient: RightCheck;
  readonly anySender: RightCheck;
  readonly authoritativeSender: RightCheck;
  #texts: ReadonlyMap<Reply, string>;
  #clearExtensions: readonly string[];
  #tlsExtensions: readonly string[];

  constructor(connector: ReceiveConnector, serverFqdn: string) {
    this.connector = connector;
    this.serverFqdn = serverFqdn;
    this.fqdn = connector.fqdn ?? serverFqdn;
    this.verbose = connector.protocolLoggingLevel === 'Verbose';
    this.offered = {
      size: connector.sizeEnabled !== 'Disabled',
      eightBitMime: connector.eightBitMimeEnabled,
      smtpUtf8: connector.smtpUtf8Enabled,
      dsn: connector.deliveryStatusNotificationEnabled,
    };
    const granted = grantedRights(connector.acl, [anonymousSid]);
    const check = (right: Right): RightCheck => rightCheck(connector, granted, right);
    this.permissions = permissionTokens.flatMap(([right, token]) => (granted.has(right) ? token : [])).join(' ');
    this.maxMessageSize = granted.has('ms-Exch-Bypass-Message-Size-Limit') ? Infinity : connector.maxMessageSize;
    this.bypassAntiSpam = granted.has('ms-Exch-Bypass-Anti-Spam');
    this.submit = check('ms-Exch-SMTP-Submit');
    this.anyRecipient = check('ms-Exch-SMTP-Accept-Any-Recipient');
    this.anySender = check('ms-Exch-SMTP-Accept-Any-Sender');
    this.authoritativeSender = check('ms-Exch-SMTP-Accept-Authoritative-Domain-Sender');
    this.#clearExtensions = extensions(connector, this.maxMessageSize, true);
    this.#tlsExtensions = extensions(connector, this.maxMessageSize, false);
    const fixed = Object.values(replies).filter((reply) => typeof reply !== 'function');
    this.#texts = new Map(fixed.map((reply) => [reply, this.#render(reply)]));
  }

  /** A reply as it goes out: without enhanced codes where the connector does not offer them (RFC 2034 §3). */
  text(reply: Reply): string {
    return this.#texts.get(reply) ?? this.#render(reply);
  }

  /** RFC 5321 §4.2: the greeting, or the connector's Banner. */
  greeting(date: string): Reply {
    const { banner } = this.connector;
    return banner === null ? replies.greeting(this.fqdn, date) : replies.banner(banner);
  }

  /** Keywords of the EHLO reply in Exchange's order. */
  extensions(startTls: boolean): readonly string[] {
    return startTls ? this.#clearExtensions : this.#tlsExtensions;
  }

  #render(reply: Reply): string {
    const text = renderReply(
      this.connector.enhancedStatusCodesEnabled ? reply : { code: reply.code, lines: reply.lines },
    );
    // RFC 5321 §4.2: replies are ASCII; a banner or an agent's text may hold anything.
    return text.replace(/[^\r\n -~]/g, '?');
  }
}

function rightCheck(connector: ReceiveConnector, granted: ReadonlyMap<Right, string>, right: Right): RightCheck {
  const by = granted.get(right);
  if (by !== undefined) return { right, granted: true, principal: anonymousName, by };
  const denied = decidingEntry(connector.acl, [anonymousSid], right) !== undefined;
  const why = denied ? 'an entry of the connector denies it' : 'no entry of the connector grants it';
  return { right, granted: false, principal: anonymousName, by: why };
}

// BINARYMIME and CHUNKING are not offered before BDAT is understood, AUTH not before there is somebody to ask.
function extensions(connector: ReceiveConnector, maxMessageSize: number, startTls: boolean): string[] {
  const size = connector.sizeEnabled === 'Enabled' && maxMessageSize !== Infinity ? `SIZE ${maxMessageSize}` : 'SIZE';
  const rows: readonly (readonly [boolean, string])[] = [
    [connector.sizeEnabled !== 'Disabled', size],
    [connector.pipeliningEnabled, 'PIPELINING'],
    [connector.deliveryStatusNotificationEnabled, 'DSN'],
    [connector.enhancedStatusCodesEnabled, 'ENHANCEDSTATUSCODES'],
    [startTls, 'STARTTLS'],
    [connector.eightBitMimeEnabled, '8BITMIME'],
    [connector.smtpUtf8Enabled, 'SMTPUTF8'],
  ];
  return rows.flatMap(([offered, keyword]) => (offered ? keyword : []));
}
