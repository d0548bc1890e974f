/** Levels, hysteresis and what follows from them, by injected readings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackPressure, type Peer, type Readings, type ResourceName } from '../../src/back-pressure/index.ts';
import { resourcesOf } from '../../src/back-pressure/resources.ts';
import type { Clock } from '../../src/base/index.ts';

const GB = 1024 ** 3;
const plenty: Readings = {
  DatabaseUsedSpace: 10,
  PrivateBytes: 10,
  'QueueLength[SubmissionQueue]': 0,
  SystemMemory: 10,
  'UsedDiskSpace[logs]': 10,
};

/** Back pressure whose readings the test sets, and the faults that it tells. */
function pressed(): {
  pressure: BackPressure;
  read(readings: Partial<Readings>, times?: number): void;
  told: string[];
} {
  let now = plenty;
  const told: string[] = [];
  const clock: Clock = { now: () => 0, monotonic: () => 0, after: () => ({ cancel() {} }) };
  const faults = {
    begin: (_: string, text: string) => void told.push(text),
    end: (key: string) => void told.push(`end of ${key}`),
  };
  // 500 MB and 1152 MB of these disks are one per cent: the thresholds are those of Exchange's table.
  const disks = { spool: (500 / 1024) * 100 * GB, logs: (1152 / 1024) * 100 * GB };
  const pressure = new BackPressure({ clock, faults, disks, read: () => now });
  const read = (readings: Partial<Readings>, times = 1): void => {
    now = { ...plenty, ...readings };
    for (let i = 0; i < times; i++) pressure.look();
  };
  return { pressure, read, told };
}

/** Readings one after the other, and the level behind each. */
const rows: readonly [resource: ResourceName, readings: readonly number[], levels: string][] = [
  ['PrivateBytes', [72, 72.1, 72, 71, 70.9, 71.5], 'Low Medium Medium Medium Low Low'],
  ['PrivateBytes', [75, 75.1, 74, 73, 72.9, 76, 10], 'Medium High High High Medium High Low'],
  ['DatabaseUsedSpace', [96, 96.1, 99.1, 97, 96.9, 94, 93.9], 'Low Medium High High Medium Medium Low'],
  ['UsedDiskSpace[logs]', [89, 89.1, 99.1, 90, 89.9, 80, 79.9], 'Low Medium High High Medium Medium Low'],
  [
    'QueueLength[SubmissionQueue]',
    [9_999, 10_000, 15_001, 10_000, 9_999, 2_000, 1_999],
    'Low Medium High High Medium Medium Low',
  ],
  ['SystemMemory', [88, 88.1, 94.1, 89, 88.9, 84, 83.9], 'Low Medium High High Medium Medium Low'],
];
for (const [resource, readings, levels] of rows) {
  test(`${resource} at ${readings.join(', ')}: ${levels}`, () => {
    const { pressure, read } = pressed();
    const seen = readings.map((reading) => {
      read({ [resource]: reading });
      return pressure.state.find((one) => one.resource === resource)?.level;
    });
    assert.equal(seen.join(' '), levels);
  });
}

const verdicts = (pressure: BackPressure): string =>
  (['exchange', 'other', 'pickup'] as const satisfies Peer[]).map((peer) => pressure.verdict(peer).kind).join(' ');

test('Medium refuses all but servers of the organization, High refuses everybody, and it ends as it began', () => {
  const { pressure, read, told } = pressed();
  read({});
  assert.equal(verdicts(pressure), 'take take take');
  read({ DatabaseUsedSpace: 97 });
  assert.equal(verdicts(pressure), 'take refuse refuse');
  assert.deepEqual(pressure.verdict('other'), { kind: 'refuse', level: 'Medium', resource: 'DatabaseUsedSpace' });
  read({ DatabaseUsedSpace: 99.5 });
  assert.equal(verdicts(pressure), 'refuse refuse refuse');
  read({ DatabaseUsedSpace: 95 });
  assert.equal(verdicts(pressure), 'take refuse refuse');
  read({ DatabaseUsedSpace: 93 });
  assert.equal(verdicts(pressure), 'take take take');
  assert.equal(told.length, 4);
  assert.match(
    told[0] ?? '',
    /DatabaseUsedSpace is Medium at 97 \(LowToMedium:96, MediumToHigh:99, HighToMedium:97, MediumToLow:94\)/,
  );
  assert.equal(told[3], 'end of back pressure DatabaseUsedSpace');
});

test('a queue that is too long slows peers down, more and more, and refuses them behind 300 readings', () => {
  const { pressure, read } = pressed();
  const long = { 'QueueLength[SubmissionQueue]': 12_000 };
  const seconds = (): unknown => {
    const verdict = pressure.verdict('other');
    return verdict.kind === 'slow' ? verdict.seconds : verdict.kind;
  };
  read(long);
  assert.equal(seconds(), 10);
  read(long, 30);
  assert.equal(seconds(), 15);
  read(long, 269);
  assert.equal(seconds(), 55);
  assert.equal(verdicts(pressure), 'take slow slow');
  read(long);
  assert.equal(verdicts(pressure), 'take refuse refuse');
  read({ 'QueueLength[SubmissionQueue]': 16_000 });
  assert.equal(verdicts(pressure), 'refuse refuse refuse');
  read({});
  assert.equal(verdicts(pressure), 'take take take');
});

test('memory of the machine that runs short is told, and refuses nothing', () => {
  const { pressure, read, told } = pressed();
  read({ SystemMemory: 95 });
  assert.equal(verdicts(pressure), 'take take take');
  assert.equal(pressure.level, 'Low');
  assert.match(told[0] ?? '', /SystemMemory is High at 95 .*nothing is refused/);
});

test('a large disk is in need when 500 MB are left, not at a share of it', () => {
  const [spool] = resourcesOf({ spool: 4_000 * GB, logs: 4_000 * GB });
  assert.equal(spool?.mediumToHigh, 99.9);
  const [small] = resourcesOf({ spool: 5 * GB, logs: 5 * GB });
  assert.equal(small?.mediumToHigh, 90.2);
});
