/** Get-, New-, Set-, Remove-ReceiveConnector: usage presets, conflicts with other connectors, open relays. */
import { formatEndpoint, nearestNameHint, parseIpRange } from '../../base/index.ts';
import {
  acceptedDomain,
  connectorConflict,
  grantedRights,
  openRelayRanges,
  type PermissionGroup,
  principalName,
  type ReceiveConnector,
  receiveConnector,
  type ServerRole,
  wellKnownSids,
} from '../../config/index.ts';
import { listObjects, pickObject, serverEntry } from '../directory-objects.ts';
import { badArgument, isOn, textOf } from '../parameter-values.ts';
import { type CmdletContext, CmdletError } from '../runtime.ts';
import type { ObjectKind, Request } from './object-kind.ts';

type Table = typeof receiveConnector.properties;
type Connector = ReceiveConnector;

/** What -Usage stands for. */
interface Usage {
  readonly groups: (role: ServerRole) => readonly PermissionGroup[];
  readonly auth: Connector['authMechanism'];
  /** Endpoints that the usage fixes; absent: -Bindings is needed. */
  readonly port?: number;
  /** -RemoteIPRanges is fixed to all of IPv4; absent: it is needed. */
  readonly everywhere?: boolean;
  readonly notOnEdge?: boolean;
}

const usages: Readonly<Record<string, Usage>> = {
  Custom: { groups: () => [], auth: ['Tls'] },
  Internet: { groups: () => ['AnonymousUsers'], auth: ['Tls'], everywhere: true },
  Internal: {
    groups: (role) => (role === 'EdgeTransport' ? ['ExchangeServers'] : ['ExchangeServers', 'ExchangeLegacyServers']),
    auth: ['Tls', 'ExchangeServer'],
    port: 25,
  },
  Client: {
    groups: () => ['ExchangeUsers'],
    auth: ['Tls', 'Integrated', 'BasicAuth', 'BasicAuthRequireTLS'],
    port: 587,
    notOnEdge: true,
  },
  Partner: { groups: () => ['Partners'], auth: ['Tls'] },
};

const allOfIPv4 = '0.0.0.0-255.255.255.255';

/** The usage that a line names, by -Usage or by a switch. Throws CmdletError. */
function usageOf({ bound, context }: Request<Table>): readonly [name: string, usage: Usage] {
  const names = Object.keys(usages);
  const given = names.filter((name) => isOn(bound, name));
  const text = textOf(bound, 'Usage');
  const named = names.find((name) => name.toLowerCase() === text?.toLowerCase());
  if (text !== undefined && named === undefined) {
    throw badArgument('Usage', `'${text}' is not one of ${names.join(', ')}.${nearestNameHint(text, names)}`);
  }
  const all = [...new Set(named === undefined ? given : [...given, named])];
  if (all.length > 1) throw badArgument(all[1] ?? '', `${all.join(' and ')} exclude each other: name one usage.`);
  const name = all[0] ?? 'Custom';
  const usage = usages[name] ?? { groups: () => [], auth: ['Tls'] as const };
  if (usage.notOnEdge === true && context.role === 'EdgeTransport') {
    throw badArgument(
      'Usage',
      `${name} is not available on an Edge Transport server. Use Custom, Internet, Internal or Partner.`,
    );
  }
  return [name, usage];
}

async function preset(request: Request<Table>): Promise<Partial<Connector>> {
  const { bound, context } = request;
  const [name, usage] = usageOf(request);
  const { port, everywhere = false } = usage;
  if (port !== undefined && bound.has('Bindings')) {
    throw badArgument(
      'Bindings',
      `Usage ${name} always listens on 0.0.0.0:${port}. Leave Bindings out, or use Usage Custom.`,
    );
  }
  if (port === undefined && !bound.has('Bindings')) {
    throw badArgument('Bindings', `Usage ${name} needs it: the local endpoint to listen on, such as 0.0.0.0:25.`);
  }
  if (everywhere && bound.has('RemoteIPRanges')) {
    throw badArgument(
      'RemoteIPRanges',
      `Usage ${name} always serves ${allOfIPv4}. Leave RemoteIPRanges out, or use Usage Custom.`,
    );
  }
  if (!everywhere && !bound.has('RemoteIPRanges')) {
    throw badArgument('RemoteIPRanges', `Usage ${name} needs it: the addresses of the clients, such as 192.0.2.0/24.`);
  }
  return {
    permissionGroups: usage.groups(context.role),
    authMechanism: usage.auth,
    fqdn: await serverFqdn(context, textOf(bound, 'Server')),
    ...(port !== undefined && { bindings: [{ address: '0.0.0.0', port }] }),
    ...(everywhere && { remoteIPRanges: [parseIpRange(allOfIPv4)] }),
  };
}

/** DefaultDomain as the domain itself, whatever name of the accepted domain was given. Throws CmdletError. */
async function namedDomain(
  { context }: Request<Table>,
  _before: Connector | undefined,
  { defaultDomain: named }: Partial<Connector>,
): Promise<Partial<Connector>> {
  if (named === undefined || named === null) return {};
  const domains = await listObjects(context, acceptedDomain);
  const byDomain = domains.find(({ object }) => object.domainName === named.toLowerCase());
  const { domainName } = (byDomain ?? pickObject(context, domains, named, acceptedDomain.title)).object;
  if (domainName.startsWith('*'))
    throw badArgument('DefaultDomain', `${domainName} is no single domain that could be appended to an address.`);
  return { defaultDomain: domainName };
}

