/** Which ports root binds for its children. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedPorts } from '../../src/services/appliance/allowed-ports.ts';

const bound = (...added: number[]): number[] =>
  Array.from({ length: 65_535 }, (_, i) => i + 1).filter(allowedPorts(added));

test('below 1024 the ports of mail alone', () => {
  assert.deepEqual(
    bound().filter((port) => port < 1024),
    [25, 465, 475, 587, 717],
  );
  assert.equal(bound().filter((port) => port >= 1024).length, 65_535 - 1023);
  assert.ok(allowedPorts()(2525));
});

test('and what the administrator adds', () => {
  assert.deepEqual(
    bound(26, 2526).filter((port) => port < 1024),
    [25, 26, 465, 475, 587, 717],
  );
});
