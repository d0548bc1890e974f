import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecipientOutcome, StoredMessage } from '../../src/queue/index.ts';
import { type Attempt, planOutcomes, replies } from '../../src/queue/settlement/outcome-rules.ts';
import { RateMeter } from '../../src/queue/table/rate-meter.ts';
import { TimeHeap } from '../../src/queue/table/time-heap.ts';
import { newMessage } from './lib/new-message.ts';

/** Recipient 0 asks for SUCCESS, 1 for nothing; both were tried three times. */
const message: StoredMessage = {
  ...newMessage({
    recipients: [{ address: 'a@example.com', domain: 'example.com', notify: ['SUCCESS'] }, 'b@example.com'],
  }),
  id: 1,
  guid: 'guid',
  receivedAt: 0,
  expiresAt: 100_000,
  recipients: [0, 1].map((index) => ({
    status: 'pending',
    attempts: 3,
    due: 5,
    lastReply: 'before',
    delayNotified: index === 1,
  })),
};

function plan(outcomes: readonly RecipientOutcome[], changed: Partial<Attempt> = {}) {
  const attempt = { message, recipients: [0, 1], outcomes, remote: 'hub', now: 10, retryAt: 60, report: true };
  return planOutcomes({ ...attempt, counts: true, ...changed });
}
const after = (index: number, status: string, due: number, lastReply: string, attempts = 4) => [
  index,
  { status, attempts, due, lastReply, delayNotified: index === 1 },
];

const ok = { kind: 'delivered', reply: '250 Ok' } as const;
const later = { kind: 'deferred', reply: '450 4.2.1 busy', phase: 'RCPT' } as const;
const no = { kind: 'failed', reply: '550 5.1.1 no', phase: 'RCPT' } as const;
const relayed = { kind: 'relayed', reply: '250 Ok' } as const;

test('each recipient is judged by its own outcome; those deferred stay, due at the retry', () => {
  const { changes, reports, kept, outcomes } = plan([later, ok]);
  assert.deepEqual(changes, [after(0, 'pending', 60, later.reply), after(1, 'delivered', 0, ok.reply)]);
  assert.deepEqual([reports, kept, outcomes], [[], [0], [later, ok]]);
});

test('an attempt in which no host was asked is not counted', () => {
  assert.deepEqual(plan([later, later], { counts: false }).changes, [
    after(0, 'pending', 60, later.reply, 3),
    after(1, 'pending', 60, later.reply, 3),
  ]);
});

for (const outcome of [ok, relayed]) {
  test(`a success (${outcome.kind}) is reported to whoever asked for it, before its state is durable`, () => {
    const { changes, reports } = plan([outcome, outcome]);
    assert.deepEqual(changes, [after(1, outcome.kind, 0, outcome.reply)]);
    assert.deepEqual(reports, [
      {
        kind: outcome.kind,
        recipients: [{ index: 0, reply: outcome.reply, remote: 'hub' }],
        changes: [after(0, outcome.kind, 0, outcome.reply)],
      },
    ]);
  });
}

test('failures are one report of all their recipients, with the phase', () => {
  const bare = { kind: 'failed', reply: '554 no' } as const;
  assert.deepEqual(plan([no, bare]), {
    changes: [],
    kept: [],
    outcomes: [no, bare],
    reports: [
      {
        kind: 'failed',
        recipients: [
          { index: 0, reply: no.reply, remote: 'hub', phase: 'RCPT' },
          { index: 1, reply: bare.reply, remote: 'hub' },
        ],
        changes: [after(0, 'failed', 0, no.reply), after(1, 'failed', 0, bare.reply)],
      },
    ],
  });
});

test('a success and a failure are two reports', () => {
  assert.deepEqual(
    plan([ok, no]).reports.map(({ kind, recipients }) => [kind, recipients.map(({ index }) => index)]),
    [
      ['delivered', [0]],
      ['failed', [1]],
    ],
  );
});

test('nobody is told of failures where none is to be reported', () => {
  const { changes, reports } = plan([no, no], { report: false });
  assert.deepEqual([changes.map(([index]) => index), reports], [[0, 1], []]);
});

const endings: readonly (readonly [ending: string, last: string, reply: string])[] = [
  [replies.expired, later.reply, `${replies.expired}; the last answer was: ${later.reply}`],
  [replies.expired, '', replies.expired],
  [replies.deleted, later.reply, replies.deleted],
];
for (const [ending, last, reply] of endings) {
  test(`deferred behind the end: ${reply}`, () => {
    const { outcomes, kept, changes, reports } = plan([{ kind: 'deferred', reply: last }, ok], { ending });
    assert.deepEqual([outcomes, kept], [[{ kind: 'failed', reply }, ok], []]);
    assert.deepEqual(changes, [after(1, 'delivered', 0, ok.reply)]);
    assert.deepEqual(
      reports.map((report) => report.changes),
      [[after(0, 'failed', 0, reply)]],
    );
  });
}

test('a recipient without an outcome is a bug, and said so', () => {
  assert.throws(() => plan([ok]), { name: 'RangeError', message: 'a recipient has no outcome' });
});

test('a heap of more than its first room gives the earliest first, and only when its time has come', () => {
  const heap = new TimeHeap<{ slot: number; time: number }>();
  for (let i = 0; i < 200; i += 1) heap.set({ slot: -1, time: (i * 73) % 200 }, (i * 73) % 200);
  assert.equal(heap.take(-1), undefined);
  for (let i = 0; i < 200; i += 1) {
    assert.equal(heap.take(i - 0.5), undefined);
    assert.equal(heap.take(i)?.time, i);
  }
  assert.equal(heap.take(Number.POSITIVE_INFINITY), undefined);
});

test('rates: a minute without events forgets the one before it', () => {
  const meter = new RateMeter();
  for (let i = 0; i < 60; i += 1) meter.add(60_000);
  assert.equal(meter.perSecond(60_000), 1);
  assert.equal(meter.perSecond(135_000), 0.75);
  meter.add(180_001);
  assert.equal(meter.perSecond(180_001), 1 / 60);
});
