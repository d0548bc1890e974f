import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionIds } from '../../src/base/index.ts';
import { MailboxDelivery } from '../../src/mailbox-transport/index.ts';
import type { NextHop } from '../../src/queue/index.ts';
import { LmtpSender, type LmtpTarget } from '../../src/smtp-send/index.ts';
import { Dovecot, dovecotMissing } from '../lib/dovecot.ts';
import { turningClock } from '../lib/turning-clock.ts';
import { FakeWork } from '../smtp-send/fake-work.ts';
import { close, hang, ScriptedPeer } from '../smtp-send/scripted-peer.ts';
import { quick } from '../smtp-send/sender-bench.ts';

const hop: NextHop = { key: 'SmtpDeliveryToMailbox:x', type: 'SmtpDeliveryToMailbox', domain: 'x', connector: '' };

function deliveryTo(target: LmtpTarget, timeouts = quick): MailboxDelivery {
  const parts = {
    journal: { emit: () => undefined },
    sessions: new SessionIds(),
    clock: turningClock,
    atOnce: () => 20,
  };
  const deliverer = new LmtpSender(target, parts, { name: 'hub.example.net', timeouts, idleMs: 50 });
  return new MailboxDelivery({ kind: 'lmtp', deliverer }, parts);
}

const three = { recipients: ['a@x.test', 'b@x.test', 'c@x.test'] };

test('LMTP: every recipient has its own final answer, in order', async () => {
  const answers = ['250 2.0.0 a has it', '452 4.2.2 b is full', '550 5.2.0 c does not want it'];
  await using peer = await ScriptedPeer.start({
    lmtp: true,
    final: (_argument, times) => answers[(times - 1) % 3] ?? '',
  });
  const work = new FakeWork([three, three], { hop });
  assert.deepEqual(await deliveryTo({ host: '127.0.0.1', port: peer.port }).deliver(work), { kind: 'done' });
  const story = ['delivered', 'deferred', 'failed'].map((kind, i) => `${kind} ${answers[i] ?? ''}`);
  assert.deepEqual(work.story, [story, story]);
  assert.equal(peer.commands[0], 'LHLO hub.example.net');
});

test('LMTP: a recipient refused at RCPT has no final answer, the others keep theirs', async () => {
  await using peer = await ScriptedPeer.start({
    lmtp: true,
    on: { RCPT: (argument) => (argument.includes('b@') ? '550 5.1.1 No b' : '250 Ok') },
    final: (_argument, times) => (times === 1 ? '250 2.0.0 a' : '451 4.3.0 c later'),
  });
  const work = new FakeWork([three], { hop });
  await deliveryTo({ host: '127.0.0.1', port: peer.port }).deliver(work);
  assert.deepEqual(work.story, [['delivered 250 2.0.0 a', 'failed 550 5.1.1 No b', 'deferred 451 4.3.0 c later']]);
});

for (const [way, end] of [
  ['hangs up', close],
  ['hangs', hang],
] as const) {
  test(`LMTP: the server ${way} after the first of three answers`, async () => {
    await using peer = await ScriptedPeer.start({
      lmtp: true,
      final: (_argument, times) => (times === 1 ? ['250 2.0.0 a', end] : []),
    });
    const work = new FakeWork([three], { hop });
    await deliveryTo({ host: '127.0.0.1', port: peer.port }).deliver(work);
    const [first, second, third] = work.story[0] ?? [];
    assert.equal(first, 'delivered 250 2.0.0 a');
    assert.match(second ?? '', /^deferred 451 4\.4\.2 .*twice/);
    assert.equal(third, second);
  });
}

test('LMTP: nobody listens', async () => {
  const work = new FakeWork([{}], { hop });
  const result = await deliveryTo({ path: '/nonexistent/lmtp' }).deliver(work);
  assert.match(result.kind === 'failed' ? result.reply : '', /^451 4\.4\.1 .*nobody listens there/);
  assert.deepEqual(work.story, [['untouched']]);
});

test('Dovecot takes messages by LMTP, small and big, and refuses who is not there', {
  skip: dovecotMissing,
  timeout: 300_000,
}, async () => {
  await using dovecot = await Dovecot.start();
  const patient = {
    ...quick,
    greetingMs: 10_000,
    helloMs: 10_000,
    mailMs: 10_000,
    rcptMs: 10_000,
    dataMs: 10_000,
    finalMs: 30_000,
  };
  const delivery = deliveryTo({ path: dovecot.socket }, patient);
  const big = Buffer.from(`Subject: big\r\n\r\n${'.dots and more\r\n'.repeat(100_000)}`);
  const work = new FakeWork(
    [
      { recipients: ['ann@x.test', 'nobody@x.test', 'bob@x.test'] },
      { recipients: ['bob@x.test'], content: big },
      { from: '', recipients: ['ann@x.test'] },
    ],
    { hop, chunk: 100_000 },
  );
  assert.deepEqual(await delivery.deliver(work), { kind: 'done' });
  assert.deepEqual(
    work.story.map((outcomes) => outcomes.map((outcome) => outcome.slice(0, 16))),
    [['delivered 250 2.', 'failed 550 5.1.1', 'delivered 250 2.'], ['delivered 250 2.'], ['delivered 250 2.']],
  );
  assert.equal(dovecot.mail('ann').length, 2);
  const bob = dovecot.mail('bob').map((text) => text.replaceAll('\r\n', '\n'));
  assert.ok(
    bob.some((text) => text.endsWith(big.toString().replaceAll('\r\n', '\n'))),
    'the big one is whole',
  );
});
