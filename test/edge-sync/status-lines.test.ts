import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SubscriptionState } from '../../src/edge-sync/edge/edge-subscription.ts';
import type { Subscription } from '../../src/edge-sync/inside/inside-state.ts';
import { edgeLines, insideLines } from '../../src/edge-sync/status-lines.ts';

const now = Date.UTC(2026, 0, 5, 10);
const state: SubscriptionState = {
  site: 'Main',
  accounts: [{ name: 'ESRA.EDGE1.HUB1.0', expires: now + 86_400_000 }],
  pinnedKeys: [],
  leaseHolder: '',
  lastRun: now - 300_000,
  recipients: '50 recipients, 150 addresses',
  bootstrapPending: false,
};

test('an edge says where it stands, and that validation is off', () => {
  const { lines, fault } = edgeLines(state, false, now);
  assert.match(lines.join(), /site Main, last synchronization 5 min ago \(50 recipients, 150 addresses\)/);
  assert.match(lines.join(), /Set-RecipientFilterConfig -RecipientValidationEnabled \$true/);
  assert.equal(fault, undefined);
  assert.match(edgeLines(state, true, now).lines.join(), /550 5\.1\.1/);
});

test('an edge that nobody synchronises is a fault; one without a subscription, or with an unused file, is none', () => {
  assert.match(
    edgeLines({ ...state, lastRun: now - 3 * 86_400_000 }, true, now).fault ?? '',
    /the last was 3 days ago/,
  );
  assert.match(edgeLines({ ...state, lastRun: undefined }, true, now).fault ?? '', /there was none yet/);
  assert.deepEqual(edgeLines(undefined, true, now), { lines: ['not subscribed'] });
  assert.equal(edgeLines({ ...state, accounts: [] }, true, now).fault, undefined);
});

test('the inside has a line for each edge, and a fault for one that was stopped', () => {
  const edge = { name: 'EDGE1', site: 'Main', established: true, lastSuccess: now - 60_000 } as Subscription;
  const held = { ...edge, name: 'EDGE2', lastFailure: { at: now, reason: '40 of 50 addresses would be lost' } };
  const { lines, faults } = insideLines([edge, held], now);
  assert.equal(lines[0], 'EDGE1, site Main, last synchronization 60 s ago');
  assert.deepEqual(faults, ['EdgeSync of EDGE2: 40 of 50 addresses would be lost']);
});
