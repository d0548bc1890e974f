/** Limits of connections over all workers of an appliance, and what becomes of the counts of a worker that is killed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { Appliance, eventually } from '../lib/appliance.ts';

let appliance: Appliance;
/** Those that were greeted. */
const sessions: Socket[] = [];
const refused: Socket[] = [];
before(async () => {
  appliance = await Appliance.start({
    workers: 2,
    lines: ['Set-ReceiveConnector "Default internal receive connector $server" -MaxInboundConnectionPerSource 20'],
  });
});
after(async () => {
  for (const socket of [...sessions, ...refused]) socket.destroy();
  await appliance?.[Symbol.asyncDispose]();
});

/** Connects so often at once; how many were greeted. Those that were stay open. */
async function greeted(count: number): Promise<number> {
  const answers = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect({ host: '127.0.0.1', port: appliance.port });
      socket.on('error', () => {});
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      const code = chunk.toString('latin1').slice(0, 3);
      (code === '220' ? sessions : refused).push(socket);
      socket.resume();
      return code;
    }),
  );
  assert.deepEqual([...new Set(answers)].sort(), answers.includes('421') ? ['220', '421'] : ['220']);
  return answers.filter((code) => code === '220').length;
}

/** Kills a worker, and waits for the one in its place. */
async function killed(victim: number): Promise<void> {
  process.kill(victim, 'SIGKILL');
  await eventually('the worker is back', () => {
    const now = appliance.workers();
    return now.length === 2 && !now.includes(victim);
  });
}

test('200 connections of one source at once leave MaxInboundConnectionPerSource, and a killed worker’s come back', async () => {
  assert.equal(await greeted(200), 20);
  const alive = (): number => sessions.filter((socket) => !socket.destroyed && socket.readyState === 'open').length;
  // The first worker may have been too busy to take any of them: then the second one has all.
  for (const pid of appliance.workers()) if (alive() === 20) await killed(pid);
  const left = alive();
  assert.ok(left < 20, `${left} sessions are left`);
  // Those of the killed worker, and no more: all in all twenty again.
  let more = 0;
  await eventually('the counts are free again', async () => {
    more += await greeted(40);
    return left + more >= 20;
  });
  assert.equal(left + more, 20);
});
