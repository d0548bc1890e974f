import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testSnapshot, testSnapshotSource } from '../../src/config/index.ts';
import { queueSettings } from '../../src/services/transport/queue-settings.ts';

const settings = (change: object, workers = 1) => {
  const base = testSnapshot();
  return queueSettings(testSnapshotSource({ ...base, server: { ...base.server, ...change } }), workers)();
};

test('PoisonThreshold counts while PoisonMessageDetectionEnabled is on', () => {
  assert.equal(settings({ poisonThreshold: 3 }).poisonThreshold, 3);
  assert.equal(settings({ poisonThreshold: 3, poisonMessageDetectionEnabled: false }).poisonThreshold, Infinity);
});

test('limits of the server are shared out among the workers, at least one for each', () => {
  const { maxOutboundConnections, maxPerDomainOutboundConnections } = settings(
    { maxOutboundConnections: 1000, maxPerDomainOutboundConnections: 1 },
    3,
  );
  assert.deepEqual([maxOutboundConnections, maxPerDomainOutboundConnections], [334, 1]);
});
