/** Agents of the categorizer on the queue itself: what they see, and what their changes make of the message. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Categorizer } from '../../src/categorizer/index.ts';
import { testSendConnector, testSnapshot, testSnapshotSource } from '../../src/config/index.ts';
import type { DecisionEvent } from '../../src/logs/index.ts';
import { type CategorizerAgent, CategorizerChain, type QueuedMessageArgs } from '../../src/pipeline/index.ts';
import { MemorySpool } from '../lib/memory-spool.ts';
import { newMessage } from '../queue/lib/new-message.ts';

const header = 'Received: from a by b; now\r\nSubject: one\r\nMessage-ID: <m@x>\r\n\r\n';
const signal = new AbortController().signal;

async function bench(agents: readonly CategorizerAgent[], { thresholdBytes = 96 * 1024, body = '.body\r\n' } = {}) {
  const spool = new MemorySpool({ thresholdBytes });
  const events: DecisionEvent[] = [];
  const star = { type: 'SMTP', address: '*', cost: 1 };
  const categorizer = new Categorizer(
    {
      snapshots: testSnapshotSource(
        testSnapshot({ sendConnectors: [testSendConnector({ name: 'Out', addressSpaces: [star] })] }),
      ),
      journal: { emit: (event) => void events.push(event) },
      clock: { now: () => 7, monotonic: () => 7, after: () => assert.fail('nothing waits') },
      contents: spool,
      agents: new CategorizerChain(agents),
    },
    'EdgeTransport',
  );
  const writer = spool.begin();
  await writer.write(Buffer.from(header + body));
  const wish = newMessage({ recipients: ['a@x.test', 'b@y.test'] });
  const facts = { ...wish.facts, size: header.length + body.length, headerSize: header.length, subject: 'one' };
  const message = await writer.commit({ ...wish, facts }, 1);
  return { spool, events, categorizer, message };
}

test('without agents the categorizer has nothing to ask', async () => {
  const { categorizer } = await bench([]);
  assert.equal(categorizer.categorize, undefined);
  const idle = await bench([{ name: 'Idle', priority: 1 }]);
  assert.equal(idle.categorizer.categorize, undefined);
});

test('the events come in order, by priority, and see what the agents before changed', async () => {
  const seen: string[] = [];
  const see = (event: string) => (args: QueuedMessageArgs) => {
    const routes = args.routes.map(
      ({ addresses, connector, nextHop }) => `${addresses.join()}>${connector}>${nextHop}`,
    );
    seen.push([event, args.envelope.recipients.map(({ address }) => address).join(), ...routes].join(' '));
    return { kind: 'continue' } as const;
  };
  const watcher: CategorizerAgent = {
    name: 'Watcher',
    priority: 2,
    onCategorizedMessage: see('categorized'),
    onRoutedMessage: see('routed'),
    onResolvedMessage: see('resolved'),
    onSubmittedMessage: see('submitted'),
  };
  const changer: CategorizerAgent = {
    name: 'Changer',
    priority: 1,
    onResolvedMessage: async ({ envelope: { recipients } }) => ({
      kind: 'continue',
      changes: { recipients: [{ kind: 'remove', address: recipients[0]?.address ?? '' }] },
    }),
    onCategorizedMessage: () => ({
      kind: 'continue',
      changes: { recipients: [{ kind: 'add', recipient: { address: 'c@z.test', domain: 'z.test' } }] },
    }),
  };
  const { categorizer, message, events } = await bench([watcher, changer]);
  const verdict = await categorizer.categorize?.(message, signal);
  assert.deepEqual(seen, [
    'submitted a@x.test,b@y.test',
    'resolved b@y.test',
    'routed b@y.test b@y.test>Out>y.test',
    'categorized b@y.test,c@z.test b@y.test>Out>y.test',
  ]);
  assert.ok(verdict?.kind === 'go');
  assert.deepEqual(
    verdict.revision?.envelope.recipients.map(({ address }) => address),
    ['b@y.test', 'c@z.test'],
  );
  assert.deepEqual([verdict.revision?.facts, verdict.revision?.replaced], [message.facts, undefined]);
  // Where recipients go is told when they go there, not when an agent looks.
  assert.deepEqual(
    events.map((event) => [event.kind, event.message, event.session]),
    [
      ['agent-changed', message.id, 'S1'],
      ['agent-changed', message.id, 'S1'],
    ],
  );
});

test('agents that change nothing leave no revision', async () => {
  const { categorizer, message } = await bench([
    { name: 'Calm', priority: 1, onSubmittedMessage: () => ({ kind: 'continue' }) },
  ]);
  assert.deepEqual(await categorizer.categorize?.(message, signal), { kind: 'go' });
});

for (const thresholdBytes of [96 * 1024, 10]) {
  test(`a header that agents changed stands in the message (kept up to ${thresholdBytes} octets in the store)`, async () => {
    const bodies: string[] = [];
    const { categorizer, message, spool } = await bench(
      [
        {
          name: 'Marker',
          priority: 1,
          onSubmittedMessage: async ({ header: seen, body, size }) => {
            assert.equal(seen.toString(), 'Subject: one\r\nMessage-ID: <m@x>\r\n\r\n', 'without our trace field');
            const chunks = await Array.fromAsync(body());
            bodies.push(`${size} ${Buffer.concat(chunks).toString()}`);
            return {
              kind: 'continue',
              changes: {
                header: [
                  { kind: 'remove', name: 'Subject' },
                  { kind: 'add', name: 'Subject', value: 'gr\u00fcn' },
                ],
              },
            };
          },
        },
      ],
      { thresholdBytes },
    );
    const verdict = await categorizer.categorize?.(message, signal);
    assert.ok(verdict?.kind === 'go' && verdict.revision !== undefined);
    await spool.revise(message.id, { ...verdict.revision, recipients: message.recipients });
    const content = Buffer.concat(await Array.fromAsync(spool.stream(message.id)));
    assert.equal(
      content.toString(),
      'Received: from a by b; now\r\nSubject: gr\u00fcn\r\nMessage-ID: <m@x>\r\n\r\n.body\r\n',
    );
    const { facts } = verdict.revision;
    assert.deepEqual(bodies, [`${header.length + 7} .body\r\n`]);
    assert.deepEqual(
      [facts.size, content.toString('utf8', facts.headerSize), facts.subject, facts.messageId],
      [content.length, '.body\r\n', 'gr\u00fcn', '<m@x>'],
    );
    assert.deepEqual([facts.utf8Header, facts.eightBit], [true, true]);
  });
}

const endings: readonly (readonly [
  action: Awaited<ReturnType<NonNullable<CategorizerAgent['onRoutedMessage']>>>,
  verdict: unknown,
  told: string,
])[] = [
  [
    { kind: 'reject', reply: { code: 550, detail: '7.1', lines: ['Not here'] }, reason: 'a rule' },
    { kind: 'failed', reply: '550 5.7.1 Not here' },
    'reject a rule 550 5.7.1 Not here',
  ],
  [
    { kind: 'defer', afterMs: 60_000, reason: 'too early' },
    { kind: 'deferred', afterMs: 60_000, reason: 'Ruler: too early' },
    'defer too early ',
  ],
  [{ kind: 'discard', reason: 'a loop' }, { kind: 'discarded' }, 'discard a loop '],
  [
    {
      kind: 'continue',
      changes: {
        recipients: [
          { kind: 'remove', address: 'a@x.test' },
          { kind: 'remove', address: 'b@y.test' },
        ],
      },
    },
    { kind: 'discarded' },
    'discard no recipient is left ',
  ],
];
for (const [action, verdict, told] of endings) {
  test(`an agent ends the way of a message: ${told}`, async () => {
    const { categorizer, message, events } = await bench([
      { name: 'Ruler', priority: 1, onRoutedMessage: () => action },
      { name: 'Never', priority: 2, onCategorizedMessage: () => assert.fail('the way has ended') },
    ]);
    assert.deepEqual(await categorizer.categorize?.(message, signal), verdict);
    const decided = events.filter((event) => event.kind === 'agent-decided');
    assert.deepEqual(
      decided.map(({ agent, action: what, reason, reply }) => [agent, `${what} ${reason} ${reply}`]),
      [['Ruler', told]],
    );
  });
}

test('an agent that throws fails the round', async () => {
  const { categorizer, message } = await bench([
    {
      name: 'Broken',
      priority: 1,
      onSubmittedMessage: () => {
        throw new TypeError('boom');
      },
    },
  ]);
  await assert.rejects(async () => categorizer.categorize?.(message, signal), { message: 'boom' });
});
