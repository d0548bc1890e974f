import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeWork, type MessageWish } from './fake-work.ts';
import { type PeerScript, ScriptedPeer, type Step } from './scripted-peer.ts';
import { senderBench } from './sender-bench.ts';

const noPipelining = ['8BITMIME', 'DSN', 'SIZE 1000000'];

interface Row {
  readonly name: string;
  readonly script?: PeerScript;
  readonly messages?: readonly MessageWish[];
  /** One list for each message; text after the kind is compared as a prefix. */
  readonly outcomes: readonly (readonly string[])[];
  /** Messages that the peer has in the end. */
  readonly arrived: number;
  readonly result?: 'done' | 'failed';
  /** Commands of the whole test without EHLO and QUIT, when they matter. */
  readonly said?: readonly string[];
}

const three: MessageWish = { recipients: ['a@example.com', 'b@example.com', 'c@example.com'] };
const byName =
  (answers: Readonly<Record<string, Step>>) =>
  (argument: string): Step =>
    answers[/<(\w+)@/.exec(argument)?.[1] ?? ''] ?? '250 2.1.5 Ok';

// Each row is held with PIPELINING and without: the outcome must not depend on it.
const rows: readonly Row[] = [
  { name: 'one message, one recipient', outcomes: [['delivered 250 2.0.0 Queued']], arrived: 1 },
  {
    name: 'three messages on one connection, no RSET between them',
    messages: [{}, {}, {}],
    outcomes: [['delivered'], ['delivered'], ['delivered']],
    arrived: 3,
  },
  {
    name: 'a partial refusal is no success: every recipient has its own reply',
    script: { on: { RCPT: byName({ a: '550 5.1.1 No such user', b: '450 4.2.0 Greylisted' }) } },
    messages: [three],
    outcomes: [['failed 550 5.1.1 No such user', 'deferred 450 4.2.0 Greylisted', 'delivered 250']],
    arrived: 1,
  },
  {
    name: 'all recipients refused, DATA refused, the next message goes on after RSET',
    script: {
      on: {
        RCPT: byName({ a: '550 5.1.1 No', b: '550 5.1.1 No', c: '451 4.3.0 Later' }),
        DATA: (_argument, times) => (times === 1 ? '503 5.5.1 No recipients' : '354 go'),
      },
    },
    messages: [three, {}],
    outcomes: [['failed 550', 'failed 550', 'deferred 451'], ['delivered']],
    arrived: 1,
  },
  {
    name: 'MAIL refused for ever',
    script: { on: { MAIL: '550 5.7.1 Not you', RCPT: '503 5.5.1 MAIL first', DATA: '503 5.5.1 MAIL first' } },
    messages: [three],
    outcomes: [['failed 550 5.7.1 Not you', 'failed 550', 'failed 550']],
    arrived: 0,
  },
  {
    name: 'MAIL refused for now, the next message is taken',
    script: {
      on: {
        MAIL: (_argument, times) => (times === 1 ? '452 4.3.1 Full' : '250 Ok'),
        RCPT: (_argument, _times) => '250 Ok',
        DATA: (_argument, times) => (times === 1 ? '503 5.5.1 MAIL first' : '354 go'),
      },
    },
    messages: [{}, {}],
    // Without PIPELINING only the second message says DATA, which this script refuses the first time.
    outcomes: [['deferred 452 4.3.1 Full'], ['delivered']],
    arrived: 1,
  },
  {
    name: 'DATA refused: those who were accepted are settled by it',
    script: { on: { RCPT: byName({ b: '550 5.1.1 No' }), DATA: '451 4.3.2 Not now' } },
    messages: [three],
    outcomes: [['deferred 451 4.3.2', 'failed 550 5.1.1', 'deferred 451 4.3.2']],
    arrived: 0,
  },
  {
    name: 'the final reply applies to those who were accepted',
    script: { on: { RCPT: byName({ b: '450 4.2.1 Later' }) }, final: '554 5.6.0 Spam' },
    messages: [three],
    outcomes: [['failed 554 5.6.0 Spam', 'deferred 450', 'failed 554 5.6.0 Spam']],
    arrived: 1,
  },
  {
    name: 'the final reply is for now',
    script: { final: '452 4.3.1 Disk full' },
    outcomes: [['deferred 452 4.3.1 Disk full']],
    arrived: 1,
  },
  {
    name: '552 to RCPT means too many, not never',
    script: { on: { RCPT: '552 5.5.3 Too many recipients', DATA: '503 5.5.1 No' } },
    outcomes: [['deferred 552']],
    arrived: 0,
  },
  {
    name: '552 with another enhanced code is what it says',
    script: { on: { RCPT: '552 5.2.2 Mailbox full', DATA: '503 5.5.1 No' } },
    outcomes: [['failed 552 5.2.2']],
    arrived: 0,
  },
  {
    name: '452 for another reason is not tried again at once',
    script: { on: { RCPT: byName({ b: '452 4.2.2 Mailbox full' }) } },
    messages: [three],
    outcomes: [['delivered', 'deferred 452 4.2.2', 'delivered']],
    arrived: 1,
  },
  {
    name: 'a final 452 is not too many recipients',
    script: { final: (_argument, times) => (times === 1 ? '452 4.3.1 Full' : '250 Ok') },
    messages: [three, {}],
    outcomes: [['deferred 452', 'deferred 452', 'deferred 452'], ['delivered']],
    arrived: 2,
  },
  {
    name: 'recipients above the limit of the peer go in a second transaction',
    script: {
      on: {
        RCPT: (argument, times) =>
          argument.includes('c@') && times === 3 ? '452 4.5.3 Too many recipients' : '250 Ok',
      },
    },
    messages: [three],
    outcomes: [['delivered', 'delivered', 'delivered']],
    arrived: 2,
  },
  {
    name: 'a reply of several lines is one line',
    script: { final: '250-2.0.0 taken\n250 2.0.0 as 4711' },
    outcomes: [['delivered 250 2.0.0 taken as 4711']],
    arrived: 1,
  },
  {
    name: 'a reply out of place is for now',
    script: { final: '354 more?' },
    outcomes: [['deferred 451 4.5.0 The peer answered out of place: "354 more?"']],
    arrived: 1,
  },
  {
    name: 'no DSN offered: relayed',
    script: { extensions: ['PIPELINING', '8BITMIME'] },
    outcomes: [['relayed 250 2.0.0 Queued']],
    arrived: 1,
  },
  {
    name: '421 to RCPT: deferred, with the words of the peer; the message after it is given to another connection',
    script: {
      on: { RCPT: (_argument, _times, connection) => (connection === 1 ? '421 4.3.2 Shutting down' : '250 Ok') },
    },
    messages: [three, {}],
    outcomes: [['deferred 421 4.3.2 Shutting down', 'deferred 421', 'deferred 421'], ['untouched']],
    arrived: 0,
    result: 'done',
  },
  {
    name: '421 to the final dot: deferred, and no word of a duplicate',
    script: { final: '421 4.3.0 Crash' },
    outcomes: [['deferred 421 4.3.0 Crash']],
    arrived: 1,
  },
  {
    name: '421 to MAIL of the first message: the next hop is in trouble',
    script: { on: { MAIL: '421 4.3.2 Too busy' } },
    outcomes: [['deferred 421 4.3.2 Too busy']],
    arrived: 0,
    result: 'failed',
  },
  {
    name: '421 to MAIL of the second message: it goes back untouched',
    script: { on: { MAIL: (_argument, times) => (times === 1 ? '250 Ok' : '421 4.3.2 Enough') } },
    messages: [{}, {}],
    outcomes: [['delivered'], ['released']],
    arrived: 1,
    result: 'done',
  },
];

