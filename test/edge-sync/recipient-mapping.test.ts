import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSchema } from '../../src/directory/index.ts';
import {
  idOf,
  type MappingSettings,
  RecipientMapping,
  wantedAttributes,
} from '../../src/edge-sync/recipient-mapping.ts';
import { braked, brakeLimit, nothingPlanned } from '../../src/edge-sync/recipient-plan.ts';
import { entryFrom } from '../../src/ldap/index.ts';

const schema = await loadSchema('ldap/schema');
const plain: MappingSettings = {
  addressAttributes: ['proxyAddresses', 'mail'],
  bases: [],
  excludedBases: [],
  filter: '',
  disabledAccounts: 'keep',
};
const disabled = { mail: 'jane@corp.example', userAccountControl: '514' };
const people = { bases: ['OU=People,DC=corp,DC=example'] };
const inPeople = 'CN=Jane,OU=Sales,ou=people,dc=CORP,DC=example';
const elsewhere = 'CN=Jane,OU=Guests,DC=corp,DC=example';

type Row = readonly [
  name: string,
  settings: Partial<MappingSettings>,
  exchange: boolean,
  dn: string,
  values: Record<string, string | readonly string[]>,
  excluded: RegExp | undefined,
];
// Pitfalls 7 and 14: kinds of recipients, nested scopes and exclusions.
const rows: readonly Row[] = [
  ['a user', {}, true, inPeople, { mail: 'jane@corp.example' }, undefined],
  ['a disabled account where Exchange is: a shared mailbox', {}, true, inPeople, disabled, undefined],
  [
    'a disabled account where Exchange is, even with drop',
    { disabledAccounts: 'drop' },
    true,
    inPeople,
    disabled,
    undefined,
  ],
  ['a disabled account without Exchange, by default', {}, false, inPeople, disabled, undefined],
  [
    'a disabled account without Exchange, with drop',
    { disabledAccounts: 'drop' },
    false,
    inPeople,
    disabled,
    /disabled/,
  ],
  [
    'a recipient hidden from address lists',
    {},
    true,
    inPeople,
    { mail: 'jane@corp.example', msExchHideFromAddressLists: 'TRUE' },
    undefined,
  ],
  [
    'a group for authenticated senders',
    {},
    true,
    inPeople,
    { mail: 'all@corp.example', msExchRequireAuthToSendTo: 'TRUE' },
    /authenticated/,
  ],
  ['below the base, in another spelling', people, true, inPeople, { mail: 'jane@corp.example' }, undefined],
  ['outside the base', people, true, elsewhere, { mail: 'jane@corp.example' }, /outside/],
  [
    'below an excluded base',
    { ...people, excludedBases: ['OU=Sales,OU=People,DC=corp,DC=example'] },
    true,
    inPeople,
    { mail: 'jane@corp.example' },
    /excluded base/,
  ],
  [
    'the filter matches',
    { filter: '(department=Sales)' },
    true,
    inPeople,
    { mail: 'jane@corp.example', department: 'sales' },
    undefined,
  ],
  [
    'the filter does not match',
    { filter: '(department=Sales)' },
    true,
    inPeople,
    { mail: 'jane@corp.example' },
    /filter/,
  ],
  [
    'a filter on an attribute that our schema does not know',
    { filter: '(corpMailEnabled=yes)' },
    false,
    inPeople,
    { mail: 'jane@corp.example', corpMailEnabled: 'YES' },
    undefined,
  ],
  ['no SMTP address', {}, true, inPeople, { proxyAddresses: 'X400:c=us' }, /no SMTP address/],
];
for (const [name, settings, exchangeSchema, dn, values, excluded] of rows) {
  test(name, () => {
    const mapping = new RecipientMapping({ ...plain, ...settings }, { exchangeSchema, schema });
    const recipient = mapping.recipient(entryFrom(dn, values), 'id');
    if (excluded === undefined) assert.equal(recipient.excluded, undefined);
    else assert.match(recipient.excluded ?? '', excluded);
  });
}

test('addresses are canonical, once each and sorted; binary settings go along', () => {
  const mapping = new RecipientMapping(plain, { exchangeSchema: true, schema });
  const entry = entryFrom(inPeople, {
    proxyAddresses: ['SMTP:Jane@corp.example', 'smtp:jane@CORP.example', 'smtp:a@corp.example', 'X500:/o=x'],
    mail: 'jane@corp.example',
    msExchSafeSendersHash: [Buffer.from([0, 1, 254, 255])],
  });
  const { addresses, extras } = mapping.recipient(entry, 'id');
  assert.deepEqual(addresses, ['a@corp.example', 'jane@corp.example']);
  assert.deepEqual(extras, { msExchSafeSenderHash: ['AAH+/w=='] });
});

test('ids are GUIDs whatever the server calls them', () => {
  const guid = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
  assert.equal(idOf(entryFrom('cn=x', { objectGUID: [guid] })), '03020100-0504-0706-0809-0a0b0c0d0e0f');
  assert.equal(
    idOf(entryFrom('cn=x', { entryUUID: '0A0B0C0D-0000-1000-8000-000000000001' })),
    '0a0b0c0d-0000-1000-8000-000000000001',
  );
  assert.equal(
    idOf(entryFrom('cn=x', { nsUniqueId: '66446001-1dd211b2-66225011-2ee211db' })),
    '66446001-1dd2-11b2-6622-50112ee211db',
  );
  assert.equal(idOf(entryFrom('cn=x', { cn: 'x' })), undefined);
});

test('attributes of the filter are asked for', () => {
  assert.ok(wantedAttributes({ ...plain, filter: '(&(department=a)(!(title~=b)))' }).includes('title'));
});

test('the brake: a tenth or 500 addresses, whichever is smaller, but ten are always allowed', () => {
  for (const [addresses, limit] of [
    [0, 10],
    [50, 10],
    [300, 30],
    [5000, 500],
    [100_000, 500],
  ] as const) {
    assert.equal(brakeLimit(addresses), limit);
    assert.equal(braked({ ...nothingPlanned, addressesLost: limit }, addresses), undefined);
    assert.match(braked({ ...nothingPlanned, addressesLost: limit + 1 }, addresses) ?? '', /--force/);
  }
});
