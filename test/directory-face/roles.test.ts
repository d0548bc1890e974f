/** The roles of a new appliance, as its seed entries make them: who may what, over LDAP, for real. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import { octets, sequence } from '../../src/directory/face/ber/ber-writer.ts';
import {
  Argon2Hasher,
  DirectoryStore,
  defaultLockout,
  LdapServer,
  loadSchema,
  type Peer,
  parseAccessRule,
  StoreAuthenticator,
  seed,
} from '../../src/directory/index.ts';
import { resultCodeName } from '../../src/ldap/index.ts';
import { addEntry, password } from './face.ts';
import {
  addOp,
  bindOp,
  compareOp,
  deleteOp,
  extendedOp,
  modifyDnOp,
  modifyOp,
  RawClient,
  searchOp,
} from './raw-client.ts';

const configuration = 'CN=Configuration,CN={11111111-2222-3333-4444-555555555555}';
const services = `CN=Services,${configuration}`;
const organization = `CN=First Organization,CN=Microsoft Exchange,${services}`;
const transport = `CN=Transport Settings,${organization}`;
const domains = `CN=Accepted Domains,${transport}`;
const group = `CN=Exchange Administrative Group (FYDIBOHF23SPDLT),CN=Administrative Groups,${organization}`;
const connections = `CN=Connections,CN=Exchange Routing Group (DWBGZMFD01QNBJR),CN=Routing Groups,${group}`;
const server = `CN=EDGE1,CN=Servers,${group}`;
const receiveConnectors = `CN=SMTP Receive Connectors,CN=Protocols,${server}`;
const recipients = 'CN=Recipients,OU=MSExchangeGateway';
const roles = ['Administrators', 'Readers', 'EdgeSync'] as const;
type Who = (typeof roles)[number] | 'nobody' | 'anonymous';
const accountOf = (who: Who): string => `CN=${who} account,${services}`;
const hasher = new Argon2Hasher({ memory: 8, passes: 1 });

let folder = '';
let store: DirectoryStore;
let face: LdapServer;
let port = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edge-roles-'));
  store = await DirectoryStore.open({ path: join(folder, 'db'), schema: await loadSchema('ldap/schema') });
  const placeholders = {
    configurationDn: configuration,
    instanceGuid: '11111111-2222-3333-4444-555555555555',
    serverName: 'EDGE1',
    serverFqdn: 'edge1.example.com',
  };
  for (const part of ['common', 'edge']) await seed(store, `ldap/seed/${part}`, placeholders);
  const userPassword = await hasher.hash(Buffer.from(password));
  for (const who of [...roles, 'nobody'] as const) {
    await addEntry(store, accountOf(who), { objectClass: ['person', 'edgeAccount'], sn: 'x', userPassword });
    const member = [{ operation: 'add', attribute: 'member', values: [Buffer.from(accountOf(who))] }] as const;
    if (who !== 'nobody') await store.modify(`CN=${who},CN=Roles,${configuration}`, member, { actor: '' });
  }
  await addEntry(store, `CN=secret,${connections}`, {
    objectClass: 'msExchRoutingSMTPConnector',
    msExchSmtpOutboundSecurityCredential: 'user:pw',
  });
  const authenticator = new StoreAuthenticator({ store, hasher, clock: systemClock });
  face = new LdapServer({ store, hasher, authenticator });
  ({ port } = await face.listen({ host: '127.0.0.1', port: 0 }));
});
after(async () => {
  await face.close();
  await store.close();
  await rm(folder, { recursive: true });
});

async function as(who: Who): Promise<RawClient> {
  const client = await RawClient.connect(port);
  if (who !== 'anonymous') assert.equal((await client.ask(bindOp(accountOf(who), password))).code, 0);
  return client;
}

const ok = 'success';
const denied = 'insufficientAccessRights';
const unseen = 'noSuchObject';
const domain = { objectClass: ['msExchAcceptedDomain'], msExchAcceptedDomainName: ['corp.example'] };
const recipient = { objectClass: ['edgeRecipient'], edgeHashedAddress: ['0123'] };

/** In order: what one row writes the next ones find. */
const rows: readonly (readonly [what: string, operation: Buffer, expected: Partial<Record<Who, string>>])[] = [
  [
    'read the root DSE',
    searchOp({ base: '' }),
    { Administrators: ok, Readers: ok, EdgeSync: ok, nobody: ok, anonymous: ok },
  ],
  ['read the schema', searchOp({ base: 'cn=schema' }), { Readers: ok, EdgeSync: ok, nobody: ok, anonymous: denied }],
  [
    'read the configuration',
    searchOp({ base: configuration }),
    { Administrators: ok, Readers: ok, EdgeSync: unseen, nobody: unseen, anonymous: denied },
  ],
  [
    'read recipients',
    searchOp({ base: recipients }),
    { Administrators: ok, Readers: ok, EdgeSync: ok, nobody: unseen, anonymous: denied },
  ],
  ['read the server', searchOp({ base: server }), { Readers: ok, EdgeSync: ok, nobody: unseen }],
  ['read receive connectors', searchOp({ base: receiveConnectors }), { Readers: ok, EdgeSync: unseen, nobody: unseen }],
  ['compare a password', compareOp(accountOf('nobody'), 'userPassword', 'x'), { Readers: denied, EdgeSync: unseen }],
  [
    'add an accepted domain',
    addOp(`CN=corp,${domains}`, domain),
    { Readers: denied, nobody: unseen, anonymous: denied, EdgeSync: ok },
  ],
  [
    'change it',
    modifyOp(`CN=corp,${domains}`, [2, 'msExchAcceptedDomainFlags', ['1']]),
    { Readers: denied, nobody: unseen, EdgeSync: ok },
  ],
  ['rename it', modifyDnOp(`CN=corp,${domains}`, 'CN=corp2'), { Readers: denied, EdgeSync: ok }],
  ['move it elsewhere', modifyDnOp(`CN=corp2,${domains}`, 'CN=corp2', true, connections), { EdgeSync: denied }],
  ['delete it', deleteOp(`CN=corp2,${domains}`), { Readers: denied, EdgeSync: ok }],
  ['delete the container of domains', deleteOp(domains), { Readers: denied, EdgeSync: denied }],
  [
    'write a rule there',
    modifyOp(domains, [0, 'edgeAccessRule', ['allow read to authenticated']]),
    { Readers: denied, EdgeSync: denied },
  ],
  [
    'add a send connector',
    addOp(`CN=to hub,${connections}`, { objectClass: ['msExchRoutingSMTPConnector'] }),
    { Readers: denied, EdgeSync: ok },
  ],
  [
    'add a receive connector among domains',
    addOp(`CN=in,${domains}`, { objectClass: ['msExchSmtpReceiveConnector'] }),
    { EdgeSync: denied },
  ],
  [
    'add an account among recipients',
    addOp(`CN=in,${recipients}`, { objectClass: ['person', 'edgeAccount'], sn: ['x'] }),
    { EdgeSync: denied },
  ],
  ['add a recipient', addOp(`CN=r1,${recipients}`, recipient), { Readers: denied, EdgeSync: ok }],
  [
    'make it an account',
    modifyOp(`CN=r1,${recipients}`, [0, 'objectClass', ['edgeAccount']], [0, 'userPassword', ['x']]),
    { EdgeSync: denied },
  ],
  [
    'give it rules',
    modifyOp(
      `CN=r1,${recipients}`,
      [0, 'objectClass', ['edgeAccessControl']],
      [0, 'edgeAccessRule', ['allow read to self']],
    ),
    { EdgeSync: denied },
  ],
  [
    'name it by a rule',
    addOp(`edgeAccessRule=allow read to authenticated+CN=r2,${recipients}`, {
      objectClass: ['edgeRecipient', 'edgeAccessControl'],
    }),
    { EdgeSync: denied, Administrators: 'namingViolation' },
  ],
  [
    'name an entry by its class',
    addOp(`objectClass=alias+CN=r2,${recipients}`, { objectClass: ['edgeRecipient'] }),
    { Administrators: 'namingViolation' },
  ],
  ['rename it to a password', modifyDnOp(`CN=r1,${recipients}`, 'userPassword=x'), { EdgeSync: 'namingViolation' }],
  [
    'add a receive connector',
    addOp(`CN=in,${receiveConnectors}`, { objectClass: ['msExchSmtpReceiveConnector'] }),
    { Readers: denied, EdgeSync: unseen },
  ],
  [
    'write the internal servers',
    modifyOp(transport, [2, 'msExchInternalSMTPServers', ['192.0.2.1']]),
    { Readers: denied, EdgeSync: ok },
  ],
  [
    'write other transport settings',
    modifyOp(transport, [2, 'msExchRecipLimit', ['1']]),
    { Readers: denied, EdgeSync: denied },
  ],
  [
    'write the state of synchronization',
    modifyOp(server, [2, 'msExchEdgeSyncStatus', ['x']]),
    { Readers: denied, EdgeSync: ok },
  ],
  ['write ports of the server', modifyOp(server, [2, 'msExchEdgeSyncAdamSSLPort', ['1']]), { EdgeSync: denied }],
  [
    'become administrator',
    modifyOp(`CN=Administrators,CN=Roles,${configuration}`, [0, 'member', [accountOf('EdgeSync')]]),
    { Readers: denied, EdgeSync: unseen },
  ],
  [
    'change the password of another',
    modifyOp(accountOf('nobody'), [2, 'userPassword', ['x']]),
    { Readers: denied, EdgeSync: unseen },
  ],
  [
    'extend the schema',
    modifyOp('cn=schema', [0, 'attributeTypes', ["( 1.2.3.4 NAME 'x' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )"]]),
    { Readers: denied, EdgeSync: denied },
  ],
];

