import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testSnapshot } from '../../src/config/index.ts';
import { bindSocket } from '../../src/processes/listen-sockets.ts';
import { internetConnector, internetSnapshot, Receiving } from './receiving.ts';

const goodbye = '421 4.3.2 Service not available, closing transmission channel';
const head = 'Message-ID: <1@x>\r\n\r\n';

test('a stop: idle sessions and new ones get 421, a message being received is finished', async () => {
  await using edge = await Receiving.start();
  const idle = await edge.greeted();
  const busy = await edge.greeted();
  await busy.ask('MAIL FROM:<>');
  await busy.ask('RCPT TO:<user@example.test>');
  await busy.ask('DATA');
  const drained = edge.service.drain(new AbortController().signal);
  assert.equal(await idle.reply(), goodbye);
  assert.equal(await idle.end(), '');
  assert.equal(await (await edge.connect()).reply(), goodbye);
  busy.send(Buffer.from(head));
  assert.match(await busy.ask('.'), /^250 2\.6\.0 /);
  assert.equal(await busy.reply(), goodbye);
  assert.equal(await busy.end(), '');
  for (const client of [idle, busy]) client.socket.destroy();
  await drained;
  assert.equal(edge.service.count, 0);
  assert.equal(edge.queue.kept.length, 1);
  await assert.rejects(edge.connect(), /ECONNREFUSED/);
});

test('a stop that may not wait cuts what is left', async () => {
  await using edge = await Receiving.start();
  const busy = await edge.greeted();
  await busy.ask('MAIL FROM:<>');
  await busy.ask('RCPT TO:<user@example.test>');
  await busy.ask('DATA');
  const controller = new AbortController();
  const drained = edge.service.drain(controller.signal);
  controller.abort();
  await drained;
  await busy.end();
  assert.deepEqual([edge.queue.kept.length, edge.queue.aborted], [0, 1]);
});

test('a stop with nobody there is over at once', async () => {
  await using edge = await Receiving.start();
  await edge.service.drain(AbortSignal.timeout(10_000));
});

test('a change of the configuration: the session keeps what it began with, the next one has the new', async () => {
  await using edge = await Receiving.start();
  const old = await edge.greeted();
  edge.snapshots.set(internetSnapshot({ banner: '220 changed', acl: [] }));
  assert.match(await old.message(head), /^250 2\.6\.0 /);
  const next = await edge.connect();
  assert.equal(await next.reply(), '220 changed');
  await next.ask('EHLO x');
  assert.match(await next.ask('MAIL FROM:<>'), /^530 5\.7\.57 /);
  edge.snapshots.set(testSnapshot());
  assert.equal(await (await edge.connect()).reply(), '421 4.3.2 Service not available');
  assert.match(edge.of('connection-refused')[0]?.reason ?? '', /no receive connector is bound to 127\.0\.0\.1:25/);
});

test('a connector that did not change keeps its server', async () => {
  const connector = internetConnector();
  await using edge = await Receiving.start({ snapshot: testSnapshot({ receiveConnectors: [connector] }) });
  const before = await edge.connect();
  edge.snapshots.set(testSnapshot({ usn: 2, receiveConnectors: [connector] }));
  const after = await edge.connect();
  assert.match(await before.reply(), /^220 /);
  assert.match(await after.reply(), /^220 /);
  assert.equal(edge.service.count, 2);
  assert.deepEqual(
    edge.service.list().map(({ connector: name, stage, messages }) => [name, stage, messages]),
    [
      ['Internet', 'command', 0],
      ['Internet', 'command', 0],
    ],
  );
});

test('a binding that is not served any more takes no connection; its sessions go on', async () => {
  await using edge = await Receiving.start();
  const client = await edge.greeted();
  edge.service.unserve({ address: '127.0.0.1', port: 25 });
  await assert.rejects(edge.connect(), /ECONNREFUSED/);
  assert.match(await client.message(head), /^250 2\.6\.0 /);
});

test('an endpoint that cannot be had rejects, and can be served later', async () => {
  await using edge = await Receiving.start();
  const other = { address: '127.0.0.1', port: 26 };
  await assert.rejects(edge.service.serve({ host: '127.0.0.1', port: edge.port }, other), /EADDRINUSE/);
  const listener = await edge.service.serve({ host: '127.0.0.1', port: 0 }, other);
  assert.ok(listener.address.port > 0);
});

test('a socket that another part has bound is listened on', async () => {
  await using edge = await Receiving.start();
  const binding = { address: '127.0.0.1', port: 0 };
  const listener = await edge.service.serve(bindSocket(binding), { address: '127.0.0.1', port: 2525 });
  assert.ok(listener.address.port > 0);
  edge.port = listener.address.port;
  assert.equal(await (await edge.connect()).reply(), '421 4.3.2 Service not available');
});
