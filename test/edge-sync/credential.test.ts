/** The life of an account of EdgeSync, by a clock that is set. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { inForce, needsNext, newCredential, requestOf, successor } from '../../src/edge-sync/inside/credential.ts';

const day = 86_400_000;
const born = Date.UTC(2026, 0, 1);
const first = newCredential('EDGE1', 'HUB1', 0, born);
const end = born + 30 * day;

test('an account lives 30 days, and its certificate is for it alone', () => {
  assert.equal(first.expires, born + 30 * day);
  const certificate = new X509Certificate(first.certificate);
  assert.match(certificate.subject, /CN=ESRA\.EDGE1\.HUB1\.0/);
  assert.equal(Date.parse(certificate.validTo), end);
  const request = JSON.parse(requestOf(first)) as { user: string; expires: number; certificate: string };
  assert.deepEqual([request.user, request.expires], ['ESRA.EDGE1.HUB1.0', end]);
  assert.ok(!requestOf(first).includes('PRIVATE'), 'the key stays inside');
});

test('the next one is made 7 days before the end and used from 3 days before', () => {
  assert.equal(needsNext(first, undefined, end - 7 * day - 1), false);
  assert.equal(needsNext(first, undefined, end - 7 * day), true);
  const next = successor(first, end - 7 * day);
  assert.equal(next.user, 'ESRA.EDGE1.HUB1.1');
  assert.equal(next.expires, end + 23 * day);
  assert.notEqual(
    new X509Certificate(next.certificate).fingerprint256,
    new X509Certificate(first.certificate).fingerprint256,
  );
  assert.equal(needsNext(first, next, end - day), false, 'one is enough');
  assert.equal(inForce(first, next, end - 3 * day - 1), first);
  assert.equal(inForce(first, next, end - 3 * day), next);
  assert.equal(inForce(first, undefined, end), first, 'with none made, the old one is tried to its end');
});

test('a year of runs never lacks an account, and never has more than two', () => {
  let current = first;
  let next: typeof first | undefined;
  for (let now = born; now < born + 365 * day; now += day) {
    if (needsNext(current, next, now)) next = successor(current, now);
    if (next !== undefined && now >= current.expires) [current, next] = [next, undefined];
    assert.ok(inForce(current, next, now).expires > now, new Date(now).toISOString());
  }
});
