import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIp, parseIpRange } from '../../src/base/index.ts';
import { kindOf, reachedAddress, TargetCheck, type TargetRules } from '../../src/dns/index.ts';

const rules: TargetRules = {
  names: new Set(['edge.us.test']),
  bindings: [
    { address: '0.0.0.0', port: 25 },
    { address: '192.0.2.99', port: 2_525 },
  ],
  allowed: [],
  refusePrivate: true,
  ownAddresses: ['192.0.2.99', '2001:db8::99', 'fe80::1'],
};

// An own address in other clothes: every spelling of an address that leads here.
const rows: readonly (readonly [address: string, fault: string | undefined])[] = [
  ['192.0.2.1', undefined],
  ['2001:db8::1', undefined],
  ['127.0.0.1', 'own'],
  ['127.255.255.254', 'own'],
  ['::1', 'own'],
  ['0:0:0:0:0:0:0:1', 'own'],
  ['::ffff:127.0.0.1', 'own'],
  ['::ffff:7f00:1', 'own'],
  ['0:0:0:0:0:ffff:7f00:0001', 'own'],
  ['::127.0.0.1', 'own'],
  ['64:ff9b::127.0.0.1', 'own'],
  ['64:ff9b::7f00:1', 'own'],
  ['::ffff:0:127.0.0.1', 'own'],
  ['64:ff9b:1::7f00:1', 'own'],
  ['::1%lo', 'own'],
  ['2002:7f00:1::', 'own'],
  ['2002:7f00:1:5::9', 'own'],
  ['0.0.0.0', 'own'],
  ['::', 'own'],
  ['::ffff:0.0.0.0', 'own'],
  ['192.0.2.99', 'own'],
  ['::ffff:192.0.2.99', 'own'],
  ['::ffff:c000:263', 'own'],
  ['2002:c000:263::1', 'own'],
  ['2001:db8::99', 'own'],
  ['2001:0DB8:0000::0099', 'own'],
  ['169.254.1.1', 'link-local'],
  ['fe80::2', 'link-local'],
  ['::ffff:169.254.1.1', 'link-local'],
  ['224.0.0.1', 'multicast'],
  ['ff02::1', 'multicast'],
  ['255.255.255.255', 'reserved'],
  ['240.0.0.1', 'reserved'],
  ['100::1', 'reserved'],
  ['198.18.0.1', 'private'],
  ['192.0.0.8', 'private'],
  ['10.0.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['172.32.0.0', undefined],
  ['192.168.0.1', 'private'],
  ['100.64.0.1', 'private'],
  ['fd00::1', 'private'],
  ['64:ff9b::a00:1', 'private'],
  ['2002:a00:1::', 'private'],
];
for (const [address, fault] of rows) {
  test(`${address}: ${fault ?? 'may be connected to'}`, () => {
    const check = new TargetCheck(rules);
    // Whatever the bindings say: a port that nobody listens on makes no difference.
    for (const port of [25, 2_525, 26]) assert.equal(check.fault(address, port), fault);
  });
}

test('private addresses are allowed unless the connector resolves externally', () => {
  const check = new TargetCheck({ ...rules, refusePrivate: false });
  assert.equal(check.fault('10.0.0.1', 25), undefined);
  assert.equal(check.fault('169.254.1.1', 25), 'link-local');
});

test('TargetIPRanges lets in what it names, but never our own listener', () => {
  const check = new TargetCheck({ ...rules, allowed: [parseIpRange('127.0.0.0/8'), parseIpRange('10.0.0.0/24')] });
  assert.equal(check.fault('10.0.0.5', 25), undefined);
  assert.equal(check.fault('10.0.1.5', 25), 'private');
  assert.equal(check.fault('127.0.0.1', 24), undefined);
  assert.equal(check.fault('127.0.0.1', 25), 'own');
  assert.equal(check.fault('::ffff:127.0.0.1', 25), 'own');
});

test('the addresses of the machine are looked up when none are given', () => {
  const { ownAddresses: _, ...machine } = rules;
  assert.equal(new TargetCheck(machine).fault('127.0.0.1', 25), 'own');
  assert.equal(new TargetCheck(machine).fault('192.0.2.1', 25), undefined);
});

test('own names in any case', () => {
  assert.equal(new TargetCheck(rules).isOwnName('Edge.US.test'), true);
  assert.equal(new TargetCheck(rules).isOwnName('other.us.test'), false);
});

test('a public address stays as it is', () => {
  assert.deepEqual(reachedAddress('2001:db8::1'), parseIp('2001:db8::1'));
  assert.equal(kindOf(parseIp('198.51.100.1')), 'public');
});
