/** Accounts: guessing is counted and slowed, locks end, and an account that may not act any more loses what it has open. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../src/base/index.ts';
import { type Attempt, FailedBinds } from '../../src/directory/face/access/failed-binds.ts';
import { networkOf, sourceOf } from '../../src/directory/face/access/peer.ts';
import type { FaceEvent } from '../../src/directory/index.ts';
import { adminDn, type Face, password, root, startFace, userDn } from './face.ts';
import { addOp, bindOp, deleteOp, modifyOp, RawClient, searchOp } from './raw-client.ts';

const policy = {
  maxFailures: 3,
  maxFailuresOfSource: 6,
  maxFailuresOfNetwork: 8,
  maxFailuresOfAccount: 5,
  lockMs: 1000,
  delayMs: 10,
  slowMs: 500,
};

class ManualClock implements Clock {
  time = 1_000_000;
  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.now();
  }
  after(): { cancel(): void } {
    throw new Error('nothing here waits');
  }
}

const counts = (): { binds: FailedBinds; clock: ManualClock } => {
  const clock = new ManualClock();
  return { binds: new FailedBinds(policy, clock), clock };
};
const of = (account: string, source: string, known = false): Attempt => ({
  account,
  source: sourceOf(source),
  network: networkOf(source),
  known,
});

/** One failed attempt; how long its answer waits, or the lock it met. */
function fail(binds: FailedBinds, attempt: Attempt): string | number {
  const lock = binds.begin(attempt);
  const waitMs = binds.failed(attempt, lock);
  return lock ?? waitMs;
}

test('an account locks for the source after so many failures, slower each time, and opens in its time', () => {
  const { binds, clock } = counts();
  const one = of('a', '192.0.2.1');
  assert.deepEqual(
    [fail(binds, one), fail(binds, one), fail(binds, one), fail(binds, one)],
    [10, 20, 40, 'account from this source'],
  );
  assert.equal(binds.begin(of('a', '192.0.2.2')), undefined, 'another source is not concerned');
  clock.time += 999;
  assert.equal(fail(binds, one), 'account from this source');
  clock.time += 1;
  assert.equal(binds.begin(one), undefined, 'what came meanwhile does not make the lock longer');
});

test('a source that tries many accounts locks', () => {
  const { binds } = counts();
  for (let i = 0; i < 6; i += 1) assert.equal(typeof fail(binds, of(`account ${i}`, '192.0.2.1')), 'number');
  assert.equal(fail(binds, of('another', '192.0.2.1')), 'source');
  assert.equal(binds.begin(of('another', '192.0.2.2')), undefined);
});

test('an account that is guessed at from many sources is slow for unknown ones, and locked for nobody else', () => {
  const { binds, clock } = counts();
  const usual = of('a', '198.51.100.7', true);
  const fresh = of('a', '192.0.2.99');
  for (let i = 0; i < 50; i += 1) fail(binds, of('a', `192.0.2.${i}`));
  assert.deepEqual([binds.begin(fresh), binds.slowness(fresh)], [undefined, 500]);
  assert.deepEqual([binds.begin(usual), binds.slowness(usual)], [undefined, 0]);
  clock.time += 2000;
  assert.equal(binds.slowness(fresh), 0, 'and only while it is guessed at');
});

test('an IPv6 network of 48 bits that guesses from many of 64 locks', () => {
  const { binds } = counts();
  for (let i = 0; i < 8; i += 1) assert.equal(typeof fail(binds, of(`a${i}`, `2001:db8:1:${i}::1`)), 'number');
  assert.equal(fail(binds, of('b', '2001:db8:1:ff::1')), 'network');
  assert.equal(binds.begin(of('b', '2001:db8:2::1')), undefined);
});

test('what is remembered of failures is forgotten by time', () => {
  const { binds, clock } = counts();
  for (let i = 0; i < 500; i += 1) fail(binds, of(`a${i}`, `192.0.${i % 250}.1`));
  assert.ok(binds.remembered > 1000);
  clock.time += 2000;
  fail(binds, of('a', '192.0.2.1'));
  assert.equal(binds.remembered, 4);
});

test('successes do not count, however many are under way', () => {
  const { binds } = counts();
  const one = of('a', '192.0.2.1');
  for (let i = 0; i < 20; i += 1) {
    assert.equal(binds.begin(one), undefined);
    binds.succeeded(one);
  }
});

test('addresses of one IPv6 network are one source', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:0db8:0001:0002::1', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ];
  for (const [address, source] of rows) assert.equal(sourceOf(address), source, address);
});

test('guesses sent at once on many connections are no more than guesses one by one', async () => {
  await using face = await startFace();
  const clients = await Promise.all(Array.from({ length: 12 }, () => RawClient.connect(face.port)));
  const codes = await Promise.all(clients.map((client, i) => client.ask(bindOp(userDn, `guess ${i}`))));
  assert.deepEqual(new Set(codes.map(({ code }) => code)), new Set([49]));
  const reasons = reasonsIn(face.events);
  assert.equal(reasons.filter((reason) => reason === 'wrong password').length, 5);
  assert.equal(reasons.filter((reason) => reason === 'locked: account from this source').length, 7);
  for (const client of clients) client.socket.destroy();
});

