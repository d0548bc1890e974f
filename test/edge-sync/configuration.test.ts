/** The configuration that flows: from Exchange's own objects where the source has them, else from the settings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSchema } from '../../src/directory/index.ts';
import {
  type ConfigurationObject,
  configurationPlan,
  configuredObjects,
  objectOf,
  replicatedObjects,
  transportSettings,
  understood,
} from '../../src/edge-sync/inside/configuration.ts';
import type { Subscription, SyncSettings } from '../../src/edge-sync/inside/inside-state.ts';
import { LdapStream } from '../../src/edge-sync/source/ldap-stream.ts';
import { readConfiguration } from '../../src/edge-sync/source/read-configuration.ts';
import { profileOf } from '../../src/edge-sync/source/root-dse.ts';
import { type Entry, entryFrom } from '../../src/ldap/index.ts';
import { ScriptedLdap } from '../lib/scripted-ldap.ts';
import { ScriptedDomain } from './scripted-domain.ts';

const configurationDn = 'CN=Configuration,CN={1}';
const subscription = {
  name: 'EDGE1',
  site: 'Main',
  createInboundSendConnector: true,
  createInternetSendConnector: true,
} as Subscription;
const settings = {
  domains: [
    { name: 'corp.example', type: 'Authoritative' },
    { name: 'relay.example', type: 'InternalRelay' },
  ],
  smartHosts: ['[10.0.0.5]:2525', '[10.0.0.6]'],
} as unknown as SyncSettings;

/** What an edge has after the objects were written to it. */
const written = (objects: readonly ConfigurationObject[]): Entry[] =>
  objects.map(({ kind, name, attributes }) =>
    entryFrom(`CN=${name},${configurationDn}`, {
      ...Object.fromEntries(attributes),
      ...(kind === 'transportSettings' ? { objectClass: [transportSettings.objectClass] } : {}),
      cn: [name],
    }),
  );

test('what was written once is not written again', () => {
  const wanted = configuredObjects(settings, subscription);
  assert.deepEqual(
    configurationPlan(wanted, [], configurationDn).map(({ kind }) => kind),
    ['add', 'add', 'add', 'add'],
  );
  assert.deepEqual(configurationPlan(wanted, written(wanted), configurationDn), []);
});

test('the own server stands beside those that are named or that Exchange has, once, with all its certificates', () => {
  const own = { name: 'HUB1.corp.example', certificates: ['AAAA', 'BBBB'] };
  const servers = (objects: ReturnType<typeof configuredObjects>) =>
    objects
      .filter(({ kind }) => kind === 'internalServer')
      .map(({ name, attributes }) => [name, (attributes.get('msExchServerInternalTLSCert') ?? []).length]);
  const named = { ...settings, internalServers: [{ name: 'hub1.corp.example', certificate: 'BBBB' }] };
  assert.deepEqual(servers(configuredObjects(named, subscription, own)), [['hub1', 2]]);
  assert.deepEqual(servers(configuredObjects({ ...settings, internalServers: [] }, subscription, own)), [['hub1', 2]]);
  assert.deepEqual(servers(replicatedObjects([], settings, subscription, own)), [['hub1', 2]]);
  const there = replicatedObjects([], settings, subscription, { ...own, certificates: ['CCCC'] });
  assert.deepEqual(servers(replicatedObjects(there, settings, subscription, own)), [['hub1', 1]]);
});

test('what the inside does not have is taken away, but for the remote domain * and the transport settings', () => {
  const present = [
    entryFrom('CN=Old', {
      objectClass: ['msExchAcceptedDomain'],
      cn: ['Old'],
      msExchAcceptedDomainName: ['old.example'],
    }),
    entryFrom('CN=Default', { objectClass: ['msExchDomainContentConfig'], cn: ['Default'], domainName: ['*'] }),
    entryFrom('CN=Transport Settings', { objectClass: [transportSettings.objectClass], cn: ['Transport Settings'] }),
  ];
  const plan = configurationPlan([], present, configurationDn);
  assert.deepEqual(plan, [{ kind: 'delete', dn: 'CN=Old' }]);
});