for (const [what, operation, expected] of rows) {
  test(what, async () => {
    for (const [who, wanted] of Object.entries(expected) as [Who, string][]) {
      using client = await as(who);
      const answer = await client.answers(client.send(operation));
      const last = answer.at(-1);
      assert.equal(resultCodeName(last?.code ?? -1), wanted, `${who}: ${last?.message ?? ''}`);
    }
  });
}

test('a rule that is only being written gives nothing yet', async () => {
  const everything = 'allow read,write,create,delete on cn,sn,objectClass,edgeAccessRule,userPassword to authenticated';
  const classes = ['person', 'edgeAccessControl'];
  const forms: readonly (readonly [who: Who, operation: Buffer])[] = [
    [
      'nobody',
      addOp(`CN=mine,${services}`, { objectClass: classes, cn: ['mine'], sn: ['x'], edgeAccessRule: [everything] }),
    ],
    ['EdgeSync', modifyOp(domains, [0, 'edgeAccessRule', [everything]])],
    ['Readers', modifyOp(configuration, [2, 'edgeAccessRule', [everything]])],
    ['nobody', modifyOp(configuration, [2, 'edgeAccessRule', [everything]])],
  ];
  for (const [who, operation] of forms) {
    using client = await as(who);
    const { code = -1 } = await client.ask(operation);
    assert.ok([denied, unseen].includes(resultCodeName(code)), `${who}: ${resultCodeName(code)}`);
  }
});

