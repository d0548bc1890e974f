import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { buildCertificate, randomSerial, seal } from '../../src/certificates/index.ts';
import { unseal } from '../../src/certificates/sealing.ts';

const name = [[{ oid: '2.5.4.3', value: 'edge1' }]];
function certificateOf(keys: { publicKey: KeyObject; privateKey: KeyObject }) {
  return buildCertificate({
    subject: name,
    issuer: name,
    notBefore: 0,
    notAfter: 2e12,
    serial: randomSerial(),
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    issuerPublicKey: keys.publicKey,
  });
}
const kinds = {
  rsa: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ec: () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
};

for (const [kind, make] of Object.entries(kinds)) {
  test(`what is sealed to a certificate with a key of type ${kind} is read by that key alone`, () => {
    const keys = make();
    const secret = Buffer.from('0123456789abcdef'.repeat(20));
    const box = seal(certificateOf(keys), secret);
    assert.ok(!box.includes(secret.subarray(0, 16)));
    assert.deepEqual(unseal(keys.privateKey, box), secret);
    assert.equal(unseal(make().privateKey, box), undefined, 'another key');
    const altered = Buffer.from(box);
    const at = box.indexOf('"data":"') + 10;
    altered[at] = altered[at] === 65 ? 66 : 65;
    assert.equal(unseal(keys.privateKey, altered), undefined, 'altered');
  });
}
