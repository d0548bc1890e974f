import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReceiveAgent, Verdict } from '../../src/pipeline/index.ts';
import { Receiving } from './receiving.ts';

const denied: Verdict = { kind: 'reject', reply: { code: 550, detail: '7.1', lines: ['Denied'] }, reason: 'a test' };
const cut: Verdict = { kind: 'disconnect', reply: { code: 421, detail: '7.0', lines: ['Go away'] }, reason: 'a test' };
const gone: Verdict = { kind: 'discard', reason: 'a test' };
const agree: Verdict = { kind: 'continue' };
type Handlers = Omit<ReceiveAgent, 'name' | 'priority'>;
type EventName = keyof Handlers;

/** What a client sees that sends one message, reply by reply. */
async function conversation(agent: Handlers): Promise<{ codes: string; edge: Receiving }> {
  const edge = await Receiving.start({ agents: [{ name: 'Test Agent', priority: 1, ...agent }] });
  const client = await edge.connect();
  let codes = (await client.reply()).slice(0, 3);
  const say = async (line: string): Promise<void> => {
    codes += ` ${(await client.ask(line)).slice(0, 3)}`;
  };
  for (const line of ['EHLO x', 'MAIL FROM:<a@example.org>', 'RCPT TO:<user@example.test>', 'DATA']) await say(line);
  if (codes.endsWith('354')) await say('Subject: x\r\n\r\nbody\r\n.');
  return { codes: codes.trimEnd(), edge };
}

const rows: readonly [event: EventName, verdict: Verdict, codes: string, kept: number, aborted: number][] = [
  ['onConnect', denied, '550', 0, 0],
  ['onConnect', cut, '421', 0, 0],
  ['onEhlo', denied, '220 550 503 503 503', 0, 0],
  ['onMail', denied, '220 250 550 503 503', 0, 0],
  ['onRcptTo', denied, '220 250 250 550 554', 0, 0],
  ['onRcptTo', cut, '220 250 250 421', 0, 0],
  ['onEndOfHeaders', denied, '220 250 250 250 354 550', 0, 1],
  ['onEndOfHeaders', gone, '220 250 250 250 354 250', 0, 1],
  ['onEndOfHeaders', cut, '220 250 250 250 354 421', 0, 1],
  ['onEndOfData', denied, '220 250 250 250 354 550', 0, 1],
  ['onEndOfData', gone, '220 250 250 250 354 250', 0, 1],
  ['onEndOfData', agree, '220 250 250 250 354 250', 1, 0],
];
for (const [event, verdict, codes, kept, aborted] of rows) {
  for (const [how, handler] of [
    ['at once', () => verdict],
    ['later', () => new Promise<Verdict>((resolve) => setImmediate(() => resolve(verdict)))],
  ] as const) {
    test(`${event} says ${verdict.kind} ${how}`, async () => {
      const result = await conversation({ [event]: handler });
      await using edge = result.edge;
      assert.equal(result.codes, codes);
      assert.deepEqual([edge.queue.kept.length, edge.queue.aborted], [kept, aborted]);
      const refusals = edge.of('command-refused').filter(({ reason }) => reason.includes('Test Agent: a test'));
      assert.equal(refusals.length, verdict.kind === 'continue' ? 0 : 1);
    });
  }
}

test('agents see the session, the envelope, the header and the size', async () => {
  const seen: string[] = [];
  const { edge } = await conversation({
    onConnect: ({ connector, helo }) => (seen.push(`${connector} '${helo}'`), agree),
    onEhlo: ({ helo }) => (seen.push(helo), agree),
    onMail: ({ from }) => (seen.push(from), agree),
    onRcptTo: ({ recipient }) => (seen.push(recipient.address), agree),
    onEndOfHeaders: ({ header, envelope }) => (seen.push(`${header.toString()}${envelope.from}`), agree),
    onEndOfData: ({ size, subject }) => (seen.push(`${size} ${subject}`), agree),
  });
  await using _ = edge;
  assert.deepEqual(seen, [
    "Internet ''",
    'x',
    'a@example.org',
    'user@example.test',
    'Subject: x\r\n\r\na@example.org',
    '20 x',
  ]);
});

test('an agent that throws ends its session with 421', async () => {
  await using edge = await Receiving.start({
    faultsExpected: true,
    agents: [
      {
        name: 'Broken',
        priority: 1,
        onMail: () => {
          throw new TypeError('boom');
        },
      },
    ],
  });
  const client = await edge.greeted();
  assert.match(await client.ask('MAIL FROM:<>'), /^421 4\.3\.0 /);
  assert.equal(edge.faults.length, 1);
});
