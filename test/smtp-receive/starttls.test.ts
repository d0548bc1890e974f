import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { systemClock } from '../../src/base/index.ts';
import { CertificateStore } from '../../src/certificates/index.ts';
import type { CertificatePicker } from '../../src/smtp-receive/index.ts';
import { HandClock, internetSnapshot, Receiving, type ReceivingOptions } from './receiving.ts';

let folder = '';
let certificates: CertificateStore;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-starttls-'));
  certificates = await CertificateStore.open({ folder: join(folder, 'certificates'), clock: systemClock });
  await certificates.ensureServerCertificate('mail.example.net');
});
after(async () => {
  await certificates[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const start = (options: ReceivingOptions = {}): Promise<Receiving> => Receiving.start({ certificates, ...options });

test('STARTTLS: offered in its place, what was said in clear is forgotten, and the message tells of the encryption', async () => {
  await using edge = await start();
  const client = await edge.connect();
  await client.reply();
  const inClear = await client.ask('EHLO in-clear.example.org');
  assert.match(inClear, /ENHANCEDSTATUSCODES\n250-STARTTLS\n250-8BITMIME/);
  await client.ask('MAIL FROM:<clear@example.org>');
  assert.equal(await client.ask('STARTTLS'), '220 2.0.0 SMTP server ready');
  await client.secure();
  assert.equal(await client.ask('MAIL FROM:<a@example.org>'), '503 5.5.2 Send hello first');
  // All that was offered in clear but STARTTLS itself (RFC 3207 §4.2), and what TLS alone allows (RFC 8689 §3).
  const inTls = inClear.replace('250-STARTTLS\n', '').replace('250 SMTPUTF8', '250-SMTPUTF8\n250 REQUIRETLS');
  assert.equal(await client.ask('EHLO client.example.org'), inTls);
  assert.equal(await client.ask('STARTTLS'), '503 5.5.1 Bad sequence of commands');
  assert.match(await client.message('Subject: x\r\n\r\n'), /^250 2\.6\.0 /);
  const [kept] = edge.queue.kept;
  assert.match(kept?.content.toString() ?? '', /^Received: from client\.example\.org [^]*with ESMTPS\b[^]*TLS1_3/);
  assert.match(kept?.message.origin.tls ?? '', /^TLS1_3 TLS_/);
  assert.equal(edge.of('certificate-chosen')[0]?.purpose, 'STARTTLS');
  assert.equal(edge.of('tls-reached')[0]?.protocol, 'TLS1_3');
  assert.equal(edge.service.list()[0]?.secure, true);
});

test('commands put into the same packet as STARTTLS are thrown away (CVE-2011-0411)', async () => {
  await using edge = await start();
  const client = await edge.greeted();
  client.send(Buffer.from('STARTTLS\r\nMAIL FROM:<injected@example.org>\r\nRCPT TO:<user@example.test>\r\n'));
  assert.match(await client.reply(), /^220 /);
  await client.secure();
  await client.ask('EHLO client.example.org');
  assert.equal(await client.ask('RCPT TO:<user@example.test>'), '503 5.5.1 Need mail command');
  assert.equal(client.unread(), '');
});

test('a crowd of handshakes at once: those that wait for their turn lose nothing of the hello', async () => {
  await using edge = await start();
  const clients = await Promise.all(Array.from({ length: 18 }, () => edge.greeted()));
  await Promise.all(
    clients.map(async (client) => {
      assert.match(await client.ask('STARTTLS'), /^220 /);
      await client.secure();
      assert.match(await client.ask('EHLO client.example.org'), /^250/);
    }),
  );
  assert.deepEqual(edge.of('tls-failed'), []);
});

test('RequireTLS lets mail through after STARTTLS', async () => {
  await using edge = await start({ snapshot: internetSnapshot({ requireTLS: true }) });
  const client = await edge.greeted();
  assert.match(await client.ask('MAIL FROM:<>'), /^530 5\.7\.0 /);
  await client.ask('STARTTLS');
  await client.secure();
  await client.ask('EHLO x');
  assert.match(await client.message('Subject: x\r\n\r\n'), /^250 2\.6\.0 /);
});

test('a session is resumed by the next connection', async () => {
  await using edge = await start();
  const client = await edge.greeted();
  await client.ask('STARTTLS');
  await client.secure();
  assert.ok(client.socket instanceof TLSSocket);
  const ticket = Promise.withResolvers<void>();
  client.socket.once('session', () => ticket.resolve());
  await client.ask('EHLO x');
  await ticket.promise;
});

for (const [title, octets] of [
  ['text', Buffer.from('QUIT\r\n')],
  ['an alert', Buffer.from('15030100020228', 'hex')],
  ['rubbish', Buffer.alloc(100, 0xff)],
] as const) {
  test(`${title} in place of a handshake ends the session and nothing else`, async () => {
    await using edge = await start();
    const other = await edge.greeted();
    const client = await edge.greeted();
    await client.ask('STARTTLS');
    client.send(octets);
    await client.end();
    assert.equal(edge.of('tls-failed').length, 1);
    assert.match(await other.ask('NOOP'), /^250 /);
    while (edge.service.count > 1) await new Promise(setImmediate);
  });
}

test('RST in the handshake, at every octet of a ClientHello', async () => {
  await using edge = await start({
    snapshot: internetSnapshot({
      maxInboundConnectionPerSource: Infinity,
      maxInboundConnectionPercentagePerSource: 100,
    }),
  });
  const hello = Buffer.from(
    '160301007b010000770303000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f000006130113021303010000480000',
    'hex',
  );
  for (let length = 0; length <= hello.length; length++) {
    const client = await edge.greeted();
    await client.ask('STARTTLS');
    client.socket.write(hello.subarray(0, length));
    await new Promise(setImmediate);
    client.socket.resetAndDestroy();
  }
  while (edge.service.count > 0) await new Promise(setImmediate);
  assert.match(await (await edge.greeted()).ask('NOOP'), /^250 /);
});

/** What a client of this runtime says first. */
async function clientHello(): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const server = createServer((socket) => {
    socket.once('data', resolve);
    socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connectTls({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  client.on('error', () => undefined);
  const hello = await promise;
  client.destroy();
  server.close();
  return hello;
}

test('a client that closes its side within a handshake leaves, and keeps no place of its source', async () => {
  await using edge = await start();
  const hello = await clientHello();
  for (const length of [1, 20, hello.length]) {
    const client = await edge.greeted();
    await client.ask('STARTTLS');
    client.socket.write(hello.subarray(0, length));
    // The whole hello is answered; the client still says nothing more.
    if (length === hello.length) await once(client.socket, 'data');
    client.socket.end();
    const end = performance.now() + 60_000;
    while (edge.service.count > 0 && performance.now() < end) await new Promise(setImmediate);
    assert.equal(edge.service.count, 0, `after ${length} octets`);
  }
  assert.deepEqual(
    edge.of('tls-failed').map(({ reason }) => reason),
    Array.from({ length: 3 }, () => 'the client closed its side in the handshake'),
  );
});

test('a handshake that is never begun runs into the time limit, or is cut by a stop', async () => {
  const clock = new HandClock();
  await using edge = await start({ clock, snapshot: internetSnapshot({ connectionInactivityTimeout: 60 }) });
  const slow = await edge.greeted();
  await slow.ask('STARTTLS');
  clock.advance(122_000);
  assert.equal(await slow.end(), '');
  const stopped = await edge.greeted();
  await stopped.ask('STARTTLS');
  await edge.service.drain(new AbortController().signal);
  assert.equal(await stopped.end(), '');
});

test('a certificate that goes away takes the offer with it, and the reason is told', async () => {
  let there = true;
  const picker: CertificatePicker = {
    pick: (request) => {
      const { context, event } = certificates.pick(request);
      if (there && context !== undefined) return { context, event };
      return { event: { ...event, thumbprint: '', reason: 'none is enabled for SMTP' } };
    },
  };
  await using edge = await start({ certificates: picker });
  const client = await edge.connect();
  await client.reply();
  assert.match(await client.ask('EHLO x'), /STARTTLS/);
  there = false;
  assert.equal(await client.ask('STARTTLS'), '454 4.7.0 TLS not available due to temporary reason');
  assert.doesNotMatch(await client.ask('EHLO x'), /STARTTLS/);
  assert.equal(edge.of('certificate-chosen').at(-1)?.reason, 'none is enabled for SMTP');
});