test('monitors see everything but secrets, also in searches of everything', async () => {
  using client = await as('Readers');
  const found = await client.answers(client.send(searchOp({ base: configuration, scope: 2, attributes: ['*', '+'] })));
  const seen = new Set(found.flatMap(({ attributes }) => [...attributes.keys()]));
  assert.ok(seen.has('msExchSmtpReceiveBindings') && seen.has('uSNChanged'));
  for (const secret of [
    'userPassword',
    'edgeAccessRule',
    'nTSecurityDescriptor',
    'msExchSmtpOutboundSecurityCredential',
  ])
    assert.ok(!seen.has(secret), secret);
});

test('refusals tell nothing of what may not be seen', async () => {
  using client = await as('Readers');
  const secret = `CN=secret,${connections}`;
  const guess = (value: string): Buffer => modifyOp(secret, [1, 'msExchSmtpOutboundSecurityCredential', [value]]);
  const codes: (string | undefined)[] = [];
  for (const operation of [guess('user:pw'), guess('user:other')]) {
    const { code = -1, message } = await client.ask(operation);
    codes.push(`${code} ${message}`);
  }
  assert.equal(new Set(codes).size, 1, codes.join(' / '));
  using stranger = await as('nobody');
  for (const [operation, other] of [
    [
      addOp(accountOf('EdgeSync'), { objectClass: ['person'] }),
      addOp(`CN=None,${services}`, { objectClass: ['person'] }),
    ],
    [deleteOp(services), deleteOp(`CN=None,${services}`)],
    [modifyDnOp(services, 'CN=x'), modifyDnOp(`CN=None,${services}`, 'CN=x')],
  ] as const) {
    const answers = [await stranger.ask(operation), await stranger.ask(other)];
    assert.deepEqual(answers[0], { ...answers[1], id: answers[0]?.id });
  }
});

test('who is taken out of the administrators, or whose role is gone, has to bind anew', async () => {
  const role = `CN=Administrators,CN=Roles,${configuration}`;
  using first = await as('Administrators');
  const member = [
    { operation: 'delete', attribute: 'member', values: [Buffer.from(accountOf('Administrators'))] },
  ] as const;
  await store.modify(role, member, { actor: '' });
  assert.equal((await first.next())?.code, 8);
  await store.modify(role, [{ ...member[0], operation: 'add' }], { actor: '' });
  using second = await as('Administrators');
  using reader = await as('Readers');
  await store.delete(role, { actor: '' });
  assert.equal((await second.next())?.code, 8);
  assert.equal((await reader.ask(searchOp({ base: configuration }))).code, 0, 'others go on');
});

