import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { canonicalAddress, lookupForms } from '../../src/edge-sync/address.ts';
import { newRecipientKey, RecipientHasher } from '../../src/edge-sync/recipient-hash.ts';
import { safelistHashes, safelistHolds } from '../../src/edge-sync/safelist.ts';
import fc from '../lib/properties.ts';

// Pitfalls 8 and 13 of directory synchronization: types of proxy addresses, case, IDN, Unicode forms.
const rows: readonly [given: string, canonical: string | undefined][] = [
  ['SMTP:Jane.Doe@Corp.Example', 'jane.doe@corp.example'],
  ['smtp:jane@corp.example', 'jane@corp.example'],
  ['jane@corp.example', 'jane@corp.example'],
  ['  jane@corp.example ', 'jane@corp.example'],
  ['X400:C=US;A= ;P=Corp;O=Exchange;S=Doe', undefined],
  ['x500:/o=Corp/ou=Exchange/cn=Recipients/cn=jane', undefined],
  ['SIP:jane@corp.example', undefined],
  ['EUM:1234;phone-context=corp', undefined],
  ['SPO:SPO_1@SPO_2', undefined],
  ['jane@münchen.example', 'jane@xn--mnchen-3ya.example'],
  ['jane@XN--MNCHEN-3YA.example', 'jane@xn--mnchen-3ya.example'],
  ['JÜRGEN@corp.example', 'jürgen@corp.example'],
  ['ju\u0308rgen@corp.example', 'jürgen@corp.example'],
  ['"jane doe"@corp.example', 'jane doe@corp.example'],
  ['"jane"@corp.example', 'jane@corp.example'],
  ['jane@[192.0.2.1]', undefined],
  ['not an address', undefined],
  ['', undefined],
];
for (const [given, expected] of rows) {
  test(`canonical form of '${given}'`, () => assert.equal(canonicalAddress(given), expected));
}

test('a plus address is looked up as it stands, then without its tag', () => {
  assert.deepEqual(lookupForms('jane+news@corp.example'), ['jane+news@corp.example', 'jane@corp.example']);
  assert.deepEqual(lookupForms('jane@corp.example'), ['jane@corp.example']);
  assert.deepEqual(lookupForms('+jane@corp.example'), ['+jane@corp.example']);
});

test('hashes are HMAC-SHA-256 of the canonical form', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.string({ maxLength: 3000, unit: 'grapheme' }),
      (octets, text) => {
        const key = Buffer.from(octets);
        assert.deepEqual(new RecipientHasher(key).hash(text), createHmac('sha256', key).update(text).digest());
      },
    ),
    { numRuns: 200 },
  );
});

test('two subscriptions hash the same address differently', () => {
  const [one, two] = [newRecipientKey(), newRecipientKey()].map((key) => new RecipientHasher(key));
  assert.notDeepEqual(one?.hash('jane@corp.example'), two?.hash('jane@corp.example'));
});

test('safelists are sorted four-octet hashes, without domains, and are found again', () => {
  const people = Array.from({ length: 200 }, (_, i) => `friend${i}@partner.example`);
  const blob = safelistHashes([...people, 'partner.example', '@other.example', 'Friend7@PARTNER.example']);
  assert.equal(blob.length, 800);
  assert.ok(people.every((address) => safelistHolds(blob, address.toUpperCase())));
  assert.equal(safelistHolds(blob, 'stranger@partner.example'), false);
  assert.equal(safelistHolds(blob.subarray(1), people[0] ?? ''), false, 'a damaged list holds nothing');
  assert.equal(safelistHashes(Array.from({ length: 3000 }, (_, i) => `a${i}@b.example`)).length, 4096);
});
