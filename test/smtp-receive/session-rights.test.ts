/** Rights, permissions and the EHLO keywords of one principal on one connector, without a socket. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ace, type ReceiveConnector, type Right, testReceiveConnector, wellKnownSids } from '../../src/config/index.ts';
import { anonymous, externallySecured, isExchangeServer, partner } from '../../src/smtp-receive/rights/principal.ts';
import { RightsTable, SessionRights } from '../../src/smtp-receive/rights/session-rights.ts';

const sid = wellKnownSids.anonymous;

function rightsOf(connector: Partial<ReceiveConnector>): SessionRights {
  return new SessionRights(testReceiveConnector(connector), anonymous);
}

/** In the order in which Exchange's protocol log lists them. */
const tokens: readonly (readonly [Right, string])[] = [
  ['ms-Exch-SMTP-Submit', 'SMTPSubmit'],
  ['ms-Exch-SMTP-Accept-Any-Recipient', 'SMTPAcceptAnyRecipient'],
  ['ms-Exch-SMTP-Accept-Authentication-Flag', 'SMTPAcceptAuthenticationFlag'],
  ['ms-Exch-SMTP-Accept-Any-Sender', 'SMTPAcceptAnySender'],
  ['ms-Exch-SMTP-Accept-Authoritative-Domain-Sender', 'SMTPAcceptAuthoritativeDomainSender'],
  ['ms-Exch-Bypass-Anti-Spam', 'BypassAntiSpam'],
  ['ms-Exch-Bypass-Message-Size-Limit', 'BypassMessageSizeLimit'],
  ['ms-Exch-SMTP-Accept-Exch50', 'SMTPAcceptEXCH50'],
  ['ms-Exch-Accept-Headers-Routing', 'AcceptRoutingHeaders'],
  ['ms-Exch-Accept-Headers-Forest', 'AcceptForestHeaders'],
  ['ms-Exch-Accept-Headers-Organization', 'AcceptOrganizationHeaders'],
  ['ms-Exch-SMTP-Accept-XShadow', 'SMTPAcceptXShadow'],
];

for (const [right, token] of tokens) {
  test(`${right} alone is ${token}`, () => {
    const { permissions, ...rights } = rightsOf({ acl: [ace(sid, right)], maxMessageSize: 70_000 });
    assert.equal(permissions, token);
    assert.deepEqual(
      [rights.submit, rights.anyRecipient, rights.anySender, rights.authoritativeSender]
        .filter(({ granted }) => granted)
        .map((check) => check.right),
      tokens.slice(0, 5).some(([one]) => one === right) && !right.includes('Authentication') ? [right] : [],
    );
    assert.equal(rights.bypassAntiSpam, right === 'ms-Exch-Bypass-Anti-Spam');
    assert.equal(rights.maxMessageSize, right === 'ms-Exch-Bypass-Message-Size-Limit' ? Infinity : 70_000);
  });
}

test('all rights are listed in the order of the log, and nothing without any', () => {
  assert.equal(rightsOf({ acl: [ace(sid, 'All')] }).permissions, tokens.map(([, token]) => token).join(' '));
  assert.equal(rightsOf({ acl: [] }).permissions, '');
});

test('a right says which entry decided, or that none did', () => {
  const granted = rightsOf({ acl: [ace(sid, 'ms-Exch-SMTP-Submit')] }).submit;
  assert.deepEqual([granted.granted, granted.right, granted.principal], [true, 'ms-Exch-SMTP-Submit', anonymous.name]);
  assert.match(granted.by, /ANONYMOUS LOGON|S-1-5-7/);
  const none = rightsOf({ acl: [] }).submit;
  assert.deepEqual(
    [none.granted, none.by, none.principal],
    [false, 'no entry of the connector grants it', anonymous.name],
  );
  const denied = rightsOf({ acl: [ace(sid, 'All'), ace(sid, 'ms-Exch-SMTP-Submit', true)] }).submit;
  assert.deepEqual([denied.granted, denied.by], [false, 'an entry of the connector denies it']);
});