test('every rule of the seed can be read', () => {
  const rules = [...store.search({ base: '', scope: 'sub' })].flatMap((entry) => entry.values('edgeAccessRule'));
  assert.ok(rules.length > 10);
  for (const rule of rules) parseAccessRule(rule, store.schema);
});

const certificate = Buffer.from('308201', 'hex');

/** What the role EdgeSync may not become, or make of others, by whatever it may write. */
const takeovers: readonly (readonly [what: string, operation: Buffer, expected?: string])[] = [
  [
    'a domain that is an account',
    addOp(`CN=a1,${domains}`, { ...domain, objectClass: [...domain.objectClass, 'edgeAccount'] }),
  ],
  [
    'an account among services',
    addOp(`CN=a1,${services}`, { objectClass: ['person', 'edgeAccount'], sn: ['x'] }),
    unseen,
  ],
  [
    'an account by modify',
    modifyOp(`CN=mine,${domains}`, [0, 'objectClass', ['edgeAccount']], [2, 'edgeAccountDisabled', ['FALSE']]),
  ],
  ['a class that adds rules', modifyOp(`CN=mine,${domains}`, [0, 'objectClass', ['edgeAccessControl']])],
  ['a certificate', modifyOp(`CN=mine,${domains}`, [2, 'userCertificate', [certificate]])],
  ['another account disabled', modifyOp(accountOf('nobody'), [2, 'edgeAccountDisabled', ['TRUE']]), unseen],
  [
    'a role of its own',
    modifyOp(`CN=EdgeSync,CN=Roles,${configuration}`, [0, 'member', [`CN=mine,${domains}`]]),
    unseen,
  ],
];

test('a right to write gives no identity, no right and no account', async () => {
  using client = await as('EdgeSync');
  assert.equal((await client.ask(addOp(`CN=mine,${domains}`, domain))).code, 0);
  for (const [what, operation, expected = denied] of takeovers) {
    const { code = -1, message } = await client.ask(operation);
    assert.equal(resultCodeName(code), expected, `${what}: ${message ?? ''}`);
  }
  assert.equal((await client.ask(deleteOp(`CN=mine,${domains}`))).code, 0);
});

test('of CLASS is the structural class: an auxiliary class on another entry gives no right to it', async () => {
  const rule = 'allow read,write,create,delete of edgeInstance below to authenticated';
  const folder = `CN=Folder,${services}`;
  await addEntry(store, folder, { objectClass: ['container', 'edgeAccessControl'], edgeAccessRule: rule });
  await addEntry(store, `CN=one,${folder}`, { objectClass: ['container', 'edgeInstance'] });
  using client = await as('nobody');
  assert.equal(resultCodeName((await client.ask(searchOp({ base: `CN=one,${folder}` }))).code ?? -1), unseen);
});

test('an administrator that writes a rule without naming them gives no certificate and no membership', async () => {
  const rule = [
    { operation: 'replace', attribute: 'edgeAccessRule', values: [Buffer.from('allow read,write to authenticated')] },
  ] as const;
  await store.modify(`CN=Folder,${services}`, rule, { actor: '' });
  using client = await as('nobody');
  const entry = `CN=one,${`CN=Folder,${services}`}`;
  for (const attribute of [
    'userCertificate',
    'member',
    'objectClass',
    'edgeAccountDisabled',
    'edgeKnownSource',
    'userPassword',
  ]) {
    const { code = -1 } = await client.ask(modifyOp(entry, [2, attribute, ['x']]));
    assert.equal(resultCodeName(code), denied, attribute);
  }
  assert.equal((await client.ask(modifyOp(entry, [2, 'description', ['x']]))).code, 0);
});

test('accounts count only directly below CN=Services', async () => {
  const userPassword = await hasher.hash(Buffer.from(password));
  for (const dn of [`CN=deep,CN=Folder,${services}`, `CN=deep,${recipients}`]) {
    await addEntry(store, dn, { objectClass: ['person', 'edgeAccount'], sn: 'x', userPassword });
    using client = await RawClient.connect(port);
    assert.equal((await client.ask(bindOp(dn, password))).code, 49, dn);
  }
  await addEntry(store, `CN=plain,${services}`, { objectClass: ['person'], sn: 'x', userPassword });
  using client = await RawClient.connect(port);
  assert.equal((await client.ask(bindOp(`CN=plain,${services}`, password))).code, 49, 'a person is no account');
});