test('lists of the transport settings flow when the inside names one, and nothing else of that object', () => {
  const lists = { internalSmtpServers: ['10.0.0.0/8'], tlsSendDomains: ['partner.example'], tlsReceiveDomains: [] };
  const wanted = configuredObjects({ ...settings, lists }, subscription);
  const own = entryFrom('CN=Transport Settings', {
    objectClass: [transportSettings.objectClass],
    cn: ['Transport Settings'],
    msExchTLSReceiveDomainSecureList: ['gone.example'],
    delivContLength: ['10240'],
  });
  const plan = configurationPlan(
    wanted,
    [...written(wanted.filter(({ kind }) => kind !== 'transportSettings')), own],
    configurationDn,
  );
  assert.equal(plan.length, 1);
  const [change] = plan;
  assert.ok(change?.kind === 'modify');
  const made = change.modifications.map(({ attribute, values }) => [attribute, values.map(String)]);
  assert.deepEqual(made, [
    ['msExchInternalSMTPServers', ['10.0.0.0/8']],
    ['msExchTLSReceiveDomainSecureList', []],
    ['msExchTLSSendDomainSecureList', ['partner.example']],
  ]);
  assert.ok(!configuredObjects(settings, subscription).some(({ kind }) => kind === 'transportSettings'));
});

test("Exchange's accepted domains, remote domains and lists are read from the configuration of the source", async () => {
  const domain = new ScriptedDomain(await loadSchema('ldap/schema'));
  const organization = 'CN=Corp,CN=Microsoft Exchange,CN=Services';
  domain.settings.set(`CN=corp.example,CN=Accepted Domains,CN=Transport Settings,${organization}`, {
    objectClass: ['top', 'msExchAcceptedDomain'],
    cn: ['corp.example'],
    msExchAcceptedDomainName: ['corp.example'],
    msExchAcceptedDomainFlags: ['4'],
    whenChanged: ['20260101000000.0Z'],
    nTSecurityDescriptor: [Buffer.alloc(8)],
  });
  domain.settings.set(`CN=Partner,CN=Internet Message Formats,CN=Global Settings,${organization}`, {
    objectClass: ['top', 'msExchDomainContentConfig'],
    cn: ['Partner'],
    domainName: ['partner.example'],
  });
  domain.settings.set(`CN=Transport Settings,${organization}`, {
    objectClass: ['top', 'msExchTransportSettings'],
    cn: ['Transport Settings'],
    msExchTLSSendDomainSecureList: ['partner.example'],
    delivContLength: ['1'],
  });
  await using server = await ScriptedLdap.listen(domain.script);
  const connect = (): Promise<LdapStream> => LdapStream.open({ url: server.url, bindDn: '', password: '' });
  await using stream = await connect();
  const profile = await profileOf(stream, '');
  const objects = await readConfiguration(connect, profile);
  assert.deepEqual(
    objects?.map(({ kind, name, attributes }) => [kind, name, [...attributes.keys()].sort()]),
    [
      [
        'acceptedDomain',
        'corp.example',
        ['cn', 'msExchAcceptedDomainFlags', 'msExchAcceptedDomainName', 'objectClass'],
      ],
      ['remoteDomain', 'Partner', ['cn', 'domainName', 'objectClass']],
      ['transportSettings', 'Transport Settings', [...transportSettings.lists].sort()],
    ],
  );
  domain.settings.clear();
  assert.equal(await readConfiguration(connect, profile), undefined, 'without Exchange the settings say');
});

