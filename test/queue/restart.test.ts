/** What a new process finds and does: recovery, poison, closing; and what administrators can do to queues and messages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeliveryItem } from '../../src/queue/index.ts';
import { all, Bench, Connections, carrier, later, never, ok } from './lib/bench.ts';
import { FakeClock, quiet } from './lib/fake-clock.ts';

const minute = 60_000;

/** The same disk, another process, some time later. The clock of the one before stands still: it is dead. */
function restarted({ disk, clock }: Bench, afterMs = 0): Bench {
  return new Bench({ disk, clock: new FakeClock(clock.now() + afterMs) });
}

function take(connections: Connections, index = 0): DeliveryItem {
  return connections.at(index).work.next(0) as DeliveryItem;
}

test('a new process takes up what is pending, at its due time, and new mail meanwhile once', async () => {
  const before = new Bench();
  before.deliver = carrier((item) => (item.message.id === 1 ? [ok, later] : all(later)(item)), 0);
  await before.send({ recipients: ['a@x.test', 'b@x.test'] });
  before.deliver = () => new Promise(() => undefined);
  for (let i = 0; i < 300; i++) await before.submit({ recipients: ['c@y.test'] });
  const bench = restarted(before);
  const seen: string[] = [];
  bench.deliver = carrier((item) => {
    seen.push(`${bench.seconds} ${item.message.id}:${item.recipients.join()}`);
    return all(ok)(item);
  }, 0);
  const started = bench.queue.start();
  await bench.submit({ recipients: ['new@z.test'] });
  await started;
  await quiet();
  const expected = Array.from({ length: 301 }, (_, i) => `0 ${i + 2}:0`);
  assert.deepEqual(new Set(seen), new Set(expected));
  assert.equal(seen.length, expected.length);
  await bench.clock.advance(15 * minute);
  assert.deepEqual(seen.at(-1), '900 1:1');
  assert.equal(bench.spool.count, 0);
});

test('a message whose recipients are all settled is only removed', async () => {
  const before = new Bench();
  before.deliver = () => new Promise(() => undefined);
  const { id } = await before.send();
  await before.spool.update(id, [{ status: 'delivered', attempts: 1, due: 0, lastReply: '', delayNotified: false }]);
  const bench = restarted(before);
  await bench.queue.start();
  await quiet();
  assert.deepEqual([bench.starts, bench.reports, bench.statuses(id)], [[], [], ['gone']]);
});

test('what expired while nothing ran fails with a report', async () => {
  const before = new Bench();
  before.deliver = () => new Promise(() => undefined);
  const { id } = await before.send();
  const bench = restarted(before, 200_000_000);
  await bench.queue.start();
  await quiet();
  assert.deepEqual(bench.reports, [`failed ${id}: 0`]);
  assert.deepEqual(bench.statuses(id), ['gone']);
});

test('a message in delivery at PoisonThreshold breakdowns is set aside, others are not', async () => {
  let bench = new Bench();
  const { id } = await (async () => {
    bench.deliver = new Connections().deliver;
    return bench.send();
  })();
  for (let round = 0; round < 2; round++) {
    const connections = new Connections();
    bench = restarted(bench);
    bench.deliver = connections.deliver;
    await bench.queue.start();
    await quiet();
    assert.equal(bench.view('Poison'), undefined, `round ${round}`);
    assert.equal(take(connections).message.id, id);
    bench.queue.noteCrash();
  }
  bench = restarted(bench);
  await bench.queue.start();
  const innocent = await bench.send();
  assert.deepEqual([bench.statuses(id), bench.statuses(innocent.id)], [['pending'], ['gone']]);
  assert.deepEqual(bench.view('Poison'), { ...bench.view('Poison'), messageCount: 1, deliveryType: 'Undefined' });
  assert.deepEqual(
    bench.queue.messages({ queue: 'Poison' }).map((one) => [one.id, one.status]),
    [[id, 'Suspended']],
  );
  // It does not expire there, and goes on when an administrator says so.
  await bench.clock.advance(300 * 24 * 60 * minute);
  assert.deepEqual([bench.reports, bench.statuses(id)], [[], ['pending']]);
});

test('a poison message that is resumed is delivered', async () => {
  const before = new Bench();
  before.deliver = new Connections().deliver;
  const { id } = await before.send();
  before.disk.crashes = new Map([[id, 5]]);
  const bench = restarted(before);
  await bench.queue.start();
  assert.deepEqual(bench.statuses(id), ['pending']);
  assert.ok(bench.queue.resumeMessage(id));
  await quiet();
  assert.deepEqual(bench.statuses(id), ['gone']);
  assert.deepEqual([...bench.disk.crashes], []);
});

