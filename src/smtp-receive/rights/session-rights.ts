/** What a principal may do on a receive connector: rights from the access control entries, and what follows from them. */
import { decidingEntry, grantedRights, type ReceiveConnector, type Right } from '../../config/index.ts';
import { xClientAttributes } from '../../smtp/index.ts';
import { forbiddenFields } from '../content/header-firewall.ts';
import { offeredMechanisms } from './mechanisms.ts';
import { inNamesOf, type Principal } from './principal.ts';

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

/** What the EHLO reply depends on besides the connector. */
export interface ExtensionState {
  readonly startTls: boolean;
  readonly secure: boolean;
  /** There is somebody to ask about passwords. */
  readonly logons: boolean;
  /** The narrowest limit of size that holds, in octets. */
  readonly sizeLimit: number;
  /** The client showed a certificate. */
  readonly certificate: boolean;
  /** The peer may say whom it speaks for. */
  readonly xClient: boolean;
}

/** The rights of one principal on one connector, worked out once. */
export class SessionRights {
  readonly principal: Principal;
  /** As the protocol log lists them. */
  readonly permissions: string;
  /** Octets; Infinity with ms-Exch-Bypass-Message-Size-Limit. */
  readonly maxMessageSize: number;
  readonly bypassAntiSpam: boolean;
  /** Header fields that are taken away: see header-firewall.ts. */
  readonly forbiddenFields: readonly string[];
  readonly submit: RightCheck;
  readonly anyRecipient: RightCheck;
  readonly anySender: RightCheck;
  readonly authoritativeSender: RightCheck;
  /** ms-Exch-SMTP-Accept-Authentication-Flag: messages are of the inside, as those of who has logged on. */
  readonly countsAsInternal: boolean;
  /** By what EHLO depends on besides the connector. */
  readonly #extensions = new Map<string, readonly string[]>();
  readonly #connector: ReceiveConnector;

  constructor(connector: ReceiveConnector, principal: Principal) {
    this.principal = principal;
    const granted = grantedRights(connector.acl, principal.sids);
    const check = (right: Right): RightCheck => rightCheck(connector, principal, granted, right);
    this.permissions = permissionTokens.flatMap(([right, token]) => (granted.has(right) ? token : [])).join(' ');
    this.maxMessageSize = granted.has('ms-Exch-Bypass-Message-Size-Limit') ? Infinity : connector.maxMessageSize;
    this.forbiddenFields = forbiddenFields(granted);
    this.bypassAntiSpam = granted.has('ms-Exch-Bypass-Anti-Spam');
    this.countsAsInternal = granted.has('ms-Exch-SMTP-Accept-Authentication-Flag');
    this.submit = check('ms-Exch-SMTP-Submit');
    this.anyRecipient = check('ms-Exch-SMTP-Accept-Any-Recipient');
    this.anySender = check('ms-Exch-SMTP-Accept-Any-Sender');
    this.authoritativeSender = check('ms-Exch-SMTP-Accept-Authoritative-Domain-Sender');
    this.#connector = connector;
  }

  /** Keywords of the EHLO reply in Exchange's order. */
  extensions(state: ExtensionState): readonly string[] {
    const key = `${state.startTls}${state.secure}${state.logons}${state.certificate}${state.xClient}${state.sizeLimit}`;
    const known = this.#extensions.get(key) ?? extensions(this.#connector, state);
    this.#extensions.set(key, known);
    return known;
  }
}

function rightCheck(
  connector: ReceiveConnector,
  principal: Principal,
  granted: ReadonlyMap<Right, string>,
  right: Right,
): RightCheck {
  const { name, sids } = principal;
  const by = granted.get(right);
  if (by !== undefined) return { right, granted: true, principal: name, by: inNamesOf(principal, by) };
  const denied = decidingEntry(connector.acl, sids, right) !== undefined;
  const why = denied ? 'an entry of the connector denies it' : 'no entry of the connector grants it';
  return { right, granted: false, principal: name, by: why };
}

function extensions(
  connector: ReceiveConnector,
  { startTls, secure, logons, sizeLimit, certificate, xClient }: ExtensionState,
): string[] {
  const mechanisms = logons ? offeredMechanisms(connector, { secure, certificate }) : [];
  const size = connector.sizeEnabled === 'Enabled' && sizeLimit !== Infinity ? `SIZE ${sizeLimit}` : 'SIZE';
  const rows: readonly (readonly [boolean, string])[] = [
    [connector.sizeEnabled !== 'Disabled', size],
    [connector.pipeliningEnabled, 'PIPELINING'],
    [connector.deliveryStatusNotificationEnabled, 'DSN'],
    [connector.enhancedStatusCodesEnabled, 'ENHANCEDSTATUSCODES'],
    [startTls, 'STARTTLS'],
    [mechanisms.length > 0, ['AUTH', ...mechanisms].join(' ')],
    [connector.eightBitMimeEnabled, '8BITMIME'],
    [connector.binaryMimeEnabled && connector.chunkingEnabled, 'BINARYMIME'],
    [connector.chunkingEnabled, 'CHUNKING'],
    [connector.smtpUtf8Enabled, 'SMTPUTF8'],
    // RFC 8689 §3: never before STARTTLS.
    [secure, 'REQUIRETLS'],
    [xClient, ['XCLIENT', ...xClientAttributes].join(' ')],
    [connector.limitsEnabled, `LIMITS RCPTMAX=${connector.maxRecipientsPerMessage}`],
  ];
  return rows.flatMap(([offered, keyword]) => (offered ? keyword : []));
}

/** Principals whose rights are remembered for each connector; who authenticates chooses among its own accounts only. */
const mostPrincipals = 1000;

/** The rights on one connector, by principal. */
export class RightsTable {
  readonly #connector: ReceiveConnector;
  readonly #known = new Map<string, SessionRights>();

  constructor(connector: ReceiveConnector) {
    this.#connector = connector;
  }

  of(principal: Principal): SessionRights {
    const key = [principal.name, ...principal.sids].join(' ');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= mostPrincipals) this.#known.clear();
    const rights = new SessionRights(this.#connector, principal);
    this.#known.set(key, rights);
    return rights;
  }
}
