import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CertificateError } from '../../src/certificates/index.ts';
import { SecretBox } from '../../src/certificates/secrets/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'edge-secrets-'));
after(() => rmSync(folder, { recursive: true }));

test('what was sealed opens on this machine, for its purpose, and shows nothing', () => {
  const sealed = new SecretBox(folder).seal('pa\u00df wort', 'AuthenticationCredential u');
  assert.match(sealed, /^aes-256-gcm:[A-Za-z0-9+/=]+$/);
  assert.ok(!Buffer.from(sealed.slice(12), 'base64').includes('wort'));
  // Another process of the same machine.
  assert.equal(new SecretBox(folder).unseal(sealed, 'AuthenticationCredential u'), 'pa\u00df wort');
  assert.equal(statSync(join(folder, 'secrets.key')).mode & 0o777, 0o600);
  assert.notEqual(new SecretBox(folder).seal('pa\u00df wort', 'AuthenticationCredential u'), sealed, 'a fresh nonce');
});

test('what was moved, changed or sealed elsewhere does not open', () => {
  const box = new SecretBox(folder);
  const sealed = box.seal('secret', 'for u');
  const octets = Buffer.from(sealed.slice(12), 'base64');
  octets[octets.length - 1] = (octets.at(-1) ?? 0) ^ 1;
  const elsewhere = mkdtempSync(join(tmpdir(), 'edge-secrets-'));
  new SecretBox(elsewhere).seal('x', 'y');
  for (const [what, open] of [
    ['moved to another user', () => box.unseal(sealed, 'for v')],
    ['changed', () => box.unseal(`aes-256-gcm:${octets.toString('base64')}`, 'for u')],
    ['cut', () => box.unseal(sealed.slice(0, 30), 'for u')],
    ['in clear', () => box.unseal('secret', 'for u')],
    ['on another machine', () => new SecretBox(elsewhere).unseal(sealed, 'for u')],
    ['without a key', () => new SecretBox(join(elsewhere, 'none')).unseal(sealed, 'for u')],
  ] as const) {
    assert.throws(open, (error) => error instanceof CertificateError && /set .* anew/.test(error.message), what);
  }
  writeFileSync(join(elsewhere, 'secrets.key'), 'abc');
  assert.throws(() => new SecretBox(elsewhere).seal('x', 'y'), CertificateError);
  assert.equal(readFileSync(join(elsewhere, 'secrets.key'), 'utf8'), 'abc', 'a damaged key is not replaced in silence');
  rmSync(elsewhere, { recursive: true });
});
