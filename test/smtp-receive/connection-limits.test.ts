import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionLimits } from '../../src/smtp-receive/connection-limits.ts';
import { internetConnector, internetSnapshot, Receiving } from './receiving.ts';

const rows: readonly [all: number, perSource: number, percentage: number, admitted: number, reason: string][] = [
  [3, Infinity, 100, 3, 'MaxInboundConnection 3'],
  [100, 2, 100, 2, 'MaxInboundConnectionPerSource 2'],
  [100, 50, 10, 10, 'MaxInboundConnectionPercentagePerSource 10'],
  // Two per cent of ten is less than one: one is always let in.
  [10, 20, 2, 1, 'MaxInboundConnectionPercentagePerSource 2'],
  [5000, 20, 2, 20, 'MaxInboundConnectionPerSource 20'],
];
for (const [all, perSource, percentage, admitted, reason] of rows) {
  test(`${all} in all, ${perSource} per source, ${percentage} %: ${admitted} from one address`, () => {
    const limits = new ConnectionLimits();
    const connector = internetConnector({
      maxInboundConnection: all,
      maxInboundConnectionPerSource: perSource,
      maxInboundConnectionPercentagePerSource: percentage,
    });
    for (let i = 0; i < admitted; i++) assert.equal(limits.admit(connector, '192.0.2.1'), undefined);
    assert.equal(limits.admit(connector, '192.0.2.1')?.reason, `${reason} is reached`);
    limits.release(connector, '192.0.2.1');
    assert.equal(limits.admit(connector, '192.0.2.1'), undefined);
  });
}

test('addresses of one IPv6 /64 are one source', () => {
  const limits = new ConnectionLimits();
  const connector = internetConnector({ maxInboundConnectionPerSource: 2 });
  assert.equal(limits.admit(connector, '2001:db8:1:2::1'), undefined);
  assert.equal(limits.admit(connector, '2001:db8:1:2:ffff::1'), undefined);
  assert.match(limits.admit(connector, '2001:db8:1:2::3')?.reason ?? '', /PerSource 2/);
  assert.equal(limits.admit(connector, '2001:db8:1:3::1'), undefined);
  limits.release(connector, '2001:db8:1:2:ffff::1');
  assert.equal(limits.admit(connector, '2001:db8:1:2::3'), undefined);
});

test('the connection above the limit gets 421, and there is room again after QUIT', async () => {
  await using edge = await Receiving.start({ snapshot: internetSnapshot({ maxInboundConnectionPerSource: 1 }) });
  const first = await edge.connect();
  await first.reply();
  const second = await edge.connect();
  assert.match(await second.reply(), /^421 4\.3\.2 The maximum number of concurrent connections has exceeded/);
  assert.equal(await second.end(), '');
  assert.match(edge.of('connection-refused')[0]?.reason ?? '', /MaxInboundConnectionPerSource 1/);
  await first.ask('QUIT');
  assert.match(await (await edge.connect()).reply(), /^220 /);
});
