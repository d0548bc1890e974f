import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  decode,
  defaultsOf,
  exchangeServer,
  frontEndTransportService,
  mailboxTransportService,
  type ReceiveConnector,
  receiveConnector,
  SnapshotBuilder,
  transportConfig,
  transportService,
} from '../../src/config/index.ts';
import { DirectoryStore, seed } from '../../src/directory/index.ts';
import { productSchema } from '../ldap/schema-of-the-product.ts';
import { configurationDn, ListSource, placeholders, seedEntries } from './lib/seeded.ts';

const place = { configurationDn, serverName: 'edge1' } as const;

/** What Exchange shows for its default connectors (observed), but for BareLinefeedRejectionEnabled, which is on here. */
const onBoth = {
  authTarpitInterval: 5,
  bareLinefeedRejectionEnabled: true,
  banner: null,
  binaryMimeEnabled: true,
  chunkingEnabled: true,
  deliveryStatusNotificationEnabled: true,
  domainSecureEnabled: false,
  eightBitMimeEnabled: true,
  enabled: true,
  enhancedStatusCodesEnabled: true,
  extendedProtectionPolicy: 'None',
  fqdn: 'edge1.example.net',
  longAddressesEnabled: false,
  maxAcknowledgementDelay: 30,
  maxHeaderSize: 262_144,
  maxHopCount: 60,
  maxInboundConnection: 5000,
  maxLocalHopCount: 5,
  maxLogonFailures: 3,
  maxMessageSize: 37_748_736,
  maxProtocolErrors: 5,
  messageRateSource: 'IPAddress',
  orarEnabled: false,
  pipeliningEnabled: true,
  protocolLoggingLevel: 'None',
  requireEHLODomain: false,
  requireTLS: false,
  smtpUtf8Enabled: true,
  suppressXAnonymousTls: false,
  tarpitInterval: 5,
  tlsCertificateName: null,
  transportRole: 'HubTransport',
} as const satisfies Partial<ReceiveConnector>;

const expected = {
  edge: {
    ...onBoth,
    name: 'Default internal receive connector EDGE1',
    identity: 'EDGE1\\Default internal receive connector EDGE1',
    authMechanism: ['Tls', 'ExchangeServer'],
    permissionGroups: ['AnonymousUsers', 'ExchangeServers', 'Partners'],
    bindings: [{ address: '0.0.0.0', port: 25 }],
    connectionTimeout: 300,
    connectionInactivityTimeout: 60,
    messageRateLimit: 600,
    maxInboundConnectionPerSource: 20,
    maxInboundConnectionPercentagePerSource: 2,
    maxRecipientsPerMessage: 200,
    sizeEnabled: 'Enabled',
  },
  mailbox: {
    ...onBoth,
    name: 'Default EDGE1',
    identity: 'EDGE1\\Default EDGE1',
    authMechanism: ['Tls', 'Integrated', 'BasicAuth', 'BasicAuthRequireTLS', 'ExchangeServer'],
    permissionGroups: ['ExchangeUsers', 'ExchangeServers', 'ExchangeLegacyServers'],
    bindings: [
      { address: '0.0.0.0', port: 2525 },
      { address: '::', port: 2525 },
    ],
    connectionTimeout: 600,
    connectionInactivityTimeout: 300,
    messageRateLimit: Infinity,
    maxInboundConnectionPerSource: Infinity,
    maxInboundConnectionPercentagePerSource: 100,
    maxRecipientsPerMessage: 5000,
    sizeEnabled: 'EnabledWithoutValue',
  },
} as const;