test('send connectors that name the edge as a source, and servers that receive mail, flow as an edge understands them', async () => {
  const schema = await loadSchema('ldap/schema');
  const domain = new ScriptedDomain(schema);
  const organization = 'CN=Corp,CN=Microsoft Exchange,CN=Services';
  const group = `CN=Exchange Administrative Group (FYDIBOHF23SPDLT),CN=Administrative Groups,${organization}`;
  const connector = (name: string, servers: Record<string, string[]>): void => {
    domain.settings.set(`CN=${name},CN=Connections,${group}`, {
      objectClass: ['top', 'msExchConnector', 'mailGateway', 'msExchRoutingSMTPConnector'],
      cn: [name],
      routingList: ['SMTP:*.partner.example;5'],
      msExchSmtpSmartHost: ['[192.0.2.1]'],
      msExchSmtpSendFlags: ['64'],
      msExchSmtpOutboundSecurityCredential: ['aes-256-gcm:AAAA corp'],
      msExchRoutingUnheardOf: ['1'],
      ...servers,
    });
  };
  connector('By the edge', { msExchSourceBridgeheadServersDN: [`CN=Microsoft MTA,CN=EDGE1,CN=Servers,${group}`] });
  connector('Once by the edge', { homeMTA: [`CN=edge1,CN=Servers,${group}`] });
  connector('By a hub', { msExchSourceBridgeheadServersDN: [`CN=Microsoft MTA,CN=HUB1,CN=Servers,${group}`] });
  connector('EdgeSync - Inbound to Main', { msExchSourceBridgeheadServersDN: [`CN=EDGE1,CN=Servers,${group}`] });
  const server = (name: string, roles: string): void => {
    domain.settings.set(`CN=${name},CN=Servers,${group}`, {
      objectClass: ['top', 'server', 'msExchExchangeServer'],
      cn: [name],
      networkAddress: [`ncacn_ip_tcp:${name.toLowerCase()}.corp.example`],
      msExchServerInternalTLSCert: [Buffer.from([0x30, 0xff, 0xfe])],
      msExchCurrentServerRoles: [roles],
      versionNumber: ['1'],
    });
  };
  server('HUB1', '54');
  server('EDGE1', '64');
  server('CAS1', '4');
  domain.settings.set(`CN=corp.example,CN=Accepted Domains,CN=Transport Settings,${organization}`, {
    objectClass: ['top', 'msExchAcceptedDomain'],
    cn: ['corp.example'],
    msExchAcceptedDomainName: ['corp.example'],
  });
  await using ldap = await ScriptedLdap.listen(domain.script);
  const connect = (): Promise<LdapStream> => LdapStream.open({ url: ldap.url, bindDn: '', password: '' });
  await using stream = await connect();
  const objects = (await readConfiguration(connect, await profileOf(stream, ''))) ?? [];
  const wanted = replicatedObjects(objects, settings, subscription).map((object) => understood(object, schema));
  const named = (kind: string): string[] => wanted.filter((object) => object.kind === kind).map(({ name }) => name);
  assert.deepEqual(named('sendConnector'), [
    'By the edge',
    'Once by the edge',
    'EdgeSync - Inbound to Main',
    'EdgeSync - Main to Internet',
  ]);
  assert.deepEqual(named('internalServer'), ['HUB1']);
  const flowing = wanted.find(({ name }) => name === 'By the edge');
  assert.deepEqual([...(flowing?.attributes.keys() ?? [])].sort(), [
    'cn',
    'msExchSmtpSendFlags',
    'msExchSmtpSmartHost',
    'objectClass',
    'routingList',
  ]);
  const hub = wanted.find(({ kind }) => kind === 'internalServer');
  assert.deepEqual(hub?.attributes.get('msExchServerInternalTLSCert'), [Buffer.from([0x30, 0xff, 0xfe])]);
  assert.deepEqual(configurationPlan(wanted, written(wanted), configurationDn), [], 'octets that are no text too');
});

test('an entry of another class is no object of the configuration', () => {
  assert.equal(objectOf(entryFrom('CN=x', { objectClass: ['msExchSmtpReceiveConnector'], cn: ['x'] })), undefined);
});
