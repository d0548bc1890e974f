import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseIpRange } from '../../src/base/index.ts';
import {
  type Ace,
  ace,
  acesOfGroups,
  decidingEntry,
  grantedRights,
  openRelayRanges,
  type PermissionGroup,
  parseAcl,
  principalName,
  receiveConnector,
  rightOfName,
  rights,
  sameAce,
  sidOf,
  wellKnownSids as sids,
  writeAcl,
} from '../../src/config/index.ts';
import fc from '../lib/properties.ts';

const groups: readonly PermissionGroup[] = [
  'AnonymousUsers',
  'ExchangeUsers',
  'ExchangeServers',
  'ExchangeLegacyServers',
  'Partners',
];
const { syntax } = receiveConnector.properties.permissionGroups;
const merge = (chosen: readonly PermissionGroup[], current: string): string =>
  syntax.merge?.(chosen, [current])[0] ?? '';

/** Who gets what by which group: the table of Exchange's documentation. */
const table: readonly (readonly [
  right: string,
  anonymous: boolean,
  users: boolean,
  servers: boolean,
  secured: boolean,
  legacy: boolean | 'deny',
  partners: boolean,
])[] = [
  ['ms-Exch-SMTP-Submit', true, true, true, true, true, true],
  ['ms-Exch-SMTP-Accept-Any-Recipient', false, true, true, true, true, false],
  ['ms-Exch-SMTP-Accept-Any-Sender', true, false, true, true, true, false],
  ['ms-Exch-SMTP-Accept-Authoritative-Domain-Sender', true, false, true, true, true, false],
  ['ms-Exch-SMTP-Accept-Authentication-Flag', false, false, true, true, true, false],
  ['ms-Exch-SMTP-Accept-Exch50', false, false, true, true, true, false],
  ['ms-Exch-Accept-Headers-Routing', true, true, true, true, true, true],
  ['ms-Exch-Accept-Headers-Organization', false, false, true, false, 'deny', false],
  ['ms-Exch-Accept-Headers-Forest', false, false, true, false, 'deny', false],
  ['ms-Exch-Bypass-Anti-Spam', false, true, true, true, true, false],
  ['ms-Exch-Bypass-Message-Size-Limit', false, false, true, true, true, false],
];

describe('permission groups', () => {
  const all = acesOfGroups(groups);
  const holders = [
    sids.anonymous,
    sids.authenticatedUsers,
    sids.hub,
    sids.externallySecured,
    sids.legacy,
    sids.partner,
  ];
  for (const [name, ...cells] of table) {
    test(`${name} goes to whom Exchange gives it`, () => {
      const right = rightOfName(name) ?? assert.fail(name);
      cells.forEach((cell, at) => {
        const sid = holders[at] ?? '';
        assert.equal(grantedRights(all, [sid]).has(right), cell === true, sid);
        assert.equal(decidingEntry(all, [sid], right)?.deny ?? false, cell === 'deny', sid);
      });
      assert.equal(grantedRights(all, [sids.edge]).has(right), grantedRights(all, [sids.hub]).has(right));
    });
  }

  test('every combination is written as entries and read back', () => {
    fc.assert(
      fc.property(fc.subarray([...groups]), (chosen) => {
        const [sddl = ''] = syntax.write(chosen);
        assert.deepEqual(syntax.read([sddl]), chosen);
      }),
    );
  });

  test('going from any combination to any other leaves nothing behind', () => {
    fc.assert(
      fc.property(fc.subarray([...groups]), fc.subarray([...groups]), (from, to) => {
        assert.equal(merge(to, syntax.write(from)[0] ?? ''), syntax.write(to)[0]);
      }),
    );
  });

  test('a right beyond the groups shows as Custom and outlives a change of the groups', () => {
    const extra = ace(sids.anonymous, 'ms-Exch-SMTP-Accept-Any-Recipient');
    const sddl = writeAcl([...acesOfGroups(['AnonymousUsers']), extra]);
    assert.deepEqual(syntax.read([sddl]), ['AnonymousUsers', 'Custom']);
    assert.deepEqual(syntax.read([merge(['AnonymousUsers', 'ExchangeServers'], sddl)]), [
      'AnonymousUsers',
      'ExchangeServers',
      'Custom',
    ]);
  });

  test('a group with a right missing is no group, and dropping it drops the rest of it', () => {
    const [, ...rest] = acesOfGroups(['AnonymousUsers']);
    const sddl = writeAcl(rest);
    assert.deepEqual(syntax.read([sddl]), ['Custom']);
    assert.deepEqual(parseAcl(merge([], sddl)), []);
  });
});

