/** While one server holds the lease of an edge, no other account of EdgeSync writes there: by the edge's own clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessPolicy, DirectoryEntry, EntryRights, Principal } from '../../src/directory/index.ts';
import { isInForce, LeasePolicy, leaseOf } from '../../src/edge-sync/edge/lease-policy.ts';
import { entryFrom, formatGeneralizedTime } from '../../src/ldap/index.ts';

const place = { configurationDn: 'CN=Configuration', serverDn: 'CN=EDGE1,CN=Servers', serverName: 'EDGE1' };
const start = Date.UTC(2026, 0, 5, 10);
const everything: EntryRights = {
  visible: true,
  reads: () => true,
  writes: () => true,
  creates: true,
  deletes: true,
  setsClasses: true,
};
const inner: AccessPolicy = { rights: () => everything, rightsAtPlace: () => everything };
const account = (name: string): Principal => ({
  kind: 'account',
  dn: `CN=${name},CN=Services,CN=Configuration`,
});
const entry = entryFrom('CN=x,CN=Recipients,OU=MSExchangeGateway', {});

function world() {
  const state = { now: start, usn: 1, holder: 'CN=ESRA.EDGE1.HUB1.0,CN=Services', since: start, seconds: '300' };
  const store = {
    get: (): DirectoryEntry => {
      const values = {
        modifiersName: [state.holder],
        modifyTimestamp: [formatGeneralizedTime(state.since)],
        edgeSyncLeaseSeconds: [state.seconds],
      };
      return Object.assign(entryFrom('CN=Lease', values), { usn: state.usn }) as unknown as DirectoryEntry;
    },
  };
  const policy = new LeasePolicy(inner, { store, place, clock: { now: () => state.now } });
  const may = (name: string): boolean => {
    const rights = policy.rights(account(name), entry);
    const there = policy.rightsAtPlace(account(name), entry);
    const answers = [rights.writes('cn'), rights.deletes, rights.setsClasses, there.creates];
    assert.equal(new Set(answers).size, 1, 'one answer for every kind of write');
    assert.ok(rights.reads('cn') && rights.visible, 'reading is never held');
    return answers[0] === true;
  };
  return { state, may };
}

test('the holder writes with each of its accounts, another server does not, and others are not concerned', () => {
  const { may } = world();
  assert.ok(may('ESRA.EDGE1.HUB1.0'));
  assert.ok(may('ESRA.EDGE1.hub1.1'));
  assert.ok(!may('ESRA.EDGE1.HUB2.0'));
  assert.ok(may('admin'));
  assert.ok(may('ESRA.EDGE1'), 'the bootstrap account is of no server yet');
});

test('it is shown as long as it binds others, and not when it was given back', () => {
  const lease = (seconds: number): Parameters<typeof isInForce>[0] =>
    leaseOf(
      entryFrom('CN=Lease', {
        modifiersName: 'CN=ESRA.EDGE1.HUB1.0,CN=Services',
        modifyTimestamp: formatGeneralizedTime(start),
        edgeSyncLeaseSeconds: String(seconds),
      }),
    );
  const after = (ms: number): boolean => isInForce(lease(300), start + ms);
  assert.deepEqual([0, 299_000, 300_000, -299_000, -300_000].map(after), [true, true, false, true, false]);
  assert.equal(isInForce(lease(0), start), false);
  assert.equal(isInForce(leaseOf(undefined), start), false);
});

test('it ends by the clock of the edge, when it is given back, and after an hour whatever was asked for', () => {
  const { state, may } = world();
  state.now = start + 299_000;
  assert.ok(!may('ESRA.EDGE1.HUB2.0'));
  state.now = start + 300_000;
  assert.ok(may('ESRA.EDGE1.HUB2.0'));
  Object.assign(state, { usn: 2, seconds: '99999999', since: state.now });
  assert.ok(!may('ESRA.EDGE1.HUB2.0'), 'taken again');
  state.now += 3_600_000;
  assert.ok(may('ESRA.EDGE1.HUB2.0'));
  Object.assign(state, { usn: 3, seconds: '300', since: state.now });
  assert.ok(!may('ESRA.EDGE1.HUB2.0'));
  Object.assign(state, { usn: 4, seconds: '0' });
  assert.ok(may('ESRA.EDGE1.HUB2.0'), 'given back');
});

test('a clock that ran a day ahead and is put right holds nobody up', () => {
  const { state, may } = world();
  state.since = start + 86_400_000;
  assert.ok(may('ESRA.EDGE1.HUB2.0'));
  Object.assign(state, { usn: 2, since: start + 200_000 });
  assert.ok(!may('ESRA.EDGE1.HUB2.0'), 'a small step back keeps it');
});

test('who takes it next holds it against the one before', () => {
  const { state, may } = world();
  state.now = start + 400_000;
  Object.assign(state, { usn: 2, holder: 'CN=ESRA.EDGE1.HUB2.0,CN=Services', since: state.now });
  assert.ok(may('ESRA.EDGE1.HUB2.0'));
  assert.ok(!may('ESRA.EDGE1.HUB1.0'));
});
