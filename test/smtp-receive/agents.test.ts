import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentAction, ContentReader, ReceiveAgent } from '../../src/pipeline/index.ts';
import { Receiving } from './receiving.ts';

const denied: AgentAction = {
  kind: 'reject',
  reply: { code: 550, detail: '7.1', lines: ['Denied'] },
  reason: 'a test',
};
const cut: AgentAction = {
  kind: 'disconnect',
  reply: { code: 421, detail: '7.0', lines: ['Go away'] },
  reason: 'a test',
};
const gone: AgentAction = { kind: 'discard', reason: 'a test' };
const agree: AgentAction = { kind: 'continue' };
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

test('text of an agent goes out in ASCII that reads like it, before and inside a transaction of SMTPUTF8', async () => {
  const lines = ['Für Groß & “Łódź” – nein…', 'Нет 日本\u0007'];
  const reply = { code: 550, detail: '7.1', lines };
  const denying = { name: 'A', priority: 1, onRcptTo: (): AgentAction => ({ kind: 'reject', reply, reason: 'x' }) };
  await using edge = await Receiving.start({ agents: [denying] });
  const client = await edge.connect();
  await client.reply();
  await client.ask('EHLO x');
  for (const parameter of ['', ' SMTPUTF8']) {
    await client.ask(`MAIL FROM:<a@example.org>${parameter}`);
    const said = await client.ask('RCPT TO:<user@example.test>');
    assert.equal(said.trimEnd().replace('\r', ''), '550-5.7.1 Fur Gross & "Lodz" - nein...\n550 5.7.1 ??? ???');
    await client.ask('RSET');
  }
});

const rows: readonly [event: EventName, action: AgentAction, codes: string, kept: number, aborted: number][] = [
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
  ['onEndOfData', cut, '220 250 250 250 354 421', 0, 1],
  ['onEndOfData', gone, '220 250 250 250 354 250', 0, 1],
  ['onEndOfData', agree, '220 250 250 250 354 250', 1, 0],
];
for (const [event, action, codes, kept, aborted] of rows) {
  for (const [how, handler] of [
    ['at once', () => action],
    ['later', () => new Promise<AgentAction>((resolve) => setImmediate(() => resolve(action)))],
  ] as const) {
    test(`${event} says ${action.kind} ${how}`, async () => {
      const result = await conversation({ [event]: handler });
      await using edge = result.edge;
      assert.equal(result.codes, codes);
      assert.deepEqual([edge.queue.kept.length, edge.queue.aborted], [kept, aborted]);
      const refusals = edge.of('command-refused').filter(({ reason }) => reason.includes('Test Agent: a test'));
      assert.equal(refusals.length, action.kind === 'continue' ? 0 : 1);
    });
  }
}

