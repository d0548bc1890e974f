import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeliveryItem, DeliveryWork } from '../../src/queue/index.ts';
import { all, Bench, Connections, carrier, later, never, ok } from './lib/bench.ts';
import { quiet } from './lib/fake-clock.ts';

const refused = { kind: 'failed', reply: '441 4.4.1 refused' } as const;
const minute = 60_000;

test('a message is delivered at once, from memory, and leaves the spool', async () => {
  const bench = new Bench();
  let content: Buffer | undefined;
  bench.spool.content = () => assert.fail('the content was read back');
  bench.deliver = carrier((item) => {
    content = item.content();
    return [ok];
  });
  const { id } = await bench.send();
  assert.equal(content?.toString(), 'Hello\r\n');
  assert.deepEqual(bench.statuses(id), ['gone']);
  assert.deepEqual(bench.spool.story, [`commit ${id}`, `remove ${id}`]);
  const [event] = bench.told('delivered');
  assert.deepEqual([event?.replies, event?.attempt, event?.remote], [['250 2.0.0 OK'], 1, 'host [192.0.2.1]:25']);
  assert.deepEqual(bench.reports, []);
});

test('a message for a next hop that waits is not kept in memory, and is read from the spool when it goes', async () => {
  const bench = new Bench();
  let up = false;
  bench.deliver = async (work) => (up ? carrier(all(ok), 0)(work) : refused);
  await bench.send();
  await bench.clock.advance(30_000);
  assert.equal(bench.view()?.status, 'Retry');
  const { id } = await bench.send();
  const read: number[] = [];
  const get = bench.spool.get.bind(bench.spool);
  bench.spool.get = (one) => {
    read.push(one);
    return get(one);
  };
  up = true;
  await bench.clock.advance(minute);
  assert.deepEqual(bench.statuses(id), ['gone']);
  assert.ok(read.includes(id), 'it was at hand all the while');
});

test("a next hop that cannot be reached is tried at Exchange's times until the messages expire", async () => {
  const bench = new Bench();
  bench.deliver = async () => refused;
  const { id } = await bench.send();
  await bench.clock.advance(172_800_000 - 1);
  // 4 glitch retries each minute, 6 transient ones each 10 minutes, then each half hour.
  const glitch = [1, 2, 3, 4].map((n) => n * 60);
  const transient = [1, 2, 3, 4, 5, 6].map((n) => 240 + n * 600);
  const expected = [0, ...glitch, ...transient];
  for (let at = 3_840 + 1_800; at < 172_800; at += 1_800) expected.push(at);
  assert.deepEqual(bench.starts, expected);
  assert.deepEqual(bench.reports, [`delayed ${id}: 0`]);
  assert.equal(bench.requests[0]?.recipients[0]?.reply, '441 4.4.1 refused');
  await bench.clock.advance(1);
  assert.deepEqual(bench.reports, [`delayed ${id}: 0`, `failed ${id}: 0`]);
  assert.equal(
    bench.requests[1]?.recipients[0]?.reply,
    '550 4.4.7 QUEUE.Expired; message expired; the last answer was: 441 4.4.1 refused',
  );
  assert.deepEqual(bench.told('message-expired')[0]?.recipients, ['a@example.com']);
  assert.deepEqual(bench.statuses(id), ['gone']);
});

test('a success begins the count of failures anew', async () => {
  const bench = new Bench();
  let up = false;
  bench.deliver = async (work) => (up ? carrier(all(ok), 0)(work) : refused);
  await bench.send();
  await bench.clock.advance(3.5 * minute);
  assert.deepEqual(bench.starts, [0, 60, 120, 180]);
  assert.equal(bench.view()?.status, 'Retry');
  assert.equal(bench.view()?.retryCount, 4);
  up = true;
  await bench.clock.advance(minute);
  assert.equal(bench.spool.count, 0);
  up = false;
  bench.starts.length = 0;
  await bench.send();
  assert.deepEqual(bench.view(), { ...bench.view(), status: 'Retry', retryCount: 1, lastError: refused.reply });
  await bench.clock.advance(minute);
  assert.deepEqual(bench.starts, [270, 330]);
});

