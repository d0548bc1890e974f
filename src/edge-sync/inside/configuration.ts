/** The configuration that flows to an edge: what it is to have, what it has, and the difference. Pure. */
import {
  type AcceptedDomain,
  acceptedDomain,
  attributesOf,
  defaultValues,
  internalServerClass,
  internalServersPath,
  remoteDomain,
  type SendConnector,
  sendConnector,
} from '../../config/index.ts';
import { type Entry, escapeDnValue, type Modification, type Schema } from '../../ldap/index.ts';
import { connectorsPath } from '../edge/place.ts';
import type { DomainSetting, OwnServer, Subscription, SyncSettings } from './inside-state.ts';

/** One object of the configuration. */
export interface ConfigurationObject {
  readonly kind: ConfigurationKind | 'transportSettings';
  readonly name: string;
  /** Every attribute that is replicated, objectClass too. */
  readonly attributes: ReadonlyMap<string, readonly AttributeValue[]>;
  /** Of a send connector of the source: the servers that send by it, and its logon as the source keeps it. */
  readonly source?: { readonly servers: readonly string[]; readonly logon: string | undefined };
}

/** Octets where a value is no text. */
export type AttributeValue = string | Buffer;

export type ConfigurationKind = 'acceptedDomain' | 'remoteDomain' | 'sendConnector' | 'internalServer';

const organization = 'CN=First Organization,CN=Microsoft Exchange,CN=Services';

/** Class of each kind and its container below the configuration naming context. */
export const containers: Readonly<Record<ConfigurationKind, { readonly objectClass: string; readonly path: string }>> =
  {
    acceptedDomain: {
      objectClass: acceptedDomain.objectClass,
      path: `CN=Accepted Domains,CN=Transport Settings,${organization}`,
    },
    remoteDomain: {
      objectClass: remoteDomain.objectClass,
      path: `CN=Internet Message Formats,CN=Global Settings,${organization}`,
    },
    sendConnector: {
      objectClass: sendConnector.objectClass,
      path: connectorsPath,
    },
    // The edge's own entry is a server of Exchange too: those of the inside have a class of their own, and no right is given on it.
    internalServer: { objectClass: internalServerClass, path: internalServersPath },
  };

/** The transport settings: of this object only the lists flow, the rest is the edge's own. It is never made or removed. */
export const transportSettings = {
  objectClass: 'msExchTransportSettings',
  path: `CN=Transport Settings,${organization}`,
  lists: ['msExchInternalSMTPServers', 'msExchTLSReceiveDomainSecureList', 'msExchTLSSendDomainSecureList'],
} as const;

export const configurationKinds = Object.keys(containers) as ConfigurationKind[];

/** Who sends by a connector; the second is of older Exchange. */
const bridgeheads = ['msExchSourceBridgeheadServersDN', 'homeMTA'];
const logonAttribute = 'msExchSmtpOutboundSecurityCredential';

/** Attributes that an edge keeps for itself, or that belong to the source alone. */
const local: ReadonlySet<string> = new Set(
  [logonAttribute, 'objectGUID', ...bridgeheads, 'nTSecurityDescriptor'].map((name) => name.toLowerCase()),
);

/** What an edge is to have by the settings, where the source holds no configuration of Exchange. */
export function configuredObjects(
  settings: SyncSettings,
  subscription: Subscription,
  own?: OwnServer,
): ConfigurationObject[] {
  return [
    ...settings.domains.map((domain, index) => domainObject(domain, index === 0)),
    ...connectorObjects(settings, subscription),
    ...transportLists(settings),
    ...namedServers([...(settings.internalServers ?? []), ...ownCertificates(own)]),
  ];
}

const ownCertificates = (own: OwnServer | undefined): NonNullable<SyncSettings['internalServers']> =>
  own?.certificates.map((certificate) => ({ name: own.name, certificate })) ?? [];

/** A server that is named twice has two certificates: the old one and the new one, during a change. */
function namedServers(servers: NonNullable<SyncSettings['internalServers']>): ConfigurationObject[] {
  const byName = Map.groupBy(servers, ({ name }) => name.toLowerCase());
  return [...byName].map(([name, same]) => {
    const unlike = new Set(same.map(({ certificate }) => certificate));
    const certificates = [...unlike].map((certificate) => Buffer.from(certificate, 'base64'));
    return serverObject(name.split('.')[0] ?? name, [`ncacn_ip_tcp:${name}`], certificates);
  });
}

function serverObject(
  name: string,
  addresses: readonly string[],
  certificates: readonly Buffer[],
): ConfigurationObject {
  const attributes = new Map<string, readonly AttributeValue[]>([
    ['objectClass', ['top', containers.internalServer.objectClass]],
    ['cn', [name]],
    ['networkAddress', addresses],
    ['msExchServerInternalTLSCert', certificates],
  ]);
  return { kind: 'internalServer', name, attributes };
}

