import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ManagementClient, NotPermittedError, NotRunningError } from '../../src/management/client/index.ts';
import { ManagementServer, prepareManagement } from '../../src/management/index.ts';
import { prepareStateFolder, type StatePaths, statePaths } from '../../src/processes/index.ts';

const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

async function endpoint(t: { after(call: () => void): void }, name = 'state'): Promise<StatePaths> {
  const folder = mkdtempSync(join(tmpdir(), 'edge-endpoint-'));
  const paths = statePaths(join(folder, name));
  prepareStateFolder(paths);
  prepareManagement(paths);
  const server = new ManagementServer({
    count: async function* (params) {
      for (let i = 0; i < (params as number); i++) yield i;
      return 'done';
    },
    who: async function* (_params, _signal, caller) {
      return caller;
    },
    fail: async function* () {
      yield 'first';
      throw new Error('no such thing');
    },
  });
  await server.listen(paths.management);
  t.after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  return paths;
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
  const paths = await endpoint(t);
  for (const garbage of [
    'not json\n',
    'x'.repeat(100_000),
    '{"id":1,"method":"who"}\n',
    'null\n',
    '{"proved":true}\n',
  ]) {
    const answer = await talk(paths, () => garbage);
    if (garbage.endsWith('\n')) assert.match(answer, /^{"prove":"[0-9a-f]{32}"}\n{"id":0,"error":".+"}\n$/, garbage);
  }
  assert.deepEqual(readdirSync(join(paths.management, 'callers')), []);
  using client = await ManagementClient.connect(paths);
  assert.equal(await client.call('count', 0), 'done');
});

test('only the owner may open the socket, and nobody there is told as such', async (t) => {
  const paths = await endpoint(t);
  assert.equal(statSync(join(paths.management, 'socket')).mode & 0o777, 0o600);
  assert.equal(statSync(paths.management).mode & 0o7777, 0o700);
  await assert.rejects(
    ManagementClient.connect({
      ...paths,
      management: `${paths.management}.none`,
    }),
    NotRunningError,
  );
});

test('the service knows who calls by the owner of a folder that the caller makes', async (t) => {
  const paths = await endpoint(t);
  using client = await ManagementClient.connect(paths);
  const { uid, name } = (await client.call('who', null)) as {
    uid: number;
    name: string;
  };
  assert.equal(uid, own.uid);
  assert.equal(name, userInfo().username);
  assert.deepEqual(readdirSync(join(paths.management, 'callers')), [], 'the proof is spent');
});