test('a message that is deferred comes again after MessageRetryInterval, others go on', async () => {
  const bench = new Bench();
  const seen: string[] = [];
  bench.deliver = carrier((item) => {
    seen.push(`${bench.seconds}: ${item.message.id} ${item.content()?.toString().trim()}`);
    return all(item.message.id === 1 && seen.length < 3 ? later : ok)(item);
  }, 0);
  await bench.send();
  assert.deepEqual(bench.view(), { ...bench.view(), messageCount: 1, deferredMessageCount: 1, status: 'Ready' });
  await bench.send();
  await bench.clock.advance(15 * minute - 1);
  assert.deepEqual(seen, ['0: 1 Hello', '0: 2 Hello']);
  await bench.clock.advance(1);
  assert.deepEqual(seen.slice(2), ['900: 1 Hello']);
  const [deferral] = bench.told('deferred');
  assert.equal(deferral?.retryAt, bench.clock.now());
  assert.equal(bench.told('delivered').find(({ message }) => message === 1)?.attempt, 2);
  assert.equal(bench.spool.count, 0);
});

test('each recipient is settled by its own outcome, the report before the state', async () => {
  const bench = new Bench();
  bench.deliver = carrier((item) => (item.recipients.length === 3 ? [ok, later, never] : all(ok)(item)), 0);
  const { id } = await bench.send({ recipients: ['a@x.test', 'b@x.test', 'c@x.test'] });
  assert.deepEqual(bench.statuses(id), ['delivered', 'pending', 'failed']);
  assert.deepEqual(bench.reports, [`failed ${id}: 2`]);
  const states = bench.disk.messages.get(id)?.message.recipients;
  assert.deepEqual(
    states?.map(({ attempts, lastReply }) => [attempts, lastReply]),
    [ok, later, never].map(({ reply }) => [1, reply]),
  );
  assert.ok(bench.spool.story.indexOf(`report ${id}`) < bench.spool.story.lastIndexOf(`update ${id}`));
  await bench.clock.advance(15 * minute);
  assert.deepEqual(bench.statuses(id), ['gone']);
  assert.deepEqual(
    bench.told('delivered').map(({ recipients }) => recipients),
    [['a@x.test'], ['b@x.test']],
  );
});

test('a failed recipient stays pending on the disk until its report is written', async () => {
  const bench = new Bench();
  let full = true;
  bench.notify = async () => {
    if (full) throw new Error('the spool is full');
  };
  bench.deliver = carrier((item) => [ok, never].slice(0, item.recipients.length), 0);
  const { id } = await bench.send({ recipients: ['a@x.test', 'b@x.test'] });
  assert.deepEqual(bench.statuses(id), ['delivered', 'pending']);
  full = false;
  await bench.clock.advance(minute);
  assert.deepEqual(bench.reports, [`failed ${id}: 1`]);
  assert.deepEqual(bench.statuses(id), ['gone']);
});

test('a success is reported when the sender asked for it, and is not forgotten when the report cannot be written', async () => {
  const bench = new Bench();
  bench.deliver = carrier((item) => item.recipients.map(() => ({ kind: 'relayed', reply: '250 OK' })), 0);
  const recipients = [
    { address: 'a@x.test', domain: 'x.test', notify: ['SUCCESS'] as const },
    { address: 'b@x.test', domain: 'x.test', notify: ['FAILURE'] as const },
  ];
  const { id } = await bench.send({ recipients });
  assert.deepEqual(bench.reports, [`relayed ${id}: 0`]);
  assert.deepEqual(bench.statuses(id), ['gone']);
  bench.notify = async () => {
    throw new Error('the spool is full');
  };
  const second = await bench.send({ recipients });
  // A delivery must not happen again because of a report: both are settled, the report is still owed.
  assert.deepEqual(bench.statuses(second.id), ['relayed', 'relayed']);
  bench.notify = async () => undefined;
  await bench.clock.advance(minute);
  assert.deepEqual(bench.reports.slice(1), [`relayed ${second.id}: 0`]);
  assert.deepEqual(bench.statuses(second.id), ['gone']);
});

