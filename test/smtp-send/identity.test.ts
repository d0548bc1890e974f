/** Who we are to the next hop: logon, client certificate, Domain Security. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { type SendConnector, testSnapshot } from '../../src/config/index.ts';
import { selfSigned } from '../lib/self-signed.ts';
import { FakeWork } from './fake-work.ts';
import { type PeerScript, ScriptedPeer } from './scripted-peer.ts';
import { senderBench, TableResolver } from './sender-bench.ts';

const folder = mkdtempSync(join(tmpdir(), 'edge-identity-'));
after(() => rmSync(folder, { recursive: true }));
const certificate = (name: string) => selfSigned(folder, name);
const hub = certificate('hub.example.com');
const ours = certificate('edge.us.test');

const authenticationCredential = { userName: 'relay', sealed: 'sealed' };
const secrets = {
  unseal(sealed: string, purpose: string): string {
    if (sealed !== 'sealed' || purpose !== 'AuthenticationCredential relay')
      throw new Error('the secret does not open');
    return 'pass word';
  },
};
const plain = `AUTH PLAIN ${Buffer.from('\0relay\0pass word').toString('base64')}`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const took = '235 2.7.0 Authentication successful';

interface Row {
  readonly name: string;
  readonly connector?: Partial<SendConnector>;
  readonly script: PeerScript;
  /** Commands from AUTH on, up to MAIL. */
  readonly said?: readonly string[];
  readonly failed?: RegExp;
}

const rows: readonly Row[] = [
  { name: 'PLAIN', script: { extensions: ['AUTH LOGIN PLAIN'], on: { AUTH: took } }, said: [plain] },
  {
    name: 'LOGIN where there is no PLAIN',
    script: {
      extensions: ['AUTH=LOGIN'],
      on: {
        AUTH: '334 VXNlcm5hbWU6',
        [base64('relay').slice(0, 4).toUpperCase()]: '334 UGFzc3dvcmQ6',
        [base64('pass word').slice(0, 4).toUpperCase()]: took,
      },
    },
    said: ['AUTH LOGIN', base64('relay'), base64('pass word')],
  },
  { name: 'over TLS', script: { tls: hub, extensions: ['AUTH PLAIN'], on: { AUTH: took } }, said: [plain] },
  {
    name: 'BasicAuthRequireTLS: not a word in clear',
    connector: { smartHostAuthMechanism: 'BasicAuthRequireTLS' },
    script: { extensions: ['AUTH PLAIN'], on: { AUTH: took } },
    failed: /^451 4\.7\.5 .*BasicAuthRequireTLS/,
  },
  {
    name: 'BasicAuthRequireTLS over TLS',
    connector: { smartHostAuthMechanism: 'BasicAuthRequireTLS' },
    script: { tls: hub, extensions: ['AUTH PLAIN'], on: { AUTH: took } },
    said: [plain],
  },
  {
    name: 'refused: the mail waits',
    script: { extensions: ['AUTH PLAIN'], on: { AUTH: '535 5.7.8 Bad password' } },
    failed: /^451 4\.4\.0 .*at AUTH: "535 5\.7\.8 Bad password"/,
  },
  {
    name: 'not offered: the mail waits',
    script: { extensions: ['AUTH CRAM-MD5'] },
    failed: /^451 4\.7\.0 .*no AUTH PLAIN or LOGIN.*CRAM-MD5/,
  },
  {
    name: 'a password that does not open: the mail waits',
    connector: { authenticationCredential: { userName: 'other', sealed: 'sealed' } },
    script: { extensions: ['AUTH PLAIN'], on: { AUTH: took } },
    failed: /^451 4\.7\.0 .*AuthenticationCredential cannot be used: the secret does not open/,
  },
];

