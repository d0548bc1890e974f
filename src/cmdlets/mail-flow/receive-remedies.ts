/** Which cmdlet line would change what a receive connector answers. Pure. */
import { formatEndpoint } from '../../base/index.ts';
import type { Binding, ReceiveConnector, Right } from '../../config/index.ts';

/** What is asked for. */
export interface Refused {
  readonly connector: Pick<ReceiveConnector, 'identity'>;
  /** Name of the principal that the session is. */
  readonly principal: string;
  readonly command: string;
  readonly reply: string;
  readonly reason: string;
  /** An accepted domain; '' when there is none. */
  readonly domain: string;
}

/** As the shell reads it. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A range of one of the connectors that are bound to that endpoint, or a connector of its own. */
export function rangeRemedy(
  endpoint: Binding,
  { remoteAddress }: { readonly remoteAddress: string },
  bound: readonly Pick<ReceiveConnector, 'identity' | 'enabled'>[],
): string {
  const [first] = bound;
  if (first === undefined)
    return `New-ReceiveConnector -Name 'From ${remoteAddress}' -Usage Custom -Bindings ${formatEndpoint(endpoint)} -RemoteIPRanges ${remoteAddress} -PermissionGroups AnonymousUsers`;
  const enabled = bound.find((one) => one.enabled);
  if (enabled === undefined) return `Set-ReceiveConnector ${quoted(first.identity)} -Enabled $true`;
  return `Set-ReceiveConnector ${quoted(enabled.identity)} -RemoteIPRanges @{Add=${quoted(remoteAddress)}}`;
}

/** Gives a right that no entry gives, or takes away the entry that denies it. */
export function rightRemedy(
  { identity }: Pick<ReceiveConnector, 'identity'>,
  principal: string,
  right: Right,
  by: string,
): string {
  const [, denied] = /^Deny (?:\S+) to (.+?)(?: \(inherited\))?$/.exec(by) ?? [];
  if (denied !== undefined)
    return `Remove-ADPermission ${quoted(identity)} -User ${quoted(denied)} -ExtendedRights ${right} -Deny -Confirm:$false`;
  return `Add-ADPermission ${quoted(identity)} -User ${quoted(principal)} -ExtendedRights ${right}`;
}

/** Replies that a switch of the connector brings about, by their text. */
const switches: readonly (readonly [reply: RegExp, parameters: string])[] = [
  [/Must issue a STARTTLS command first/, '-RequireTLS $false'],
  [/Invalid domain name/, '-RequireEHLODomain $false'],
  [/5\.1\.4 Recipient address reserved/, '-RejectReservedTopLevelRecipientDomains $false'],
  [/5\.1\.5 Recipient address reserved/, '-RejectReservedSecondLevelRecipientDomains $false'],
  [/single label domains/, '-RejectSingleLabelRecipientDomains $false'],
  [/Too many recipients/, '-MaxRecipientsPerMessage 5000'],
  [/exceeds fixed maximum message size/, '-MaxMessageSize 150MB'],
  [/Certificate validation failure/, '-TlsSenderCertificateName $null'],
];

/** What the reader of addresses says of one that a default domain would complete. */
const withoutDomain = "there is no '@'";

const right = {
  submit: 'ms-Exch-SMTP-Submit',
  relay: 'ms-Exch-SMTP-Accept-Any-Recipient',
} as const;

/** '' when no line of a cmdlet changes it, such as for an address that is none. */
export function replyRemedy({ connector, principal, command, reply, reason, domain: accepted }: Refused): string {
  if (/^[23]/.test(reply)) return '';
  if (reason === withoutDomain && accepted !== '')
    return `Set-ReceiveConnector ${quoted(connector.identity)} -DefaultDomain ${accepted}`;
  const parameters = switches.find(([pattern]) => pattern.test(reply))?.[1];
  if (parameters !== undefined) return `Set-ReceiveConnector ${quoted(connector.identity)} ${parameters}`;
  if (/5\.7\.57/.test(reply)) return rightRemedy(connector, principal, right.submit, reason);
  if (/5\.7\.60/.test(reply)) {
    const [, missing = 'ms-Exch-SMTP-Accept-Any-Sender', by = ''] =
      /^(?:From: )?(ms-Exch-[\w-]+): (.*)$/.exec(reason) ?? [];
    return rightRemedy(connector, principal, missing as Right, by);
  }
  if (!/5\.7\.54/.test(reply)) return '';
  const domain = /@([^>\s]+)>/.exec(command)?.[1] ?? '';
  return `New-AcceptedDomain ${quoted(domain)} -DomainName ${domain} # or, for every domain: ${rightRemedy(connector, principal, right.relay, '')}`;
}