/**
 * What of a source's configuration an edge is to have: connectors that it is named as a source of, beside the two of its
 * subscription, and all the rest.
 */
export function replicatedObjects(
  objects: readonly ConfigurationObject[],
  settings: SyncSettings,
  subscription: Subscription,
  ownServer?: OwnServer,
): ConfigurationObject[] {
  const own = connectorObjects(settings, subscription);
  const taken = new Set(own.map(({ name }) => name.toLowerCase()));
  const edge = subscription.name.toLowerCase();
  const isFor = ({ kind, name, source }: ConfigurationObject): boolean =>
    kind !== 'sendConnector' ||
    (!taken.has(name.toLowerCase()) && source?.servers.some((server) => server.toLowerCase() === edge) === true);
  const servers = new Set(objects.flatMap(({ kind, name }) => (kind === 'internalServer' ? [name.toLowerCase()] : [])));
  const unnamed = namedServers(ownCertificates(ownServer)).filter(({ name }) => !servers.has(name.toLowerCase()));
  return [...objects.filter(isFor), ...own, ...unnamed];
}

/** The object without what an edge's schema does not know of its class: Exchange has attributes that mean nothing here. */
export function understood(object: ConfigurationObject, schema: Schema): ConfigurationObject {
  if (object.kind === 'transportSettings') return object;
  const { objectClass } = containers[object.kind];
  const allowed = new Set(
    schema
      .classChain(objectClass)
      .flatMap(({ must, may }) => [...must, ...may])
      .map((name) => schema.attribute(name)?.key),
  );
  const known = [...object.attributes].filter(([name]) => allowed.has(schema.attribute(name)?.key ?? ''));
  return { ...object, attributes: new Map([...known, ['objectClass', ['top', objectClass]]]) };
}

/** Nothing where the administrator named no list: then those of the edge stay. */
function transportLists({ lists }: SyncSettings): ConfigurationObject[] {
  if (lists === undefined) return [];
  const [servers, receive, send] = transportSettings.lists;
  const attributes = new Map<string, readonly string[]>([
    [servers, lists.internalSmtpServers],
    [receive, lists.tlsReceiveDomains],
    [send, lists.tlsSendDomains],
  ]);
  return [{ kind: 'transportSettings', name: 'Transport Settings', attributes }];
}

function domainObject({ name, type }: DomainSetting, isDefault: boolean): ConfigurationObject {
  // A relay domain has recipients that the source does not know.
  const addressBookEnabled = type === 'Authoritative';
  const values: Partial<AcceptedDomain> = {
    domainName: name,
    domainType: type,
    default: isDefault,
    addressBookEnabled,
  };
  const all = { ...defaultValues(acceptedDomain, 'EdgeTransport'), ...values };
  return { kind: 'acceptedDomain', name, attributes: attributesOf(acceptedDomain, name, all, 'EdgeTransport') };
}

/** Exchange's two connectors of a subscription. */
function connectorObjects(
  settings: Pick<SyncSettings, 'smartHosts'>,
  subscription: Subscription,
): ConfigurationObject[] {
  const { site, createInboundSendConnector, createInternetSendConnector } = subscription;
  const hosts = settings.smartHosts.map((text) => /^(?<host>\[[^\]]+\]|[^:]+)(?::(?<port>\d+))?$/.exec(text)?.groups);
  const port = Number(hosts.find((host) => host?.['port'] !== undefined)?.['port'] ?? 25);
  const inbound: Partial<SendConnector> = {
    addressSpaces: sendConnector.properties.addressSpaces.syntax.parse('SMTP:--;1'),
    smartHosts: sendConnector.properties.smartHosts.syntax.parse(hosts.map((host) => host?.['host'] ?? '')),
    dnsRoutingEnabled: false,
    port,
  };
  const internet: Partial<SendConnector> = {
    addressSpaces: sendConnector.properties.addressSpaces.syntax.parse('SMTP:*;100'),
    dnsRoutingEnabled: true,
  };
  return [
    ...(createInboundSendConnector && hosts.length > 0 ? [connector(`EdgeSync - Inbound to ${site}`, inbound)] : []),
    ...(createInternetSendConnector ? [connector(`EdgeSync - ${site} to Internet`, internet)] : []),
  ];
}

function connector(name: string, values: Partial<SendConnector>): ConfigurationObject {
  const all = { ...defaultValues(sendConnector, 'EdgeTransport'), ...values };
  return { kind: 'sendConnector', name, attributes: attributesOf(sendConnector, name, all, 'EdgeTransport') };
}