test('outcomes of different next hops do not overwrite each other', async () => {
  const bench = new Bench();
  const connections = new Connections();
  bench.deliver = connections.deliver;
  const { id } = await bench.send({ recipients: ['a@x.test', 'b@y.test', 'c@z.test'] });
  const items = connections.open.map(({ work }) => work.next(0) as DeliveryItem);
  items[0]?.settle([ok], 'x');
  items[1]?.settle([later], 'y');
  items[2]?.settle([ok], 'z');
  await quiet();
  assert.deepEqual(bench.statuses(id), ['delivered', 'pending', 'delivered']);
  await bench.clock.advance(15 * minute);
  const again = connections.open.find(({ work }) => work.hop.domain === 'y.test');
  (again?.work.next(0) as DeliveryItem | undefined)?.settle([ok], 'y');
  await quiet();
  assert.deepEqual(bench.statuses(id), ['gone']);
});

test('a delay is told once for each recipient, after DelayNotificationTimeout', async () => {
  const bench = new Bench();
  bench.deliver = carrier(all(later), 0);
  const { id } = await bench.send({ recipients: ['a@x.test', 'b@x.test'] });
  await bench.clock.advance(240 * minute - 1);
  assert.deepEqual(bench.reports, []);
  await bench.clock.advance(1);
  assert.deepEqual(bench.reports, [`delayed ${id}: 0,1`]);
  assert.deepEqual(
    bench.disk.messages.get(id)?.message.recipients.map(({ delayNotified }) => delayNotified),
    [true, true],
  );
  await bench.clock.advance(600 * minute);
  assert.equal(bench.reports.length, 1);
  // Nor after a restart.
  const again = new Bench({ disk: bench.disk, clock: bench.clock });
  again.deliver = carrier(all(later), 0);
  await again.queue.start();
  await again.clock.advance(600 * minute);
  assert.deepEqual(again.reports, []);
});

test('a recipient without a route fails at once, the others go', async () => {
  const bench = new Bench();
  const { id } = await bench.send({ recipients: ['a@noroute.test', 'b@x.test'] });
  assert.deepEqual(bench.reports, [`failed ${id}: 0`]);
  assert.deepEqual(
    bench.told('failed').map(({ replies }) => replies),
    [['550 5.4.4 no route']],
  );
  assert.deepEqual(bench.statuses(id), ['gone']);
});

test('what cannot be reached waits in Unreachable until the configuration changes', async () => {
  const bench = new Bench();
  const { id } = await bench.send({ recipients: ['a@unreachable.test'] });
  assert.equal(bench.view('Unreachable')?.messageCount, 1);
  assert.deepEqual(bench.starts, []);
  bench.route = (_, recipients) => ({
    hops: [{ hop: { key: 'k', type: 'SmartHostConnectorDelivery', domain: 'hub', connector: 'New' }, recipients }],
    failed: [],
  });
  await bench.queue.reroute();
  await quiet();
  assert.equal(bench.view('Unreachable')?.messageCount, 0);
  assert.deepEqual(bench.statuses(id), ['gone']);
});

test('a queue that is at work is routed again when its connections have ended', async () => {
  const bench = new Bench();
  const connections = new Connections();
  bench.deliver = connections.deliver;
  await bench.submit();
  await bench.send();
  const { work, end } = connections.at(0);
  const item = work.next(0) as DeliveryItem;
  bench.route = (_, recipients) => ({
    hops: [{ hop: { key: 'k', type: 'SmartHostConnectorDelivery', domain: 'hub', connector: 'New' }, recipients }],
    failed: [],
  });
  await bench.queue.reroute();
  assert.equal(bench.view()?.messageCount, 2);
  item.settle([ok], 'x');
  end({ kind: 'done' });
  await quiet();
  assert.deepEqual(connections.open.map(({ work: { hop } }) => hop.key).includes('k'), true);
});

