/** Passwords at rest: argon2id in PHC form, and never anything else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Argon2Hasher, importLdif } from '../../src/directory/index.ts';
import { isHashed } from '../../src/directory/password-hash.ts';
import { adminDn, root, startFace } from './face.ts';

const hasher = new Argon2Hasher({ memory: 8, passes: 1 });
const secret = Buffer.from('päss wörd\0with octets');

test('a hash holds its cost, is new each time, and verifies only the password', async () => {
  const [one, two] = [await hasher.hash(secret), await hasher.hash(secret)];
  assert.match(one, /^\{ARGON2\}\$argon2id\$v=19\$m=8,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.notEqual(one, two);
  assert.ok(await hasher.verify(one, secret));
  assert.ok(await new Argon2Hasher().verify(two, secret), 'the cost is that of the hash');
  assert.ok(!(await hasher.verify(one, Buffer.from('other'))));
});

test('the default costs what OWASP asks of a server', async () => {
  assert.match(await new Argon2Hasher().hash(secret), /\$m=19456,t=2,p=1\$/);
});

// The salt and tag of the reference implementation's own test: t=2, m=65536, p=1, "password", "somesalt".
const reference = '{ARGON2}$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
const salted = (cost: string): string =>
  `{ARGON2}$argon2id$v=19$${cost}$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc`;

const values: readonly (readonly [value: string, hashed: boolean])[] = [
  [reference, true],
  ['password', false],
  ['{SSHA}c29tZXNhbHQ', false],
  ['{CLEARTEXT}password', false],
  [reference.replace('argon2id', 'argon2i'), false],
  [reference.replace('{ARGON2}', ''), false],
  [salted('m=262144,t=10,p=1'), true],
  [salted('m=262145,t=1,p=1'), false],
  [salted('m=1024,t=11,p=1'), false],
  [salted('m=1024,t=0,p=1'), false],
  [salted('m=1024,t=1,p=0'), false],
  [salted('m=8,t=1,p=2'), false],
];

for (const [value, hashed] of values) {
  test(`${hashed ? 'a hash' : 'no hash'}: ${value.slice(0, 45)}`, async () => {
    assert.equal(isHashed(Buffer.from(value)), hashed);
    // The dearest hash that is taken would take seconds to check.
    if (!hashed || value === reference)
      assert.equal(await hasher.verify(value, Buffer.from('password')), value === reference);
  });
}

test('so many at once and no more', async () => {
  const many = await Promise.allSettled(Array.from({ length: 80 }, () => hasher.hash(secret)));
  const refused = many.filter(({ status }) => status === 'rejected');
  assert.equal(refused.length, 16);
  assert.ok(await hasher.verify(await hasher.hash(secret), secret), 'afterwards it goes on');
});

test('a password that is far too long is refused', async () => {
  await assert.rejects(hasher.hash(Buffer.alloc(1025)), { code: 'constraintViolation' });
});

test('an import keeps no password in clear', async () => {
  await using face = await startFace();
  const dn = `cn=in,${root}`;
  const content = `dn: ${dn}\nobjectClass: person\nobjectClass: edgeAccount\nsn: x\nuserPassword: in clear\n`;
  const change = `\ndn: cn=user,${root}\nchangetype: modify\nreplace: userPassword\nuserPassword: ${reference}\nuserPassword: too\n`;
  await importLdif(face.store, content + change, { actor: adminDn });
  const kept = [dn, `cn=user,${root}`].flatMap((name) => face.store.get(name)?.values('userPassword') ?? []);
  assert.equal(kept.length, 3);
  assert.ok(kept.includes(reference), 'a hash stays as it is');
  const found = await Promise.all(
    ['in clear', 'password', 'too'].map(async (text) => {
      const verdicts = await Promise.all(kept.map((hash) => hasher.verify(hash, Buffer.from(text))));
      return verdicts.filter(Boolean).length;
    }),
  );
  assert.deepEqual(found, [1, 1, 1]);
});
