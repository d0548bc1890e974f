/** Messages that wait for the agents of the categorizer: in the Submission queue, on the disk, and over a restart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Categorized, Router, StoredMessage } from '../../src/queue/index.ts';
import { all, Bench, carrier, later, never, ok } from './lib/bench.ts';
import { FakeClock, quiet } from './lib/fake-clock.ts';
import { newMessage } from './lib/new-message.ts';

const minute = 60_000;
type Ask = NonNullable<Router['categorize']>;
const go: Categorized = { kind: 'go' };

/** Recipients and the beginning of the content that agents wish. */
function revision(addresses: readonly string[], head?: string): Categorized {
  const { envelope, facts } = newMessage({ recipients: addresses, size: 7 });
  const replaced = head === undefined ? {} : { replaced: { head: Buffer.from(head), octets: 5 } };
  return { kind: 'go', revision: { envelope, facts, ...replaced } };
}

/** Agents that answer when the test lets them. */
function slow(): { readonly ask: Ask; readonly asked: { readonly id: number; answer(verdict: Categorized): void }[] } {
  const asked: { id: number; answer(verdict: Categorized): void }[] = [];
  const ask: Ask = ({ id }) => new Promise((answer) => asked.push({ id, answer }));
  return { ask, asked };
}

function restarted({ disk, clock }: Bench, categorize: Ask): Bench {
  return new Bench({ disk, clock: new FakeClock(clock.now()), categorize });
}

function seenBy(bench: Bench): string[] {
  const seen: string[] = [];
  bench.deliver = carrier(async (item) => {
    const chunks = await Array.fromAsync(item.stream());
    const to = item.recipients.map((index) => item.message.envelope.recipients[index]?.address);
    seen.push(`${to.join()} ${item.content()?.toString()} ${Buffer.concat(chunks).toString()}`);
    return all(ok)(item);
  }, 0);
  return seen;
}

test('without agents nothing waits: the route is chosen in the turn of the submission', async () => {
  const bench = new Bench();
  assert.equal(bench.queue.queues().filter(({ identity }) => identity === 'Submission').length, 1);
  const { id } = await bench.send();
  assert.deepEqual(bench.spool.story, [`commit ${id}`, `remove ${id}`]);
});

test('a message waits in Submission until the agents have answered, then goes its way', async () => {
  const { ask, asked } = slow();
  const bench = new Bench({ categorize: ask });
  const { id } = await bench.send();
  assert.deepEqual(bench.starts, []);
  const view = bench.view('Submission');
  assert.deepEqual(view, { ...view, deliveryType: 'Undefined', messageCount: 1, status: 'Ready' });
  assert.equal(view?.hop, undefined);
  assert.deepEqual(
    bench.queue.messages({ queue: 'Submission' }).map((message) => [message.id, message.status]),
    [[id, 'Active']],
  );
  // A change of the configuration does not send it past the agents.
  await bench.queue.reroute();
  await bench.queue.retryQueue('Submission', { resubmit: true });
  assert.deepEqual(bench.starts, []);
  asked[0]?.answer(go);
  await quiet();
  assert.deepEqual(bench.statuses(id), ['gone']);
  assert.deepEqual(bench.spool.story, [`commit ${id}`, `remove ${id}`], 'what nobody changed is not written again');
});

test('recipients and header that agents changed are on the disk before anybody delivers them', async () => {
  const bench = new Bench({ categorize: async () => revision(['new@x.test', 'more@y.test'], 'Bye') });
  const seen = seenBy(bench);
  const { id } = await bench.send({ recipients: ['old@x.test'] });
  assert.deepEqual(seen.toSorted(), ['more@y.test Bye\r\n Bye\r\n', 'new@x.test Bye\r\n Bye\r\n']);
  assert.equal(bench.spool.story.indexOf(`revise ${id}`), 1);
  assert.deepEqual(bench.statuses(id), ['gone']);
});

test('a process that ends while agents work asks them again; what they changed before it is not asked about again', async () => {
  const hanging = new Bench({ categorize: () => new Promise(() => undefined) });
  const { id } = await hanging.send({ recipients: ['old@x.test'] });
  const second = restarted(hanging, async () => revision(['new@x.test'], 'Bye'));
  second.deliver = () => new Promise(() => undefined);
  await second.queue.start();
  await quiet();
  assert.equal(second.disk.messages.get(id)?.message.categorized, true);
  const third = restarted(second, () => assert.fail('the agents have had it'));
  const seen = seenBy(third);
  await third.queue.start();
  await quiet();
  assert.deepEqual(seen, ['new@x.test Bye\r\n Bye\r\n']);
});

