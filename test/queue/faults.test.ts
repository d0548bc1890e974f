import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { open } from 'lmdb';
import { FaultList, systemClock } from '../../src/base/index.ts';
import { type DeliveryItem, LmdbSpool } from '../../src/queue/index.ts';
import { all, Bench, Connections, carrier, later, never, ok } from './lib/bench.ts';
import { quiet } from './lib/fake-clock.ts';
import { put } from './lib/new-message.ts';

const hour = 3_600_000;

// ---- Whatever refuses, delays or loses mail for a local reason is a fault while it lasts.

test('outcomes that cannot be written are a fault until they are', async () => {
  const bench = new Bench();
  const connections = new Connections();
  bench.deliver = connections.deliver;
  await bench.send();
  bench.spool.failing = true;
  (connections.at(0).work.next(0) as DeliveryItem).settle([ok], 'x');
  await quiet();
  assert.match(bench.faults.get('outcomes') ?? '', /what became of 1 messages cannot be written/);
  bench.spool.failing = false;
  await bench.clock.advance(2_000);
  assert.deepEqual([...bench.faults], []);
});

test('a report that cannot be written is a fault until it is', async () => {
  const bench = new Bench();
  bench.notify = () => Promise.reject(new Error('the disk is full'));
  bench.deliver = carrier(all(never));
  const { id } = await bench.send();
  assert.match(bench.faults.get(`report 'failed' on message ${id}`) ?? '', /is tried again: the disk is full/);
  bench.notify = () => Promise.resolve();
  await bench.clock.advance(60_000);
  assert.deepEqual([...bench.faults], []);
});

test('a message that the routing breaks down over is a fault until it is resumed, and Get-Message shows why', async () => {
  const bench = new Bench();
  const { route } = bench;
  bench.route = () => {
    throw new TypeError('a bug');
  };
  const { id } = await bench.send();
  assert.match(bench.faults.get('routing') ?? '', new RegExp(`over message ${id}: TypeError: a bug`));
  assert.match(bench.faults.get(`message ${id}`) ?? '', /set aside in the queue Poison/);
  assert.match(bench.queue.messages({ queue: 'Poison' })[0]?.lastError ?? '', /routing broke down/);
  bench.route = route;
  bench.queue.resumeMessage(id);
  await quiet();
  assert.deepEqual(bench.statuses(id), ['gone']);
  assert.deepEqual([...bench.faults], []);
});

