/** The pickup folder: what becomes of files, honest and not. */
import assert from 'node:assert/strict';
import { linkSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Verdict } from '../../src/back-pressure/index.ts';
import { systemClock } from '../../src/base/index.ts';
import { testSnapshot, testSnapshotSource } from '../../src/config/index.ts';
import type { DecisionEvent } from '../../src/logs/index.ts';
import { PickupFolder } from '../../src/pickup/index.ts';
import { MemoryQueue } from '../smtp-receive/receiving.ts';

function pickup(
  t: TestContext,
  settings: object = {},
  kind: 'pickup' | 'replay' = 'pickup',
  organization: object = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'edge-pickup-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const queue = new MemoryQueue();
  const events: DecisionEvent[] = [];
  const faults: string[] = [];
  const ended: string[] = [];
  const base = testSnapshot();
  const path = kind === 'pickup' ? { pickupDirectoryPath: folder } : { replayDirectoryPath: folder };
  const server = { ...base.server, ...path, ...settings };
  const state: { verdict: Verdict } = { verdict: { kind: 'take' } };
  const watch = new PickupFolder(
    {
      snapshots: testSnapshotSource({ ...base, server, organization: { ...base.organization, ...organization } }),
      queue,
      pressure: { verdict: () => state.verdict },
      journal: { emit: (event) => void events.push(event) },
      clock: systemClock,
      faults: { begin: (_, text) => void faults.push(text), end: (key) => void ended.push(key) },
    },
    kind,
  );
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  return { folder, queue, events, faults, ended, watch, write, state, left: () => readdirSync(folder).sort() };
}

const honest =
  'From: "Printer, Hall" <printer@corp.example>\nTo: a@x.example, Bob (home, old) <b@x.example>\nBcc: c@x.example\nSubject: paper\nReceived: from nowhere\nX-MS-Exchange-Organization-SCL: -1\nX-MS-Exchange-Forest-A: b\nResent-From: z@x\n\nis out\n.\n';

test('a file becomes a message: envelope from the header, lines in CRLF, no Bcc, routing or organization fields', async (t) => {
  const { queue, watch, write, left, events } = pickup(t);
  write('one.eml', honest);
  write('note.txt', honest);
  await watch.look();
  const [kept] = queue.kept;
  assert.equal(kept?.message.envelope.from, 'printer@corp.example');
  assert.deepEqual(
    kept?.message.envelope.recipients.map(({ address }) => address),
    ['a@x.example', 'b@x.example', 'c@x.example'],
  );
  const text = kept?.content.toString() ?? '';
  assert.match(
    text,
    /^Received: by edge1\.example\.net \(pickup\) id [^\n]*\r\nMessage-ID: <[^\n]*>\r\nDate: [^\n]*\r\nFrom: /,
  );
  assert.doesNotMatch(text, /bcc|nowhere|X-MS-Exchange|Resent|c@x/i);
  assert.match(text, /\r\n\r\nis out\r\n\.\r\n$/);
  assert.equal(kept?.message.facts.size, text.length);
  assert.deepEqual(left(), ['note.txt']);
  const [queued] = events.filter((event) => event.kind === 'message-queued');
  assert.equal(queued?.source, 'PICKUP');
});

const bad: readonly [title: string, text: string, reason: RegExp][] = [
  ['no recipient', 'From: a@x.example\n\nx\n', /names no recipient/],
  ['no sender', 'To: a@x.example\n\nx\n', /names no sender/],
  ['two senders', 'From: a@x.example, b@x.example\nTo: c@x.example\n\nx\n', /several without Sender/],
  ['no header', 'hello\n\nx\n', /begin with a header/],
  ['an address that is none', 'From: a@x.example\nTo: b@x.example c@y.example\n\nx\n', /./],
  [
    'too many recipients',
    `From: a@x.example\nTo: ${Array.from({ length: 6 }, (_, i) => `u${i}@x.example`).join()}\n\nx\n`,
    /6 recipients/,
  ],
  [
    'a large header',
    `From: a@x.example\nTo: b@x.example\nX: ${'x'.repeat(40_000)}\n\nx\n`,
    /PickupDirectoryMaxHeaderSize/,
  ],
];
for (const [title, text, reason] of bad) {
  test(`${title}: the file is set aside as .bad, with the reason in the decisions`, async (t) => {
    const limits = { pickupDirectoryMaxRecipientsPerMessage: 5, pickupDirectoryMaxHeaderSize: 32_768 };
    const { folder, queue, watch, write, left, events, faults, ended } = pickup(t, limits);
    write('one.eml', text);
    await watch.look();
    await watch.look();
    assert.deepEqual([queue.kept.length, left()], [0, ['one.eml.bad']]);
    const refused = events.filter((event) => event.kind === 'command-refused');
    assert.equal(refused.length, 1);
    assert.match(refused[0]?.reason ?? '', reason);
    // And in `edge status`, until somebody has seen to it.
    const told = `${folder}: 1 file is no message and was set aside (one.eml.bad: ${refused[0]?.reason.slice(0, 300)}): mend `;
    assert.equal(faults.filter((fault) => fault.startsWith(told)).length, 2, faults.join());
    assert.ok(!ended.includes('PickupDirectoryPath .bad'));
    rmSync(join(folder, 'one.eml.bad'));
    await watch.look();
    assert.ok(ended.includes('PickupDirectoryPath .bad'));
  });
}

test('links lead nowhere: neither symbolic nor hard ones are read', async (t) => {
  const { folder, queue, watch, write, left } = pickup(t);
  write('secret', honest);
  symlinkSync(join(folder, 'secret'), join(folder, 'soft.eml'));
  linkSync(join(folder, 'secret'), join(folder, 'hard.eml'));
  await watch.look();
  assert.equal(queue.kept.length, 0);
  assert.deepEqual(left(), ['hard.eml.bad', 'secret', 'soft.eml']);
});

