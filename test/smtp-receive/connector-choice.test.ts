import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contains, extent, type IpRange, parseIp, parseIpRange } from '../../src/base/index.ts';
import { type Binding, testReceiveConnector } from '../../src/config/index.ts';
import { ConnectorTable } from '../../src/smtp-receive/connector/connector-choice.ts';
import { RangeIndex } from '../../src/smtp-receive/connector/range-index.ts';
import { cpuTime } from '../lib/cpu-time.ts';
import fc from '../lib/properties.ts';

function connector(name: string, bindings: readonly Binding[], ranges: readonly string[], enabled = true) {
  return testReceiveConnector({ name, bindings, remoteIPRanges: ranges.map(parseIpRange), enabled });
}

const any25 = [{ address: '0.0.0.0', port: 25 }];
const table = new ConnectorTable([
  connector('All', any25, ['0.0.0.0-255.255.255.255']),
  connector('Subnet', any25, ['192.168.1.0-192.168.1.255']),
  connector('Host', any25, ['192.168.1.75']),
  connector('Off', any25, ['192.168.1.75'], false),
  connector('Second address', [{ address: '10.0.0.2', port: 25 }], ['192.168.0.0/16']),
  connector('Second address, all', [{ address: '10.0.0.2', port: 25 }], ['0.0.0.0-255.255.255.255']),
  connector('Submission', [{ address: '0.0.0.0', port: 587 }], ['10.0.0.0/8']),
  connector('IPv6', [{ address: '::', port: 25 }], ['::/0']),
  connector('IPv6 site', [{ address: '::', port: 25 }], ['2001:db8::/32']),
]);

const rows: readonly [local: Binding, remote: string, expected: string][] = [
  [{ address: '10.0.0.1', port: 25 }, '203.0.113.9', 'All'],
  [{ address: '10.0.0.1', port: 25 }, '192.168.1.74', 'Subnet'],
  [{ address: '10.0.0.1', port: 25 }, '192.168.1.75', 'Host'],
  [{ address: '10.0.0.1', port: 25 }, '192.168.1.76', 'Subnet'],
  [{ address: '10.0.0.1', port: 25 }, '192.168.1.255', 'Subnet'],
  [{ address: '10.0.0.1', port: 25 }, '192.168.2.0', 'All'],
  [{ address: '10.0.0.1', port: 25 }, '0.0.0.0', 'All'],
  [{ address: '10.0.0.1', port: 25 }, '255.255.255.255', 'All'],
  // The range decides before the binding does…
  [{ address: '10.0.0.2', port: 25 }, '192.168.1.75', 'Host'],
  [{ address: '10.0.0.2', port: 25 }, '192.168.9.9', 'Second address'],
  // …and the binding between equal ranges.
  [{ address: '10.0.0.2', port: 25 }, '203.0.113.9', 'Second address, all'],
  [{ address: '10.0.0.1', port: 587 }, '10.9.9.9', 'Submission'],
  [{ address: '10.0.0.1', port: 587 }, '11.0.0.0', 'none'],
  [{ address: '10.0.0.1', port: 465 }, '10.9.9.9', 'none'],
  [{ address: '2001:db8::1', port: 25 }, '2001:db8:1::9', 'IPv6 site'],
  [{ address: '2001:db8::1', port: 25 }, '2001:db9::9', 'IPv6'],
  [{ address: '2001:db8::1', port: 25 }, 'fe80::1%eth0', 'IPv6'],
  [{ address: '10.0.0.1', port: 25 }, '::ffff:192.168.1.75', 'Host'],
];
for (const [local, remote, expected] of rows) {
  test(`${remote} to ${local.address} port ${local.port} is taken by ${expected}`, () => {
    const choice = table.choose(local, remote);
    assert.equal(choice.kind === 'chosen' ? choice.connector.name : 'none', expected);
    // The second time the answer comes from memory.
    assert.deepEqual(table.choose(local, remote), choice);
  });
}

test('the losers are told with the reason', () => {
  const choice = table.choose({ address: '10.0.0.1', port: 25 }, '192.168.1.75');
  assert.ok(choice.kind === 'chosen');
  assert.equal(choice.range, '192.168.1.75');
  assert.equal(choice.binding, '0.0.0.0:25');
  const reasons = new Map(choice.passedOver.map(({ name, reason }) => [name, reason]));
  assert.equal(reasons.get('All'), 'its range 0.0.0.0-255.255.255.255 is less specific than 192.168.1.75');
  assert.equal(reasons.get('Off'), 'disabled');
  assert.equal(reasons.get('Submission'), 'not bound to 10.0.0.1:25');
});

test('between equal ranges the binding on the very address decides, then the name, whatever their order', () => {
  const here: Binding = { address: '10.0.0.1', port: 25 };
  const all = connector('A', any25, ['0.0.0.0/0']);
  const own = connector('B', [here], ['0.0.0.0/0']);
  const same = connector('C', [here], ['0.0.0.0/0']);
  for (const connectors of [
    [all, own, same],
    [same, own, all],
    [own, all, same],
    [same, all, own],
  ]) {
    const choice = new ConnectorTable(connectors).choose(here, '203.0.113.9');
    assert.equal(choice.kind === 'chosen' ? choice.connector.name : '', 'B');
  }
});

