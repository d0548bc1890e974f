/** Which DNS servers a send connector asks: those that Set-TransportService names for its side, by the protocol that it names. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { decode, encode } from 'dns-packet';
import { SessionIds, systemClock } from '../../src/base/index.ts';
import type { CertificateStore } from '../../src/certificates/index.ts';
import type { RevocationChecker } from '../../src/certificates/revocation/index.ts';
import type { SecretBox } from '../../src/certificates/secrets/index.ts';
import { type Snapshot, testSendConnector, testSnapshot, testSnapshotSource } from '../../src/config/index.ts';
import { buildSender } from '../../src/services/transport/sending.ts';
import { needs } from '../lib/peers.ts';
import { FakeWork } from '../smtp-send/fake-work.ts';

/** Says of every name that it does not exist, and keeps by what it was asked. */
async function nameServer(t: TestContext, address: string): Promise<string[]> {
  const asked: string[] = [];
  const denial = (octets: Buffer): Buffer => {
    const { id, questions } = decode(octets);
    return encode({ type: 'response', id: id ?? 0, flags: 3, questions: questions ?? [] });
  };
  const udp = createSocket('udp4');
  udp.on('message', (octets, from) => {
    asked.push('udp');
    udp.send(denial(octets), from.port, from.address);
  });
  udp.bind(53, address);
  const tcp = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (octets) => {
      asked.push('tcp');
      const answer = denial(octets.subarray(2));
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      socket.end(Buffer.concat([length, answer]));
    });
  });
  tcp.listen(53, address);
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
  t.after(() => {
    udp.close();
    tcp.close();
  });
  return asked;
}

const rows: readonly (readonly [external: boolean, server: Partial<Snapshot['server']>, asked: string])[] = [
  [true, {}, 'outer udp'],
  [false, {}, 'inner udp'],
  [true, { externalDNSProtocolOption: 'UseTcpOnly' }, 'outer tcp'],
  [false, { internalDNSProtocolOption: 'UseTcpOnly' }, 'inner tcp'],
  [true, { externalDNSAdapterEnabled: true }, ''],
  [false, { internalDNSAdapterEnabled: true }, ''],
];

test('servers and protocol of external and internal lookups', needs('root'), async (t) => {
  const outer = await nameServer(t, '127.66.0.1');
  const inner = await nameServer(t, '127.66.0.2');
  for (const [external, change, asked] of rows) {
    const lines: string[] = [];
    const { server } = testSnapshot();
    const snapshot = testSnapshot({
      sendConnectors: [testSendConnector({ name: 'Outbound', useExternalDNSServersEnabled: external })],
      server: {
        ...server,
        externalDNSAdapterEnabled: false,
        internalDNSAdapterEnabled: false,
        externalDNSServers: ['127.66.0.1'],
        internalDNSServers: ['127.66.0.2'],
        ...change,
      },
    });
    const { sender } = buildSender({
      snapshots: testSnapshotSource(snapshot),
      journal: {
        emit: () => undefined,
        records: () => true,
        record: (_kind, _at, fields) => void lines.push(fields.slice(0, 3).join(' ')),
      },
      clock: systemClock,
      sessions: new SessionIds(),
      faults: { begin: () => undefined, end: () => undefined },
      certificates: {} as CertificateStore,
      policyFile: join(tmpdir(), 'edge-no-policies.json'),
      outcomes: { wanted: false, count: () => undefined },
      revocation: {} as RevocationChecker,
      secrets: {} as SecretBox,
    });
    const hop = { key: 'k', type: 'DnsConnectorDelivery', domain: 'nowhere.invalid', connector: 'Outbound' } as const;
    const stop = new AbortController();
    const delivering = sender.deliver(new FakeWork([{}], { hop, signal: stop.signal }));
    // Without servers of its own the machine's are asked, and may never answer.
    if (asked === '') setTimeout(() => stop.abort(), 200);
    await delivering;
    if (asked !== '')
      assert.match(lines.join(), new RegExp(`^${external ? 'ex' : 'in'}ternal MX nowhere.invalid The DNS knows no MX`));
    const told = [...outer.splice(0).map((by) => `outer ${by}`), ...inner.splice(0).map((by) => `inner ${by}`)];
    assert.equal([...new Set(told)].join(), asked, JSON.stringify([external, change]));
  }
});