test('connections stay within the limits of the domain and of the server', async () => {
  const bench = new Bench();
  const connections = new Connections();
  bench.deliver = connections.deliver;
  bench.settings = { ...bench.settings, maxOutboundConnections: 2, maxPerDomainOutboundConnections: 2 };
  for (let i = 0; i < 50; i++) await bench.submit({ recipients: ['a@x.test', 'b@y.test', 'c@z.test'] });
  await quiet();
  const count = (domain: string): number => connections.open.filter(({ work }) => work.hop.domain === domain).length;
  assert.deepEqual([count('x.test'), count('y.test'), count('z.test')], [1, 1, 0]);
  // Whoever had none gets the next place.
  (connections.at(0).work.next(0) as DeliveryItem).settle([ok], 'x');
  connections.at(0).end({ kind: 'done' });
  await quiet();
  assert.deepEqual([count('x.test'), count('y.test'), count('z.test')], [0, 1, 1]);
  bench.settings = { ...bench.settings, maxOutboundConnections: 1_000, maxPerDomainOutboundConnections: 3 };
  for (let i = 0; i < 50; i++) await bench.submit({ recipients: ['a@x.test'] });
  await quiet();
  assert.equal(count('x.test'), 3);
});

test('a trickle is carried by one connection that waits', async () => {
  const bench = new Bench();
  for (let i = 0; i < 20; i++) {
    await bench.send();
    await bench.clock.advance(1_000);
  }
  assert.deepEqual(bench.starts, [0]);
  assert.equal(bench.spool.count, 0);
  await bench.clock.advance(5_000);
  assert.equal(bench.view()?.status, 'Ready');
  assert.equal(bench.view()?.connections, 0);
});

test('of several that wait, the one that worked last is woken', async () => {
  const bench = new Bench();
  const woken: number[] = [];
  let count = 0;
  bench.deliver = (work) => {
    const name = ++count;
    return carrier(async (item) => {
      woken.push(name);
      await new Promise<void>((resolve) => setImmediate(resolve));
      return all(ok)(item);
    })(work);
  };
  await Promise.all(Array.from({ length: 30 }, () => bench.submit()));
  await quiet();
  assert.ok(count > 1, `${count} connections`);
  woken.length = 0;
  for (let i = 0; i < 5; i++) await bench.send();
  assert.equal(new Set(woken).size, 1);
});

test('a waiting connection ends after its idle time, not before', async () => {
  const bench = new Bench();
  await bench.send();
  await bench.clock.advance(4_999);
  assert.equal(bench.view()?.connections, 1);
  await bench.clock.advance(1);
  assert.equal(bench.view()?.connections, 0);
});

test('a queue that is empty is forgotten after QueueMaxIdleTime', async () => {
  const bench = new Bench();
  bench.deliver = carrier(all(ok), 0);
  await bench.send();
  await bench.clock.advance(180_000 - 1);
  assert.notEqual(bench.view(), undefined);
  await bench.clock.advance(1);
  assert.equal(bench.view(), undefined);
});

test('connections of one attempt that fail together count as one failure', async () => {
  const bench = new Bench();
  const connections = new Connections();
  bench.deliver = connections.deliver;
  for (let i = 0; i < 40; i++) await bench.submit();
  await quiet();
  assert.ok(connections.open.length > 3);
  while (connections.open.length > 0) {
    connections.at(0).end(refused);
    await quiet();
  }
  assert.deepEqual(bench.view(), { ...bench.view(), retryCount: 1, status: 'Retry' });
  await bench.clock.advance(minute);
  assert.equal(connections.open.length, 1, 'one connection finds out whether it is back');
});

test('refusals beside a connection that still tries, or works, open no others in their place', async () => {
  const bench = new Bench();
  let hanging = 0;
  bench.deliver = (work) => {
    if (bench.starts.length > 200) throw new Error('it goes round in circles');
    if (hanging > 0) return Promise.resolve(refused);
    hanging += 1;
    return new Promise((resolve) => work.signal.addEventListener('abort', () => resolve(refused)));
  };
  for (let i = 0; i < 100; i++) await bench.submit();
  await quiet();
  assert.ok(bench.starts.length <= 25, `${bench.starts.length} connections`);
  assert.equal(bench.view()?.retryCount, 0);
});

test('items given back are handed out again, in their order, and count no attempt', async () => {
  const bench = new Bench();
  const connections = new Connections();
  bench.deliver = connections.deliver;
  await bench.submit();
  await bench.send();
  const first = connections.at(0);
  const item = first.work.next(0) as DeliveryItem;
  assert.equal(item.message.id, 1);
  item.release();
  first.end({ kind: 'done' });
  await quiet();
  const again = connections.at(0).work.next(0) as DeliveryItem;
  assert.equal(again.message.id, 1);
  again.settle([ok], 'x');
  await quiet();
  assert.equal(bench.told('delivered')[0]?.attempt, 1);
});