for (const event of ['onMail', 'onRcptTo', 'onEndOfHeaders', 'onEndOfData'] as const) {
  test(`disconnect at ${event} ends the session behind a reply of any code`, async () => {
    const action: AgentAction = {
      kind: 'disconnect',
      reply: { code: 554, detail: '7.1', lines: ['Go'] },
      reason: 'a test',
    };
    await using edge = await Receiving.start({ agents: [{ name: 'Test Agent', priority: 1, [event]: () => action }] });
    const client = await edge.greeted();
    await client.message('Subject: x\r\n\r\n');
    assert.match(`${await client.end()}`, /^$|^554 /);
    assert.equal(edge.of('session-closed')[0]?.reason, 'Test Agent: a test');
    assert.equal(edge.queue.kept.length, 0);
  });
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

test('an agent changes the header and the recipients of what is kept', async () => {
  const { codes, edge } = await conversation({
    onRcptTo: () => ({
      kind: 'continue',
      changes: {
        recipients: [{ kind: 'add', recipient: { address: 'archive@example.test', domain: 'example.test' } }],
      },
    }),
    onEndOfHeaders: () => ({
      kind: 'continue',
      changes: {
        header: [
          { kind: 'remove', name: 'subject' },
          { kind: 'add', name: 'X-Note', value: 'gr\u00fcn' },
          { kind: 'add', name: 'Subject', value: 'changed' },
        ],
        recipients: [
          {
            kind: 'replace',
            address: 'user@example.test',
            by: { address: 'new@example.test', domain: 'example.test' },
          },
        ],
      },
    }),
    onEndOfData: ({ header }) => (assert.match(header.toString(), /^Subject: changed\r\n/), agree),
  });
  await using _ = edge;
  assert.equal(codes, '220 250 250 250 354 250');
  const [kept] = edge.queue.kept;
  const { envelope, facts } = kept?.message ?? assert.fail('nothing was kept');
  assert.deepEqual(
    envelope.recipients.map(({ address }) => address),
    ['new@example.test', 'archive@example.test'],
  );
  assert.match(
    kept?.content.toString() ?? '',
    /^Received: [^]*\r\nSubject: changed\r\nX-Note: gr\u00fcn\r\n\r\nbody\r\n$/,
  );
  assert.equal(facts.subject, 'changed');
  assert.equal(facts.size, kept?.content.length);
  assert.equal(kept?.content.toString('latin1', facts.headerSize), 'body\r\n');
  assert.deepEqual([facts.eightBit, facts.utf8Header], [true, true]);
  assert.equal(edge.of('agent-changed').length, 2);
});

const note: ReceiveAgent['onEndOfData'] = ({ header }) => ({
  kind: 'continue',
  changes: {
    header: [
      { kind: 'remove', name: 'subject' },
      { kind: 'add', name: 'X-Verdict', value: `gr\u00fcn, ${header.length}` },
    ],
  },
});
const reading: ReceiveAgent['readContent'] = () => ({
  write: () => undefined,
  end: () => ({ kind: 'continue', changes: { header: [{ kind: 'add', name: 'X-Read', value: 'yes' }] } }),
});
const lateRows: readonly (readonly [title: string, agent: Handlers, content: string, kept: RegExp])[] = [
  [
    'at the end of data',
    { onEndOfData: note },
    'Subject: x\r\n\r\nbody',
    /\r\nX-Verdict: gr\u00fcn, 14\r\n\r\nbody\r\n$/,
  ],
  ['of no header', { onEndOfData: note }, '\r\nbody', /\r\nX-Verdict: gr\u00fcn, 2\r\n\r\nbody\r\n$/],
  ['by a reader', { readContent: reading }, 'Subject: x\r\n\r\nbody', /\r\nX-Read: yes\r\nSubject: x\r\n\r\nbody\r\n$/],
  [
    'in all three places',
    {
      onEndOfHeaders: () => ({ kind: 'continue', changes: { header: [{ kind: 'add', name: 'X-First', value: '1' }] } }),
      readContent: reading,
      onEndOfData: note,
    },
    'Subject: x\r\n\r\nbody',
    /\r\nX-Verdict: gr\u00fcn, 39\r\nX-Read: yes\r\nX-First: 1\r\n\r\nbody\r\n$/,
  ],
];
for (const [title, agent, content, expected] of lateRows) {
  test(`a header is changed behind the content: ${title}`, async () => {
    await using edge = await Receiving.start({ agents: [{ name: 'Late', priority: 1, ...agent }] });
    const client = await edge.greeted();
    assert.match(await client.message(`${content}\r\n`), /^250 /);
    const [kept] = edge.queue.kept;
    const { facts } = kept?.message ?? assert.fail('nothing was kept');
    const text = kept?.content.toString() ?? '';
    assert.match(text, /^Received: from /);
    assert.match(text, expected);
    assert.equal(text.match(/Received:/g)?.length, 1);
    assert.equal(facts.size, kept?.content.length);
    assert.equal(kept?.content.toString('latin1', facts.headerSize), 'body\r\n');
    assert.deepEqual([facts.utf8Header, facts.eightBit], [text.includes('\u00fc'), text.includes('\u00fc')]);
    assert.equal(facts.subject, /Subject: x/.test(text) ? 'x' : '');
  });
}

test('a message whose recipients were all removed is answered and thrown away', async () => {
  const { codes, edge } = await conversation({
    onEndOfData: ({ envelope }) => ({
      kind: 'continue',
      changes: { recipients: envelope.recipients.map(({ address }) => ({ kind: 'remove', address })) },
    }),
  });
  await using _ = edge;
  assert.equal(codes, '220 250 250 250 354 250');
  assert.deepEqual([edge.queue.kept.length, edge.queue.aborted], [0, 1]);
});

test('an agent reads the content as it streams, and the client waits for it', async () => {
  const seen: string[] = [];
  let aborted = 0;
  const reader: ContentReader = {
    write: (chunk) => new Promise((resolve) => setImmediate(() => (seen.push(chunk.toString()), resolve()))),
    end: ({ size }) => (size > 30 ? agree : denied),
    abort: () => void aborted++,
  };
  await using edge = await Receiving.start({ agents: [{ name: 'Reading', priority: 1, readContent: () => reader }] });
  const client = await edge.greeted();
  assert.match(await client.message('Subject: x\r\n\r\nfirst\r\n..second line\r\n'), /^250 /);
  assert.equal(seen.join(''), 'first\r\n.second line\r\n');
  assert.match(await client.message('Subject: x\r\n\r\nshort\r\n'), /^550 /);
  assert.equal(aborted, 1);
  await client.ask('MAIL FROM:<a@example.org>');
  await client.ask('RCPT TO:<user@example.test>');
  await client.ask('DATA');
  client.send('Subject: x\r\n');
  client.send('\r\nhalf');
  client.socket.end();
  await client.end();
  assert.equal(aborted, 2);
  assert.equal(edge.queue.kept.length, 1);
});

test('every decision of an agent is a line for the agent log, with what it was about', async () => {
  const reply = { code: 550, detail: '1.1', lines: ['User unknown'] };
  const agent = {
    name: 'Test Agent',
    priority: 1,
    onRcptTo: ({ recipient }: { recipient: { address: string } }): AgentAction =>
      recipient.address.startsWith('no') ? { kind: 'reject', reply, reason: 'unknown' } : { kind: 'continue' },
    onEndOfHeaders: (): AgentAction => ({ kind: 'discard', reason: 'a test' }),
  };
  await using edge = await Receiving.start({ agents: [agent] });
  const client = await edge.greeted();
  await client.message('Subject: x\r\n\r\n', ['nobody@example.test', 'user@example.test']);
  assert.deepEqual(
    edge
      .of('agent-acted')
      .map(({ on, action, from, recipient, recipients, reply: told }) => [
        on,
        action,
        from,
        recipient,
        recipients,
        told,
      ]),
    [
      ['OnRcptCommand', 'RejectCommand', 'sender@example.org', 'nobody@example.test', 0, '550 5.1.1 User unknown'],
      ['OnEndOfData', 'DeleteMessage', 'sender@example.org', '', 1, ''],
    ],
  );
});