test('agents are not asked about a message that was tried already', async () => {
  const before = new Bench({ categorize: async () => go });
  before.deliver = carrier(all(later), 0);
  await before.send();
  const bench = restarted(before, () => assert.fail('it was tried'));
  const seen = seenBy(bench);
  await bench.queue.start();
  await bench.clock.advance(15 * minute);
  assert.equal(seen.length, 1);
});

test('a revision that cannot be written leaves the message as it was, and is made later', async () => {
  const asked: StoredMessage[] = [];
  const bench = new Bench({
    categorize: async (message) => {
      asked.push(message);
      return revision(['new@x.test'], 'Bye');
    },
  });
  const seen = seenBy(bench);
  const { id } = await bench.submit({ recipients: ['old@x.test'] });
  bench.spool.failing = true;
  await quiet();
  assert.deepEqual([bench.starts, asked.length], [[], 1]);
  assert.equal(bench.disk.messages.get(id)?.message.envelope.recipients[0]?.address, 'old@x.test');
  bench.spool.failing = false;
  await bench.clock.advance(5 * minute);
  assert.equal(asked[1]?.envelope.recipients[0]?.address, 'old@x.test');
  assert.deepEqual(seen, ['new@x.test Bye\r\n Bye\r\n']);
});

test('a refusal is told to the sender, a discarded message to nobody', async () => {
  let verdict: Categorized = { kind: 'failed', reply: '550 5.7.1 Not here' };
  const bench = new Bench({ categorize: async () => verdict });
  const refused = await bench.send({ recipients: ['a@x.test', 'b@y.test'] });
  assert.deepEqual(bench.reports, [`failed ${refused.id}: 0,1`]);
  assert.equal(bench.requests[0]?.recipients[1]?.reply, '550 5.7.1 Not here');
  verdict = { kind: 'discarded' };
  const discarded = await bench.send();
  assert.equal(bench.reports.length, 1);
  assert.deepEqual([bench.statuses(refused.id), bench.statuses(discarded.id)], [['gone'], ['gone']]);
  assert.deepEqual(bench.starts, []);
});

test('a deferred message comes again at its time, and expires like any other', async () => {
  let asked = 0;
  const bench = new Bench({
    categorize: async () => {
      asked += 1;
      return { kind: 'deferred', afterMs: 60 * minute, reason: 'Greylist: too early' };
    },
  });
  const { id } = await bench.send();
  const [message] = bench.queue.messages({ queue: 'Submission' });
  assert.deepEqual([message?.status, message?.lastError], ['Retry', 'Greylist: too early']);
  await bench.clock.advance(60 * minute - 1);
  assert.equal(asked, 1);
  await bench.clock.advance(1);
  assert.equal(asked, 2);
  await bench.clock.advance(172_800_000);
  assert.deepEqual(bench.statuses(id), ['gone']);
  assert.equal(bench.reports.at(-1), `failed ${id}: 0`);
  assert.match(bench.requests.at(-1)?.recipients[0]?.reply ?? '', /^550 4\.4\.7 .*Greylist: too early/);
});

test('no agent makes a message come back at once, or never', async () => {
  const times: number[] = [];
  const waits = [-5, Number.POSITIVE_INFINITY];
  const bench: Bench = new Bench({
    categorize: async () => {
      times.push(bench.seconds);
      const afterMs = waits.shift();
      return afterMs === undefined ? go : { kind: 'deferred', afterMs, reason: 'x' };
    },
  });
  await bench.send();
  await bench.clock.advance(25 * 60 * minute);
  assert.deepEqual(times, [0, 1, 1 + 24 * 60 * 60]);
});

