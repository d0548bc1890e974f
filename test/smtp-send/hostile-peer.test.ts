import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { FakeWork, type MessageWish } from './fake-work.ts';
import { close, hang, type PeerScript, reset, ScriptedPeer, type Step } from './scripted-peer.ts';
import { quick, senderBench } from './sender-bench.ts';

const ways: readonly (readonly [string, Step])[] = [
  ['hangs up', close],
  ['resets', reset],
  ['hangs', hang],
];

/** The phase at which the peer fails, and what must become of the one message. */
const phases: readonly {
  readonly phase: string;
  readonly script: (step: Step) => PeerScript;
  readonly outcome: RegExp;
  readonly result: 'done' | 'failed';
}[] = [
  { phase: 'before the greeting', script: (greeting) => ({ greeting }), outcome: /^untouched/, result: 'failed' },
  { phase: 'at EHLO', script: (step) => ({ on: { EHLO: step, HELO: step } }), outcome: /^untouched/, result: 'failed' },
  { phase: 'at MAIL', script: (step) => ({ on: { MAIL: step } }), outcome: /^deferred 451 4\.4\.2 /, result: 'failed' },
  { phase: 'at RCPT', script: (step) => ({ on: { RCPT: step } }), outcome: /^deferred 451 4\.4\.2 /, result: 'done' },
  { phase: 'at DATA', script: (step) => ({ on: { DATA: step } }), outcome: /^deferred 451 4\.4\.2 /, result: 'done' },
  {
    phase: 'after the final dot',
    script: (final) => ({ final }),
    outcome: /^deferred 451 4\.4\.2 .*it may arrive twice/,
    result: 'done',
  },
  { phase: 'at QUIT', script: (step) => ({ on: { QUIT: step } }), outcome: /^delivered /, result: 'done' },
];

for (const { phase, script, outcome, result } of phases) {
  for (const [way, step] of ways) {
    test(`the peer ${way} ${phase}`, { timeout: 50_000 }, async () => {
      await using peer = await ScriptedPeer.start(script(step));
      const { sender } = senderBench({ smartHosts: [peer.smartHost] });
      const work = new FakeWork([{}]);
      const ended = await sender.deliver(work);
      assert.equal(ended.kind, result, JSON.stringify(ended));
      assert.match(work.story[0]?.[0] ?? '', outcome);
      if (ended.kind === 'failed') assert.match(ended.reply, /^4\d\d 4\.\d\.\d [^\r\n]+$/);
    });
  }
}

