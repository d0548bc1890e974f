import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testAcceptedDomain } from '../../src/config/index.ts';
import { AcceptedDomainTable } from '../../src/smtp-receive/accepted-domains.ts';

const domain = (domainName: string, overrides: Parameters<typeof testAcceptedDomain>[0] = {}) =>
  testAcceptedDomain({ name: domainName, domainName, ...overrides });

const table = new AcceptedDomainTable([
  domain('example.test', { domainType: 'Authoritative' }),
  domain('*.example.test', { domainType: 'InternalRelay' }),
  domain('deep.below.example.test', { domainType: 'ExternalRelay' }),
  domain('*.below.example.test', { domainType: 'ExternalRelay' }),
  domain('Whole.Test', { matchSubDomains: true }),
]);

const rows: readonly [asked: string, entry: string | undefined][] = [
  ['example.test', 'example.test'],
  ['a.example.test', '*.example.test'],
  ['a.b.example.test', '*.example.test'],
  ['deep.below.example.test', 'deep.below.example.test'],
  ['x.below.example.test', '*.below.example.test'],
  ['below.example.test', '*.example.test'],
  ['notexample.test', undefined],
  ['test', undefined],
  ['example.test.evil.invalid', undefined],
  ['whole.test', 'Whole.Test'],
  ['a.whole.test', 'Whole.Test'],
  ['[192.0.2.1]', undefined],
  ['', undefined],
];
for (const [asked, entry] of rows) {
  test(`${asked === '' ? 'no domain' : asked} is covered by ${entry ?? 'nothing'}`, () => {
    assert.equal(table.find(asked)?.domainName, entry);
  });
}

test("'*' takes every domain but no address literal", () => {
  const all = new AcceptedDomainTable([domain('*', { domainType: 'ExternalRelay' })]);
  assert.equal(all.find('anything.invalid')?.domainName, '*');
  assert.equal(all.find('[192.0.2.1]'), undefined);
  assert.equal(all.default, undefined);
});

test('<Postmaster> belongs to the default domain, else to the first authoritative one', () => {
  assert.equal(table.default, 'example.test');
  const chosen = new AcceptedDomainTable([domain('a.test'), domain('b.test', { default: true })]);
  assert.equal(chosen.default, 'b.test');
});
