/** Connections by a balancer: who the client is comes in a PROXY header, before the choice of the connector. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { parseIpRange } from '../../src/base/index.ts';
import { readProxyHeader } from '../../src/smtp/index.ts';
import { nginxMailProxy } from '../lib/nginx.ts';
import { needs } from '../lib/peers.ts';
import { Client, HandClock, internetConnector, internetSnapshot, Receiving } from './receiving.ts';

/** Version 2 by hand: version and command, family, what follows. */
function binary(command: number, family: number, body: Buffer): Buffer {
  const head = Buffer.from('\r\n\r\n\0\r\nQUIT\n\0\0\0\0', 'latin1');
  head.writeUInt8(command, 12);
  head.writeUInt8(family, 13);
  head.writeUInt16BE(body.length, 14);
  return Buffer.concat([head, body]);
}
const v4 = Buffer.from([192, 0, 2, 9, 198, 51, 100, 1, 0x30, 0x39, 0, 25]);
const v6 = Buffer.from(`20010db8${'0'.repeat(23)}120010db8${'0'.repeat(23)}230390019`, 'hex');

const rows: readonly [title: string, octets: Buffer, expected: string][] = [
  ['v1 TCP4', Buffer.from('PROXY TCP4 192.0.2.9 198.51.100.1 12345 25\r\nEHLO'), 'done 44 192.0.2.9:12345'],
  ['v1 TCP6', Buffer.from('PROXY TCP6 2001:db8::1 2001:db8::2 1 25\r\n'), 'done 41 2001:db8::1:1'],
  ['v1 UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), 'done 15 '],
  ['v1 in parts', Buffer.from('PROX'), 'more'],
  ['v1 with a name', Buffer.from('PROXY TCP4 host 198.51.100.1 1 25\r\n'), 'bad'],
  ['v1 with a port too large', Buffer.from('PROXY TCP4 192.0.2.9 198.51.100.1 70000 25\r\n'), 'bad'],
  ['v1 endless', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`), 'bad'],
  ['SMTP', Buffer.from('EHLO client\r\n'), 'bad'],
  ['v2 TCP4', binary(0x21, 0x11, v4), 'done 28 192.0.2.9:12345'],
  ['v2 TCP6', binary(0x21, 0x21, v6), 'done 52 2001:db8:0:0:0:0:0:1:12345'],
  ['v2 with more behind', binary(0x21, 0x11, Buffer.concat([v4, Buffer.alloc(9)])), 'done 37 192.0.2.9:12345'],
  ['v2 LOCAL', binary(0x20, 0, Buffer.alloc(0)), 'done 16 '],
  ['v2 in parts', binary(0x21, 0x11, v4).subarray(0, 20), 'more'],
  ['v2 of UDP', binary(0x21, 0x12, v4), 'bad'],
  ['v2 cut off', binary(0x21, 0x11, v4.subarray(0, 8)), 'bad'],
  ['v2 too long', binary(0x21, 0x11, Buffer.alloc(5000)), 'bad'],
  ['version 3', binary(0x31, 0x11, v4), 'bad'],
];
for (const [title, octets, expected] of rows) {
  test(`${title}: ${expected}`, () => {
    const header = readProxyHeader(octets);
    const { remoteAddress, remotePort } = header.kind === 'done' ? (header.endpoints ?? {}) : {};
    const client = remoteAddress === undefined ? '' : `${remoteAddress}:${remotePort}`;
    assert.equal(header.kind === 'done' ? `done ${header.size} ${client}` : header.kind, expected);
  });
}

const balanced = (address = '127.0.0.1') => {
  const snapshot = internetSnapshot({ remoteIPRanges: [parseIpRange('192.0.2.0/24'), parseIpRange('127.0.0.1')] });
  const proxyProtocolBalancers = [{ binding: { address: '127.0.0.1', port: 25 }, range: parseIpRange(address) }];
  return { ...snapshot, server: { ...snapshot.server, proxyProtocolBalancers } };
};

for (const octets of [Buffer.from('PROXY TCP4 192.0.2.9 127.0.0.1 12345 25\r\n'), binary(0x21, 0x11, v4)]) {
  test(`the session is of the client behind the balancer: ${octets.length} octets, octet by octet`, async () => {
    await using edge = await Receiving.start({ snapshot: balanced() });
    const client = await edge.connect();
    if (octets.length < 40) octets.set([127, 0, 0, 1], 20);
    for (const octet of octets) client.send(Buffer.from([octet]));
    assert.match(await client.reply(), /^220 /);
    assert.match(await client.ask('EHLO x'), /Hello \[192\.0\.2\.9\]/);
    assert.equal(edge.of('connector-chosen')[0]?.remote, '192.0.2.9:12345');
  });
}

test('LOCAL is the balancer itself', async () => {
  await using edge = await Receiving.start({ snapshot: balanced() });
  const client = await edge.connect();
  client.send(binary(0x20, 0, Buffer.alloc(0)));
  assert.match(await client.reply(), /^220 /);
  assert.match(await client.ask('EHLO x'), /Hello \[127\.0\.0\.1\]/);
});

test('a client behind it that no connector serves is refused, though the balancer would be', async () => {
  await using edge = await Receiving.start({ snapshot: balanced() });
  const client = await edge.connect();
  client.send(Buffer.from('PROXY TCP4 203.0.113.1 127.0.0.1 12345 25\r\n'));
  assert.match(await client.reply(), /^421 /);
});

test('a balancer without its header is cut without a word, at once or when its time is over', async () => {
  const clock = new HandClock();
  await using edge = await Receiving.start({ snapshot: balanced(), clock });
  const client = await edge.connect();
  client.send('EHLO x');
  assert.equal(await client.end(), '');
  const silent = await edge.connect();
  while (edge.of('connection-refused').length < 2) {
    clock.advance(1_000);
    await new Promise(setImmediate);
  }
  assert.equal(await silent.end(), '');
  assert.deepEqual(
    edge.of('connection-refused').map(({ reason }) => reason),
    ['there is no PROXY header', 'no PROXY header came in time'],
  );
});

test('who is no balancer cannot say who it is', async () => {
  await using edge = await Receiving.start({ snapshot: balanced('10.0.0.1') });
  const client = await edge.connect();
  assert.match(await client.reply(), /^220 /);
  assert.match(await client.ask('PROXY TCP4 192.0.2.9 127.0.0.1 12345 25'), /^500 /);
});

const byXClient = (address = '127.0.0.1', client = '192.0.2.9') => {
  const snapshot = internetSnapshot({ remoteIPRanges: [parseIpRange('192.0.2.0/24'), parseIpRange('127.0.0.0/28')] });
  const inside = internetConnector({
    name: 'Inside',
    remoteIPRanges: [parseIpRange(client)],
    fqdn: 'inside.example.net',
    acl: [],
  });
  const xClientBalancers = [{ binding: { address: '127.0.0.1', port: 25 }, range: parseIpRange(address) }];
  const receiveConnectors = [...snapshot.receiveConnectors, inside];
  return { ...snapshot, receiveConnectors, server: { ...snapshot.server, xClientBalancers } };
};

test('XCLIENT begins a session of the client behind the balancer: other connector, no HELO, nobody', async () => {
  await using edge = await Receiving.start({ snapshot: byXClient() });
  const client = await edge.greeted();
  assert.match(await client.ask('EHLO balancer'), /\n250[ -]XCLIENT ADDR PORT .*LOGIN/);
  await client.ask('MAIL FROM:<a@example.org>');
  assert.match(await client.ask('XCLIENT ADDR=192.0.2.9'), /^503 /);
  await client.ask('RSET');
  // What is pipelined behind it is nobody's word.
  client.send('XCLIENT ADDR=192.0.2.9 PORT=4711 NAME=[UNAVAILABLE] HELO=evil LOGIN=admin\r\nMAIL FROM:<x@example.org>');
  assert.match(await client.reply(), /^220 inside\.example\.net /);
  assert.match(await client.ask('MAIL FROM:<a@example.org>'), /^503 5\.5\.2/);
  const hello = await client.ask('EHLO client');
  assert.match(hello, /^250-inside\.example\.net Hello \[192\.0\.2\.9\]/);
  assert.doesNotMatch(hello, /XCLIENT/);
  assert.match(await client.ask('XCLIENT ADDR=192.0.2.7'), /^500 /);
  assert.match(await client.ask('MAIL FROM:<a@example.org>'), /^530 5\.7\.57/);
  const chosen = edge.of('connector-chosen').map(({ connector, remote }) => `${connector} ${remote}`);
  assert.equal(chosen[1], 'Inside 192.0.2.9:4711');
  assert.equal(edge.service.count, 1);
  await client.ask('QUIT');
  await client.end();
  assert.equal(edge.service.count, 0);
});

test('XCLIENT of strangers is no command, and of a balancer it has to be right', async () => {
  await using edge = await Receiving.start({ snapshot: byXClient('192.0.2.1') });
  const stranger = await edge.greeted();
  assert.doesNotMatch(await stranger.ask('EHLO x'), /XCLIENT/);
  assert.match(await stranger.ask('XCLIENT ADDR=192.0.2.9'), /^500 5\.3\.3/);
  await using other = await Receiving.start({ snapshot: byXClient() });
  for (const wrong of ['ADDR=host', 'PORT=70000', 'ADDR', 'SECRET=1', 'ADDR=1.2.3.4 ADDR=1.2.3.5', 'ADDR=+GG'])
    assert.match(await (await other.greeted()).ask(`XCLIENT ${wrong}`), /^501 5\.5\.4/, wrong);
  const balancer = await other.greeted();
  assert.match(await balancer.ask('XCLIENT ADDR=IPV6:2001:db8::1 PORT=[TEMPUNAVAIL]'), /^421 4\.3\.2/);
  assert.match(other.of('connection-refused')[0]?.reason ?? '', /lies in RemoteIPRanges of no receive connector/);
});

/** A client of a balancer on loopback, of another address than the balancer. */
async function behind(port: number): Promise<Client> {
  const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.9' });
  await once(socket, 'connect');
  const client = new Client(socket);
  assert.match(await client.reply(), /^220 balancer\.example\.org /);
  await client.ask('EHLO client.example.org');
  return client;
}

test('nginx tells by XCLIENT whose session it is', needs('nginx'), async () => {
  await using edge = await Receiving.start({ snapshot: byXClient('127.0.0.1', '127.0.0.9') });
  await using nginx = await nginxMailProxy(edge.port, 'none');
  const client = await behind(nginx.port);
  await client.ask('MAIL FROM:<a@example.org>');
  // The connector of the client's address has no entry for anybody; that of the balancer's would take it.
  assert.match(await client.ask('RCPT TO:<user@example.test>'), /^5\d\d /);
  client.socket.destroy();
  assert.deepEqual(
    edge.of('connector-chosen').map(({ connector, remote }) => `${connector} ${remote.replace(/:\d+$/, '')}`),
    ['Internet 127.0.0.1', 'Inside 127.0.0.9'],
  );
});

test('a message comes through nginx, and a password that it took grants nothing here', needs('nginx'), async () => {
  const snapshot = byXClient();
  await using edge = await Receiving.start({ snapshot });
  await using nginx = await nginxMailProxy(edge.port, 'plain');
  const client = await behind(nginx.port);
  const proof = Buffer.from('\0admin\0secret').toString('base64');
  assert.match(await client.ask(`AUTH PLAIN ${proof}`), /^2/);
  // From here on the client speaks with us.
  assert.match(await client.ask('MAIL FROM:<a@example.org>'), /^250 2\.1\.0 /);
  assert.match(await client.ask('RCPT TO:<user@elsewhere.example>'), /^550 5\.7\.54 /);
  assert.match(await client.ask('RCPT TO:<user@example.test>'), /^250 2\.1\.5 /);
  assert.match(await client.ask('DATA'), /^354 /);
  assert.match(await client.ask('Subject: x\r\n\r\nby nginx\r\n.'), /^250 2\.6\.0 /);
  client.socket.destroy();
  assert.match(edge.queue.kept[0]?.content.toString() ?? '', /from client\.example\.org \(\[127\.0\.0\.9\]\)/);
});
