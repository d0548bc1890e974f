import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AcceptedDomainTable, acceptedDomain, defaultDomain, testAcceptedDomain } from '../../src/config/index.ts';
import { parseMailbox } from '../../src/smtp/index.ts';

type Overrides = Parameters<typeof testAcceptedDomain>[0];
const domain = (domainName: string, overrides: Overrides = {}) =>
  testAcceptedDomain({ name: domainName, domainName, ...overrides });
const below = { matchSubDomains: true };

const kinds = [
  domain('a.b', { domainType: 'InternalRelay', ...below }),
  domain('*.a.b', { domainType: 'Authoritative' }),
  domain('*', { domainType: 'ExternalRelay' }),
];
const nested = [
  domain('example.test'),
  domain('*.example.test', { domainType: 'InternalRelay' }),
  domain('deep.below.example.test', { domainType: 'ExternalRelay' }),
  domain('*.below.example.test', { domainType: 'ExternalRelay' }),
  domain('Whole.Test', below),
];
const apex = [domain('*.b', below), domain('*.wild.b'), domain('b', { domainType: 'InternalRelay' })];

// The precedence of accepted domains. Each row holds in every order of the entries.
const rows: readonly (readonly [asked: string, entries: readonly ReturnType<typeof domain>[], entry?: string])[] = [
  ['a.b', kinds, 'a.b'],
  ['x.a.b', kinds, '*.a.b'],
  ['y.x.a.b', kinds, '*.a.b'],
  ['xa.b', kinds, '*'],
  ['[192.0.2.1]', kinds],
  ['[IPv6:2001:db8::1]', kinds],
  ['', kinds],
  ['example.test', nested, 'example.test'],
  ['a.example.test', nested, '*.example.test'],
  ['a.b.example.test', nested, '*.example.test'],
  ['deep.below.example.test', nested, 'deep.below.example.test'],
  ['x.deep.below.example.test', nested, '*.below.example.test'],
  ['x.below.example.test', nested, '*.below.example.test'],
  ['below.example.test', nested, '*.below.example.test'],
  ['notexample.test', nested],
  ['test', nested],
  ['example.test.evil.invalid', nested],
  ['whole.test', nested, 'Whole.Test'],
  ['a.whole.test', nested, 'Whole.Test'],
  ['wild.b', apex, '*.wild.b'],
  ['x.wild.b', apex, '*.wild.b'],
  ['b', apex, 'b'],
  ['c.b', apex, '*.b'],
  ['anything.invalid', [domain('*', { domainType: 'ExternalRelay' })], '*'],
];
for (const [asked, entries, entry] of rows) {
  test(`${asked === '' ? 'no domain' : asked} is covered by ${entry ?? 'nothing'} of ${entries.map((one) => one.name).join()}`, () => {
    for (const list of [entries, entries.toReversed()]) {
      assert.equal(new AcceptedDomainTable(list).find(asked)?.domainName, entry);
    }
  });
}

const defaults: readonly (readonly [expected: string | undefined, entries: readonly ReturnType<typeof domain>[]])[] = [
  ['b.test', [domain('a.test'), domain('B.test', { default: true })]],
  ['a.test', [domain('x.test', { domainType: 'InternalRelay' }), domain('a.test')]],
  ['x.test', [domain('*', { domainType: 'InternalRelay' }), domain('x.test', { domainType: 'ExternalRelay' })]],
  ['wild.test', [domain('*.wild.test')]],
  [undefined, [domain('*', { domainType: 'ExternalRelay', default: true })]],
  [undefined, []],
];
for (const [expected, entries] of defaults) {
  test(`the default domain of ${entries.map((one) => one.name).join(', ') || 'nothing'} is ${expected}`, () => {
    assert.equal(defaultDomain(entries), expected);
    assert.equal(new AcceptedDomainTable(entries).default, expected);
  });
}

// Each is a domain as an administrator may type it.
for (const typed of [
  'exam_ple.test',
  '_x.test',
  'Bücher.Example',
  'xn--bcher-kva.example',
  'localdomain',
  'a.0x1f',
  '1.2.3.4',
  'a.12',
  '-a.test',
  'ｅｘａｍｐｌｅ.test',
  'a..b',
  '[192.0.2.1]',
]) {
  test(`an accepted domain ${typed} is refused, or mail to it can be received`, () => {
    const { syntax } = acceptedDomain.properties.domainName;
    let stored: string;
    try {
      stored = syntax.parse(typed);
    } catch (error) {
      return assert.ok(error instanceof RangeError);
    }
    const { domain: received } = parseMailbox(`user@${stored}`);
    assert.equal(new AcceptedDomainTable([domain(stored)]).find(received)?.domainName, stored);
  });
}
