/** The whole round with OpenLDAP's command line tools. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ca, commonName, contextOf, leaf, organization } from './certificates.ts';
import { adminDn, type Face, password, root, startFace } from './face.ts';

let face: Face;
before(async () => {
  face = await startFace();
});
after(() => face[Symbol.asyncDispose]());

interface Outcome {
  readonly code: number;
  readonly out: string;
}

type Environment = Readonly<Record<string, string>>;

function run(tool: string, args: readonly string[], input = '', environment: Environment = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      tool,
      args,
      { env: { PATH: process.env['PATH'], ...environment }, timeout: 300_000 },
      (error, out, err) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, out: out + err });
      },
    );
    child.stdin?.end(input);
  });
}

/** A tool as the administrator over TCP, and once more over the unix socket. */
const admin = (): string[] => ['-x', '-H', face.url, '-D', adminDn, '-w', password];
const local = (): string[] => ['-Q', '-Y', 'EXTERNAL', '-H', face.local];
const search = (...args: string[]): Promise<Outcome> =>
  run('ldapsearch', ['-LLL', '-o', 'ldif-wrap=no', ...local(), ...args]);

const people = `ou=People,${root}`;

test('ldapadd, ldapmodify, ldapmodrdn, ldapcompare, ldapdelete', async () => {
  const added = await run(
    'ldapadd',
    admin(),
    [`dn: cn=Round,${people}`, 'objectClass: user', 'sn:: w5ZsYWY=', 'mail: round@example.com', ''].join('\n'),
  );
  assert.equal(added.code, 0, added.out);
  assert.match((await search('-b', people, '(mail=ROUND@example.com)', 'sn')).out, /^sn:: w5ZsYWY=$/m);
  const change = [
    `dn: cn=Round,${people}`,
    'changetype: modify',
    'add: description',
    'description: one',
    'description: two',
    '-',
    'replace: sn',
    'sn: Plain',
    '-',
    'delete: mail',
    '-',
    'add: userAccountControl',
    'userAccountControl: 5',
    '-',
    'increment: userAccountControl',
    'userAccountControl: 2',
    '',
  ].join('\n');
  const changed = await run('ldapmodify', admin(), change);
  assert.equal(changed.code, 0, changed.out);
  const { out } = await search(
    '-b',
    `cn=round,${people}`,
    '-s',
    'base',
    'description',
    'sn',
    'mail',
    'userAccountControl',
  );
  assert.deepEqual(out.trim().split('\n').slice(1).sort(), [
    'description: one',
    'description: two',
    'sn: Plain',
    'userAccountControl: 7',
  ]);
  assert.equal((await run('ldapcompare', [...admin(), `cn=Round,${people}`, 'sn:PLAIN'])).code, 6);
  assert.equal((await run('ldapcompare', [...admin(), `cn=Round,${people}`, 'sn:other'])).code, 5);
  const renamed = await run('ldapmodrdn', [...admin(), '-r', '-s', root, `cn=Round,${people}`, 'cn=Square']);
  assert.equal(renamed.code, 0, renamed.out);
  assert.match((await search('-b', root, '(cn=Square)', '1.1')).out, new RegExp(`^dn: cn=Square,${root}$`, 'm'));
  assert.equal((await run('ldapdelete', [...local(), `cn=Square,${root}`])).code, 0);
  assert.equal((await search('-b', `cn=Square,${root}`)).code, 32);
});

test('ldapwhoami', async () => {
  assert.equal((await run('ldapwhoami', admin())).out.trim(), `dn:${adminDn}`);
  assert.equal((await run('ldapwhoami', local())).out.trim(), 'dn:CN=Local Administrator');
  assert.equal((await run('ldapwhoami', ['-x', '-H', face.url])).out.trim(), 'anonymous');
  assert.equal((await run('ldapwhoami', ['-x', '-H', face.url, '-D', adminDn, '-w', 'wrong'])).code, 49);
});