test('a certificate that two accounts hold is refused by name, and one account that is closed does not count', async () => {
  const authenticator = new StoreAuthenticator({ store, hasher, clock: systemClock });
  const facts = { subject: 'CN=x', raw: certificate, trusted: false, notBefore: 0, notAfter: Date.now() + 1e9 };
  const names = ['CN=cert1', 'CN=cert2'].map((cn) => `${cn},${services}`);
  for (const dn of names)
    await store.add(
      dn,
      [
        { attribute: 'objectClass', values: [Buffer.from('person'), Buffer.from('edgeAccount')] },
        { attribute: 'sn', values: [Buffer.from('x')] },
        { attribute: 'userCertificate', values: [certificate] },
      ],
      { actor: '' },
    );
  await assert.rejects(authenticator.authenticateCertificate(facts), (error: Error) => {
    const reason = (error.cause as Error).message;
    return names.every((name) => reason.includes(name));
  });
  const disable = [{ operation: 'replace', attribute: 'edgeAccountDisabled', values: [Buffer.from('TRUE')] }] as const;
  await store.modify(names[0] ?? '', disable, { actor: '' });
  assert.equal((await authenticator.authenticateCertificate(facts)).dn, names[1]);
});

test('sources that an account bound from are kept in the directory, and no guess makes them unknown', async () => {
  const dn = accountOf('Readers');
  const lockout = { ...defaultLockout, maxFailuresOfAccount: 3, delayMs: 0, slowMs: 0 };
  const first = new StoreAuthenticator({ store, hasher, clock: systemClock, lockout });
  const from = (address: string): Peer => ({ transport: 'tcp', address, port: 1, confidential: true, tls: true });
  await first.authenticate(dn, Buffer.from(password), from('2001:db8:1:2::5'));
  assert.deepEqual(store.get(dn)?.values('edgeKnownSource'), ['2001:db8:1:2::/64']);
  const usn = store.usn;
  const second = new StoreAuthenticator({ store, hasher, clock: systemClock, lockout });
  for (let i = 0; i < 10; i += 1)
    await assert.rejects(second.authenticate(dn, Buffer.from('guess'), from(`192.0.2.${i}`)));
  assert.equal((await second.authenticate(dn, Buffer.from(password), from('2001:db8:1:2::6'))).dn, dn);
  assert.equal(store.usn, usn, 'guesses write nothing');
  assert.equal(
    (await second.authenticate(dn, Buffer.from(password), from('198.51.100.1'))).dn,
    dn,
    'nor is the owner locked out elsewhere',
  );
});

test('who sees an entry cannot try passwords on it, nor write a ready-made hash', async () => {
  const value = (old: string): Buffer =>
    sequence(octets(accountOf('nobody'), 0x80), octets(old, 0x81), octets('new', 0x82));
  using client = await as('Readers');
  for (const old of [password, 'wrong']) {
    const { code = -1 } = await client.ask(extendedOp('1.3.6.1.4.1.4203.1.11.1', value(old)));
    assert.equal(resultCodeName(code), denied, old);
  }
  const rule = `allow read,write on sn,userPassword of person,edgeAccount below to dn ${accountOf('nobody')}`;
  await store.modify(
    services,
    [
      { operation: 'add', attribute: 'objectClass', values: [Buffer.from('edgeAccessControl')] },
      { operation: 'add', attribute: 'edgeAccessRule', values: [Buffer.from(rule.replace('read,write', 'write'))] },
      {
        operation: 'add',
        attribute: 'edgeAccessRule',
        values: [Buffer.from(rule.replace('read,write', 'read').replace(',userPassword', ''))],
      },
    ],
    { actor: '' },
  );
  using helper = await as('nobody');
  const target = accountOf('EdgeSync');
  const hash = await hasher.hash(Buffer.from('known'));
  assert.equal(
    resultCodeName((await helper.ask(modifyOp(target, [2, 'userPassword', [hash]]))).code ?? -1),
    'constraintViolation',
  );
  assert.equal((await helper.ask(modifyOp(target, [2, 'userPassword', ['a new one']]))).code, 0);
  // The success of these would tell of values that may not be read.
  for (const change of [
    [1, 'userPassword', [hash]],
    [1, 'userPassword', []],
    [0, 'userPassword', ['x']],
  ] as const)
    assert.equal(resultCodeName((await helper.ask(modifyOp(target, change))).code ?? -1), denied);
});
