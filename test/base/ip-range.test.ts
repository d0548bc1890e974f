import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extent, formatIp, parseIp, parseIpRange, plainIpv4, sourceNetwork } from '../../src/base/index.ts';

const ranges: readonly (readonly [text: string, first: string, last: string])[] = [
  ['192.168.9.7', '192.168.9.7', '192.168.9.7'],
  ['192.168.9.0 - 192.168.9.255', '192.168.9.0', '192.168.9.255'],
  ['192.168.9.7/24', '192.168.9.0', '192.168.9.255'],
  ['192.168.9.0(255.255.255.0)', '192.168.9.0', '192.168.9.255'],
  ['192.168.9.7(255.255.255.0)', '192.168.9.0', '192.168.9.255'],
  ['10.1.2.3(255.255.255.255)', '10.1.2.3', '10.1.2.3'],
  ['0.0.0.0(0.0.0.0)', '0.0.0.0', '255.255.255.255'],
  ['2001:db8::/64', '2001:db8::', '2001:db8::ffff:ffff:ffff:ffff'],
  ['2001:db8::-2001:db8::9', '2001:db8::', '2001:db8::9'],
  ['2001:db8::1/128', '2001:db8::1', '2001:db8::1'],
  ['10.0.0.9/32', '10.0.0.9', '10.0.0.9'],
  ['10.0.0.9-10.0.0.9', '10.0.0.9', '10.0.0.9'],
  [' 10.0.0.9 ', '10.0.0.9', '10.0.0.9'],
];
for (const [text, first, last] of ranges) {
  test(`${text} is ${first} to ${last}`, () => {
    const range = parseIpRange(text);
    assert.deepEqual([range.first, range.last], [parseIp(first).value, parseIp(last).value]);
    assert.equal(extent(range), range.last - range.first + 1n);
  });
}

for (const text of [
  '192.168.9.0(255.0.255.0)',
  '192.168.9.0(24)',
  '192.168.9.0()',
  '192.168.9.0(255.255.255.0',
  '192.168.9.0/24(255.255.255.0)',
  '192.168.9.0-192.168.9.9(255.255.255.0)',
  '2001:db8::(255.255.255.0)',
  '2001:db8::(ffff::)',
  '10.0.0.9-10.0.0.1',
  '10.0.0.1-10.0.0.2-10.0.0.3',
  '10.0.0.1-2001:db8::1',
  '10.0.0.0/8/8',
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/8x',
  '10.0.0.0/x8',
  '10.0.0.0/0008',
  '2001:db8::/129',
  'x(255.0.0.0)',
  '(10.0.0.0)(255.0.0.0)',
]) {
  test(`'${text}' is refused`, () => {
    assert.throws(() => parseIpRange(text), RangeError);
  });
}

test('an address in brackets, with a scope, or mapped is the address; other marks make it none', () => {
  for (const [text, same] of [
    ['[192.0.2.1]', '192.0.2.1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    [' 192.0.2.1 ', '192.0.2.1'],
  ] as const)
    assert.deepEqual(parseIp(text), parseIp(same), text);
  for (const text of ['x[192.0.2.1]', '[192.0.2.1]x', '[192.0.2.1', '192.0.2', '0xc0000201', '192.0.2.1.', ''])
    assert.throws(() => parseIp(text), /is not an IP address/, text);
});

test('an address as text is RFC 5952', () => {
  for (const text of ['192.0.2.1', '0.0.0.0', '2001:db8::1', '::', '1:2:3:4:5:6:7:8']) {
    const { family, value } = parseIp(text);
    assert.equal(formatIp(family, value), text);
  }
});

test('limits count IPv6 by /64, and IPv4 in any spelling by address', () => {
  const network = sourceNetwork('2001:db8:1:2::1');
  for (const one of ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:DB8:1:2::1%eth0', '2001:0db8:0001:0002::']) {
    assert.equal(sourceNetwork(one), network);
  }
  for (const other of ['2001:db8:1:3::1', '2001:db8::1', '::1']) assert.notEqual(sourceNetwork(other), network);
  assert.equal(sourceNetwork('::ffff:192.0.2.1'), sourceNetwork('192.0.2.1'));
});

test('a plain IPv4 address is read as parseIp reads it; nothing else is', () => {
  for (const text of ['0.0.0.0', '10.0.0.1', '127.0.0.1', '192.0.2.255', '255.255.255.255', '1.20.100.9'])
    assert.equal(BigInt(plainIpv4(text)), parseIp(text).value, text);
  for (const text of [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.256',
    '1..2.3',
    '.1.2.3',
    '1.2.3.',
    '1.2.3.4 ',
    '::1',
    '1.2.3.a',
    '1234.1.1.1',
  ])
    assert.equal(plainIpv4(text), -1, text);
});