for (const row of rows) {
  for (const pipelining of [true, false]) {
    if (!pipelining && row.script?.extensions !== undefined) continue;
    test(`${row.name} (${pipelining ? 'pipelined' : 'one by one'})`, async () => {
      await using peer = await ScriptedPeer.start(
        pipelining ? row.script : { extensions: noPipelining, ...withoutData(row.script) },
      );
      const { sender } = senderBench({ smartHosts: [peer.smartHost] });
      const work = new FakeWork(row.messages ?? [{}]);
      const result = await sender.deliver(work);
      assert.equal(result.kind, row.result ?? 'done', JSON.stringify(result));
      assertStory(work.story, row.outcomes);
      assert.equal(peer.messages.length, row.arrived);
    });
  }
}

/** Scripts that refuse DATA after a refused envelope never see it without PIPELINING. */
function withoutData(script: PeerScript | undefined): PeerScript {
  const { DATA, ...on } = script?.on ?? {};
  const keep = DATA !== undefined && typeof DATA === 'string' && DATA.startsWith('4');
  return { ...script, on: keep ? { ...on, DATA } : on };
}

export function assertStory(story: readonly (readonly string[])[], expected: readonly (readonly string[])[]): void {
  assert.deepEqual(
    story.map((outcomes, i) => outcomes.map((outcome, j) => cut(outcome, expected[i]?.[j]))),
    expected,
  );
}