test('a loser is told with that range of its own which lies around the one that won', () => {
  const reasonOf = (ranges: readonly string[], winner = '10.0.1.0-10.0.1.255', from = '10.0.1.7'): string => {
    const choice = new ConnectorTable([
      connector(
        'Winner',
        [
          { address: '0.0.0.0', port: 25 },
          { address: '::', port: 25 },
        ],
        [winner],
      ),
      connector(
        'Loser',
        [
          { address: '0.0.0.0', port: 25 },
          { address: '::', port: 25 },
        ],
        ranges,
      ),
    ]).choose({ address: from.includes(':') ? '::1' : '10.0.0.1', port: 25 }, from);
    assert.ok(choice.kind === 'chosen' && choice.connector.name === 'Winner', JSON.stringify(ranges));
    return choice.passedOver[0]?.reason ?? '';
  };
  const none = "none of its RemoteIPRanges has the client's address";
  const less = (range: string): string => `its range ${range} is less specific than 10.0.1.0-10.0.1.255`;
  assert.equal(reasonOf(['10.0.0.0/16']), less('10.0.0.0/16'));
  assert.equal(reasonOf(['10.0.1.0-10.0.2.0', '10.0.0.0/16']), less('10.0.1.0-10.0.2.0'));
  assert.equal(reasonOf(['10.0.0.0-10.0.1.255']), less('10.0.0.0-10.0.1.255'));
  // They hold one end of the winner, or nothing of it.
  for (const range of [
    '10.0.0.0-10.0.1.6',
    '10.0.1.8-10.0.3.0',
    '10.0.1.8-10.0.1.255',
    '172.16.0.0/12',
    '9.0.0.0/8',
    '::/0',
  ])
    assert.equal(reasonOf([range]), none, range);
  // The smallest range at its first address ends within it.
  assert.equal(reasonOf(['10.0.1.0-10.0.1.3', '9.0.0.0-11.0.0.0']), less('9.0.0.0-11.0.0.0'));
  assert.equal(reasonOf(['10.0.1.0-10.0.1.3', '10.0.1.8', '::/0', '9.0.0.0/8', '10.0.1.9-10.0.2.9']), none);
  assert.match(reasonOf(['0.0.0.0/0'], '2001:db8::/32', '2001:db8::9'), /^none of its RemoteIPRanges has the client/);
  assert.match(reasonOf(['::/0'], '2001:db8::/32', '2001:db8::9'), /^its range ::\/0 is less specific/);
});

for (const [connectors, reason] of [
  [[], /no receive connector is bound to 10\.0\.0\.1:25/],
  [[connector('Off', any25, ['0.0.0.0/0'], false)], /is disabled: 'Off'/],
  [[connector('Near', any25, ['10.0.0.0/8'])], /in RemoteIPRanges of no receive connector/],
] as const) {
  test(`nobody takes it: ${reason.source}`, () => {
    const choice = new ConnectorTable(connectors).choose({ address: '10.0.0.1', port: 25 }, '203.0.113.9');
    assert.ok(choice.kind === 'none');
    assert.match(choice.reason, reason);
  });
}

// Against the definition: the smallest range that holds the address, however ranges overlap.
test('RangeIndex finds what a search through all ranges finds', () => {
  const octet = fc.integer({ min: 0, max: 40 });
  const range = fc
    .tuple(octet, octet)
    .map(([a, b]): IpRange => parseIpRange(`10.0.0.${Math.min(a, b)}-10.0.0.${Math.max(a, b)}`));
  fc.assert(
    fc.property(fc.array(range, { maxLength: 30 }), octet, (ranges, last) => {
      const address = parseIp(`10.0.0.${last}`);
      const index = new RangeIndex(
        ranges.map((one, value) => ({ range: one, value })),
        (a, b) => a - b,
      );
      const [naive] = ranges
        .map((one, value) => ({ range: one, value }))
        .filter((entry) => contains(entry.range, address))
        .sort((a, b) => Number(extent(a.range) - extent(b.range)) || a.value - b.value);
      assert.deepEqual(index.find(address), naive);
    }),
    { numRuns: 1000 },
  );
});

test('thousands of ranges compile and answer at once', () => {
  const ranges = Array.from({ length: 20_000 }, (_, i) => `${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.0/24`);
  const big = new ConnectorTable([connector('All', any25, ['0.0.0.0/0']), connector('Many', any25, ranges)]);
  const worked = cpuTime();
  for (let i = 0; i < 20_000; i++) {
    const choice = big.choose({ address: '10.0.0.1', port: 25 }, `1.${(i >> 8) & 255}.${i & 255}.7`);
    assert.ok(choice.kind === 'chosen' && choice.connector.name === 'Many');
  }
  assert.ok(worked() < 3000, `${worked()} ms`);
});