for (const [title, fail] of [
  ['throws', () => Promise.reject(new TypeError('boom'))],
  ['never answers', () => new Promise<Categorized>(() => undefined)],
] as const) {
  test(`an agent that ${title} is a fault, and makes the message wait`, async () => {
    let failing = true;
    const bench = new Bench({ categorize: () => (failing ? fail() : Promise.resolve(go)) });
    const { id } = await bench.send();
    await bench.clock.advance(10 * minute);
    assert.match(bench.faults.get('categorizer agents') ?? '', /boom|taken too long/);
    assert.deepEqual([bench.statuses(id), bench.starts], [['pending'], []]);
    failing = false;
    await bench.clock.advance(10 * minute);
    assert.deepEqual([bench.statuses(id), bench.faults.size], [['gone'], 0]);
  });
}

test('twenty messages at a time are shown to the agents; the others wait their turn', async () => {
  const { ask, asked } = slow();
  const bench = new Bench({ categorize: ask });
  for (let i = 0; i < 30; i++) await bench.submit();
  await quiet();
  assert.equal(asked.length, 20);
  for (const { answer } of asked.slice(0, 5)) answer(go);
  await quiet();
  assert.equal(asked.length, 25);
  for (const { answer } of asked) answer(go);
  await quiet();
  for (const { answer } of asked) answer(go);
  await quiet();
  assert.equal(bench.spool.count, 0);
});

test('an administrator holds and removes what agents have in hand', async () => {
  const { ask, asked } = slow();
  const bench = new Bench({ categorize: ask });
  const held = await bench.send();
  const removed = await bench.send();
  bench.queue.suspendMessage(held.id);
  await bench.queue.removeMessage(removed.id, { report: true });
  assert.deepEqual(
    bench.queue.messages().map(({ status }) => status),
    ['PendingSuspend', 'PendingRemove'],
  );
  for (const { answer } of asked) answer(revision(['new@x.test']));
  await quiet();
  assert.deepEqual(
    bench.queue.messages().map(({ id, status }) => [id, status]),
    [[held.id, 'Suspended']],
  );
  assert.deepEqual(bench.reports, [`failed ${removed.id}: 0`]);
  bench.queue.resumeMessage(held.id);
  await quiet();
  asked.at(-1)?.answer(go);
  await quiet();
  assert.deepEqual([asked.length, bench.statuses(held.id)], [3, ['gone']]);
});

test('a message that breaks the process while agents look at it is set aside, and asked about when it is resumed', async () => {
  let bench = new Bench({ categorize: () => new Promise(() => undefined) });
  const { id } = await bench.send();
  bench.queue.noteCrash();
  for (let crashes = 1; crashes < 2; crashes++) {
    bench = restarted(bench, () => new Promise(() => undefined));
    await bench.queue.start();
    await quiet();
    bench.queue.noteCrash();
  }
  let asked = 0;
  bench = restarted(bench, async () => {
    asked += 1;
    return go;
  });
  await bench.queue.start();
  await quiet();
  assert.deepEqual([asked, bench.view('Poison')?.messageCount], [0, 1]);
  bench.queue.resumeMessage(id);
  await quiet();
  assert.deepEqual([asked, bench.statuses(id)], [1, ['gone']]);
});

test('what agents say after the end of the service is not heard', async () => {
  const { ask, asked } = slow();
  const bench = new Bench({ categorize: ask });
  const { id } = await bench.send();
  await bench.queue.close(AbortSignal.abort());
  asked[0]?.answer(revision(['new@x.test']));
  await quiet();
  assert.equal(bench.disk.messages.get(id)?.message.categorized, undefined);
  assert.deepEqual([bench.starts, bench.faults.size], [[], 0]);
});

test('a delay report under way leaves the states of the new recipients alone', async () => {
  const answers: ((verdict: Categorized) => void)[] = [];
  let deferred = false;
  const bench = new Bench({
    categorize: () =>
      deferred
        ? new Promise((answer) => answers.push(answer))
        : Promise.resolve({ kind: 'deferred', afterMs: 241 * minute, reason: 'x' } as const),
  });
  const report = Promise.withResolvers<void>();
  bench.notify = () => report.promise;
  bench.deliver = carrier(all(never), 0);
  const { id } = await bench.send({ recipients: ['a@x.test', 'b@x.test'] });
  deferred = true;
  await bench.clock.advance(241 * minute);
  bench.deliver = () => new Promise(() => undefined);
  answers[0]?.(revision(['c@x.test']));
  report.resolve();
  await quiet();
  const message = bench.disk.messages.get(id)?.message;
  assert.deepEqual([message?.envelope.recipients.length, message?.recipients.length], [1, 1]);
});