test('many good binds at once all succeed', async () => {
  await using face = await startFace();
  const clients = await Promise.all(Array.from({ length: 15 }, () => RawClient.connect(face.port)));
  const codes = await Promise.all(clients.map((client) => client.ask(bindOp(userDn, password))));
  assert.deepEqual(new Set(codes.map(({ code }) => code)), new Set([0]));
  for (const client of clients) client.socket.destroy();
});

const reasonsIn = (events: readonly FaceEvent[]): (string | undefined)[] =>
  events.flatMap((event) => (event.kind === 'bind' ? [event.reason] : []));

test('a new password lifts the lock', async () => {
  await using face = await startFace();
  using client = await RawClient.connect(face.port);
  for (let i = 0; i < 6; i += 1) assert.equal((await client.ask(bindOp(userDn, 'wrong'))).code, 49);
  assert.equal((await client.ask(bindOp(userDn, password))).code, 49);
  using admin = await bound(face, adminDn);
  assert.equal((await admin.ask(modifyOp(userDn, [2, 'userPassword', ['a new one']]))).code, 0);
  assert.equal((await client.ask(bindOp(userDn, 'a new one'))).code, 0);
});

async function bound(face: Face, dn: string): Promise<RawClient> {
  const client = await RawClient.connect(face.port);
  assert.equal((await client.ask(bindOp(dn, password))).code, 0);
  return client;
}

const revocations: readonly (readonly [name: string, operation: Buffer])[] = [
  ['disabled', modifyOp(userDn, [2, 'edgeAccountDisabled', ['TRUE']])],
  ['locked', modifyOp(userDn, [2, 'edgeLockedUntil', ['20990101000000Z']])],
  ['expired', modifyOp(userDn, [2, 'edgeAccountExpires', ['20200101000000Z']])],
  ['deleted', deleteOp(userDn)],
];

for (const [name, operation] of revocations) {
  test(`the connection of an account that is ${name} ends with a notice`, async () => {
    await using face = await startFace();
    using client = await bound(face, userDn);
    using other = await bound(face, adminDn);
    assert.equal((await other.ask(operation)).code, 0);
    const notice = await client.next();
    assert.deepEqual([notice?.id, notice?.code], [0, 8]);
    assert.equal(await client.next(), undefined);
    assert.equal((await other.ask(searchOp({ base: '' }))).code, 0, 'the administrator goes on');
    assert.ok(face.events.some((event) => event.kind === 'revoked' && event.dn === userDn));
  });
}

test('an account that expires while it is bound is ended then', async () => {
  await using face = await startFace();
  using admin = await bound(face, adminDn);
  using client = await RawClient.connect(face.port);
  // On a busy machine the account may have expired before it is bound: then it gets longer.
  for (let leftMs = 1500, code: number | undefined = 49; code !== 0; leftMs *= 2) {
    const soon = new Date(Date.now() + leftMs).toISOString().replace(/[-:T]/g, '');
    assert.equal((await admin.ask(modifyOp(userDn, [2, 'edgeAccountExpires', [soon]]))).code, 0);
    ({ code } = await client.ask(bindOp(userDn, password)));
    assert.ok(code === 0 || code === 49, String(code));
  }
  assert.equal((await client.next())?.code, 8);
  assert.equal((await admin.ask(searchOp({ base: '' }))).code, 0);
});

test('who is no administrator any more has to bind anew', async () => {
  await using face = await startFace(
    {},
    { isAdministrator: (entry) => !entry.values('description').includes('dismissed') },
  );
  using client = await bound(face, userDn);
  using other = await bound(face, adminDn);
  const change = modifyOp(userDn, [2, 'description', ['dismissed']], [2, 'edgeAccountDisabled', ['FALSE']]);
  assert.equal((await other.ask(change)).code, 0);
  assert.equal((await client.next())?.code, 8);
  using again = await bound(face, userDn);
  assert.equal((await again.ask(searchOp({ base: root }))).code, 32);
});

test('binds and writes are told with address, actor and outcome, and never a value', async () => {
  await using face = await startFace();
  using client = await RawClient.connect(face.port);
  await client.ask(bindOp(userDn, 'not this one'));
  await client.ask(bindOp(adminDn, password));
  await client.ask(addOp(`cn=New,${root}`, { objectClass: ['top', 'person'], sn: ['a secret value'] }));
  await client.ask(modifyOp(`cn=None,${root}`, [2, 'sn', ['a secret value']]));
  const told = face.events.filter(({ kind }) => kind === 'bind' || kind === 'write');
  const common = { connection: '1', address: '127.0.0.1' };
  const write = { ...common, kind: 'write', actor: adminDn };
  assert.deepEqual(told, [
    { ...common, kind: 'bind', tls: false, dn: userDn, method: 'simple', code: 49, reason: 'wrong password' },
    { ...common, kind: 'bind', tls: false, dn: adminDn, method: 'simple', code: 0 },
    { ...write, operation: 'add', dn: `cn=New,${root}`, attributes: ['objectClass', 'sn'], code: 0 },
    {
      ...write,
      operation: 'modify',
      dn: `cn=None,${root}`,
      attributes: ['sn'],
      code: 32,
      reason: `there is no entry 'cn=None,${root}'`,
    },
  ]);
});