test('an item is settled once', async () => {
  const bench = new Bench();
  const connections = new Connections();
  bench.deliver = connections.deliver;
  await bench.send({ recipients: ['a@x.test', 'b@x.test'] });
  const item = connections.at(0).work.next(0) as DeliveryItem;
  assert.throws(() => item.settle([ok], 'x'), RangeError);
  item.settle([ok, ok], 'x');
  assert.throws(() => item.settle([ok, ok], 'x'));
  assert.throws(() => item.release());
});

test('what a connection leaves unsettled goes to another one, and a late word is not heard', async () => {
  const bench = new Bench();
  const connections = new Connections();
  bench.deliver = connections.deliver;
  const { id } = await bench.send();
  const lost = connections.at(0);
  const item = lost.work.next(0) as DeliveryItem;
  lost.end({ kind: 'done' });
  await quiet();
  item.settle([never], 'x');
  assert.equal(lost.work.next(0), undefined);
  (connections.at(0).work.next(0) as DeliveryItem).settle([ok], 'x');
  await quiet();
  assert.deepEqual(bench.statuses(id), ['gone']);
  assert.deepEqual(bench.reports, []);
});

for (const [name, deliver] of [
  ['throws', () => Promise.reject(new Error('a bug'))],
  ['ends without asking for work', async () => ({ kind: 'done' }) as const],
  [
    'gives back all it gets',
    async (work: DeliveryWork) => {
      (await work.next(0))?.release();
      return { kind: 'done' } as const;
    },
  ],
] as const) {
  test(`a deliverer that ${name} does not make the queue spin`, async () => {
    const bench = new Bench();
    bench.deliver = (work) => {
      if (bench.starts.length > 100) throw new Error('it goes round in circles');
      return deliver(work);
    };
    const { id } = await bench.send();
    assert.ok(bench.starts.length <= 3, `${bench.starts.length} connections`);
    assert.equal(bench.view()?.status, 'Retry');
    bench.deliver = carrier(all(ok), 0);
    await bench.clock.advance(minute);
    assert.deepEqual(bench.statuses(id), ['gone']);
  });
}

test('a router that breaks down over one message keeps it, and the others go on', async () => {
  const bench = new Bench();
  const route = bench.route;
  bench.route = (message, pending) => {
    if (message.envelope.from === 'bad@x.test') throw new Error('a bug');
    return route(message, pending);
  };
  const bad = await bench.submit({ from: 'bad@x.test' });
  const good = await bench.send();
  assert.deepEqual([bench.statuses(good.id), bench.statuses(bad.id)], [['gone'], ['pending']]);
  assert.equal(bench.view('Poison')?.messageCount, 1);
  const again = new Bench({ disk: bench.disk, clock: bench.clock });
  await again.queue.start();
  await quiet();
  assert.deepEqual(again.statuses(bad.id), ['gone']);
});

test('writes of outcomes that fail are made up for', async () => {
  const bench = new Bench();
  const connections = new Connections();
  bench.deliver = connections.deliver;
  const { id } = await bench.send();
  bench.spool.failing = true;
  (connections.at(0).work.next(0) as DeliveryItem).settle([ok], 'x');
  await quiet();
  assert.deepEqual(bench.statuses(id), ['pending']);
  bench.spool.failing = false;
  await bench.clock.advance(2_000);
  assert.deepEqual(bench.statuses(id), ['gone']);
});

test('many that are due at once do not hold up the event loop', async () => {
  const bench = new Bench();
  bench.deliver = carrier(all(later), 0);
  for (let i = 0; i < 3_000; i++) await bench.submit();
  await bench.clock.advance(1_000);
  let most = 0;
  let turn = 0;
  bench.deliver = carrier((item) => {
    most = Math.max(most, ++turn);
    return all(ok)(item);
  }, 0);
  const watch = (): void => {
    turn = 0;
    if (bench.spool.count > 0) setImmediate(watch);
  };
  setImmediate(watch);
  await bench.clock.advance(20 * minute);
  assert.equal(bench.spool.count, 0);
  assert.ok(most <= 1_000, `${most} in one turn`);
});
