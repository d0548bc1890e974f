import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import { runCommand } from '../../src/cli/index.ts';
import { AdminAuditLog, type AdminAuditRecord } from '../../src/logs/admin-audit/index.ts';
import { lockStateFolder, prepareStateFolder, statePaths } from '../../src/processes/index.ts';
import {
  openBackup,
  openDirectory,
  openScratch,
  seedDirectory,
} from '../../src/server-state/directory/directory-access.ts';
import { edge } from '../lib/appliance.ts';

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly error: string;
}

interface State extends Disposable {
  readonly folder: string;
  run(...args: string[]): Promise<Ran>;
  /** Writes a file beside the state directory and returns its path. */
  file(name: string, content: string | Buffer): string;
  /** A path beside the state directory. */
  path(name: string): string;
}

/** A state directory with the directory of a new Edge server, without a service. */
async function newState(): Promise<State> {
  const folder = mkdtempSync(join(tmpdir(), 'edge-directory-'));
  const state = join(folder, 'state');
  const paths = statePaths(state);
  prepareStateFolder(paths);
  await using store = await openDirectory(paths, { readOnly: false });
  await seedDirectory(store, 'EdgeTransport');
  const path = (name: string): string => join(folder, name);
  return {
    folder: state,
    path,
    file: (name, content) => {
      writeFileSync(path(name), content);
      return path(name);
    },
    run: (...args) => runDirectory('--state', state, args),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function runDirectory(option: string, state: string, [command = '', ...args]: readonly string[]): Promise<Ran> {
  let out = '';
  let error = '';
  const terminal = { out: (text: string) => void (out += text), error: (text: string) => void (error += text) };
  const parts = {
    start: () => Promise.resolve(0),
    shell: () => Promise.resolve(0),
    connectors: () => Promise.reject(new Error('no connectors here')),
    directory: {
      ready: () => Promise.resolve(),
      open: (folder: string, options: { readOnly: boolean }) => openDirectory(statePaths(folder), options),
      openBackup,
      openScratch,
    },
  };
  const status = await runCommand(
    ['directory', ...command.split(' '), option, state, ...args],
    parts,
    terminal,
    '1.2.3',
  );
  return { status, out, error };
}

/** What the admin audit log of a state holds, oldest first. */
async function auditedIn(state: State): Promise<readonly AdminAuditRecord[]> {
  const log = new AdminAuditLog(join(statePaths(state.folder).logs, 'AdminAudit'), systemClock);
  return (await Array.fromAsync(log.search({}, AbortSignal.timeout(60_000)))).toReversed();
}

const people = `dn: o=Corp
objectClass: organization
o: Corp

dn: cn=Jane,o=Corp
objectClass: inetOrgPerson
sn: Doe
mail: jane@corp.example

dn: cn=John,o=Corp
objectClass: inetOrgPerson
sn: Roe
mail: john@corp.example
`;

// What goes wrong, the exit status for it, and what is said.
const faults: readonly (readonly [what: string, args: readonly string[], status: number, says: RegExp])[] = [
  ['filter that cannot be read', ['explain', '((('], 64, /the filter .* cannot be read/],
  ['base that is no name', ['explain', '(cn=a)', '--base', 'nonsense'], 64, /nonsense/],
  ['base that is not there', ['export', '--base', 'o=nowhere'], 1, /there is no entry 'o=nowhere'/],
  ['scope that is none', ['explain', '(cn=a)', '--scope', 'all'], 64, /Allowed choices are base, one, sub/],
  [
    'file that is not there',
    ['import', '/nonexistent/file.ldif'],
    2,
    /^edge directory import: \/nonexistent\/file.ldif: there is no such file/,
  ],
  ['backup that is none', ['restore', '/nonexistent'], 2, /no directory store in \/nonexistent/],
];
test('what cannot be done has its exit status and says why', async (t) => {
  using state = await newState();
  for (const [what, args, status, says] of faults) {
    await t.test(what, async () => {
      const ran = await state.run(...args);
      assert.equal(ran.status, status, ran.out + ran.error);
      assert.match(ran.out + ran.error, says);
    });
  }
});

for (const command of ['explain', 'export', 'import', 'backup', 'restore', 'verify']) {
  test(`edge directory ${command} --help has examples, and --json`, async () => {
    const { status, out } = await runDirectory('--state', '/nonexistent', [command, '--help']);
    assert.equal(status, 0);
    assert.match(
      out,
      new RegExp(`Examples?:\\n {2}\\S.*edge directory ${command} |Examples?:\\n {2}edge directory ${command}`),
    );
    assert.match(out, /--state <dir>[^]*--json/);
  });
  test(`edge directory ${command} without a directory says so`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'edge-none-'));
    const args =
      { explain: ['(cn=a)'], import: ['--dry-run', '/dev/null'], backup: ['/x'], restore: ['/x'] }[command] ?? [];
    const { status, error } = await runDirectory('--state', join(folder, 'state'), [command, ...args]);
    rmSync(folder, { recursive: true });
    assert.equal(status, 2);
    assert.match(error, /^edge directory \w+: there is no directory/);
  });
}

