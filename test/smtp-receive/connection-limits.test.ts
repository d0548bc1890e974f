import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import { ConnectionLimits } from '../../src/smtp-receive/limits/connection-limits.ts';
import { NumberFiles, unshared } from '../../src/smtp-receive/limits/shared-numbers.ts';
import { internetConnector, internetSnapshot, Receiving } from './receiving.ts';

const rows: readonly [all: number, perSource: number, percentage: number, admitted: number, reason: string][] = [
  [3, Infinity, 100, 3, 'MaxInboundConnection 3'],
  [100, 2, 100, 2, 'MaxInboundConnectionPerSource 2'],
  [100, 50, 10, 10, 'MaxInboundConnectionPercentagePerSource 10'],
  // Two per cent of ten is less than one: one is always let in.
  [10, 20, 2, 1, 'MaxInboundConnectionPercentagePerSource 2'],
  [5000, 20, 2, 20, 'MaxInboundConnectionPerSource 20'],
];
for (const [all, perSource, percentage, admitted, reason] of rows) {
  test(`${all} in all, ${perSource} per source, ${percentage} %: ${admitted} from one address`, () => {
    const limits = new ConnectionLimits(unshared, systemClock);
    const connector = internetConnector({
      maxInboundConnection: all,
      maxInboundConnectionPerSource: perSource,
      maxInboundConnectionPercentagePerSource: percentage,
    });
    for (let i = 0; i < admitted; i++) assert.equal(limits.admit(connector, '192.0.2.1'), undefined);
    assert.equal(limits.admit(connector, '192.0.2.1')?.reason, `${reason} is reached`);
    limits.release(connector, '192.0.2.1');
    assert.equal(limits.admit(connector, '192.0.2.1'), undefined);
  });
}

test('addresses of one IPv6 /64 are one source', () => {
  const limits = new ConnectionLimits(unshared, systemClock);
  const connector = internetConnector({ maxInboundConnectionPerSource: 2 });
  assert.equal(limits.admit(connector, '2001:db8:1:2::1'), undefined);
  assert.equal(limits.admit(connector, '2001:db8:1:2:ffff::1'), undefined);
  assert.match(limits.admit(connector, '2001:db8:1:2::3')?.reason ?? '', /PerSource 2/);
  assert.equal(limits.admit(connector, '2001:db8:1:3::1'), undefined);
  limits.release(connector, '2001:db8:1:2:ffff::1');
  assert.equal(limits.admit(connector, '2001:db8:1:2::3'), undefined);
});

test('the connection above the limit gets 421, and there is room again after QUIT', async () => {
  await using edge = await Receiving.start({ snapshot: internetSnapshot({ maxInboundConnectionPerSource: 1 }) });
  const first = await edge.connect();
  await first.reply();
  const second = await edge.connect();
  assert.match(await second.reply(), /^421 4\.3\.2 The maximum number of concurrent connections has exceeded/);
  assert.equal(await second.end(), '');
  assert.match(edge.of('connection-refused')[0]?.reason ?? '', /MaxInboundConnectionPerSource 1/);
  await first.ask('QUIT');
  assert.match(await (await edge.connect()).reply(), /^220 /);
});

/** A folder for the numbers of so many workers, and a way to open one of them anew, as after a crash. */
function sharedBy(t: TestContext, workers: number): (index: number) => NumberFiles {
  const folder = join(mkdtempSync(join(tmpdir(), 'edge-counts-')), 'counts');
  const opened: NumberFiles[] = [];
  t.after(() => {
    for (const one of opened) one[Symbol.dispose]();
    rmSync(join(folder, '..'), { recursive: true });
  });
  return (index) => {
    const numbers = NumberFiles.open(folder, index, workers);
    opened.push(numbers);
    return numbers;
  };
}

test('workers count together, and what a worker that was killed had counted is free when it comes back', (t) => {
  const open = sharedBy(t, 3);
  const connector = internetConnector({
    maxInboundConnectionPerSource: 20,
    maxInboundConnection: 25,
    maxInboundConnectionPercentagePerSource: 100,
  });
  const workers = [0, 1, 2].map((index) => new ConnectionLimits(open(index), systemClock));
  const admitted = Array.from({ length: 200 }, (_, i) => workers[i % 3]?.admit(connector, '192.0.2.1'));
  assert.equal(admitted.filter((reached) => reached === undefined).length, 20);
  assert.match(admitted.at(-1)?.reason ?? '', /PerSource 20/);
  const others = Array.from({ length: 20 }, (_, i) => workers[i % 3]?.admit(connector, `192.0.2.${i + 2}`));
  assert.equal(others.filter((reached) => reached === undefined).length, 5);
  assert.match(others.at(-1)?.reason ?? '', /MaxInboundConnection 25/);
  const anew = new ConnectionLimits(open(0), systemClock);
  const again = Array.from({ length: 20 }, () => anew.admit(connector, '192.0.2.1'));
  assert.equal(again.filter((reached) => reached === undefined).length, 7);
});

test('the share of what is free is of the sessions of all workers', (t) => {
  const open = sharedBy(t, 2);
  const connector = internetConnector({ maxInboundConnection: 100, maxInboundConnectionPercentagePerSource: 10 });
  const [one, two] = [new ConnectionLimits(open(0), systemClock), new ConnectionLimits(open(1), systemClock)];
  for (let i = 0; i < 50; i++) assert.equal(one.admit(connector, `10.0.0.${i}`), undefined);
  const admitted = Array.from({ length: 20 }, () => two.admit(connector, '192.0.2.1'));
  assert.equal(admitted.filter((reached) => reached === undefined).length, 5);
});