async function withSpool(
  t: TestContext,
  damage: (path: string, id: number) => Promise<void>,
): Promise<{ bench: Bench; spool: LmdbSpool; list: FaultList; good: number; bad: number; lines: string[] }> {
  const path = await mkdtemp(join(tmpdir(), 'edge-damaged-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  const ids: number[] = [];
  {
    await using spool = await LmdbSpool.open({ path, clock: systemClock });
    for (let i = 0; i < 2; i++) ids.push((await put(spool, {}, Buffer.from('Subject: x\r\n\r\nHello\r\n'))).id);
  }
  const [bad = 0, good = 0] = ids;
  await damage(path, bad);
  const lines: string[] = [];
  const log = {
    error: (_: object, text: string) => void lines.push(text),
    info: (_: object, text: string) => void lines.push(text),
  };
  const list = new FaultList(systemClock, log);
  const spool = await LmdbSpool.open({ path, clock: systemClock, faults: list });
  t.after(() => spool[Symbol.asyncDispose]());
  return { bench: new Bench({ spool }), spool, list, good, bad, lines };
}

async function inStore(path: string, change: (store: ReturnType<typeof open>) => Promise<unknown>): Promise<void> {
  const store = open(path, { encoding: 'binary', maxDbs: 8 });
  await change(store);
  await store.close();
}

const damages: readonly [what: string, damage: (path: string, id: number) => Promise<void>][] = [
  [
    'a record that cannot be read',
    (path, id) =>
      inStore(path, (store) =>
        store.openDB<Buffer, number>('records', { encoding: 'binary' }).put(id, Buffer.from('[1,')),
      ),
  ],
  [
    'recipient states that cannot be read',
    (path, id) =>
      inStore(path, (store) =>
        store.openDB<Buffer, number>('states', { encoding: 'binary' }).put(id, Buffer.from('{')),
      ),
  ],
  [
    'content that is missing',
    (path, id) => inStore(path, (store) => store.openDB<Buffer, number>('contents', { encoding: 'binary' }).remove(id)),
  ],
];
for (const [what, damage] of damages) {
  test(`${what}: the message is told, listed and kept aside, the others go, and it can be removed`, async (t) => {
    const { bench, spool, list, good, bad, lines } = await withSpool(t, damage);
    await bench.queue.start();
    await quiet();
    while (spool.count > 1) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(spool.get(good), undefined);
    assert.deepEqual(
      list.current.map(({ key }) => key),
      [`message ${bad}`],
    );
    assert.match(lines.join('\n'), new RegExp(`fault: .*message ${bad}.* it is kept in the spool and not delivered`));
    const [view] = bench.queue.messages({ queue: 'Poison' });
    assert.deepEqual([view?.id, view?.status], [bad, 'Suspended']);
    assert.ok(view?.lastError);
    assert.equal(await bench.queue.removeMessage(bad, { report: false }), true);
    assert.deepEqual([spool.count, list.current], [0, []]);
    assert.match(lines.at(-1) ?? '', /fault is over/);
  });
}

// ---- The wall clock is set; the queue waits as long as it should.

test('the clock was 24 hours ahead and is put right: what waits, and what comes, is not held until tomorrow', async () => {
  const bench = new Bench();
  bench.clock.set(24 * hour);
  let up = false;
  bench.deliver = async (work) => (up ? carrier(all(ok), 0)(work) : { kind: 'failed', reply: '441 4.4.1 refused' });
  await bench.send();
  bench.clock.set(-24 * hour);
  await bench.send();
  assert.equal(bench.view()?.status, 'Retry');
  const shown = (bench.view()?.nextRetryTime ?? 0) - bench.clock.now();
  assert.ok(shown > 0 && shown <= 60_000, `next retry is shown ${shown} ms ahead`);
  up = true;
  await bench.clock.advance(60_000);
  assert.equal(bench.spool.count, 0);
});

for (const by of [24 * hour, -24 * hour]) {
  test(`a deferred message waits its interval when the clock is set by ${by / hour} hours meanwhile`, async () => {
    const bench = new Bench();
    bench.deliver = carrier(all(later), 0);
    const { id } = await bench.send();
    bench.clock.set(by);
    bench.deliver = carrier(all(ok), 0);
    await bench.clock.advance(15 * 60_000 - 1);
    assert.deepEqual(bench.statuses(id), ['pending']);
    await bench.clock.advance(1);
    assert.deepEqual(bench.statuses(id), ['gone']);
  });

  test(`nothing expires early or late when the clock is set by ${by / hour} hours`, async () => {
    const bench = new Bench();
    bench.deliver = async () => ({ kind: 'failed', reply: '441 4.4.1 refused' });
    const { id } = await bench.send();
    bench.clock.set(by);
    await bench.clock.advance(48 * hour - 1);
    assert.deepEqual(bench.statuses(id), ['pending']);
    await bench.clock.advance(1);
    assert.deepEqual(bench.statuses(id), ['gone']);
  });
}

test('times on the disk from a clock that was ahead are bounded by the intervals that made them', async () => {
  const before = new Bench();
  before.clock.set(240 * hour);
  before.deliver = carrier(all(later), 0);
  const { id } = await before.send();
  const bench = new Bench({ disk: before.disk });
  bench.deliver = carrier(all(ok), 0);
  await bench.queue.start();
  await bench.clock.advance(15 * 60_000);
  assert.deepEqual(bench.statuses(id), ['gone']);

  const stuck = new Bench();
  stuck.clock.set(240 * hour);
  stuck.deliver = async () => ({ kind: 'failed', reply: '441 4.4.1 refused' });
  const old = await stuck.send();
  const again = new Bench({ disk: stuck.disk });
  again.deliver = stuck.deliver;
  await again.queue.start();
  await again.clock.advance(48 * hour);
  assert.deepEqual(again.statuses(old.id), ['gone']);
});

// ---- Queues

test('an emptied queue leaves the list, also one in Retry', async () => {
  const bench = new Bench();
  bench.deliver = async () => ({ kind: 'failed', reply: '441 4.4.1 refused' });
  const { id } = await bench.send();
  // Far enough into the retries that the next one is half an hour away.
  await bench.clock.advance(2 * hour);
  assert.equal(bench.view()?.status, 'Retry');
  await bench.queue.removeMessage(id, { report: false });
  await bench.clock.advance(180_000);
  assert.equal(bench.view(), undefined);
});

test('a message that comes to an emptied queue in Retry is still tried at the retry', async () => {
  const bench = new Bench();
  bench.deliver = async () => ({ kind: 'failed', reply: '441 4.4.1 refused' });
  const { id } = await bench.send();
  await bench.queue.removeMessage(id, { report: false });
  await bench.clock.advance(10_000);
  const second = await bench.send();
  bench.deliver = carrier(all(ok), 0);
  await bench.clock.advance(50_000);
  assert.deepEqual(bench.statuses(second.id), ['gone']);
});

test('a message in Unreachable has a LastError of its own', async () => {
  const bench = new Bench();
  bench.route = (message, recipients) => ({
    hops: [
      {
        hop: { key: 'Unreachable', type: 'Unreachable', domain: 'Unreachable Domain', connector: '' },
        recipients,
        reason: `no connector for ${message.envelope.recipients[0]?.domain}`,
      },
    ],
    failed: [],
  });
  await bench.send({ recipients: ['a@one.test'] });
  await bench.send({ recipients: ['a@two.test'] });
  assert.deepEqual(
    bench.queue.messages().map(({ lastError }) => lastError),
    ['no connector for one.test', 'no connector for two.test'],
  );
});
