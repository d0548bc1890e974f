import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIpRange } from '../../src/base/index.ts';
import {
  ConfigError,
  type ConnectorConflict,
  connectorConflict,
  decode,
  encode,
  receiveConnector,
  sendConnector,
  testReceiveConnector,
} from '../../src/config/index.ts';
import { entryFrom, type Modification } from '../../src/ldap/index.ts';
import { seedEntries } from './lib/seeded.ts';

const connectorEntry = () =>
  seedEntries('edge').find(({ dn }) => dn.startsWith('CN=Default internal')) ?? assert.fail();
const asText = (modifications: readonly Modification[]) =>
  modifications
    .map(({ operation, attribute, values }) => `${operation} ${attribute}: ${values.map(String).join(' | ')}`)
    .sort();

test('only what becomes another value is written', () => {
  const entry = connectorEntry();
  assert.deepEqual(
    encode(receiveConnector, entry, { maxHopCount: 60, requireTLS: false, comment: null }, 'EdgeTransport'),
    [],
  );
  const changes = { maxHopCount: 30, comment: 'for the printer', fqdn: null };
  assert.deepEqual(asText(encode(receiveConnector, entry, changes, 'EdgeTransport')), [
    'replace adminDescription: for the printer',
    'replace msExchSMTPReceiveConnectorFQDN: ',
    'replace msExchSmtpReceiveMaxHopCount: 30',
  ]);
});

test('bits of other properties, known or not, are kept', () => {
  const entry = connectorEntry().set('msExchSmtpReceiveProtocolOptions', [String(0x4000_0000 + 65_981)]);
  const changes = { pipeliningEnabled: false, sizeEnabled: 'EnabledWithoutValue' } as const;
  assert.deepEqual(asText(encode(receiveConnector, entry, changes, 'EdgeTransport')), [
    `replace msExchSmtpReceiveProtocolOptions: ${0x4000_0000 + 65_981 - 0x100 + 0x2}`,
  ]);
});

test('an attribute that is absent stands for the defaults of all its bits', () => {
  const entry = connectorEntry().set('msExchSmtpReceiveProtocolOptions', []);
  const [modification] = encode(receiveConnector, entry, { pipeliningEnabled: false }, 'EdgeTransport');
  const after = decode(
    receiveConnector,
    entry.set('msExchSmtpReceiveProtocolOptions', modification?.values ?? []),
    'EdgeTransport',
  );
  assert.deepEqual([after.pipeliningEnabled, after.enabled, after.chunkingEnabled], [false, true, true]);
});

test('groups change the entries of the object and keep foreign ones', () => {
  const entry = connectorEntry().set('nTSecurityDescriptor', ['O:SYD:(A;;GA;;;BA)']);
  const [text = ''] = asText(encode(receiveConnector, entry, { permissionGroups: ['Partners'] }, 'EdgeTransport'));
  assert.match(
    text,
    /^replace nTSecurityDescriptor: O:SYD:\(OA;;CR;ed6e0001[^)]*-10\)\(OA;;CR;04031f4f[^)]*-10\)\(A;;GA;;;BA\)$/,
  );
});

test('smart hosts keep their order in one value', () => {
  const entry = entryFrom('CN=x,CN=Connections', { cn: 'x', routingList: 'SMTP:*;1' });
  const [modification] = encode(sendConnector, entry, { smartHosts: ['[10.0.0.2]', '[10.0.0.1]'] }, 'EdgeTransport');
  assert.deepEqual(modification?.values.map(String), ['[10.0.0.2],[10.0.0.1]']);
});

test('a ConfigError names the entry, the attribute and the reason', () => {
  const entry = connectorEntry().set('msExchSMTPReceiveInboundSecurityFlag', ['64']);
  assert.throws(
    () => decode(receiveConnector, entry, 'EdgeTransport'),
    (error) =>
      error instanceof ConfigError &&
      error.dn === entry.dn &&
      error.attribute === 'msExchSMTPReceiveInboundSecurityFlag' &&
      /stand for none of Tls/.test(error.reason),
  );
});

test('an object has what every directory object has', () => {
  const entry = connectorEntry().set('whenCreated', ['20260102030405.0Z']);
  const { guid, identity, server, whenCreated, whenChanged } = decode(receiveConnector, entry, 'EdgeTransport');
  assert.match(guid, /^[0-9a-f-]{36}$/);
  assert.deepEqual([identity, server, whenChanged], ['EDGE1\\Default internal receive connector EDGE1', 'EDGE1', null]);
  assert.equal(whenCreated?.toISOString(), '2026-01-02T03:04:05.000Z');
});

const there = testReceiveConnector({
  name: 'There',
  bindings: [{ address: '0.0.0.0', port: 25 }],
  remoteIPRanges: ['10.0.0.0-10.0.0.255', '192.0.2.1'].map(parseIpRange),
});

const beside: readonly (readonly [ranges: string, binding: string, conflict: ConnectorConflict['kind'] | undefined])[] =
  [
    ['10.0.0.0-10.0.0.255', '0.0.0.0:25', 'range'],
    ['10.0.0.0/24', '0.0.0.0:25', 'range'],
    ['10.0.0.128-10.0.1.5', '0.0.0.0:25', 'range'],
    ['10.0.0.7', '0.0.0.0:25', undefined],
    ['0.0.0.0-255.255.255.255', '0.0.0.0:25', undefined],
    ['10.0.1.0/24', '0.0.0.0:25', undefined],
    ['::/0', '0.0.0.0:25', undefined],
    ['10.0.0.0/24', '0.0.0.0:26', undefined],
    ['10.0.0.0/24', '127.0.0.1:25', undefined],
    ['172.16.0.1,192.0.2.1', '0.0.0.0:25', 'range'],
  ];

for (const [ranges, binding, conflict] of beside) {
  test(`a connector on ${binding} for ${ranges} ${conflict === undefined ? 'fits' : 'conflicts'}`, () => {
    const [address = '', port = ''] = binding.split(':');
    const remoteIPRanges = ranges.split(',').map(parseIpRange);
    const candidate = { ...there, name: 'New', bindings: [{ address, port: Number(port) }], remoteIPRanges };
    const found = connectorConflict(candidate, [there], 'EdgeTransport');
    assert.equal(found?.kind, conflict);
    if (found !== undefined) assert.match(found.message, /Receive connector "There"/);
  });
}

test('two transport roles never share an endpoint on a Mailbox server', () => {
  const candidate = {
    ...there,
    name: 'New',
    transportRole: 'FrontendTransport',
    remoteIPRanges: [parseIpRange('10.9.9.9')],
  } as const;
  assert.equal(connectorConflict(candidate, [there], 'Mailbox')?.kind, 'role');
  assert.equal(connectorConflict(candidate, [there], 'EdgeTransport'), undefined);
});