test('names that share a place by chance add up, and neither is lost', () => {
  const written: number[] = [];
  const oneCell = { placeOf: () => 7, write: (_: number, sum = 0) => void written.push(sum), others: () => [] };
  const limits = new ConnectionLimits(oneCell, systemClock);
  const connector = internetConnector();
  limits.admit(connector, '192.0.2.1');
  limits.admit(connector, '192.0.2.2');
  assert.equal(written.at(-1), 4);
  limits.release(connector, '192.0.2.1');
  assert.equal(written.at(-1), 2);
  limits.release(connector, '192.0.2.2');
  assert.equal(written.at(-1), 0);
});

test('MaxConnectionRatePerMinute: connections beyond it get 421', async () => {
  const snapshot = internetSnapshot();
  await using edge = await Receiving.start({
    snapshot: { ...snapshot, server: { ...snapshot.server, maxConnectionRatePerMinute: 2 } },
  });
  for (let i = 0; i < 2; i++) assert.match(await (await edge.connect()).reply(), /^220 /);
  assert.match(await (await edge.connect()).reply(), /^421 4\.3\.2 /);
  assert.match(edge.of('connection-refused')[0]?.reason ?? '', /MaxConnectionRatePerMinute 2/);
});

test('a worker that was killed and does not come back takes nobody a place', (t) => {
  const folder = join(mkdtempSync(join(tmpdir(), 'edge-counts-')), 'counts');
  t.after(() => rmSync(join(folder, '..'), { recursive: true }));
  const room = (file: string): string => JSON.stringify(import.meta.resolve(`../../src/smtp-receive/limits/${file}`));
  const killed = `
    import { ConnectionLimits } from ${room('connection-limits.ts')};
    import { NumberFiles } from ${room('shared-numbers.ts')};
    const connector = { dn: 'CN=Internet', maxInboundConnection: 9, maxInboundConnectionPerSource: 9, maxInboundConnectionPercentagePerSource: 100 };
    new ConnectionLimits(NumberFiles.open(${JSON.stringify(folder)}, 1, 2), { now: Date.now }).admit(connector, '192.0.2.1');
    process.kill(process.pid, 'SIGKILL');
  `;
  using numbers = NumberFiles.open(folder, 0, 2);
  const { signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', killed], {
    encoding: 'utf8',
  });
  assert.equal(signal, 'SIGKILL', stderr);
  const connector = internetConnector({ maxInboundConnectionPerSource: 1 });
  const place = numbers.placeOf(`sessions 192.0.2.1 ${connector.dn}`);
  assert.equal(numbers.others(place)[0]?.[0], 1);
  assert.equal(new ConnectionLimits(numbers, systemClock).admit(connector, '192.0.2.1'), undefined);
  assert.equal(numbers.others(place)[0]?.[0], 0);
});

test('the counts of a worker that runs stay, whoever is refused for them', (t) => {
  const open = sharedBy(t, 2);
  const connector = internetConnector({ maxInboundConnectionPerSource: 1 });
  const [one, two] = [new ConnectionLimits(open(0), systemClock), new ConnectionLimits(open(1), systemClock)];
  assert.equal(one.admit(connector, '192.0.2.1'), undefined);
  for (let i = 0; i < 3; i++) assert.match(two.admit(connector, '192.0.2.1')?.reason ?? '', /PerSource 1/);
});

test('a file that another worker empties at the moment counts for nothing', (t) => {
  const folder = join(mkdtempSync(join(tmpdir(), 'edge-counts-')), 'counts');
  t.after(() => rmSync(join(folder, '..'), { recursive: true }));
  using one = NumberFiles.open(folder, 0, 2);
  using two = NumberFiles.open(folder, 1, 2);
  const place = one.placeOf('sessions');
  two.write(place, 3, 4, 5, 6);
  assert.deepEqual(one.others(place), [Uint32Array.of(3, 4, 5, 6)]);
  truncateSync(join(folder, 'worker-1'), 0);
  assert.deepEqual(one.others(place), [Uint32Array.of(0, 0, 0, 0)]);
});

test('sources that come and go leave no more than a thousand behind, and are counted right when they come again', () => {
  const limits = new ConnectionLimits(unshared, systemClock);
  const connector = internetConnector({ maxInboundConnectionPerSource: 1, maxInboundConnection: 1 });
  const sources = Array.from({ length: 3_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
  for (let round = 0; round < 2; round++)
    for (const source of sources) {
      assert.equal(limits.admit(connector, source), undefined);
      assert.notEqual(limits.admit(connector, source), undefined);
      limits.release(connector, source);
    }
});

test('the largest number of Exchange is no limit: nothing is written for it', () => {
  const written: number[] = [];
  const numbers = { placeOf: () => 0, write: (place: number) => void written.push(place), others: () => [] };
  const limits = new ConnectionLimits(numbers, systemClock);
  assert.equal(limits.arrived(2_147_483_647), undefined);
  assert.deepEqual(written, []);
  assert.equal(limits.arrived(1_200), undefined);
  assert.deepEqual(written, [0]);
});