test('ldappasswd', async () => {
  const user = `cn=user,${root}`;
  const own = (secret: string): string[] => ['-x', '-H', face.url, '-D', user, '-w', secret];
  assert.match((await run('ldappasswd', [...own(password), '-a', 'not it', '-s', 'next'])).out, /\(53\)/);
  assert.equal((await run('ldappasswd', [...own(password), '-a', password, '-s', 'next'])).code, 0);
  assert.equal((await run('ldapwhoami', own(password))).code, 49);
  assert.equal((await run('ldapwhoami', own('next'))).code, 0);
  const [, generated = ''] = /^New password: (\S+)$/m.exec((await run('ldappasswd', [...admin(), user])).out) ?? [];
  assert.ok(generated.length >= 16);
  assert.equal((await run('ldapwhoami', own(generated))).code, 0);
});

test('a password written in clear is kept as a hash', async () => {
  const change = [
    `dn: cn=user,${root}`,
    'changetype: modify',
    'replace: userPassword',
    'userPassword: in clear',
    '',
  ].join('\n');
  assert.equal((await run('ldapmodify', admin(), change)).code, 0);
  const [stored = ''] = face.store.get(`cn=user,${root}`)?.values('userPassword') ?? [];
  assert.match(stored, /^\{ARGON2\}\$argon2id\$v=19\$/);
  assert.equal((await run('ldapwhoami', ['-x', '-H', face.url, '-D', `cn=user,${root}`, '-w', 'in clear'])).code, 0);
});

test('browsing: root DSE, subschema, one level, in pages', async () => {
  const strange = await run('ldapsearch', ['-LLL', '-x', '-H', face.url, '-b', '', '-s', 'base', '*', '+']);
  assert.deepEqual(
    [...strange.out.matchAll(/^(\w+):/gm)]
      .map(([, name]) => name)
      .filter((name) => name !== 'dn')
      .sort(),
    ['objectClass', 'supportedLDAPVersion'],
    'a stranger learns what it needs to bind',
  );
  const rootDse = await search('-b', '', '-s', 'base', '+');
  for (const line of [
    `namingContexts: ${root}`,
    'supportedLDAPVersion: 3',
    'subschemaSubentry: cn=schema',
    'vendorName: Edge',
    'schemaNamingContext: cn=schema',
    'supportedCapabilities: 1.2.840.113556.1.4.1851',
  ]) {
    assert.ok(rootDse.out.split('\n').includes(line), `${line} is missing`);
  }
  const schema = await search('-b', 'cn=schema', '-s', 'base', '(objectClass=subschema)', '+');
  for (const list of ['attributeTypes', 'objectClasses', 'matchingRules', 'ldapSyntaxes', 'matchingRuleUse']) {
    assert.match(schema.out, new RegExp(`^${list}: \\( [0-9.]+ `, 'm'));
  }
  const level = await search('-b', people, '-s', 'one', '-E', 'pr=2/noprompt', '1.1');
  assert.equal(level.out.match(/^dn:/gm)?.length, 3);
});

const filters: readonly (readonly [filter: string, found: number])[] = [
  ['(sn=archer)', 1],
  ['(sn=*er)', 3],
  ['(sn=a*c*r)', 1],
  ['(&(objectClass=user)(!(sn=Baker)))', 2],
  ['(|(sn=Baker)(mail=ann*))', 2],
  ['(sn~=baker)', 1],
  ['(sn>=Baker)', 2],
  ['(sn<=baker)', 2],
  ['(cn=Zo\\c3\\ab)', 1],
  ['(2.5.4.4=baker)', 1],
  ['(surname=baker)', 1],
  ['(sn:caseExactMatch:=baker)', 0],
  ['(sn:caseExactMatch:=Baker)', 1],
  ['(ou:dn:=people)', 3],
  ['(telephoneNumber=*)', 0],
  ['(!(unheardOf=x))', 0],
  ['(&)', 3],
  ['(|)', 0],
];

