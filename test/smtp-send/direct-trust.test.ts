/** Direct trust on the way out: a server of the organization is known by its key, and gets nothing without it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { keyDigest } from '../../src/base/index.ts';
import type { SendConnector } from '../../src/config/index.ts';
import { FakeWork } from './fake-work.ts';
import { type PeerScript, ScriptedPeer } from './scripted-peer.ts';
import { quick, senderBench, TableResolver } from './sender-bench.ts';

const folder = mkdtempSync(`${tmpdir()}/edge-direct-trust-`);
after(() => rmSync(folder, { recursive: true }));

interface Made {
  readonly key: string;
  readonly cert: string;
  readonly digest: string;
}
function make(name: string, ...kind: string[]): Made {
  const [key, cert] = [`${folder}/${name}.key`, `${folder}/${name}.crt`];
  const options = kind.length > 0 ? kind : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const whole = ['req', '-x509', '-nodes', '-days', '2', '-subj', '/CN=any', '-keyout', key, '-out', cert, ...options];
  execFileSync('openssl', whole, { stdio: 'pipe' });
  const pem = readFileSync(cert, 'utf8');
  return { key: readFileSync(key, 'utf8'), cert: pem, digest: keyDigest(new X509Certificate(pem)) };
}
const [old, next, impostor, ours] = [make('old'), make('next', '-newkey', 'rsa:2048'), make('impostor'), make('ours')];
const hub = 'hub1.corp.example';
const trust = createSecureContext({ ca: [impostor.cert] });
/** Nobody hangs here, and a busy machine takes its time. */
const patient = { ...quick, greetingMs: 5_000, helloMs: 5_000, mailMs: 5_000, rcptMs: 5_000, finalMs: 5_000 };
const certificates = {
  pick: ({ purpose }: { purpose: string }) => ({
    context: createSecureContext({ key: ours.key, cert: ours.cert }),
    event: { purpose, wanted: '', thumbprint: 'T', subject: '', reason: '', passedOver: [] },
  }),
};

interface Row {
  readonly name: string;
  /** By name; else by address. */
  readonly host?: string;
  readonly keys?: readonly Made[];
  readonly connector?: Partial<SendConnector>;
  readonly script: PeerScript;
  /** '' when the message was sent. */
  readonly failed?: RegExp;
  readonly level?: string;
  readonly shows?: string;
}
const exchange = { smartHostAuthMechanism: 'ExchangeServer' } as const;
const rows: readonly Row[] = [
  { name: 'the old key during a change', host: hub, keys: [old, next], script: { tls: old }, level: 'pinned' },
  { name: 'the new key during a change', host: hub, keys: [old, next], script: { tls: next }, level: 'pinned' },
  {
    name: 'another key, trusted by an authority',
    host: hub,
    script: { tls: impostor },
    failed: /^454 4\.7\.5 .*is none of the 1 that are pinned, and direct trust in the internal server hub1/,
  },
  { name: 'no TLS', host: hub, script: {}, failed: /^451 4\.7\.5 .*direct trust in the internal server hub1/ },
  { name: 'a host of another name', host: 'other.corp.example', script: { tls: impostor }, level: 'certificate' },
  {
    name: 'IgnoreSTARTTLS, the word of the administrator',
    host: hub,
    connector: { ignoreSTARTTLS: true },
    script: {},
  },
  {
    name: 'an authority that the connector demands besides',
    host: hub,
    connector: { tlsAuthLevel: 'CertificateValidation' },
    script: { tls: old },
    failed: /^454 4\.7\.5 .*not trusted/,
  },
  { name: 'ExchangeServer and an address', connector: exchange, script: { tls: old }, level: 'pinned' },
  {
    name: 'ExchangeServer and a stranger at the address',
    connector: exchange,
    script: { tls: impostor },
    failed: /^454 4\.7\.5 .*SmartHostAuthMechanism ExchangeServer of the send connector Outbound demands more/,
  },
  {
    name: 'ExchangeServer and IgnoreSTARTTLS: the stricter',
    connector: { ...exchange, ignoreSTARTTLS: true },
    script: {},
    failed: /^451 4\.7\.5 /,
  },
  {
    name: 'ExchangeServer where no key is known',
    connector: exchange,
    keys: [],
    script: { tls: old },
    failed: /^451 4\.7\.5 .*the directory has the key of no internal server/,
  },
  {
    name: 'mutual: our own certificate is shown',
    host: hub,
    script: { tls: old, asksForCertificate: true },
    level: 'pinned',
    shows: 'any',
  },
];

for (const { name, host, keys = [old], connector, script, failed, level, shows } of rows) {
  test(`direct trust: ${name}`, async () => {
    await using peer = await ScriptedPeer.start(script);
    const { sender, of } = senderBench(
      { smartHosts: [host ?? '[127.0.0.1]'], port: peer.port, ...connector },
      {
        resolver: new TableResolver({ [host ?? hub]: ['127.0.0.1'] }),
        secureContext: trust,
        timeouts: patient,
        certificates,
        snapshot: { internalServers: [{ name: hub, keys: keys.map(({ digest }) => digest) }] },
      },
    );
    const hop = { key: 'k', type: 'SmartHostConnectorDelivery', domain: host ?? '', connector: 'Outbound' } as const;
    const result = await sender.deliver(new FakeWork([{}], { hop }));
    assert.match(result.kind === 'failed' ? result.reply : '', failed ?? /^$/);
    assert.equal(peer.messages.length, failed === undefined ? 1 : 0);
    assert.equal(of('tls-reached')[0]?.level, level);
    if (shows !== undefined) assert.equal(peer.connections[0]?.clientName, shows);
  });
}

test('header fields of the organization go to the server that proved itself, and to nobody else', async () => {
  const content = Buffer.from('X-MS-Exchange-Organization-Test: x\r\nSubject: s\r\n\r\nbody\r\n');
  for (const [host, kept] of [
    [hub, true],
    ['other.corp.example', false],
  ] as const) {
    await using peer = await ScriptedPeer.start({ tls: old });
    const { sender } = senderBench(
      { smartHosts: [host], port: peer.port },
      {
        resolver: new TableResolver({ [host]: ['127.0.0.1'] }),
        secureContext: trust,
        timeouts: patient,
        snapshot: { internalServers: [{ name: hub, keys: [old.digest] }] },
      },
    );
    const hop = { key: 'k', type: 'SmartHostConnectorDelivery', domain: host, connector: 'Outbound' } as const;
    await sender.deliver(new FakeWork([{ content }], { hop }));
    assert.equal(peer.messages[0]?.includes('X-MS-Exchange-Organization-Test'), kept, host);
  }
});