test('suspects are delivered one at a time, so that the one at fault is found', async () => {
  const before = new Bench();
  before.deliver = new Connections().deliver;
  const ids: number[] = [];
  for (const domain of ['x', 'y', 'z']) ids.push((await before.submit({ recipients: [`a@${domain}.test`] })).id);
  before.disk.crashes = new Map(ids.map((id) => [id, 1]));
  const bench = restarted(before);
  const connections = new Connections();
  bench.deliver = connections.deliver;
  await bench.queue.start();
  await quiet();
  const taken = connections.open.map(({ work }) => work.next(0) as DeliveryItem | undefined);
  assert.equal(taken.filter((item) => item !== undefined).length, 1);
  bench.queue.noteCrash();
  assert.deepEqual([...bench.disk.crashes.values()].sort(), [1, 1, 2]);
  taken.find((item) => item !== undefined)?.settle([ok], 'x');
  assert.equal(bench.disk.crashes.size, 2, 'a delivery clears it');
});

test('closing hands out nothing more, waits for deliveries, and keeps the rest', async () => {
  const bench = new Bench();
  const connections = new Connections();
  bench.deliver = connections.deliver;
  const first = await bench.submit();
  const second = await bench.send();
  const { work, end } = connections.at(0);
  const item = work.next(0) as DeliveryItem;
  const closed = bench.queue.close(new AbortController().signal);
  assert.equal(work.next(1_000), undefined);
  assert.deepEqual(bench.queue.accepting.ok, false);
  await quiet();
  assert.equal(bench.spool.closed, false);
  item.settle([ok], 'x');
  end({ kind: 'done' });
  await closed;
  assert.equal(bench.spool.closed, true);
  assert.deepEqual([bench.statuses(first.id), bench.statuses(second.id)], [['gone'], ['pending']]);
});

test('closing does not wait for a connection that is still being set up', async () => {
  const bench = new Bench();
  const connections = new Connections();
  bench.deliver = connections.deliver;
  const { id } = await bench.send();
  const { work, end } = connections.at(0);
  work.signal.addEventListener('abort', () => end({ kind: 'failed', reply: '451 4.4.3 no answer from the DNS' }));
  await bench.queue.close(new AbortController().signal);
  assert.deepEqual(bench.statuses(id), ['pending']);
});

test('closing does not wait for ever, but gives outcomes of the last moment time to be written', async () => {
  const bench = new Bench();
  const connections = new Connections();
  bench.deliver = connections.deliver;
  const { id } = await bench.submit({ recipients: ['a@x.test'] });
  const hanging = await bench.send({ recipients: ['a@y.test'] });
  const item = take(connections);
  take(connections, 1);
  const closed = bench.queue.close(AbortSignal.abort());
  assert.ok(connections.at(0).work.signal.aborted);
  item.settle([ok], 'x');
  connections.at(0).end({ kind: 'done' });
  await bench.clock.advance(10_000);
  await closed;
  assert.deepEqual([bench.statuses(id), bench.statuses(hanging.id)], [['gone'], ['pending']]);
});

test('closing ends while reports cannot be written; the next start repeats them', async () => {
  const bench = new Bench();
  bench.notify = async () => {
    throw new Error('full');
  };
  bench.deliver = carrier(all(never), 0);
  const { id } = await bench.send();
  const closed = bench.queue.close(new AbortController().signal);
  await bench.clock.advance(30_000);
  await closed;
  assert.deepEqual(bench.statuses(id), ['pending']);
  const again = restarted(bench);
  again.deliver = carrier(all(never), 0);
  await again.queue.start();
  await quiet();
  assert.deepEqual(again.reports, [`failed ${id}: 0`]);
});

test('without room nothing is accepted, with Exchange’s reply', async () => {
  const bench = new Bench();
  assert.deepEqual(bench.queue.accepting, { ok: true });
  bench.spool.accepting = false;
  const { accepting } = bench.queue;
  assert.ok(!accepting.ok);
  assert.deepEqual([accepting.reply.code, accepting.reply.detail], [452, '3.1']);
  assert.throws(() => bench.queue.begin(), { name: 'SpoolError' });
});

test('a message that cannot be stored is not delivered', async () => {
  const bench = new Bench();
  bench.spool.failing = true;
  await assert.rejects(bench.submit(), { name: 'SpoolError' });
  await quiet();
  assert.deepEqual(bench.starts, []);
});

test('a suspended queue keeps its messages, takes new ones, and goes on when it is resumed', async () => {
  const bench = new Bench();
  bench.deliver = carrier(all(later), 0);
  await bench.send();
  assert.equal(bench.queue.suspendQueue('1'), true);
  assert.equal(bench.queue.suspendQueue('no such'), false);
  bench.deliver = carrier(all(ok), 0);
  await bench.send();
  await bench.clock.advance(60 * minute);
  assert.deepEqual(bench.view(), { ...bench.view(), status: 'Suspended', messageCount: 2, connections: 0 });
  assert.equal(bench.queue.resumeQueue('1'), true);
  await quiet();
  assert.equal(bench.spool.count, 0);
});

test('a queue in Retry, and deferred messages, are tried at once when the administrator says so', async () => {
  const bench = new Bench();
  bench.deliver = carrier(all(later), 0);
  await bench.send();
  bench.deliver = async () => ({ kind: 'failed', reply: '441 4.4.1 no' });
  await bench.send();
  assert.equal(bench.view()?.status, 'Retry');
  bench.deliver = carrier(all(ok), 0);
  assert.equal(await bench.queue.retryQueue('1'), true);
  await quiet();
  assert.equal(bench.spool.count, 0);
  assert.equal(await bench.queue.retryQueue('1000'), false);
});