for (const [filter, found] of filters) {
  test(`ldapsearch '${filter}'`, async () => {
    const { code, out } = await search('-b', people, '-s', 'one', filter, '1.1');
    assert.equal(code, 0, out);
    assert.equal(out.match(/^dn:/gm)?.length ?? 0, found, out);
  });
}

test('controls of ldapsearch', async () => {
  const sorted = await search('-b', people, '-s', 'one', '-E', '!sss=-sn', 'sn');
  assert.deepEqual(sorted.out.match(/(?<=^sn: ).*/gm), ['Zander', 'Baker', 'Archer']);
  assert.equal((await search('-b', root, '-e', '!assert=(o=other)')).code, 122);
  assert.equal((await search('-b', root, '-e', '!manageDSAit', '-s', 'base')).code, 0);
  assert.equal((await search('-b', root, '-a', 'always', '-s', 'base')).code, 0);
  assert.equal((await search('-b', root, '-e', '!authzid=dn:cn=x')).code, 12);
  assert.equal((await search('-b', root, '-z', '2', '1.1')).code, 4);
});

test('StartTLS, ldaps, and EXTERNAL with a client certificate', async () => {
  await using secure = await startFace({
    tls: { secureContext: () => contextOf('localhost'), authoritiesNameAccounts: true },
  });
  const { port } = await secure.server.listen({ host: '127.0.0.1', port: 0, tls: true });
  const own = leaf([organization('Test'), commonName('admin')]);
  const files = {
    ca: join(secure.folder, 'ca.pem'),
    cert: join(secure.folder, 'cert.pem'),
    key: join(secure.folder, 'key.pem'),
  };
  await Promise.all([writeFile(files.ca, ca), writeFile(files.cert, own.cert), writeFile(files.key, own.key)]);
  const trusting = { LDAPTLS_CACERT: files.ca, LDAPTLS_REQCERT: 'demand' };
  const [plain, ldaps] = [secure.url, `ldaps://127.0.0.1:${port}`];
  const simple = ['-x', '-D', adminDn, '-w', password];
  const whoAmI = async (args: readonly string[], environment: Environment): Promise<string> =>
    (await run('ldapwhoami', args, '', environment)).out.trim();
  assert.equal(await whoAmI(['-ZZ', '-H', plain, ...simple], trusting), `dn:${adminDn}`);
  assert.equal(await whoAmI(['-H', ldaps, ...simple], trusting), `dn:${adminDn}`);
  const client = { ...trusting, LDAPTLS_CERT: files.cert, LDAPTLS_KEY: files.key };
  for (const args of [
    ['-ZZ', '-H', plain],
    ['-H', ldaps],
  ]) {
    assert.equal(await whoAmI(['-Q', '-Y', 'EXTERNAL', ...args], client), `dn:${adminDn}`);
    assert.match(await whoAmI(['-Q', '-Y', 'EXTERNAL', ...args], trusting), /\(48\)|unknown authentication method/i);
  }
  assert.match(await whoAmI(['-ZZ', '-H', plain, ...simple], { LDAPTLS_REQCERT: 'demand' }), /\(-1[01]?\)/);
});

test('a bulk load', async () => {
  const file = join(face.folder, 'bulk.ldif');
  const one = (i: number): string => `dn: cn=bulk ${i},${root}\nobjectClass: person\nsn: ${i}\n`;
  await writeFile(file, Array.from({ length: 1000 }, (_, i) => one(i)).join('\n'));
  const loaded = await run('ldapadd', [...admin(), '-f', file]);
  assert.equal(loaded.code, 0, loaded.out.slice(-300));
  assert.equal((await search('-b', root, '(cn=bulk *)', '1.1')).out.match(/^dn:/gm)?.length, 1000);
  const tree = await run('ldapdelete', [...admin(), '-r', `cn=bulk 1,${root}`]);
  assert.equal(tree.code, 0, tree.out);
});
