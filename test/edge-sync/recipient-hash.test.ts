import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { newRecipientKey, RecipientHasher } from '../../src/edge-sync/recipient-hash.ts';

test('the hash is HMAC-SHA-256 of the address, whatever its length and letters, and each is a buffer of its own', () => {
  const key = newRecipientKey();
  const hasher = new RecipientHasher(key);
  const texts = [
    '',
    'a@b.example',
    'ren\u00e9@corp.example',
    '\u{1f600}@corp.example',
    'x'.repeat(5000),
    'y'.repeat(960),
  ];
  const hashes = Array.from({ length: 200 }, (_, i) => `user${i}@corp.example`).concat(texts);
  const made = hashes.map((text) => hasher.hash(text));
  for (const [i, text] of hashes.entries())
    assert.deepEqual(made[i], createHmac('sha256', key).update(text, 'utf8').digest(), text.slice(0, 40));
});

test('a key of another length is refused', () => {
  assert.throws(() => new RecipientHasher(Buffer.alloc(31)), /32 octets, not 31/);
});