/** Proofs that are none: what somebody does with the name that the service said. */
const forgeries: Readonly<Record<string, (path: string, aside: string) => void>> = {
  'a file': (path) => writeFileSync(path, ''),
  'a link to a folder of somebody else': (path) => symlinkSync('/', path),
  'a folder in which others may write': (path) => mkdirSync(path, { mode: 0o777 }),
  'such a folder of somebody else, moved here': (path, aside) => {
    mkdirSync(aside, { mode: 0o777 });
    renameSync(aside, path);
  },
  'a folder that holds something': (path) => mkdirSync(join(path, 'x'), { recursive: true, mode: 0o700 }),
  nothing: () => {},
};
for (const [what, forge] of Object.entries(forgeries)) {
  test(`${what} proves nothing`, async (t) => {
    const paths = await endpoint(t);
    const umask = process.umask(0);
    t.after(() => process.umask(umask));
    const answer = await talk(paths, (name) => {
      forge(join(paths.management, 'callers', name), join(paths.root, 'aside'));
      return '{"proved":true}\n{"id":1,"method":"who","params":null}\n';
    });
    assert.match(answer, /"id":0,"error":"the caller did not prove who it is: /);
    assert.doesNotMatch(answer, /"uid"/);
  });
}

test('an endpoint that leads the proof to another one gets none', async (t) => {
  const genuine = await endpoint(t);
  const trap = await endpoint(t);
  const proofs = join(trap.management, 'callers');
  rmSync(proofs, { recursive: true });
  symlinkSync(join(genuine.management, 'callers'), proofs);
  await assert.rejects(ManagementClient.connect(trap), (error: Error) => {
    assert.ok(error instanceof NotPermittedError);
    assert.match(error.message, /could not prove itself.*ENOTDIR/);
    return true;
  });
  assert.deepEqual(readdirSync(join(genuine.management, 'callers')), []);
});

test('a link in place of the endpoint, and one of another owner, is not asked', async (t) => {
  const genuine = await endpoint(t);
  const trap = await endpoint(t);
  renameSync(trap.management, `${trap.management}.aside`);
  symlinkSync(genuine.management, trap.management);
  await assert.rejects(ManagementClient.connect(trap), NotRunningError);
  if (own.uid !== 0) return;
  rmSync(trap.management);
  renameSync(`${trap.management}.aside`, trap.management);
  chownSync(trap.root, 5, 60);
  await assert.rejects(ManagementClient.connect(trap), /belongs to the account 0, .* to 5: nothing is asked there/);
});

test('a state directory with a long name has an endpoint too', async (t) => {
  const paths = await endpoint(t, 'x'.repeat(120));
  using client = await ManagementClient.connect(paths);
  assert.equal(await client.call('count', 0), 'done');
});

test('what a service before left in the folder of proofs is gone', async (t) => {
  const paths = statePaths(join(mkdtempSync(join(tmpdir(), 'edge-endpoint-')), 'state'));
  t.after(() => rmSync(join(paths.root, '..'), { recursive: true }));
  prepareStateFolder(paths);
  prepareManagement(paths);
  const proofs = join(paths.management, 'callers');
  mkdirSync(join(proofs, 'a'));
  writeFileSync(join(proofs, 'b'), '');
  const server = new ManagementServer({});
  await server.listen(paths.management);
  server.close();
  assert.deepEqual(readdirSync(proofs), []);
});

/** Says to the service what `reply` makes of its challenge; resolves with all that it said. */
async function talk({ management }: StatePaths, reply: (name: string) => string): Promise<string> {
  const socket = connect(join(management, 'socket'));
  let said = '';
  socket.setEncoding('utf8');
  socket.once('data', (first: string) => socket.write(reply((JSON.parse(first) as { prove: string }).prove)));
  socket.on('data', (chunk: string) => {
    said += chunk;
  });
  socket.on('error', () => {});
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once('close', resolve);
  await promise;
  return said;
}

test('a number under which a request runs counts for no second one', async (t) => {
  const paths = await endpoint(t);
  const socket = connect(join(paths.management, 'socket'));
  t.after(() => socket.destroy());
  const [first] = (await once(socket, 'data')) as [Buffer];
  const { prove } = JSON.parse(String(first)) as { prove: string };
  mkdirSync(join(paths.management, 'callers', prove), { mode: 0o700 });
  socket.write('{"proved":true}\n');
  await once(socket, 'data');
  // It yields as long as somebody reads; the second of the same number would pass by the bound on requests that run.
  socket.write('{"id":7,"method":"count","params":1000000000}\n{"id":7,"method":"count","params":1}\n');
  let said = '';
  for await (const chunk of socket) {
    said += String(chunk);
    if (said.includes('"error"')) break;
  }
  assert.match(said, /\{"id":7,"error":"request 7 runs already: use another number"\}/);
});

test('requests that never end hold a bounded memory: the first ones go, others are served', {
  timeout: 300_000,
}, async (t) => {
  const paths = await endpoint(t);
  const sockets = Array.from({ length: 20 }, () => connect(join(paths.management, 'socket')));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const socket of sockets) {
    socket.on('error', () => {});
    const [first] = (await once(socket, 'data')) as [Buffer];
    const { prove } = JSON.parse(String(first)) as { prove: string };
    mkdirSync(join(paths.management, 'callers', prove), { mode: 0o700 });
    socket.write('{"proved":true}\n');
    assert.match(String((await once(socket, 'data'))[0]), /"end":null/);
    socket.write('x'.repeat(3_000_000));
  }
  if (sockets[0]?.closed === false) await once(sockets[0], 'close');
  using other = await ManagementClient.connect(paths);
  assert.equal(await other.call('count', 0), 'done');
  assert.equal(sockets.at(-1)?.closed, false);
});

test('one account cannot take every connection', async (t) => {
  const paths = await endpoint(t);
  const clients: ManagementClient[] = [];
  t.after(() => {
    for (const client of clients) client[Symbol.dispose]();
  });
  for (let i = 0; i < 64; i++) clients.push(await ManagementClient.connect(paths));
  await assert.rejects(ManagementClient.connect(paths), /64 connections already/);
  clients.pop()?.[Symbol.dispose]();
  for (let tries = 0; ; tries++) {
    const again = await ManagementClient.connect(paths).catch(() => undefined);
    if (again !== undefined) return void clients.push(again);
    assert.ok(tries < 1000, 'a place that was given back can be had');
  }
});
