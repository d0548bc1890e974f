/** Limits of connections over all workers of an appliance, and what becomes of the counts of a worker that is killed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { Appliance, eventually } from '../lib/appliance.ts';

let appliance: Appliance;
const open: Socket[] = [];
before(async () => {
  appliance = await Appliance.start({
    workers: 2,
    lines: ['Set-ReceiveConnector "Default internal receive connector $server" -MaxInboundConnectionPerSource 20'],
  });
});
after(async () => {
  for (const socket of open) socket.destroy();
  await appliance?.[Symbol.asyncDispose]();
});

/** Connects so often at once; how many were greeted. Those that were stay open. */
async function greeted(count: number): Promise<number> {
  const answers = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect({ host: '127.0.0.1', port: appliance.port });
      socket.on('error', () => {});
      open.push(socket);
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      return chunk.toString('latin1').slice(0, 3);
    }),
  );
  assert.deepEqual([...new Set(answers)].sort(), answers.includes('421') ? ['220', '421'] : ['220']);
  return answers.filter((code) => code === '220').length;
}

test('200 connections of one source at once leave MaxInboundConnectionPerSource, and a killed worker’s come back', async () => {
  assert.equal(await greeted(200), 20);
  const before = await appliance.workers();
  process.kill(before[0] ?? assert.fail(), 'SIGKILL');
  await eventually('the worker is back', async () => {
    const now = await appliance.workers();
    return now.length === 2 && now.every((pid) => pid > 0) && now[0] !== before[0];
  });
  // Those of the killed worker, and no more: all in all twenty again.
  const alive = open.filter((socket) => !socket.destroyed && socket.readyState === 'open').length;
  assert.ok(alive < 20, `${alive} sessions are left`);
  let more = 0;
  await eventually('the counts are free again', async () => {
    more += await greeted(40);
    return alive + more >= 20;
  });
  assert.equal(alive + more, 20);
});
