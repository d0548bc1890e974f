import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  contains,
  extent,
  formatByteSize,
  formatTimeSpan,
  parseByteSize,
  parseIp,
  parseIpRange,
  parseTimeSpan,
  SessionIds,
} from '../../src/base/index.ts';
import fc from '../lib/properties.ts';

const sizes: readonly [text: string, bytes: number | undefined, printed?: string][] = [
  ['36MB', 37_748_736, '36 MB (37,748,736 bytes)'],
  ['36 MB (37,748,736 bytes)', 37_748_736],
  ['64 KB', 65_536, '64 KB (65,536 bytes)'],
  ['37748736', 37_748_736],
  ['1.5GB', 1_610_612_736, '1.5 GB (1,610,612,736 bytes)'],
  ['0', 0, '0 B (0 bytes)'],
  ['2tb', 2_199_023_255_552, '2 TB (2,199,023,255,552 bytes)'],
  ['100 bytes', 100],
  ['-1', undefined],
  ['10 XB', undefined],
  ['', undefined],
];
for (const [text, bytes, printed] of sizes) {
  test(`size '${text}'`, () => {
    if (bytes === undefined) return void assert.throws(() => parseByteSize(text), RangeError);
    assert.equal(parseByteSize(text), bytes);
    if (printed !== undefined) assert.equal(formatByteSize(bytes), printed);
  });
}

const spans: readonly [text: string, seconds: number | undefined, printed?: string][] = [
  ['00:05:00', 300, '00:05:00'],
  ['1.00:00:00', 86_400, '1.00:00:00'],
  ['2', 172_800, '2.00:00:00'],
  ['02:30', 9_000, '02:30:00'],
  ['-00:00:10', -10, '-00:00:10'],
  ['00:00:00.5', 0.5, '00:00:00.5000000'],
  ['24:00:00', undefined],
  ['00:60:00', undefined],
  ['soon', undefined],
];
for (const [text, seconds, printed] of spans) {
  test(`time span '${text}'`, () => {
    if (seconds === undefined) return void assert.throws(() => parseTimeSpan(text), RangeError);
    assert.equal(parseTimeSpan(text), seconds);
    assert.equal(formatTimeSpan(seconds), printed);
  });
}

test('time spans read back as printed', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e8, max: 1e8 }), (seconds) => parseTimeSpan(formatTimeSpan(seconds)) === seconds),
  );
});

const ranges: readonly [range: string, inside: readonly string[], outside: readonly string[]][] = [
  ['127.0.0.9', ['127.0.0.9', '::ffff:127.0.0.9'], ['127.0.0.8', '::1']],
  ['10.0.0.1-10.0.0.20', ['10.0.0.1', '10.0.0.20'], ['10.0.0.0', '10.0.0.21']],
  ['192.168.1.77/24', ['192.168.1.0', '192.168.1.255'], ['192.168.2.0']],
  ['0.0.0.0-255.255.255.255', ['1.2.3.4'], ['fe80::1']],
  ['2001:db8::/32', ['2001:db8::1', '2001:db8:ffff::'], ['2001:db9::', '1.2.3.4']],
  ['::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ['::1', 'fe80::1%eth0'], ['1.2.3.4']],
];
for (const [text, inside, outside] of ranges) {
  test(`range ${text}`, () => {
    const range = parseIpRange(text);
    for (const address of inside) assert.ok(contains(range, parseIp(address)), address);
    for (const address of outside) assert.ok(!contains(range, parseIp(address)), address);
  });
}

for (const text of [
  '',
  '10.0.0.300',
  '10.0.0.1-',
  '10.0.0.9-10.0.0.1',
  '10.0.0.1-::1',
  '10.0.0.0/33',
  '10.0.0.0/8/8',
  '1-2-3',
  '010.0.0.1',
  '10.1',
  'host',
]) {
  test(`range '${text}' is refused`, () => {
    assert.throws(() => parseIpRange(text), RangeError);
  });
}

test('a narrower range has the smaller extent', () => {
  assert.ok(extent(parseIpRange('192.168.1.75')) < extent(parseIpRange('192.168.1.0/24')));
  assert.equal(extent(parseIpRange('0.0.0.0/0')), 2n ** 32n);
});

test('session ids have 16 digits and do not repeat', () => {
  const ids = new SessionIds();
  const seen = new Set(Array.from({ length: 10_000 }, () => ids.next()));
  assert.equal(seen.size, 10_000);
  for (const id of seen) assert.match(id, /^[0-9A-F]{16}$/);
});