test('import is all or nothing, and names file, line and entry', async () => {
  using state = await newState();
  const before = (await state.run('export')).out;
  const good = state.file('good.ldif', people);
  const bad = state.file('bad.ldif', '\n\ndn: cn=Jim,o=Corp\nobjectClass: inetOrgPerson\nmail: jim@corp.example\n');
  const refused = await state.run('import', good, bad, '--json');
  assert.equal(refused.status, 1);
  assert.partialDeepStrictEqual(JSON.parse(refused.out), { file: bad, line: 3, dn: 'cn=Jim,o=Corp' });
  const dry = await state.run('import', '--dry-run', good);
  assert.deepEqual([dry.status, dry.out], [0, '3 records could be applied; nothing was written\n']);
  assert.equal((await state.run('export')).out, before);
  const done = await state.run('import', good, '--json');
  assert.partialDeepStrictEqual(JSON.parse(done.out), { records: 3, dryRun: false });
  const latin1 = state.file(
    'latin1.ldif',
    Buffer.from('dn: cn=J\xf6rg,o=Corp\nobjectClass: person\nsn: x\n', 'latin1'),
  );
  const encoded = await state.run('import', latin1);
  assert.equal(encoded.status, 1);
  assert.match(encoded.error, /latin1\.ldif: is not UTF-8.*nothing was written/);
  assert.deepEqual((await state.run('verify')).status, 0);
});

test('change records of every kind are applied', async () => {
  using state = await newState();
  await state.run('import', state.file('people.ldif', people));
  const changes = `dn: cn=Jane,o=Corp
changetype: modify
replace: mail
mail: j@corp.example
-

dn: cn=John,o=Corp
changetype: modrdn
newrdn: cn=Johnny
deleteoldrdn: 1

dn: cn=Johnny,o=Corp
changetype: delete

dn: cn=Ann,o=Corp
changetype: add
objectClass: person
sn: Lee
`;
  const { status, error } = await state.run('import', state.file('changes.ldif', changes));
  assert.equal(status, 0, error);
  const { out } = await state.run('export', '--base', 'o=Corp', '--json');
  const entries = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { dn: string; attributes: Record<string, string[]> });
  assert.deepEqual(
    entries.map(({ dn, attributes }) => [dn, attributes['mail']]),
    [
      ['o=Corp', undefined],
      ['cn=Ann,o=Corp', undefined],
      ['cn=Jane,o=Corp', ['j@corp.example']],
    ],
  );
});

test('an export gives the same directory, whatever the order of its making', async () => {
  using state = await newState();
  using other = await newState();
  const schema = `dn: cn=schema
changetype: modify
add: attributeTypes
attributeTypes: ( 1.3.6.1.4.1.99999.42.9.7 NAME 'shoeSize' EQUALITY integerMatch ORDERING integerOrderingMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 X-INDEX 'eq' )
-
add: objectClasses
objectClasses: ( 1.3.6.1.4.1.99999.42.9.8 NAME 'walker' SUP top AUXILIARY MAY shoeSize )
-

dn: cn=Jane,o=Corp
changetype: modify
add: objectClass
objectClass: walker
-
add: shoeSize
shoeSize: 39
-
`;
  const [a, b] = people.split('\n\ndn: cn=John');
  const reversed = `${a?.split('\n\n')[0]}\n\ndn: cn=John${b}\n${a?.split('\n\n')[1]}\n`;
  const written = await state.run('import', state.file('people.ldif', people), state.file('schema.ldif', schema));
  assert.equal(written.status, 0, written.error);
  assert.equal((await other.run('import', other.file('reversed.ldif', reversed), state.path('schema.ldif'))).status, 0);
  const [one, two] = [await state.run('export', '--base', 'o=Corp'), await other.run('export', '--base', 'o=Corp')];
  assert.match(one.out, /shoeSize: 39/);
  assert.equal(one.out, two.out);
  // The extension of the schema comes along: a new directory takes the whole, GUIDs and all.
  const whole = await state.run('export', '--operational', '--output', state.path('whole.ldif'));
  assert.equal(whole.status, 0);
  assert.equal(statSync(state.path('whole.ldif')).mode & 0o777, 0o600);
  const third = ['--state', state.path('third')] as const;
  const imported = await runDirectory(...third, ['import', state.path('whole.ldif')]);
  assert.equal(imported.status, 0, imported.error);
  assert.equal((await runDirectory(...third, ['export'])).out, (await state.run('export')).out);
  const guids = (text: string): string[] => text.match(/^objectGUID:.*$/gm) ?? [];
  assert.deepEqual(
    guids((await runDirectory(...third, ['export', '--operational'])).out),
    guids(readFileSync(state.path('whole.ldif'), 'utf8')),
  );
  const planned = await runDirectory(...third, ['explain', '(shoeSize=39)', '--run', '--json']);
  assert.partialDeepStrictEqual(JSON.parse(planned.out), { access: 'index', candidates: 1, found: 1 });
});

