/** REQUIRETLS and TLS-Required on the way out: RFC 8689. The peer of the last test is the stock smtp-server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { SMTPServer } from 'smtp-server';
import type { SendConnector } from '../../src/config/index.ts';
import type { NextHop } from '../../src/queue/index.ts';
import type { MxAnswer } from '../../src/smtp-send/index.ts';
import { selfSigned } from '../lib/self-signed.ts';
import { FakeWork } from './fake-work.ts';
import { type PeerScript, ScriptedPeer } from './scripted-peer.ts';
import { senderBench, TableResolver } from './sender-bench.ts';

const folder = mkdtempSync(`${tmpdir()}/edge-requiretls-`);
after(() => rmSync(folder, { recursive: true }));
const certificate = (name: string) => selfSigned(folder, name);
const mx = certificate('mx.a.test');
const other = certificate('other.test');
const trust = createSecureContext({ ca: [mx.cert, other.cert] });
const extensions = ['PIPELINING', 'REQUIRETLS'];

/** The MX of a.test, by DNSSEC or not. */
class Zone extends TableResolver {
  readonly #secure: boolean;
  constructor(secure: boolean) {
    super({ 'a.test': [{ exchange: 'mx.a.test', priority: 10 }], 'mx.a.test': ['127.0.0.1'] });
    this.#secure = secure;
  }
  override async mx(domain: string): Promise<MxAnswer> {
    return { ...(await super.mx(domain)), secure: this.#secure };
  }
  override async addresses(host: string) {
    return { ...(await super.addresses(host)), secure: this.#secure };
  }
}

interface Sending {
  readonly secure?: boolean;
  readonly tls?: NextHop['tls'] | 'neither';
  readonly connector?: Partial<SendConnector>;
  readonly smartHost?: boolean;
}

async function sendTo(port: number, { secure = true, tls: wish = 'required', connector, smartHost = false }: Sending) {
  const tls = wish === 'neither' ? undefined : wish;
  const resolver = new Zone(secure);
  const bench = senderBench(
    { port, dnsRoutingEnabled: !smartHost, ...(smartHost && { smartHosts: ['mx.a.test'] }), ...connector },
    { resolver, secureContext: trust },
  );
  const type = smartHost ? 'SmartHostConnectorDelivery' : 'DnsConnectorDelivery';
  const domain = smartHost ? 'mx.a.test' : 'a.test';
  const hop: NextHop = { key: `${domain}:${tls ?? ''}`, type, domain, connector: 'Outbound', ...(tls && { tls }) };
  const envelope = tls === undefined ? {} : { tls };
  const work = new FakeWork([{ recipients: ['b@a.test'], envelope }], { hop });
  const result = await bench.sender.deliver(work);
  const [outcome] = work.records[0]?.outcomes ?? [];
  const reply = result.kind === 'failed' ? result.reply : outcome?.kind === 'failed' ? outcome.reply : '';
  return { ...bench, reply, permanent: result.kind !== 'failed' && outcome?.kind === 'failed' };
}

async function send(script: PeerScript, sending: Sending = {}) {
  await using peer = await ScriptedPeer.start(script);
  const sent = await sendTo(peer.port, sending);
  const mail = peer.connections.flatMap(({ commands }) => commands).find((line) => line.startsWith('MAIL')) ?? '';
  return { ...sent, mail, sent: peer.messages.length };
}

/** What the next hop is × how it is known × outcome. */
const rows: readonly [name: string, script: PeerScript, sending: Sending, reply: RegExp][] = [
  ['a fit host by DNSSEC', { tls: mx, extensions }, {}, /^$/],
  ['a fit smart host', { tls: mx, extensions }, { smartHost: true, secure: false }, /^$/],
  [
    'MX records without DNSSEC',
    { tls: mx, extensions },
    { secure: false },
    /^550 5\.7\.30 .*neither DNSSEC nor an MTA-STS policy/,
  ],
  ['a host that does not offer REQUIRETLS', { tls: mx }, {}, /^550 5\.7\.30 .*does not offer REQUIRETLS/],
  ['a host that offers it in clear alone', { extensions }, {}, /^4/],
  ['a certificate of another name', { tls: other, extensions }, {}, /^550 5\.7\.30 .*does not stand for mx\.a\.test/],
  [
    'IgnoreSTARTTLS',
    { tls: mx, extensions },
    { connector: { ignoreSTARTTLS: true } },
    /^550 5\.7\.30 .*IgnoreSTARTTLS .* forbids TLS/,
  ],
];
for (const [name, script, sending, reply] of rows) {
  test(`REQUIRETLS and ${name}: ${String(reply)}`, async () => {
    const result = await send(script, sending);
    assert.match(result.reply, reply);
    assert.equal(result.sent, reply.test('') ? 1 : 0);
    assert.equal(result.permanent, result.reply.startsWith('550'));
    if (reply.test('')) assert.match(result.mail, /^MAIL FROM:<sender@example\.org>.* REQUIRETLS$/);
  });
}

test('a message without REQUIRETLS does not ask for it, whatever the peer offers', async () => {
  const { mail, sent } = await send({ tls: mx, extensions }, { tls: 'neither' });
  assert.equal(sent, 1);
  assert.doesNotMatch(mail, /REQUIRETLS/);
});

test('TLS-Required: No never lifts what the connector demands', async () => {
  const refused = await send(
    { tls: other },
    { tls: 'optional', connector: { tlsAuthLevel: 'DomainValidation', tlsDomain: 'mx.a.test' } },
  );
  assert.match(refused.reply, /^4\d\d 4\.7\.5 .*does not stand for mx\.a\.test/);
  assert.equal((await send({}, { tls: 'optional', connector: { requireTLS: true } })).sent, 0);
  assert.equal((await send({ tls: other }, { tls: 'optional' })).sent, 1);
});

test('the stock smtp-server takes a message with REQUIRETLS', async () => {
  const seen: (boolean | undefined)[] = [];
  const server = new SMTPServer({
    ...mx,
    secure: false,
    authOptional: true,
    disabledCommands: ['AUTH'],
    hideREQUIRETLS: false,
    onMailFrom: (address, _session, callback) => {
      seen.push(address.args === false ? undefined : 'REQUIRETLS' in address.args);
      callback();
    },
    onData: (stream, _session, callback) => {
      stream.resume();
      stream.on('end', () => callback(null));
    },
  });
  const listener = server.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  try {
    const { reply } = await sendTo((listener.address() as AddressInfo).port, {});
    assert.equal(reply, '');
    assert.deepEqual(seen, [true]);
  } finally {
    const closed = Promise.withResolvers<void>();
    server.close(() => closed.resolve());
    await closed.promise;
  }
});
