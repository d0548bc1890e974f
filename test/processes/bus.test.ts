/** The bus between the processes: parsed at the receiving end, and no failure without a voice. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { nothing, record, text, whole } from '../../src/base/index.ts';
import { readJsonLines } from '../../src/processes/bus/channels.ts';
import { Bus, channelPair, toProcess, toSupervisor } from '../../src/processes/index.ts';

const counting = {
  count: { argument: record<{ to: number }>({ to: whole(0, 10) }), answer: text(20) },
  told: { argument: whole(), answer: nothing },
};
const none = {};

function ends() {
  const [one, two] = channelPair();
  const faults = { asking: [] as string[], answering: [] as string[] };
  const heard = (list: string[]) => (error: Error, name: string) => void list.push(`${name}: ${error.message}`);
  const asking = new Bus(one, { out: counting, in: none }, heard(faults.asking));
  const answering = new Bus(two, { out: none, in: counting }, heard(faults.answering));
  return { asking, answering, faults, raw: two };
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('arguments and answers are parsed where they arrive', async () => {
  const { asking, answering, faults } = ends();
  answering.handle('count', ({ to }) => (to === 3 ? (7 as never) : `up to ${to}`));
  assert.equal(await asking.request('count', { to: 2 }), 'up to 2');
  await assert.rejects(asking.request('count', { to: 11 }), /count\.to is not a whole number from 0 to 10/);
  await assert.rejects(asking.request('count', { to: 3 }), /count is not text of at most 20 characters/);
  await assert.rejects(asking.relay('other', {}), /nobody answers 'other'/);
  await assert.rejects(asking.relay('toString', {}), /nobody answers 'toString'/);
  assert.equal(faults.answering.length, 3, 'what could not be taken is heard on the answering side as well');
});

test('a notice handler that throws is logged, and told to the side that sent the notice', async () => {
  const { asking, answering, faults } = ends();
  answering.handle('told', () => {
    throw new Error('on purpose');
  });
  asking.notify('told', 1);
  await settled();
  assert.deepEqual(faults, { asking: ['told: on purpose'], answering: ['told: on purpose'] });
});

test('what is no message is a fault, not an end', async () => {
  const { asking, faults, raw, answering } = ends();
  for (const odd of [null, 1, 'x', [], {}, { type: 'reply' }, { type: 'reply', id: 'x', name: 'y' }]) raw.send(odd);
  raw.send({ type: 'reply', id: 99, name: 'late', argument: 1 });
  await settled();
  assert.equal(faults.asking.length, 7);
  answering.handle('count', () => 'still here');
  assert.equal(await asking.request('count', { to: 1 }), 'still here');
});

test('a process that says too much in one line, or no JSON, is cut off', async () => {
  for (const [said, reason] of [
    ['x'.repeat(100), /more than 50 octets/],
    ['{"open":\n', /no JSON/],
  ] as const) {
    const stream = new PassThrough();
    const taken: unknown[] = [];
    const { promise, resolve } = Promise.withResolvers<string>();
    readJsonLines(stream, (value) => void taken.push(value), resolve, 50);
    stream.write('{"a":1}\n[2]\n');
    stream.write(said.slice(0, 5));
    stream.write(said.slice(5));
    assert.match(await promise, reason);
    assert.deepEqual(taken, [{ a: 1 }, [2]]);
  }
});

test('only the table of the supervisor is spoken by processes', () => {
  assert.deepEqual(Object.keys(toSupervisor), [
    'ready',
    'bindings',
    'changed',
    'certificates-changed',
    'ticket-secret',
    'supervisor-status',
    'check-logon',
    'fan-out',
  ]);
  for (const [odd, name] of [
    [[{ address: '127.0.0.1', port: 70_000, use: 'smtp' }], 'bindings'],
    [[{ address: 'x'.repeat(65), port: 25, use: 'smtp' }], 'bindings'],
    [Array.from({ length: 2_000 }, () => ({ address: '::1', port: 25, use: 'smtp' })), 'bindings'],
    [-1, 'changed'],
  ] as const) {
    assert.throws(() => toSupervisor[name].argument(odd, name), /is not/);
  }
  assert.throws(() => toProcess.listen.argument({ address: '127.0.0.1' }, 'listen'), /listen\.port/);
});