test('a backup brings everything back, also what was deleted, renamed and added since', async () => {
  using state = await newState();
  await state.run('import', state.file('people.ldif', people));
  const before = (await state.run('export', '--base', 'o=Corp', '--operational')).out;
  const folder = state.path('backup');
  const { status, out } = await state.run('backup', folder, '--json');
  assert.equal(status, 0);
  assert.partialDeepStrictEqual(JSON.parse(out), { folder });
  assert.equal((await state.run('backup', folder)).status, 2, 'a folder in use is refused');
  const changes = `dn: cn=Jane,o=Corp
changetype: delete

dn: cn=John,o=Corp
changetype: modrdn
newrdn: cn=Jane
deleteoldrdn: 1

dn: o=Corp
changetype: modify
add: description
description: other
-

dn: cn=New,o=Corp
changetype: add
objectClass: person
sn: New
`;
  assert.equal((await state.run('import', state.file('changes.ldif', changes))).status, 0);
  const dry = await state.run('restore', folder, '--dry-run');
  assert.match(dry.out, /^1 entries added, 2 changed, 1 deleted, \d+ as they were; nothing was written\n$/);
  const restored = await state.run('restore', folder, '--json');
  assert.partialDeepStrictEqual(JSON.parse(restored.out), { added: 1, changed: 2, removed: 1 });
  // Sequence numbers and times of change are new, so that those who follow the changes see them.
  const kept = (text: string): string => text.replace(/^(?:uSN|when)Changed:.*\n/gm, '');
  assert.equal(kept((await state.run('export', '--base', 'o=Corp', '--operational')).out), kept(before));
  assert.equal((await state.run('verify')).status, 0);
  assert.match((await state.run('restore', folder)).out, /^0 entries added, 0 changed, 0 deleted/);
});

test('a damaged directory is told with what to do, and a backup takes its place', async () => {
  using state = await newState();
  // Processes of their own: this one has mapped the file that is cut short.
  const run = (...args: string[]) => edge('directory', ...args, '--state', state.folder);
  const before = (await run('export')).out;
  const folder = state.path('backup');
  assert.equal((await run('backup', folder)).status, 0);
  truncateSync(join(state.folder, 'directory/data.mdb'), 20_000);
  const verified = await run('verify');
  assert.equal(verified.status, 1);
  assert.match(verified.error, /is damaged .*'edge directory restore'/);
  const restored = await run('restore', folder);
  assert.equal(restored.status, 0, restored.error);
  assert.match(restored.out, /has taken its place; what was there is kept in .*directory\.damaged-/);
  assert.equal((await run('export')).out, before);
});

test('beside a service that runs a command writes too', async () => {
  using state = await newState();
  using _lock = lockStateFolder(statePaths(state.folder));
  // The lock is ours, so it looks like a service that runs: the command works beside it.
  assert.equal((await state.run('import', state.file('people.ldif', people))).status, 0);
});

test('explain says which index answers, and when none does', async () => {
  using state = await newState();
  await state.run('import', state.file('people.ldif', people));
  const text = await state.run('explain', '(&(objectClass=person)(mail=jane@corp.example))');
  assert.match(
    text.out,
    /plan {4}index eq mail: 1 candidates\n {8}eq mail: 1 entries\nreads {3}1 of \d+ entries at most\n/,
  );
  const scan = await state.run('explain', '(sn~=doe)', '--base', 'o=Corp', '--json', '--run');
  assert.partialDeepStrictEqual(JSON.parse(scan.out), { base: 'o=Corp', found: 1 });
  const none = await state.run('explain', '(!(sn=doe))', '--base', 'o=Corp', '--json');
  assert.partialDeepStrictEqual(JSON.parse(none.out), { access: 'scan', candidates: 3 });
});

