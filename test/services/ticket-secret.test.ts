import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TicketSecret } from '../../src/services/directory/ticket-secret.ts';
import { HandClock } from '../smtp-receive/receiving.ts';

test('the secret of tickets is another one every six hours, until the service stops', () => {
  const clock = new HandClock();
  const told: string[] = [];
  const tickets = new TicketSecret(clock, (secret) => void told.push(secret));
  assert.equal(told.length, 1);
  clock.advance(6 * 3_600_000 - 1);
  assert.equal(told.length, 1);
  clock.advance(18 * 3_600_000);
  assert.equal(told.length, 4);
  assert.equal(new Set(told).size, 4);
  assert.ok(told.every((secret) => Buffer.from(secret, 'base64').length === 48));
  tickets[Symbol.dispose]();
  clock.advance(24 * 3_600_000);
  assert.equal(told.length, 4);
});