test('what waits goes to another server when the administrator says so; what is held stays', async () => {
  const bench = new Bench();
  bench.deliver = carrier(all(later), 0);
  await bench.send();
  await bench.send();
  const [first] = bench.queue.messages();
  bench.queue.suspendMessage(first?.id ?? 0);
  bench.deliver = carrier(all(ok), 0);
  const hop = {
    key: 'SmartHostConnectorDelivery:[192.0.2.9]:',
    type: 'SmartHostConnectorDelivery',
    domain: '[192.0.2.9]',
    connector: '',
  } as const;
  assert.equal(await bench.queue.redirect(hop), 1);
  await quiet();
  assert.deepEqual(
    bench.queue.messages().map(({ id, status }) => [id, status]),
    [[first?.id, 'Suspended']],
  );
  assert.equal(await bench.queue.redirect(hop), 0);
});

test('a suspended message stays so over a restart, and is delivered when it is resumed', async () => {
  const before = new Bench();
  before.deliver = carrier(all(later), 0);
  const { id } = await before.send();
  assert.equal(before.queue.suspendMessage(id), true);
  await quiet();
  const bench = restarted(before);
  bench.deliver = carrier(all(ok), 0);
  await bench.queue.start();
  await bench.clock.advance(60 * minute);
  assert.deepEqual(
    bench.queue.messages().map(({ status }) => status),
    ['Suspended'],
  );
  assert.equal(bench.queue.resumeMessage(id), true);
  await quiet();
  assert.deepEqual(bench.statuses(id), ['gone']);
  assert.equal(bench.queue.suspendMessage(id), false);
});

test('orders about a message in delivery are obeyed when the delivery has ended', async () => {
  const bench = new Bench();
  const connections = new Connections();
  bench.deliver = connections.deliver;
  const ids: number[] = [];
  for (const domain of ['x', 'y', 'z']) ids.push((await bench.submit({ recipients: [`a@${domain}.test`] })).id);
  await quiet();
  const items = connections.open.map(({ work }) => work.next(0) as DeliveryItem);
  const [held = 0, dropped = 0, bounced = 0] = ids;
  bench.queue.suspendMessage(held);
  await bench.queue.removeMessage(dropped, { report: false });
  await bench.queue.removeMessage(bounced, { report: true });
  assert.deepEqual(
    bench.queue.messages().map(({ status }) => status),
    ['PendingSuspend', 'PendingRemove', 'PendingRemove'],
  );
  items[0]?.settle([later], 'x');
  items[1]?.settle([later], 'y');
  items[2]?.release();
  await quiet();
  assert.deepEqual(
    ids.map((id) => bench.statuses(id)),
    [['pending'], ['gone'], ['gone']],
  );
  assert.deepEqual(
    bench.queue.messages().map(({ status }) => status),
    ['Suspended'],
  );
  assert.deepEqual(bench.reports, [`failed ${bounced}: 0`]);
  assert.equal(
    bench.requests[0]?.recipients[0]?.reply,
    '550 4.3.2 QUEUE.Admin; message deleted by administrative action',
  );
});

test('a message is removed with or without a report', async () => {
  const bench = new Bench();
  bench.deliver = carrier(all(later), 0);
  const silent = await bench.send();
  const loud = await bench.send();
  await bench.queue.removeMessage(silent.id, { report: false });
  await bench.queue.removeMessage(loud.id, { report: true });
  await quiet();
  assert.deepEqual([bench.statuses(silent.id), bench.statuses(loud.id)], [['gone'], ['gone']]);
  assert.deepEqual(bench.reports, [`failed ${loud.id}: 0`]);
  assert.equal(await bench.queue.removeMessage(loud.id, { report: true }), false);
});

test('messages are found by queue, id and status', async () => {
  const bench = new Bench();
  bench.deliver = carrier(all(later), 0);
  await bench.send({ recipients: ['a@x.test', 'b@y.test'] });
  await bench.send({ recipients: ['c@x.test'] });
  const ids = (filter: Parameters<typeof bench.queue.messages>[0]): number[] =>
    bench.queue.messages(filter).map(({ id }) => id);
  assert.deepEqual(ids({}), [1, 2, 1]);
  assert.deepEqual(ids({ queue: '2' }), [1]);
  assert.deepEqual(ids({ id: 2 }), [2]);
  assert.deepEqual(ids({ status: 'Ready' }), []);
  assert.deepEqual(ids({ limit: 2 }), [1, 2]);
  const [view] = bench.queue.messages({ id: 2 });
  assert.deepEqual(
    [view?.status, view?.retryCount, view?.lastError, view?.due, view?.recipients.map(({ address }) => address)],
    ['Retry', 1, later.reply, bench.clock.now() + 15 * minute, ['c@x.test']],
  );
});