test('a full export takes the place of a fresh instance, all or nothing, and what was there is kept', async () => {
  using old = await newState();
  using fresh = await newState();
  assert.equal((await old.run('import', old.file('people.ldif', people))).status, 0);
  const exported = (await old.run('export')).out;
  const before = (await fresh.run('export')).out;
  const broken = fresh.file('broken.ldif', `${exported}\ndn: cn=x,o=Corp\nobjectClass: noSuchClass\nsn: x\n`);
  const refused = await fresh.run('import', '--replace', broken);
  assert.equal(refused.status, 1, refused.error);
  assert.equal((await fresh.run('export')).out, before, 'a fault in the last record leaves everything as it was');
  assert.equal(
    (await fresh.run('import', '--replace', fresh.file('part.ldif', people))).status,
    2,
    'a part is refused',
  );
  const whole = fresh.file('whole.ldif', exported);
  const rehearsed = await fresh.run('import', '--replace', '--dry-run', whole);
  assert.equal(rehearsed.status, 0, rehearsed.error);
  assert.equal((await fresh.run('export')).out, before);
  const { status, out, error } = await fresh.run('import', '--replace', '--json', whole);
  assert.equal(status, 0, error);
  assert.equal((await fresh.run('export')).out, exported);
  assert.equal((await fresh.run('verify')).status, 0);
  const { kept } = JSON.parse(out) as { kept: string };
  assert.equal((await fresh.run('restore', kept)).status, 0);
  assert.equal((await fresh.run('export')).out, before, 'the way back');
});

test('an account takes one line to make, list, close and remove', async () => {
  using state = await newState();
  const passwordFile = state.file('password', 'correct horse\n');
  const add = await state.run('account add', 'monitor', '--role', 'readers', '--password-file', passwordFile);
  assert.equal(add.status, 0, add.error);
  assert.match(add.out, /^CN=monitor,CN=Services,CN=Configuration,/);
  const list = async (): Promise<string> => (await state.run('account list')).out;
  assert.equal(await list(), 'monitor  Readers\n');
  assert.equal((await state.run('account disable', 'monitor')).status, 0);
  assert.equal(await list(), 'monitor  Readers  disabled\n');
  assert.equal((await state.run('account enable', 'monitor')).status, 0);
  assert.equal((await state.run('account remove', 'monitor')).status, 0);
  assert.equal(await list(), '');
  assert.doesNotMatch((await state.run('export')).out, /monitor/);
  for (const [args, says] of [
    [['account add', 'x', '--role', 'Kings', '--password-file', passwordFile], /Administrators, .*Readers/],
    [['account add', 'x', '--password-file', state.file('short', 'abc\n')], /at least 8/],
    [['account remove', 'nobody'], /no account 'nobody'/],
  ] as const) {
    const ran = await state.run(...args);
    assert.notEqual(ran.status, 0);
    assert.match(ran.error, says);
  }
});

test('a command that reads or changes the directory is a line of the admin audit log', async () => {
  using state = await newState();
  const ldif = state.file('people.ldif', people);
  const backup = state.path('backup');
  const given: readonly (readonly string[])[] = [
    ['import', ldif],
    ['import', '--dry-run', ldif],
    ['export', '--output', state.path('out.ldif')],
    ['backup', backup],
    ['restore', backup],
    ['verify', '--rebuild'],
    ['account list'],
  ];
  for (const args of given) await state.run(...args);
  const lines = await auditedIn(state);
  assert.deepEqual(
    lines.map(({ cmdlet, succeeded }) => [cmdlet, succeeded]),
    [
      ['edge directory import', true],
      // The same people again: the first record is refused.
      ['edge directory import', true],
      ['edge directory import', false],
      ['edge directory export', true],
      ['edge directory backup', true],
      ['edge directory restore', true],
      ['edge directory verify', true],
      ['edge directory account list', true],
    ],
  );
  assert.equal(lines[4]?.line, `edge directory backup --state ${state.folder} ${backup}`);
  assert.ok(lines.every(({ who, via, server }) => who !== '' && via === 'store' && server !== ''));
  assert.deepEqual(lines[0]?.parameters, [
    { name: 'argument', value: ldif },
    { name: 'state', value: state.folder },
  ]);
});