async function serverFqdn(context: CmdletContext, server?: string): Promise<string | null> {
  const entry = await serverEntry(context, server);
  const address = entry.values('networkAddress').find((one) => /^ncacn_ip_tcp:/i.test(one));
  return address?.replace(/^.*?:/, '') ?? null;
}

function checkAmong({ context }: Request<Table>, candidate: Connector, others: readonly Connector[]): void {
  const sameServer = others.filter(
    (other) => other.dn.replace(/^.*?(?=CN=Protocols,)/i, '') === candidate.dn.replace(/^.*?(?=CN=Protocols,)/i, ''),
  );
  const conflict = connectorConflict(candidate, sameServer, context.role);
  if (conflict === undefined) return;
  const id = conflict.kind === 'role' ? 'ReceiveConnectorRoleConflictException' : 'ConnectorMappingConflictException';
  throw new CmdletError(id, 'InvalidOperation', conflict.message, { target: candidate.identity });
}

/** Says that a connector is an open relay, and for whom. */
export function warnOpenRelay(context: CmdletContext, connector: Connector): void {
  for (const range of openRelayRanges(connector)) {
    context.warning(
      `The Receive connector '${connector.identity}' is an open relay for ${range.text}: every client there can send to any domain without logging on. Restrict RemoteIPRanges to single addresses of your own, or take ms-Exch-SMTP-Accept-Any-Recipient from 'NT AUTHORITY\\ANONYMOUS LOGON' with Remove-ADPermission.`,
    );
  }
}

/** The rights of Partners let a session submit, and use no sender but the empty one. */
function warnPartners(context: CmdletContext, { acl, identity }: Connector): void {
  const { partner, anonymous } = wellKnownSids;
  if (!grantedRights(acl, [partner]).has('ms-Exch-SMTP-Submit')) return;
  // A session of a partner has the rights of anybody too.
  if (grantedRights(acl, [partner, anonymous]).has('ms-Exch-SMTP-Accept-Any-Sender')) return;
  context.warning(
    `The Receive connector '${identity}' refuses every sender of a partner (550 5.7.60): the group Partners does not hold ms-Exch-SMTP-Accept-Any-Sender. Give it by Add-ADPermission '${identity}' -User '${principalName(partner)}' -ExtendedRights ms-Exch-SMTP-Accept-Any-Sender.`,
  );
}

/** Kinds of authentication that a connector keeps and no session offers: NTLM and Kerberos. */
const authenticationWithoutEffect: readonly string[] = ['Integrated'];

async function warn({ context, bound }: Request<Table>, after: Connector): Promise<void> {
  warnOpenRelay(context, after);
  if (bound.has('PermissionGroups') || !bound.has('Identity')) warnPartners(context, after);
  const opens = bound.has('Bindings') || bound.has('Enabled') || !bound.has('Identity');
  if (opens && after.enabled && context.transport !== undefined) {
    const faults = await context.transport.bindingFaults(after.bindings.map(formatEndpoint), context.signal);
    for (const fault of faults)
      if (fault !== '') context.warning(`${fault}. The change is kept, and tried again until it can be done.`);
  }
  const kept = after.authMechanism.filter((one) => authenticationWithoutEffect.includes(one));
  if (!bound.has('AuthMechanism') || kept.length === 0) return;
  context.warning(
    `AuthMechanism ${kept.join(', ')} is kept, but never offered: clients log on by BasicAuth, or are trusted by ExternalAuthoritative.`,
  );
}

/** Receive connectors. */
export const receiveConnectorKind: ObjectKind<Table> = {
  table: receiveConnector,
  verbs: ['Get', 'New', 'Set', 'Remove'],
  view: { kind: 'table', columns: ['Identity', 'Bindings', 'Enabled'] },
  ownParameters: { New: ['Usage', 'Custom', 'Internet', 'Internal', 'Client', 'Partner'] },
  extensions: { New: ['BareLinefeedRejectionEnabled', 'SmtpUtf8Enabled'] },
  parameters: {
    New: {
      Bindings: { mandatory: false },
      RemoteIPRanges: { mandatory: false },
    },
  },
  examples: {
    Get: [
      { line: 'Get-ReceiveConnector', says: 'All receive connectors.' },
      { line: 'Get-ReceiveConnector "Default internal*" | Format-List', says: 'Every property of one.' },
    ],
    New: [
      {
        line: 'New-ReceiveConnector -Name "From the printer" -Usage Custom -Bindings 127.0.0.1:2526 -RemoteIPRanges 127.0.0.9',
        says: 'A connector for one client. It takes nothing until PermissionGroups is set.',
      },
    ],
    Set: [
      {
        line: 'Get-ReceiveConnector "Default internal*" | Set-ReceiveConnector -MaxMessageSize 50MB',
        says: 'Takes larger messages.',
      },
    ],
  },
  preset,
  adjust: namedDomain,
  checkAmong,
  warn,
};
