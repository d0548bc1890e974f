import assert from 'node:assert/strict';
import { createPrivateKey, hash, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { unseal } from '../../src/certificates/sealing.ts';
import { newCredential } from '../../src/edge-sync/inside/credential.ts';
import { expectOwnKey, hasherOf, sealedKeyOf } from '../../src/edge-sync/inside/recipient-key.ts';
import { newRecipientKey, RecipientHasher } from '../../src/edge-sync/recipient-hash.ts';

const octets = newRecipientKey();
const recipientKey = octets.toString('base64');
// Any key pair with its certificate may stand for the edge.
const edge = newCredential('EDGE1', 'HUB1', 0, Date.UTC(2026, 0, 1));
const certificate = new X509Certificate(edge.certificate).raw.toString('base64');

test('a subscription hashes with its own key', () => {
  const address = 'anna@corp.example';
  assert.deepEqual(hasherOf({ recipientKey }).hash(address), new RecipientHasher(octets).hash(address));
});

test('the key is sealed for the edge, each time anew', () => {
  const [one, two] = [sealedKeyOf({ certificate, recipientKey }), sealedKeyOf({ certificate, recipientKey })];
  assert.deepEqual(unseal(createPrivateKey(edge.key), one.octets), octets);
  assert.equal(one.digest, hash('sha256', one.octets, 'hex'));
  assert.notEqual(one.digest, two.digest);
});

test('an edge that has the key of another inside is not written to', async () => {
  const edgeWith = (digest: string) => ({ sealedKeyDigest: () => Promise.resolve(digest) });
  await expectOwnKey({ name: 'EDGE1', sealed: 'ours' }, edgeWith('ours'));
  await expectOwnKey({ name: 'EDGE1' }, edgeWith('anything: it was joined before digests were kept'));
  await assert.rejects(expectOwnKey({ name: 'EDGE1', sealed: 'ours' }, edgeWith('theirs')), {
    code: 'unwillingToPerform',
    message: /EDGE1 was subscribed by another server since/,
  });
});