const refusals: readonly (readonly [name: string, script: PeerScript, reply: RegExp])[] = [
  ['greeting 554', { greeting: ['554 5.3.2 No service here', close] }, /^451 4\.4\.0 .*"554 5\.3\.2 No service here"/],
  ['greeting 421', { greeting: ['421 4.3.2 Too many connections', close] }, /^451 4\.4\.0 .*"421 4\.3\.2 Too many/],
  ['no SMTP at all', { greeting: 'HTTP/1.1 400 Bad Request' }, /which is no reply/],
  ['a greeting without end', { greeting: Array<string>(70).fill(`220-${'x'.repeat(1_000)}`) }, /reply without end/],
  ['a line without end', { greeting: `220-${'x'.repeat(9_000)}\u0000`, unended: true }, /reply line without end/],
  ['EHLO and HELO refused', { on: { EHLO: '502 No', HELO: '550 5.7.1 Go away' } }, /"550 5\.7\.1 Go away"/],
  ['421 to EHLO', { on: { EHLO: ['421 4.7.0 Not now', close] } }, /"421 4\.7\.0 Not now"/],
  [
    'a reply that nobody asked for',
    { greeting: '220 hello\n', on: { EHLO: ['250 ok', '250 and more'] } },
    /nobody asked for|4\.4\.2/,
  ],
];

for (const [name, script, reply] of refusals) {
  test(`the connection fails: ${name}`, async () => {
    await using peer = await ScriptedPeer.start(script);
    const { sender, of } = senderBench({ smartHosts: [peer.smartHost] });
    const work = new FakeWork([{}]);
    const ended = await sender.deliver(work);
    assert.equal(ended.kind, 'failed');
    assert.match(ended.kind === 'failed' ? ended.reply : '', reply);
    assert.equal(of('connection-failed').length, 1);
  });
}

test('a greeting of 521 is final (RFC 7504): the mail fails, with the words of the host', async () => {
  await using peer = await ScriptedPeer.start({ greeting: ['521 5.3.2 This host takes no mail', close] });
  const { sender } = senderBench({ smartHosts: [peer.smartHost] });
  const work = new FakeWork([{}]);
  assert.deepEqual(await sender.deliver(work), { kind: 'done' });
  assert.match(work.story[0]?.[0] ?? '', /^failed 521 5\.3\.2 .*"521 5\.3\.2 This host takes no mail"/);
});

test('521 from one of two hosts: the other one is tried', async () => {
  await using closed = await ScriptedPeer.start({ greeting: ['521 5.3.2 No', close] });
  await using full = await ScriptedPeer.start({ greeting: ['421 4.3.2 Full', close] });
  const { sender } = senderBench({ smartHosts: [closed.smartHost, full.smartHost] });
  const work = new FakeWork([{}]);
  assert.equal((await sender.deliver(work)).kind, 'failed');
  assert.deepEqual(work.story, [['untouched']], 'it waits for the one that is only full');
});

test('a peer that answers each command just in time comes to an end', { timeout: 50_000 }, async () => {
  await using peer = await ScriptedPeer.start({
    extensions: [],
    on: { RCPT: '250-one line\n250 2.1.5 Ok', DATA: hang },
  });
  const timeouts = { ...quick, dataMs: 60_000, messageMs: 300 };
  const { sender } = senderBench({ smartHosts: [peer.smartHost] }, { timeouts });
  const work = new FakeWork([{}]);
  await sender.deliver(work);
  assert.match(work.story[0]?.[0] ?? '', /^deferred 451 4\.4\.2 .*took too long in all, waiting for the reply to DATA/);
});

test('opening takes a bounded time over all hosts', { timeout: 50_000 }, async () => {
  await using one = await ScriptedPeer.start({ greeting: hang });
  await using two = await ScriptedPeer.start({ greeting: hang });
  const timeouts = { ...quick, greetingMs: 60_000, openingMs: 200 };
  const { sender } = senderBench({ smartHosts: [one.smartHost, two.smartHost] }, { timeouts });
  const ended = await sender.deliver(new FakeWork([{}]));
  assert.match(ended.kind === 'failed' ? ended.reply : '', /^441 4\.4\.1 /);
  assert.equal(one.connections.length + two.connections.length, 1);
});

test('EHLO refused: HELO, and nothing that was not offered', async () => {
  await using peer = await ScriptedPeer.start({ on: { EHLO: '502 5.5.1 What?' } });
  const { sender } = senderBench({ smartHosts: [peer.smartHost] });
  const work = new FakeWork([{ envelope: { ret: 'HDRS', envid: 'x', body: '8BITMIME' } }]);
  await sender.deliver(work);
  assert.deepEqual(
    peer.commands.map((line) => line.replace(/HELO .*/, 'HELO')),
    [
      'EHLO edge1.example.net',
      'HELO edge1.example.net',
      'MAIL FROM:<sender@example.org>',
      'RCPT TO:<rcpt@example.com>',
      'DATA',
      'QUIT',
    ].map((line) => line.replace(/HELO .*/, 'HELO')),
  );
  assert.match(work.story[0]?.[0] ?? '', /^relayed /);
});

test('ForceHELO does not even try EHLO; Fqdn is the name', async () => {
  await using peer = await ScriptedPeer.start();
  const { sender } = senderBench({ smartHosts: [peer.smartHost], forceHELO: true, fqdn: 'mail.example.net' });
  await sender.deliver(new FakeWork([{}]));
  assert.equal(peer.commands[0], 'HELO mail.example.net');
});

test('a name in the first line of EHLO is no keyword', async () => {
  await using peer = await ScriptedPeer.start({ on: { EHLO: '250-smtp-dsn.pipelining.test is SIZE 10\n250 HELP' } });
  const { sender } = senderBench({ smartHosts: [peer.smartHost] });
  const work = new FakeWork([{ envelope: { ret: 'HDRS' } }]);
  await sender.deliver(work);
  assert.ok(peer.commands.includes('MAIL FROM:<sender@example.org>'), peer.commands.join('|'));
});

const mega: MessageWish = { content: Buffer.from(`Subject: big\r\n\r\n${'0123456789\r\n'.repeat(400_000)}`) };

for (const [way, step] of ways) {
  test(`the peer ${way} in the middle of a big message`, { timeout: 50_000 }, async () => {
    await using peer = await ScriptedPeer.start({ extensions: ['PIPELINING'], during: { octets: 100_000, step } });
    const { sender } = senderBench({ smartHosts: [peer.smartHost] });
    const work = new FakeWork([mega], { chunk: 65_536 });
    await sender.deliver(work);
    // A peer that only stops reading is caught by the block timer, or, once the system took the rest, by the final one.
    assert.match(work.story[0]?.[0] ?? '', /^deferred 451 4\.4\.2 /);
  });
}

test('a final answer in the middle of the content settles the message and ends the connection', async () => {
  await using peer = await ScriptedPeer.start({
    extensions: ['PIPELINING'],
    during: { octets: 50_000, step: ['552 5.3.4 Too big', hang] },
  });
  const { sender } = senderBench({ smartHosts: [peer.smartHost] });
  const work = new FakeWork([mega, {}], { chunk: 65_536 });
  await sender.deliver(work);
  assert.deepEqual(work.story, [['failed 552 5.3.4 Too big'], ['untouched']]);
});

test('a yes before the content is complete is no yes', async () => {
  await using peer = await ScriptedPeer.start({
    extensions: ['PIPELINING'],
    during: { octets: 50_000, step: ['250 2.0.0 Sure', hang] },
  });
  const { sender } = senderBench({ smartHosts: [peer.smartHost] });
  const work = new FakeWork([mega], { chunk: 65_536 });
  await sender.deliver(work);
  assert.match(work.story[0]?.[0] ?? '', /^deferred /);
});

test('a spool that cannot be read: the connection is cut, the peer gets no end of data', async () => {
  await using peer = await ScriptedPeer.start();
  const { sender } = senderBench({ smartHosts: [peer.smartHost] });
  const work = new FakeWork([{ ...mega, facts: { size: 100 } }], { chunk: 65_536, breakAt: 200_000 });
  await sender.deliver(work);
  assert.match(work.story[0]?.[0] ?? '', /^deferred 451 4\.4\.2 .*could not be read/);
  assert.equal(peer.messages.length, 0);
});

test('a peer that drips its reply does not get more time', { timeout: 50_000 }, async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const drip = setInterval(() => socket.write('2'), 20);
    socket.on('close', () => clearInterval(drip));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { sender } = senderBench({ smartHosts: [`[127.0.0.1]:${(server.address() as AddressInfo).port}`] });
  const ended = await sender.deliver(new FakeWork([{}]));
  assert.match(ended.kind === 'failed' ? ended.reply : '', /no answer in time, waiting for the greeting/);
  server.close();
});

