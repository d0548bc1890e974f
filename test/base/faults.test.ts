import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, FaultList } from '../../src/base/index.ts';

function listWithLog(): { list: FaultList; lines: string[]; pass(ms: number): void } {
  let now = 1_000_000;
  const clock: Clock = { now: () => now, monotonic: () => now, after: () => ({ cancel: () => {} }) };
  const lines: string[] = [];
  const log = {
    error: (_: object, text: string) => void lines.push(`E ${text}`),
    info: (fields: object, text: string) => void lines.push(`I ${text} ${JSON.stringify(fields)}`),
  };
  return { list: new FaultList(clock, log), lines, pass: (ms) => void (now += ms) };
}

test('a fault is one line when it begins and one when it ends, however often it is reported', () => {
  const { list, lines, pass } = listWithLog();
  for (let i = 0; i < 100; i++) list.begin('disk', `only ${i} MB are left`);
  assert.deepEqual(list.current, [{ key: 'disk', text: 'only 99 MB are left', since: 1_000_000 }]);
  pass(90_000);
  list.end('disk');
  list.end('disk');
  list.end('never begun');
  assert.deepEqual(list.current, []);
  assert.deepEqual(lines, [
    'E fault: only 0 MB are left',
    'I fault is over: only 99 MB are left {"fault":"disk","seconds":90}',
  ]);
});

test('more faults than can be kept are counted', () => {
  const { list } = listWithLog();
  for (let i = 0; i < 1_500; i++) list.begin(`message ${i}`, 'is damaged');
  assert.equal(list.current.length, 1_001);
  assert.match(list.current.at(-1)?.text ?? '', /500 more/);
});