const plain = { startTls: false, secure: false, logons: false, sizeLimit: 70_000, certificate: false, xClient: false };
const off: Partial<ReceiveConnector> = {
  sizeEnabled: 'Disabled',
  pipeliningEnabled: false,
  deliveryStatusNotificationEnabled: false,
  enhancedStatusCodesEnabled: false,
  eightBitMimeEnabled: false,
  binaryMimeEnabled: false,
  chunkingEnabled: false,
  smtpUtf8Enabled: false,
  authMechanism: [],
  maxMessageSize: 70_000,
};
const basic = { authMechanism: ['BasicAuth'] } as const;
const keywords: readonly (readonly [
  connector: Partial<ReceiveConnector>,
  state: Partial<typeof plain>,
  expected: string,
])[] = [
  [{}, {}, ''],
  [{ sizeEnabled: 'Enabled' }, {}, 'SIZE 70000'],
  // The organization's limit is the narrower one.
  [{ sizeEnabled: 'Enabled' }, { sizeLimit: 50_000 }, 'SIZE 50000'],
  [{ sizeEnabled: 'EnabledWithoutValue' }, {}, 'SIZE'],
  [{ sizeEnabled: 'Enabled' }, { sizeLimit: Infinity }, 'SIZE'],
  [{ pipeliningEnabled: true }, {}, 'PIPELINING'],
  [{ deliveryStatusNotificationEnabled: true }, {}, 'DSN'],
  [{ enhancedStatusCodesEnabled: true }, {}, 'ENHANCEDSTATUSCODES'],
  [{}, { startTls: true }, 'STARTTLS'],
  [basic, { logons: true }, 'AUTH LOGIN PLAIN'],
  [basic, {}, ''],
  [{}, { logons: true }, ''],
  [{ authMechanism: ['BasicAuth', 'BasicAuthRequireTLS'] }, { logons: true }, ''],
  [
    { authMechanism: ['BasicAuth', 'BasicAuthRequireTLS'] },
    { logons: true, secure: true },
    'AUTH LOGIN PLAIN REQUIRETLS',
  ],
  [{ externalAuthEnabled: true }, { logons: true, secure: true }, 'REQUIRETLS'],
  [{ externalAuthEnabled: true }, { logons: true, secure: true, certificate: true }, 'AUTH EXTERNAL REQUIRETLS'],
  [{ authMechanism: ['Integrated'] }, { logons: true, secure: true }, 'REQUIRETLS'],
  [{ eightBitMimeEnabled: true }, {}, '8BITMIME'],
  [{ binaryMimeEnabled: true }, {}, ''],
  [{ chunkingEnabled: true }, {}, 'CHUNKING'],
  [{ binaryMimeEnabled: true, chunkingEnabled: true }, {}, 'BINARYMIME CHUNKING'],
  [{ smtpUtf8Enabled: true }, {}, 'SMTPUTF8'],
  [{}, { secure: true }, 'REQUIRETLS'],
  [{ limitsEnabled: true, maxRecipientsPerMessage: 200 }, {}, 'LIMITS RCPTMAX=200'],
];
for (const [connector, state, expected] of keywords) {
  test(`EHLO with ${JSON.stringify(connector)} and ${JSON.stringify(state)} offers '${expected}'`, () => {
    const rights = rightsOf({ ...off, acl: [], ...connector });
    assert.equal(rights.extensions({ ...plain, ...state }).join(' '), expected);
  });
}

test('the keywords of each state are made once', () => {
  const rights = rightsOf({});
  const first = rights.extensions(plain);
  assert.equal(rights.extensions({ ...plain }), first);
  for (const change of [
    { startTls: true },
    { secure: true },
    { logons: true },
    { sizeLimit: 1 },
    { certificate: true },
    { xClient: true },
  ])
    assert.notEqual(rights.extensions({ ...plain, ...change }), first);
});

test('rights are remembered for a principal, by its name and its SIDs, and not for ever more of them', () => {
  const table = new RightsTable(testReceiveConnector({ acl: [] }));
  const first = table.of(anonymous);
  assert.equal(first.principal, anonymous);
  assert.equal(table.of({ ...anonymous }), first);
  assert.notEqual(table.of({ ...anonymous, name: 'other' }), first);
  assert.notEqual(table.of({ ...anonymous, sids: [sid, 'S-1-5-11'] }), first);
  for (let i = 0; i < 996; i++) table.of({ name: `user${i}`, sids: ['S-1-5-11'] });
  assert.equal(table.of(anonymous), first, 'still there at 999');
  table.of({ name: 'the thousandth', sids: ['S-1-5-11'] });
  assert.equal(table.of(anonymous), first);
  table.of({ name: 'one more', sids: ['S-1-5-11'] });
  assert.notEqual(table.of(anonymous), first, 'all were forgotten');
});

test('who a session is: names and SIDs', () => {
  assert.deepEqual(anonymous.sids, [wellKnownSids.anonymous]);
  assert.deepEqual(externallySecured.sids, [wellKnownSids.externallySecured]);
  assert.deepEqual(partner.sids, [wellKnownSids.partner, wellKnownSids.anonymous]);
  for (const { name } of [anonymous, externallySecured, partner]) assert.doesNotMatch(name, /^$|^S-1/);
});

for (const [who, is] of [
  ['hub', true],
  ['edge', true],
  ['externallySecured', true],
  ['legacy', true],
  ['anonymous', false],
  ['partner', false],
] as const) {
  test(`${who} is ${is ? 'a' : 'no'} server of the organization`, () => {
    assert.equal(isExchangeServer({ name: who, sids: ['S-1-5-11', wellKnownSids[who]] }), is);
  });
}