/** An object of a source that has Exchange's configuration; undefined for an entry of another class. */
export function objectOf(entry: Entry): ConfigurationObject | undefined {
  const classes = entry.values('objectClass').map((name) => name.toLowerCase());
  if (classes.includes(transportSettings.objectClass.toLowerCase())) {
    const lists = transportSettings.lists.map((name) => [name, entry.values(name)] as const);
    return { kind: 'transportSettings', name: 'Transport Settings', attributes: new Map(lists) };
  }
  const kind = configurationKinds.find((one) => classes.includes(containers[one].objectClass.toLowerCase()));
  const [name] = entry.values('cn');
  if (name === undefined) return undefined;
  if (kind === 'internalServer' || classes.includes(exchangeServer.toLowerCase())) return serverOf(entry, kind);
  if (kind === undefined) return undefined;
  const attributes = new Map<string, readonly string[]>();
  const prefixes =
    /^(?:msExch|cn$|objectClass$|domainName$|routingList$|delivContLength$|deliveryMechanism$|adminDisplayName$|description$|adminDescription$)/i;
  for (const attribute of entry.attributes) {
    if (prefixes.test(attribute) && !local.has(attribute.toLowerCase()))
      attributes.set(attribute, entry.values(attribute));
  }
  if (kind !== 'sendConnector') return { kind, name, attributes };
  const servers = bridgeheads.flatMap((attribute) => entry.values(attribute)).map(serverIn);
  return { kind, name, attributes, source: { servers, logon: entry.values(logonAttribute)[0] } };
}

export const exchangeServer = 'msExchExchangeServer';
/** Bits of msExchCurrentServerRoles: Mailbox and Hub Transport receive mail from an edge. */
const receiving = 2 | 32;

/** A server of the inside as the source has it, or as it stands on an edge; undefined for one that receives nothing. */
function serverOf(entry: Entry, kind: ConfigurationKind | undefined): ConfigurationObject | undefined {
  const roles = Number(entry.values('msExchCurrentServerRoles')[0] ?? 0);
  const name = entry.values('cn')[0];
  if (name === undefined || (kind === undefined && (roles & receiving) === 0)) return undefined;
  return serverObject(name, entry.values('networkAddress'), entry.buffers('msExchServerInternalTLSCert'));
}

/** Name of the server in a DN of it or of its `CN=Microsoft MTA`. */
const serverIn = (dn: string): string => /^(?:CN=Microsoft MTA,)?CN=(?<name>[^,]+)/i.exec(dn)?.groups?.['name'] ?? '';

/** A write that brings the edge nearer. DNs are whole. */
export type ConfigurationChange =
  | { readonly kind: 'add'; readonly dn: string; readonly attributes: ReadonlyMap<string, readonly AttributeValue[]> }
  | { readonly kind: 'modify'; readonly dn: string; readonly modifications: readonly Modification[] }
  | { readonly kind: 'delete'; readonly dn: string };

/** The difference between what an edge is to have and what it has. */
export function configurationPlan(
  wanted: readonly ConfigurationObject[],
  present: readonly Entry[],
  configurationDn: string,
): ConfigurationChange[] {
  const changes: ConfigurationChange[] = [];
  const known = new Map(present.map((entry) => [keyOf(objectOf(entry)), entry] as const));
  for (const object of wanted) {
    const entry = known.get(keyOf(object));
    known.delete(keyOf(object));
    if (object.kind === 'transportSettings') {
      const modifications = entry === undefined ? [] : differences(object, entry);
      if (entry !== undefined && modifications.length > 0)
        changes.push({ kind: 'modify', dn: entry.dn, modifications });
      continue;
    }
    const dn = `CN=${escapeDnValue(object.name)},${containers[object.kind].path},${configurationDn}`;
    if (entry === undefined) {
      const attributes = new Map([...object.attributes].filter(([, values]) => values.length > 0));
      changes.push({ kind: 'add', dn, attributes });
    } else {
      const modifications = differences(object, entry);
      if (modifications.length > 0) changes.push({ kind: 'modify', dn: entry.dn, modifications });
    }
  }
  for (const [key, entry] of known) {
    // The remote domain that stands for all others is part of every server.
    if (
      key === '' ||
      key.startsWith('transportSettings') ||
      (key.startsWith('remoteDomain') && entry.values('domainName').includes('*'))
    )
      continue;
    changes.push({ kind: 'delete', dn: entry.dn });
  }
  return changes;
}

const keyOf = (object: Pick<ConfigurationObject, 'kind' | 'name'> | undefined): string =>
  object === undefined ? '' : `${object.kind} ${object.name.toLowerCase()}`;

function differences({ attributes }: ConfigurationObject, entry: Entry): Modification[] {
  const modifications: Modification[] = [];
  const names = new Set([...attributes.keys(), ...(objectOf(entry)?.attributes.keys() ?? [])]);
  for (const name of names) {
    if (/^(?:cn|objectClass)$/i.test(name)) continue;
    const want = (attributes.get(name) ?? []).map((value) => Buffer.from(value));
    if (textOf(want) === textOf(entry.buffers(name))) continue;
    modifications.push({ operation: 'replace', attribute: name, values: want });
  }
  return modifications;
}

/** Equal for equal sets of values. */
const textOf = (values: readonly Buffer[]): string =>
  values
    .map((value) => value.toString('base64'))
    .sort()
    .join(' ');