function cut(outcome: string, expected: string | undefined): string {
  return expected !== undefined && outcome.startsWith(expected) ? expected : outcome;
}

test('commands are written in one group with PIPELINING, and RSET rides in it only when it is needed', async () => {
  const seen: string[] = [];
  await using peer = await ScriptedPeer.start({
    on: {
      RCPT: (argument) => (argument.includes('bad') ? '550 5.1.1 No' : '250 Ok'),
      DATA: (_argument, times) => (seen.push('DATA'), times === 1 ? '503 5.5.1 No' : '354 go'),
    },
  });
  const { sender } = senderBench({ smartHosts: [peer.smartHost] });
  const work = new FakeWork([{ recipients: ['bad@example.com'] }, {}, {}]);
  await sender.deliver(work);
  assertStory(work.story, [['failed 550'], ['delivered'], ['delivered']]);
  const verbs = peer.commands.map((line) => line.slice(0, 4));
  assert.deepEqual(verbs, [
    'EHLO',
    'MAIL',
    'RCPT',
    'DATA',
    'RSET',
    'MAIL',
    'RCPT',
    'DATA',
    'MAIL',
    'RCPT',
    'DATA',
    'QUIT',
  ]);
  assert.deepEqual(seen, ['DATA', 'DATA', 'DATA']);
});

test('354 after every recipient was refused: a lone dot, nobody is told yes, and the connection goes on', async () => {
  await using peer = await ScriptedPeer.start({
    on: { RCPT: (argument) => (argument.includes('bad') ? '550 5.1.1 No' : '250 Ok') },
  });
  const { sender } = senderBench({ smartHosts: [peer.smartHost] });
  const work = new FakeWork([{ recipients: ['bad@example.com'] }, {}]);
  assert.deepEqual(await sender.deliver(work), { kind: 'done' });
  assertStory(work.story, [['failed 550 5.1.1 No'], ['delivered']]);
  assert.equal(peer.connections.length, 1);
  assert.deepEqual(peer.messages.map(String)[0], '', 'only an empty message was sent to nobody');
});

test('354 after MAIL was refused: the connection is dropped, not a single octet of content is sent', async () => {
  await using peer = await ScriptedPeer.start({ on: { MAIL: '550 5.7.1 Not you', RCPT: '503 5.5.1 No' } });
  const { sender } = senderBench({ smartHosts: [peer.smartHost] });
  const work = new FakeWork([{}]);
  await sender.deliver(work);
  assertStory(work.story, [['failed 550 5.7.1 Not you']]);
  assert.equal(peer.messages.length, 0);
});

test('SmtpMaxMessagesPerConnection ends the connection with QUIT', async () => {
  await using peer = await ScriptedPeer.start();
  const { sender, of } = senderBench({ smartHosts: [peer.smartHost], smtpMaxMessagesPerConnection: 2 });
  const work = new FakeWork([{}, {}, {}]);
  await sender.deliver(work);
  assertStory(work.story, [['delivered'], ['delivered'], ['untouched']]);
  assert.equal(peer.commands.at(-1), 'QUIT');
  assert.deepEqual(
    of('connection-closed').map(({ messages }) => messages),
    [2],
  );
});

test('the remote of a report is host [address]:port', async () => {
  await using peer = await ScriptedPeer.start();
  const { sender } = senderBench({ smartHosts: [peer.smartHost] });
  const work = new FakeWork([{}]);
  await sender.deliver(work);
  assert.equal(work.records[0]?.remote, `[127.0.0.1]:${peer.port}`);
});
