import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { keyDigest } from '../../src/base/index.ts';
import { presentedCertificate } from '../../src/edge-sync/edge/presented-certificate.ts';
import { newCredential } from '../../src/edge-sync/inside/credential.ts';

const certificate = (number: number): { readonly chainPem: string } => ({
  chainPem: newCredential('EDGE1', 'HUB1', number, Date.now()).certificate,
});
const [newest, meant, oldest] = [certificate(1), certificate(2), certificate(3)];
const all = [newest, meant, oldest];
const pin = ({ chainPem }: { chainPem: string }): string => keyDigest(new X509Certificate(chainPem));

test('without a subscription LDAPS shows what is meant for it', () => {
  assert.equal(presentedCertificate(meant, all, []), meant);
});

test('what is meant is shown while the inside knows it, though it knows a newer one: a new file names it', () => {
  assert.equal(presentedCertificate(meant, all, all.map(pin)), meant);
});

test('a certificate that the inside has not heard of waits behind one that it knows', () => {
  assert.equal(presentedCertificate(meant, all, [pin(oldest)]), oldest);
  assert.equal(presentedCertificate(meant, all, [pin(oldest), pin(newest)]), newest);
});

test('when every known key is gone nothing is chosen here', () => {
  assert.equal(presentedCertificate(meant, all, ['other']), undefined);
});