test('PickupDirectoryMaxMessagesPerMinute bounds each look, and back pressure stops it', async (t) => {
  const { queue, watch, write, state } = pickup(t, { pickupDirectoryMaxMessagesPerMinute: 24 });
  for (let i = 0; i < 5; i++) write(`${i}.eml`, honest);
  state.verdict = { kind: 'refuse', level: 'Medium', resource: 'PrivateBytes' };
  await watch.look();
  assert.equal(queue.kept.length, 0);
  state.verdict = { kind: 'take' };
  await watch.look();
  assert.equal(queue.kept.length, 2);
});

test('a message that the queue cannot keep stays in the folder, and a folder that is not there is a fault', async (t) => {
  const { queue, watch, write, left, faults } = pickup(t);
  queue.onCommit = () => Promise.reject(new Error('the disk is full'));
  write('one.eml', honest);
  await watch.look();
  assert.deepEqual(left(), ['one.eml']);
  assert.match(faults[0] ?? '', /the disk is full/);
  const gone = pickup(t, { pickupDirectoryPath: '/nowhere/at/all' });
  await gone.watch.look();
  assert.match(gone.faults[0] ?? '', /cannot be used/);
});

const exported = (createdBy: string): string =>
  `X-Sender: <a@corp.example> BODY=8bitmime RET=HDRS ENVID=x+2B1
X-Receiver: b@x.example NOTIFY=NEVER ORCPT=rfc822;b@old.example
X-Receiver: <c@x.example>
X-CreatedBy: ${createdBy}
X-HeloDomain: client.example
X-SourceIPAddress: 192.0.2.9
X-EndOfInjectedXHeaders: 77
Received: from the.first.hop
X-MS-Exchange-Organization-SCL: -1
X-MS-Exchange-Forest-A: b
From: a@corp.example
Bcc: d@x.example
Subject: again

text
`;

for (const [createdBy, kept] of [
  ['MSExchange15', true],
  ['a script', false],
] as const) {
  test(`a replayed file of ${createdBy}: envelope from the injected fields, routing fields stay, organization fields ${kept ? 'too' : 'go'}`, async (t) => {
    const { queue, watch, write, left, events } = pickup(t, {}, 'replay');
    write('one.eml', exported(createdBy));
    await watch.look();
    assert.deepEqual(left(), []);
    const { message, content } = queue.kept[0] ?? assert.fail(JSON.stringify(events));
    const { from, recipients, ret, envid } = message.envelope;
    assert.deepEqual([from, ret, envid], ['a@corp.example', 'HDRS', 'x+1']);
    assert.deepEqual(recipients, [
      { address: 'b@x.example', domain: 'x.example', notify: ['NEVER'], orcpt: 'rfc822;b@old.example' },
      { address: 'c@x.example', domain: 'x.example' },
    ]);
    assert.deepEqual(
      [message.origin.connector, message.origin.remoteAddress, message.origin.helo],
      ['REPLAY', '192.0.2.9', 'client.example'],
    );
    const text = content.toString();
    assert.match(text, /^Received: by edge1\.example\.net \(replay\).*\r\nReceived: from the\.first\.hop\r\n/);
    assert.equal(/X-MS-Exchange-Organization-SCL: -1\r\nX-MS-Exchange-Forest-A: b\r\n/.test(text), kept);
    assert.doesNotMatch(text, /X-Sender|X-Receiver|X-CreatedBy|X-Source|X-Helo|X-EndOf/i);
    assert.match(text, /\r\nBcc: d@x\.example\r\nSubject: again\r\n\r\ntext\r\n$/);
    assert.equal(events.find((event) => event.kind === 'message-queued')?.source, 'REPLAY');
  });
}

for (const [title, text, reason] of [
  ['without injected fields', 'From: a@x.example\n\nx\n', /does not begin with X-Sender/],
  ['without X-Receiver', 'X-Sender: a@x.example\nFrom: a@x.example\n\nx\n', /no X-Receiver/],
  [
    'with two X-Sender',
    'X-Sender: a@x.example\nX-Sender: b@x.example\nX-Receiver: c@x.example\n\nx\n',
    /no X-Sender, or several/,
  ],
  ['with an address that is none', 'X-Sender: a@x.example\nX-Receiver: c@@x.example\n\nx\n', /./],
  ['with a parameter that is none', 'X-Sender: a@x.example EVIL=1\nX-Receiver: c@x.example\n\nx\n', /EVIL/],
  ['with a recipient without a domain', 'X-Sender: a@x.example\nX-Receiver: postmaster\n\nx\n', /domain|./],
] as const) {
  test(`a replayed file ${title} is set aside as .bad`, async (t) => {
    const { queue, watch, write, left, events } = pickup(t, {}, 'replay');
    write('one.eml', text);
    await watch.look();
    assert.deepEqual([queue.kept.length, left()], [0, ['one.eml.bad']]);
    assert.match(events.find((event) => event.kind === 'command-refused')?.reason ?? '', reason);
  });
}

test('loop detection in submission: what agents made of each other too often is no message', async (t) => {
  for (const on of [true, false]) {
    const { watch, write, left, events } = pickup(t, {}, 'pickup', {
      agentGeneratedMessageLoopDetectionInSubmissionEnabled: on,
    });
    write('loop.eml', `${'X-MS-Exchange-Generated-Message-Source: Rules\n'.repeat(3)}${honest}`);
    await watch.look();
    assert.deepEqual(left(), on ? ['loop.eml.bad'] : []);
    if (on) assert.match(JSON.stringify(events), /MaxAllowedAgentGeneratedMessageDepthPerAgent is 2/);
  }
});
