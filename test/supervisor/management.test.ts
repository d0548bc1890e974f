import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ManagementClient, ManagementServer, NotRunningError } from '../../src/supervisor/index.ts';

async function endpoint(t: { after(call: () => void): void }): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'edge-endpoint-'));
  const path = join(folder, 'management.sock');
  const server = new ManagementServer({
    count: async function* (params) {
      for (let i = 0; i < (params as number); i++) yield i;
      return 'done';
    },
    fail: async function* () {
      yield 'first';
      throw new Error('no such thing');
    },
  });
  await server.listen(path);
  t.after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  return path;
}

test('parts come in order, then the end', async (t) => {
  using client = await ManagementClient.connect(await endpoint(t));
  const parts: unknown[] = [];
  assert.equal(await client.call('count', 1000, (part) => parts.push(part)), 'done');
  assert.deepEqual(
    parts,
    Array.from({ length: 1000 }, (_, i) => i),
  );
});

test('several calls on one connection do not mix', async (t) => {
  using client = await ManagementClient.connect(await endpoint(t));
  const counts = await Promise.all(
    [3, 5, 7].map(async (length) => {
      let parts = 0;
      await client.call('count', length, () => parts++);
      return parts;
    }),
  );
  assert.deepEqual(counts, [3, 5, 7]);
});

test('a failure and an unknown method reach the caller as errors', async (t) => {
  using client = await ManagementClient.connect(await endpoint(t));
  await assert.rejects(client.call('fail', null), /no such thing/);
  await assert.rejects(client.call('toString', null), /there is no method 'toString'/);
});

test('garbage on the socket is answered and ends nothing', async (t) => {
  const path = await endpoint(t);
  const socket = connect(path);
  socket.write('not json\n');
  const [answer] = await new Promise<Buffer[]>((resolve) => socket.once('data', (chunk: Buffer) => resolve([chunk])));
  assert.match(String(answer), /"error"/);
  socket.destroy();
  using client = await ManagementClient.connect(path);
  assert.equal(await client.call('count', 0), 'done');
});

test('only the owner may open the socket, and nobody there is told as such', async (t) => {
  const path = await endpoint(t);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await assert.rejects(ManagementClient.connect(`${path}.none`), NotRunningError);
});