test('the peer hangs up while the connection is idle: nothing is lost, the work is over', async () => {
  await using peer = await ScriptedPeer.start();
  const { sender } = senderBench({ smartHosts: [peer.smartHost] }, { idleMs: 60_000 });
  const work = new FakeWork([{}]);
  const asked = Promise.withResolvers<void>();
  work.onEmpty = () => (asked.resolve(), new Promise(() => undefined));
  const delivery = sender.deliver(work);
  await asked.promise;
  peer.dropAll();
  assert.deepEqual(await delivery, { kind: 'done' });
  assert.match(work.story[0]?.[0] ?? '', /^delivered/);
});

test('an item that comes after the idle connection is gone is given back', async () => {
  await using peer = await ScriptedPeer.start();
  const { sender } = senderBench({ smartHosts: [peer.smartHost] }, { idleMs: 60_000 });
  const spare = new FakeWork([{}]);
  const work = new FakeWork([{}]);
  const asked = Promise.withResolvers<void>();
  const late = Promise.withResolvers<ReturnType<FakeWork['next']>>();
  work.onEmpty = () => (asked.resolve(), late.promise as Promise<undefined>);
  const delivery = sender.deliver(work);
  await asked.promise;
  peer.dropAll();
  await delivery;
  late.resolve(spare.next(0));
  await late.promise;
  await new Promise(setImmediate);
  assert.deepEqual(spare.story, [['released']]);
});

test('a message that meets a stale connection goes back untouched', async () => {
  await using peer = await ScriptedPeer.start({ on: { MAIL: (_argument, times) => (times === 1 ? '250 Ok' : reset) } });
  const { sender } = senderBench({ smartHosts: [peer.smartHost] });
  const work = new FakeWork([{}, {}]);
  assert.deepEqual(await sender.deliver(work), { kind: 'done' });
  assert.deepEqual(work.story[1], ['released']);
});

test('shutdown ends a connection that is being opened, and takes no message', { timeout: 50_000 }, async () => {
  const stop = new AbortController();
  await using peer = await ScriptedPeer.start({ greeting: () => (stop.abort(), hang) });
  const { sender } = senderBench({ smartHosts: [peer.smartHost] }, { timeouts: {} });
  const work = new FakeWork([{}], { signal: stop.signal });
  await sender.deliver(work);
  assert.deepEqual(work.story, [['untouched']]);
});

test('shutdown lets the message in hand finish and takes no other', async () => {
  const stop = new AbortController();
  await using peer = await ScriptedPeer.start({ on: { DATA: () => (stop.abort(), '354 go') } });
  const { sender } = senderBench({ smartHosts: [peer.smartHost] });
  const work = new FakeWork([{}, {}], { signal: stop.signal });
  await sender.deliver(work);
  assert.deepEqual(work.story, [['delivered 250 2.0.0 Queued'], ['untouched']]);
});
