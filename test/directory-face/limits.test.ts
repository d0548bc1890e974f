/** What one client may ask for: each limit met, and the client told; those that hostile.test.ts has are there. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { boolean, element, integer, octets, sequence } from '../../src/directory/face/ber/ber-writer.ts';
import { controlOids } from '../../src/directory/face/ber/controls.ts';
import { BoundedLog } from '../../src/directory/face/bounded-log.ts';
import { ConnectionPlaces, type Place } from '../../src/directory/face/connection-places.ts';
import type { FaceEvent, FaceLimits } from '../../src/directory/index.ts';
import { addEntry, adminDn, type Face, password, root, startFace, userDn } from './face.ts';
import { bindOp, message, modifyOp, present, type RawAnswer, RawClient, searchOp } from './raw-client.ts';

const people = `ou=People,${root}`;

async function bound(face: Face, dn = adminDn): Promise<RawClient> {
  const client = await RawClient.connect(face.port);
  assert.equal((await client.ask(bindOp(dn, password))).code, 0);
  return client;
}

const limited = (limits: Partial<FaceLimits>): Promise<Face> => startFace({ limits });

test('messages may be larger once bound, and small again by an anonymous bind', async () => {
  await using face = await limited({ maxMessageBytesBeforeBind: 1000, maxMessageBytes: 5000 });
  using client = await bound(face);
  const change = (size: number): Buffer => modifyOp(`cn=Ann,${people}`, [2, 'description', ['x'.repeat(size)]]);
  assert.equal((await client.ask(change(4500))).code, 0);
  assert.equal((await client.ask(bindOp('', ''))).code, 0);
  client.send(change(1500));
  const notice = await client.next();
  assert.deepEqual([notice?.id, notice?.code], [0, 2]);
  using again = await bound(face);
  again.send(change(5500));
  assert.equal((await again.next())?.id, 0);
});

test('connections that never bind make place for others, oldest first, and never take that of one that has bound', async () => {
  await using face = await limited({ maxUnbound: 3, maxConnections: 1 });
  using first = await bound(face);
  const idle: RawClient[] = [];
  for (let i = 0; i < 3; i += 1) {
    const client = await RawClient.connect(face.port);
    assert.equal((await client.ask(searchOp({ base: '' }))).code, 0);
    idle.push(client);
  }
  using newcomer = await RawClient.connect(face.port);
  assert.equal((await newcomer.ask(searchOp({ base: '' }))).code, 0);
  assert.deepEqual([(await idle[0]?.next())?.code, await idle[0]?.next()], [51, undefined]);
  assert.equal((await idle[1]?.ask(searchOp({ base: '' })))?.code, 0);
  assert.equal((await first.ask(searchOp({ base: '' }))).code, 0);
  assert.equal((await newcomer.ask(bindOp(adminDn, password))).code, 51, 'no place for another one that has bound');
  using local = await RawClient.connect(decodeURIComponent(face.local.slice('ldapi://'.length)));
  assert.equal((await local.ask(searchOp({ base: '' }))).code, 0, 'the local administrator gets in');
  for (const client of idle) client.socket.destroy();
});

test('connections that were ended to make place do not pile up, though their clients keep them open', async (t) => {
  await using face = await limited({ maxUnbound: 4, idleBeforeBindMs: 60_000 });
  // Those that are ended otherwise get two seconds to read the notice: none of these pass here.
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const sockets = Array.from({ length: 60 }, () =>
    connect({ port: face.port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined),
  );
  while (face.events.filter(({ kind }) => kind === 'connected').length < 60) await new Promise(setImmediate);
  while (face.server.connections > 4) await new Promise(setImmediate);
  assert.equal(face.server.connections, 4);
  for (const socket of sockets) socket.destroy();
});

test('one source of strangers takes the places of no other', () => {
  const ended: string[] = [];
  const places = new ConnectionPlaces({
    maxConnections: 9,
    maxConnectionsPerSource: 9,
    maxUnbound: 8,
    maxUnboundPerSource: 2,
  });
  const take = (pool: string, source: string, name: string): Place => places.take(pool, source, () => ended.push(name));
  take('ldaps', 'owner', 'owner');
  for (let i = 0; i < 20; i += 1) take('ldaps', 'hostile', `hostile ${i}`);
  assert.deepEqual([ended.length, ended.includes('owner')], [18, false]);
  for (let i = 0; i < 20; i += 1) take('loopback', `${i}`, `local ${i}`);
  assert.equal(ended.includes('owner'), false, 'nor does another listener');
});

test('before a bind a filter has at most fifty parts, and a name a kilobyte', async () => {
  await using face = await startFace();
  using client = await RawClient.connect(face.port);
  const filterOf = (parts: number): Buffer => element(0xa1, ...Array.from({ length: parts - 1 }, () => present('cn')));
  assert.equal((await client.ask(searchOp({ base: '', filter: filterOf(50) }))).code, 0);
  assert.equal((await client.ask(searchOp({ base: '', filter: filterOf(51) }))).code, 11);
  assert.equal((await client.ask(bindOp(`cn=${'x'.repeat(1020)}`, 'x'))).code, 49);
  assert.equal((await client.ask(bindOp(`cn=${'x'.repeat(1030)}`, 'x'))).code, 34);
  const line = face.events.find((event) => event.kind === 'bind' && event.dn.length > 200);
  assert.ok(line?.kind === 'bind' && line.dn.length <= 257, 'the log has the beginning of the name');
});

test('refusals of one source are told fifty times, then counted', () => {
  const lines: FaceEvent[] = [];
  let now = 0;
  const log = new BoundedLog(
    (event) => lines.push(event),
    () => now,
  );
  for (let i = 0; i < 500; i += 1)
    log.tell({
      kind: 'bind',
      connection: `${i}`,
      address: '192.0.2.1',
      tls: true,
      dn: 'x',
      method: 'simple',
      code: 49,
    });
  log.tell({ kind: 'bind', connection: '9', address: '192.0.2.2', tls: true, dn: 'y', method: 'simple', code: 49 });
  assert.equal(lines.length, 51);
  now = 3_600_000;
  log.tell({ kind: 'disconnected', connection: '1', reason: 'x' });
  assert.deepEqual(lines[51], { kind: 'omitted', address: '192.0.2.1', refusals: 450 });
});

test('octets sent one by one, or read by nobody, hold no memory', async () => {
  await using face = await startFace();
  const clients = await Promise.all(Array.from({ length: 30 }, () => RawClient.connect(face.port)));
  await new Promise((resume) => setImmediate(resume));
  const before = process.memoryUsage().arrayBuffers;
  for (const { socket } of clients) {
    socket.setNoDelay(true);
    socket.write(Buffer.from('30820f00', 'hex'));
  }
  for (let i = 0; i < 1000; i += 1) {
    for (const { socket } of clients) socket.write(Buffer.alloc(1));
    await new Promise((resume) => setImmediate(resume));
  }
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.ok(grown < 4 * 1024 ** 2, `${grown} octets more`);
  for (const client of clients) client.socket.destroy();
});

test('requests that all hold together are bounded: who holds much since long goes, others are served', async () => {
  await using face = await limited({ maxHeldBytes: 3 * 1024 ** 2, maxConnectionsPerSource: 20 });
  const begun = modifyOp(`cn=Ann,${people}`, [2, 'description', ['x'.repeat(1024 ** 2)]]);
  const clients: RawClient[] = [];
  using waiting = await bound(face, userDn);
  const few = message(2, begun).subarray(0, 100);
  waiting.socket.write(few);
  for (let i = 0; i < 6; i += 1) {
    const client = await bound(face, userDn);
    client.socket.write(message(2, begun).subarray(0, -1));
    // It is read when another one, which came later, is answered.
    using other = await bound(face);
    assert.equal((await other.ask(searchOp({ base: '' }))).code, 0);
    clients.push(client);
  }
  for (const client of clients.slice(0, 3))
    assert.deepEqual([(await client.next())?.code, await client.next()], [51, undefined]);
  for (const { socket } of clients) {
    socket.destroy();
    if (!socket.closed) await once(socket, 'close');
  }
  using another = await bound(face);
  assert.equal((await another.ask(searchOp({ base: '' }))).code, 0);
  waiting.socket.write(message(2, begun).subarray(few.length));
  assert.equal((await waiting.next())?.code, 32, 'slow with little: refused by its rights alone');
});

test('small requests that run are counted as well: an account that begins very many on many connections is ended', async () => {
  await using face = await limited({ maxHeldBytes: 1.2 * 1024 ** 2, maxOutstanding: 200, maxConnectionsPerSource: 20 });
  const writes = (first: number): Buffer =>
    Buffer.concat(
      Array.from({ length: 200 }, (_, i) =>
        message(first + i, modifyOp(`cn=Ann,${people}`, [2, 'description', [`${i}`]])),
      ),
    );
  using alone = await bound(face);
  alone.socket.write(writes(1000));
  for (let i = 0; i < 200; i += 1) assert.equal((await alone.next())?.code, 0, 'one connection may have its 200');
  const clients = await Promise.all(Array.from({ length: 4 }, () => bound(face)));
  // The store is slow: all are under way together, and what comes back first is the end of one.
  const slow = Promise.withResolvers<void>();
  const modify = face.store.modify.bind(face.store);
  face.store.modify = (...of) => slow.promise.then(() => modify(...of));
  for (const { socket } of clients) for (const event of ['data', 'close']) socket.once(event, () => slow.resolve());
  for (const { socket } of clients) socket.write(writes(1000));
  const ends = await Promise.all(
    clients.map(async (client) => {
      for (let i = 0; i < 200; i += 1) {
        const answer = await client.next();
        if (answer === undefined || answer.code === 51) return 'ended';
      }
      return 'served';
    }),
  );
  assert.ok(ends.includes('ended'), ends.join());
  assert.ok(ends.includes('served'), ends.join());
  for (const { socket } of clients) socket.destroy();
});

test('operations beyond the outstanding ones wait their turn, and all are answered', async () => {
  await using face = await limited({ maxOutstanding: 2 });
  using client = await bound(face);
  const writes = Array.from({ length: 40 }, (_, i) =>
    message(1000 + i, modifyOp(`cn=Ann,${people}`, [2, 'description', [`${i}`]])),
  );
  client.socket.write(Buffer.concat(writes));
  const answers: (RawAnswer | undefined)[] = [];
  while (answers.length < writes.length) answers.push(await client.next());
  assert.deepEqual(new Set(answers.map((answer) => answer?.code)), new Set([0]));
  assert.equal(new Set(answers.map((answer) => answer?.id)).size, writes.length);
});

test('silence ends a bound connection as well, in its own time', async () => {
  await using face = await limited({ idleMs: 60, idleBeforeBindMs: 60_000 });
  using client = await bound(face);
  const notice = await client.next();
  assert.deepEqual([notice?.id, notice?.code, await client.next()], [0, 52, undefined]);
});

test('a client that only waits for changes is not silent', async () => {
  const idleMs = 1000;
  await using face = await limited({ idleMs });
  using client = await bound(face);
  const value = sequence(integer(15), boolean(false), boolean(true));
  client.send(searchOp({ base: people, scope: 1 }), [{ oid: controlOids.persistentSearch, critical: true, value }]);
  const names = [await client.next(), await client.next(), await client.next()].map((answer) => answer?.name);
  assert.equal(names.length, 3);
  const told = client.next();
  await new Promise((resume) => setTimeout(resume, 2 * idleMs));
  await face.store.modify(`cn=Bob,${people}`, [{ operation: 'replace', attribute: 'sn', values: [Buffer.from('y')] }], {
    actor: adminDn,
  });
  assert.equal((await told)?.name, `cn=Bob,${people}`);
});

test('an account gets so many entries of one search, or in pages all; an administrator gets all', async () => {
  await using face = await limited({ maxEntries: 2 });
  const change = [
    { operation: 'add', attribute: 'objectClass', values: [Buffer.from('edgeAccessControl')] },
    { operation: 'add', attribute: 'edgeAccessRule', values: [Buffer.from('allow read to authenticated')] },
  ] as const;
  await face.store.modify(people, change, { actor: adminDn });
  const all = searchOp({ base: people, scope: 2 });
  using admin = await bound(face);
  assert.equal((await admin.answers(admin.send(all))).length, 5);
  using user = await bound(face, userDn);
  const answers = await user.answers(user.send(all));
  assert.deepEqual([answers.length, answers.at(-1)?.code], [3, 4]);
  let cookie = Buffer.alloc(0);
  let found = 0;
  do {
    const page = { oid: controlOids.paged, critical: true, value: sequence(integer(100), octets(cookie)) };
    const some = await user.answers(user.send(all, [page]));
    found += some.length - 1;
    cookie = Buffer.from(some.at(-1)?.controls.get(controlOids.paged)?.subarray(7) ?? []);
  } while (cookie.length > 0);
  assert.equal(found, 4);
});

test('of paged searches that wait, the oldest is given up', async () => {
  await using face = await limited({ maxPagedSearches: 2 });
  using client = await bound(face);
  const ask = async (cookie: Buffer): Promise<RawAnswer | undefined> => {
    const page = { oid: controlOids.paged, critical: true, value: sequence(integer(1), octets(cookie)) };
    return (await client.answers(client.send(searchOp({ base: people, scope: 1 }), [page]))).at(-1);
  };
  const cookies: Buffer[] = [];
  for (let i = 0; i < 3; i += 1) {
    const answer = await ask(Buffer.alloc(0));
    cookies.push(Buffer.from(answer?.controls.get(controlOids.paged)?.subarray(7) ?? []));
  }
  const codes: (number | undefined)[] = [];
  for (const cookie of cookies) codes.push((await ask(cookie))?.code);
  assert.deepEqual(codes, [53, 0, 0]);
});

test('more entries than are sorted', async () => {
  await using face = await limited({ maxSortedEntries: 2 });
  using client = await bound(face);
  const sort = { oid: controlOids.sortRequest, critical: true, value: sequence(sequence(octets('sn'))) };
  const answer = (await client.answers(client.send(searchOp({ base: people, scope: 1 }), [sort]))).at(-1);
  assert.equal(answer?.code, 12);
});

test('two thousand connections that come and go leave nothing', async () => {
  await using face = await startFace();
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(face.port, '127.0.0.1', () => socket.destroy());
      socket.on('error', () => undefined);
      socket.on('close', () => resolve());
    });
  for (let round = 0; round < 20; round += 1) await Promise.all(Array.from({ length: 100 }, one));
  using client = await RawClient.connect(face.port);
  while (face.server.connections > 1) assert.equal((await client.ask(searchOp({ base: '' }))).code, 0);
  await addEntry(face.store, `cn=after,${root}`, { objectClass: 'person', sn: 'x' });
  assert.equal(face.server.connections, 1);
});