describe('SDDL', () => {
  test('owner, group, flags, foreign and inherited entries and the audit list are kept', () => {
    const foreign = '(A;CI;RPWP;;;BA)(OA;;CR;00000000-0000-0000-0000-000000000001;;AU)';
    const inherited = '(OA;ID;CR;04031f4f-7c36-43ea-9b49-4bd0f5f1e6af;;S-1-5-7)';
    const sddl = `O:BAG:SYD:PAI${foreign}(OA;;CR;d19299b4-86c2-4c9a-8fa7-acb70c63023a;;AN)${inherited}S:(AU;SA;WP;;;WD)`;
    const added = writeAcl([ace(sids.anonymous, 'ms-Exch-SMTP-Submit')], sddl);
    assert.match(added, /^O:BAG:SYD:PAI\(OA;;CR;ed6e0001-[-0-9a-f]+;;S-1-5-7\)/);
    assert.ok(added.includes(foreign) && added.includes(inherited) && added.endsWith('S:(AU;SA;WP;;;WD)'));
    assert.ok(!added.includes('d19299b4'));
  });

  test('aliases, GENERIC_ALL and entries without a right of their own are understood', () => {
    const acl = parseAcl('D:(A;;GA;;;SY)(A;;CR;;;AU)(OA;IO;CR;04031f4f-7c36-43ea-9b49-4bd0f5f1e6af;;AN)');
    assert.deepEqual(
      acl.map(({ principal, right }) => [principal, right]),
      [
        ['NT AUTHORITY\\SYSTEM', 'All'],
        ['NT AUTHORITY\\Authenticated Users', 'All'],
      ],
    );
    assert.equal(grantedRights(acl, [sids.authenticatedUsers]).size, rights.length);
  });

  test('an entry that loses its extended rights keeps its others', () => {
    const sddl = 'D:(A;CI;RPCRWP;;;AU)';
    assert.equal(writeAcl(parseAcl(sddl), sddl), sddl);
    assert.equal(writeAcl([], sddl), 'D:(A;CI;RPWP;;;AU)');
  });

  test('denials are written first and win', () => {
    const acl = [ace(sids.anonymous, 'ms-Exch-SMTP-Submit'), ace(sids.anonymous, 'ms-Exch-SMTP-Submit', true)];
    assert.match(writeAcl(acl), /^D:\(OD;/);
    assert.equal(grantedRights(acl, [sids.anonymous]).size, 0);
    assert.equal(
      grantedRights([acl[0] ?? assert.fail(), ace(sids.everyone, 'All', true)], [sids.anonymous, sids.everyone]).size,
      0,
    );
  });

  test('an entry of the object wins over an inherited denial', () => {
    const inherited: Ace = { ...ace(sids.anonymous, 'ms-Exch-SMTP-Submit', true), inherited: true };
    const granted = grantedRights([inherited, ace(sids.anonymous, 'ms-Exch-SMTP-Submit')], [sids.anonymous]);
    assert.equal(granted.get('ms-Exch-SMTP-Submit'), 'Allow ms-Exch-SMTP-Submit to NT AUTHORITY\\ANONYMOUS LOGON');
  });

  test('any list of entries is written and read back, each once', () => {
    const anyAce = fc
      .tuple(fc.constantFrom(...Object.values(sids)), fc.constantFrom(...rights, 'All' as const), fc.boolean())
      .map(([sid, right, deny]) => ace(sid, right, deny));
    fc.assert(
      fc.property(fc.array(anyAce), (acl) => {
        const back = parseAcl(writeAcl(acl));
        assert.ok(acl.every((one) => back.some((other) => sameAce(one, other))));
        assert.ok(back.every((one, at) => back.findIndex((other) => sameAce(one, other)) === at));
        assert.equal(writeAcl(back), writeAcl(acl));
      }),
    );
  });

  for (const bad of ['', 'rubbish', 'D:(A;;CR)', 'D:(A;;CR;;;XX)', 'D:(A;;CR;;;AN']) {
    test(`${JSON.stringify(bad)} is refused`, () => assert.throws(() => parseAcl(bad), RangeError));
  }
});

describe('principals', () => {
  for (const name of [
    'NT AUTHORITY\\ANONYMOUS LOGON',
    '\u2018nt authority\\Anonymous Logon\u2019',
    'NT\u00a0AUTHORITY \\ anonymous  logon',
    'Anonymous Logon',
    'S-1-5-7',
    's-1-5-7',
    'NT AUTHORITY/ANONYMOUS LOGON',
  ]) {
    test(`${name} is anonymous`, () => assert.equal(sidOf(name), 'S-1-5-7'));
  }

  test('unknown names are unknown, SIDs are taken as they are', () => {
    assert.equal(sidOf('CONTOSO\\nobody'), undefined);
    assert.equal(sidOf('S-1-5-21-1-2-3-500'), 'S-1-5-21-1-2-3-500');
    assert.equal(principalName('S-1-5-21-1-2-3-500'), 'S-1-5-21-1-2-3-500');
  });

  test('rights are found in any case and with typographic dashes', () => {
    assert.equal(rightOfName('MS-Exch-SMTP\u2013Accept-Any-Recipient'), 'ms-Exch-SMTP-Accept-Any-Recipient');
    assert.equal(rightOfName('Accept-Any'), undefined);
  });
});

describe('open relay', () => {
  const relay = [...acesOfGroups(['AnonymousUsers']), ace(sids.anonymous, 'ms-Exch-SMTP-Accept-Any-Recipient')];
  const cases: readonly (readonly [ranges: string, open: string])[] = [
    ['127.0.0.9', ''],
    ['10.1.2.3,::1', ''],
    ['192.168.1.0/24', '192.168.1.0/24'],
    ['203.0.113.7', '203.0.113.7'],
    ['10.0.0.1,0.0.0.0-255.255.255.255', '0.0.0.0-255.255.255.255'],
    ['fd00::5,2001:db8::5', '2001:db8::5'],
  ];
  for (const [ranges, open] of cases) {
    test(`${ranges}: ${open || 'none'}`, () => {
      const remoteIPRanges = ranges.split(',').map(parseIpRange);
      assert.equal(
        openRelayRanges({ acl: relay, remoteIPRanges })
          .map(({ text }) => text)
          .join(),
        open,
      );
      assert.deepEqual(openRelayRanges({ acl: acesOfGroups(['AnonymousUsers']), remoteIPRanges }), []);
    });
  }
});