for (const [kind, role] of [
  ['edge', 'EdgeTransport'],
  ['mailbox', 'Mailbox'],
] as const) {
  const snapshot = new SnapshotBuilder(new ListSource(seedEntries(kind)), { ...place, role }).build();

  test(`${kind}: everything decodes`, () => {
    assert.deepEqual(snapshot.problems, []);
    assert.equal(snapshot.receiveConnectors.length, 1);
    assert.deepEqual(snapshot.sendConnectors, []);
    assert.deepEqual(snapshot.acceptedDomains, []);
    assert.deepEqual(
      snapshot.remoteDomains.map(({ name, domainName }) => [name, domainName]),
      [['Default', '*']],
    );
  });

  test(`${kind}: the receive connector is the one that setup makes`, () => {
    const [connector] = snapshot.receiveConnectors;
    for (const [field, value] of Object.entries(expected[kind])) {
      assert.deepEqual(connector?.[field as 'enabled'], value, field);
    }
    const ranges = connector?.remoteIPRanges.map(({ text }) => text) ?? [];
    const everyone = '0.0.0.0-255.255.255.255';
    const mailbox = ['::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', everyone];
    assert.deepEqual(ranges, kind === 'edge' ? [everyone] : mailbox);
  });

  test(`${kind}: server and organization have the defaults of the role`, () => {
    const server = defaultsOf(transportService, role);
    const own = new Set([
      'fqdn',
      'currentServerRole',
      'edgeSyncAdamLdapPort',
      'edgeSyncAdamSslPort',
      'ldapsAddresses',
      'ldapsRemoteIPRanges',
    ]);
    for (const field of Object.keys(transportService.properties)) {
      if (!own.has(field)) assert.deepEqual(snapshot.server[field as 'name'], server[field as 'name'], field);
    }
    const organization = defaultsOf(transportConfig, role);
    for (const field of Object.keys(transportConfig.properties)) {
      assert.deepEqual(snapshot.organization[field as 'name'], organization[field as 'name'], field);
    }
    assert.deepEqual([snapshot.server.name, snapshot.server.fqdn], ['EDGE1', 'edge1.example.net']);
    const { edgeSyncAdamLdapPort, edgeSyncAdamSslPort } = snapshot.server;
    assert.deepEqual(
      [edgeSyncAdamLdapPort, edgeSyncAdamSslPort],
      kind === 'edge' ? [50_389, 50_636] : [50_390, 50_637],
    );
  });

  test(`${kind}: the directory takes the seed, once`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'edge-seed-'));
    try {
      await using store = await DirectoryStore.open({ path: join(folder, 'directory'), schema: productSchema() });
      for (const part of ['common', kind]) {
        const first = await seed(store, `ldap/seed/${part}`, placeholders);
        assert.ok(first.added > 0);
        assert.equal((await seed(store, `ldap/seed/${part}`, placeholders)).added, 0);
      }
      const built = new SnapshotBuilder(store, { ...place, role }).build();
      assert.deepEqual(built.problems, []);
      assert.match(built.receiveConnectors[0]?.guid ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      assert.ok(built.receiveConnectors[0]?.whenCreated instanceof Date);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

test('edge: retry times differ from those of a Mailbox server', () => {
  const [edge, mailbox] = (['EdgeTransport', 'Mailbox'] as const).map((role) => defaultsOf(transportService, role));
  assert.deepEqual([edge?.transientFailureRetryInterval, mailbox?.transientFailureRetryInterval], [600, 300]);
  assert.deepEqual(
    [edge?.outboundConnectionFailureRetryInterval, mailbox?.outboundConnectionFailureRetryInterval],
    [1800, 600],
  );
  assert.deepEqual([edge?.messageRetryInterval, edge?.maxPerDomainOutboundConnections], [900, 20]);
});

test('mailbox: the other services and the server are read from the same seed', () => {
  const entries = seedEntries('mailbox');
  const entry = (start: string) => entries.find(({ dn }) => dn.startsWith(start)) ?? assert.fail(start);
  const frontEnd = decode(frontEndTransportService, entry('CN=Frontend,'), 'Mailbox');
  assert.deepEqual([frontEnd.identity, frontEnd.intraOrgConnectorProtocolLoggingLevel], ['EDGE1\\Frontend', 'Verbose']);
  const mailbox = decode(mailboxTransportService, entry('CN=Mailbox,'), 'Mailbox');
  assert.equal(mailbox.mailboxDeliveryConnectorMaxInboundConnection, 5000);
  const server = decode(exchangeServer, entry('CN=EDGE1,'), 'Mailbox');
  assert.deepEqual([server.isEdgeServer, server.isMailboxServer, server.domain], [false, true, 'example.net']);
});

test('what Exchange 2019 keeps in the protocol options means what its cmdlets show', () => {
  const observed = [
    [65_983, { sizeEnabled: 'EnabledWithoutValue', domainSecureEnabled: false }],
    [65_981, { sizeEnabled: 'Enabled', domainSecureEnabled: false }],
    [66_493, { sizeEnabled: 'Enabled', domainSecureEnabled: true }],
  ] as const;
  const on = [
    'enabled',
    'pipeliningEnabled',
    'deliveryStatusNotificationEnabled',
    'enhancedStatusCodesEnabled',
    'eightBitMimeEnabled',
    'binaryMimeEnabled',
    'chunkingEnabled',
    'smtpUtf8Enabled',
  ] as const;
  const off = [
    'bareLinefeedRejectionEnabled',
    'longAddressesEnabled',
    'orarEnabled',
    'suppressXAnonymousTls',
    'advertiseClientSettings',
  ] as const;
  const [entry] = seedEntries('edge').filter(({ dn }) => dn.startsWith('CN=Default internal'));
  for (const [number, shown] of observed) {
    const connector = decode(
      receiveConnector,
      entry?.set('msExchSmtpReceiveProtocolOptions', [String(number)]) ?? assert.fail(),
      'Mailbox',
    );
    for (const field of on) assert.equal(connector[field], true, field);
    for (const field of off) assert.equal(connector[field], false, field);
    assert.deepEqual({ sizeEnabled: connector.sizeEnabled, domainSecureEnabled: connector.domainSecureEnabled }, shown);
  }
});