for (const { name, connector, script, said, failed } of rows) {
  test(`logon: ${name}`, async () => {
    await using peer = await ScriptedPeer.start(script);
    const { sender, events } = senderBench(
      {
        smartHosts: [peer.smartHost],
        smartHostAuthMechanism: 'BasicAuth',
        authenticationCredential,
        protocolLoggingLevel: 'Verbose',
        ...connector,
      },
      { secrets },
    );
    const work = new FakeWork([{}]);
    const result = await sender.deliver(work);
    const log = JSON.stringify(events);
    for (const secret of ['pass word', base64('pass word'), base64('\0relay\0pass word')]) {
      assert.ok(!log.includes(secret), 'no log has the secret');
    }
    if (failed !== undefined) {
      assert.match(result.kind === 'failed' ? result.reply : 'sent', failed);
      assert.deepEqual(work.story, [['untouched']]);
      return;
    }
    assert.match(work.story[0]?.[0] ?? '', /^(?:relayed|delivered)/);
    const begin = peer.commands.findIndex((line) => line.startsWith('AUTH'));
    assert.deepEqual(peer.commands.slice(begin, begin + (said?.length ?? 0)), said);
  });
}

test('a client certificate is shown where the connector names one, and chosen as everywhere', async () => {
  await using peer = await ScriptedPeer.start({ tls: hub, asksForCertificate: true });
  const wanted: unknown[] = [];
  const certificates = {
    pick(request: { tlsCertificateName?: string; fqdn?: string; purpose: string }) {
      wanted.push(request);
      const event = {
        purpose: request.purpose,
        wanted: 'x',
        thumbprint: 'T',
        subject: 'CN=edge',
        reason: 'r',
        passedOver: [],
      };
      return { context: createSecureContext({ key: ours.key, cert: ours.cert }), event };
    },
  };
  const named = '<I>CN=edge.us.test<S>CN=edge.us.test';
  const { sender, of } = senderBench(
    { smartHosts: [peer.smartHost], tlsCertificateName: named, fqdn: 'edge.us.test' },
    { certificates },
  );
  await sender.deliver(new FakeWork([{}]));
  assert.deepEqual(wanted, [
    { purpose: 'client certificate', fqdn: 'edge.us.test', serverFqdn: 'edge.us.test', tlsCertificateName: named },
  ]);
  assert.equal(peer.connections[0]?.clientName, 'edge.us.test');
  assert.equal(of('certificate-chosen')[0]?.thumbprint, 'T');
  const without = senderBench({ smartHosts: [peer.smartHost] }, { certificates });
  await without.sender.deliver(new FakeWork([{}]));
  assert.equal(peer.connections[1]?.clientName, '', 'nobody asked for it');
});

test('Domain Security: mutual TLS with the listed domains, and nobody else', async () => {
  await using peer = await ScriptedPeer.start({ tls: hub, asksForCertificate: true });
  const { organization } = testSnapshot();
  const secure = { ...organization, tlsSendDomainSecureList: ['example.com', 'partner.test'] };
  const event = { purpose: '', wanted: '', thumbprint: '', subject: '', reason: '', passedOver: [] };
  const certificates = { pick: () => ({ context: createSecureContext({ ...ours, ca: hub.cert }), event }) };
  const resolver = new TableResolver(
    Object.fromEntries(['example.com', 'partner.test', 'free.test'].map((domain) => [domain, ['127.0.0.1']])),
  );
  const { sender } = senderBench(
    { dnsRoutingEnabled: true, port: peer.port, domainSecureEnabled: true },
    { certificates, resolver, snapshot: { organization: secure } },
  );
  const send = async (domain: string): Promise<string> => {
    const hop = { key: domain, type: 'DnsConnectorDelivery', domain, connector: 'Outbound' } as const;
    const result = await sender.deliver(new FakeWork([{}], { hop }));
    return result.kind === 'failed' ? result.reply : 'sent';
  };
  assert.equal(await send('example.com'), 'sent', 'hub.example.com is a host of it');
  assert.equal(peer.connections.at(-1)?.clientName, 'edge.us.test');
  assert.match(await send('partner.test'), /^454 4\.7\.5 .*does not stand for partner\.test/);
  assert.equal(await send('free.test'), 'sent');
});
