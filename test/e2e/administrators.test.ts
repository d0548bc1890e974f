/** The management endpoint as accounts of the system meet it: members of the group, strangers, root and the service's own account. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { accountName, findGroup } from '../../src/processes/accounts/privileges.ts';
import { Appliance, edgeCommand } from '../lib/appliance.ts';

const isRoot = process.getuid?.() === 0;
const skip = isRoot ? false : 'only root may become other accounts';

/** Accounts and the group are ones that every Debian has, but for one that the system does not name. */
const group = 'staff';
const member = { uid: 6, name: 'man', groups: '50' };
const unnamed = { uid: 34567, groups: '50' };
const stranger = { uid: 34568, groups: '100' };
const service = 'nobody';
const asMember = [`--reuid=${member.uid}`, '--regid=50', '--clear-groups'];

let appliance: Appliance;
before(async () => {
  if (!isRoot) return;
  appliance = await Appliance.start({ user: service, adminGroup: group, workers: 1 });
});
after(() => appliance?.[Symbol.asyncDispose]());

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command as an account. The home and the sudo variable are what such a caller may set as they like. */
function as({ uid, groups }: { uid: number; groups: string }, ...args: string[]): Outcome {
  return spawnSync(
    'setpriv',
    [`--reuid=${uid}`, `--regid=${uid}`, `--groups=${groups}`, edgeCommand, ...args, '--state', appliance.state],
    { encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: '/nonexistent', SUDO_USER: 'root' } },
  );
}

const audited = (line: string): string[] => {
  const folder = join(appliance.state, 'logs/AdminAudit');
  return readdirSync(folder)
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .filter((text) => text.includes(line))
    .map((text) => (JSON.parse(text) as { who: string }).who);
};

test('a member of the group administers, and the audit log names the account that the kernel names', { skip }, () => {
  const { status, stderr } = as(member, 'shell', '-c', 'New-AcceptedDomain -Name M -DomainName m.example');
  assert.equal(stderr, '');
  assert.equal(status, 0);
  assert.deepEqual(audited('m.example'), [member.name]);
  const { stdout } = as(member, 'shell', '-c', 'Search-AdminAuditLog | Format-List Caller,ObjectModified');
  assert.match(stdout, new RegExp(`: ${member.name}\\b`));
});

test('root and the account of the service are named too, root with who became it', { skip }, () => {
  execFileSync(edgeCommand, ['shell', '--state', appliance.state, '-c', 'New-AcceptedDomain R -DomainName r.example'], {
    env: { ...process.env, SUDO_USER: 'alice' },
  });
  assert.deepEqual(audited('r.example'), ['root (alice by sudo)']);
  const { uid } = statSync(join(appliance.state, 'logs'));
  const own = as({ uid, groups: String(uid) }, 'shell', '-c', 'New-AcceptedDomain N -DomainName n.example');
  assert.equal(own.status, 0, own.stderr);
  assert.deepEqual(audited('n.example'), [service]);
});

test('a member of the group that the system does not name is refused', { skip }, () => {
  const { status, stderr } = as(unnamed, 'status');
  assert.equal(status, 2);
  assert.match(stderr, /the system names no account 34567/);
});

test('a member sees the state of the services and the decisions, and reaches nothing else of the state', {
  skip,
}, () => {
  const status = as(member, 'status');
  assert.match(status.stdout, /\(EdgeTransport\), process \d+/);
  assert.equal(as(member, 'why', 'nobody@m.example').status, 1, 'nothing known, but allowed to ask');
  for (const args of [
    ['directory', 'export'],
    ['sync', 'plan'],
  ]) {
    const { status: barred, stderr } = as(member, ...args);
    assert.equal(barred, 2);
    assert.match(
      stderr,
      new RegExp(`^edge ${args.join(' ')}: the account \\S+ may not open .*: run the command as root`),
    );
  }
  for (const path of [
    '',
    'run/ldapi',
    'directory',
    'spool',
    'logs',
    'certificates',
    'edge.lock',
    'management/callers',
  ]) {
    assert.equal(spawnSync('setpriv', [...asMember, 'test', '-r', join(appliance.state, path)]).status, 1, path);
  }
});

test('a stranger is told who may, by every command', { skip }, () => {
  const told = `you may not administer ${appliance.state}: only root, the account that owns it and members of the group '${group}' may; whoever was added to the group logs in anew first\n`;
  for (const args of [['shell', '-c', 'Get-Queue'], ['status'], ['why', 'a@b.example']]) {
    const { status, stdout, stderr } = as(stranger, ...args);
    assert.ok(stderr.endsWith(told), stderr);
    assert.equal(stdout, '');
    assert.equal(status, 2);
  }
});

test('whoever made the proof is who speaks, whosever the connection is', { skip }, async () => {
  const management = join(appliance.state, 'management');
  const socket = connect(join(management, 'socket'));
  const parameters = [
    ['Name', 'X'],
    ['DomainName', 'x.example'],
  ];
  const line = 'New-AcceptedDomain X -DomainName x.example';
  const run = { cmdlet: 'New-AcceptedDomain', parameters, line, sudoer: 'root' };
  const { promise, resolve } = Promise.withResolvers<void>();
  let said = '';
  socket.on('close', resolve);
  socket.on('data', (chunk: Buffer) => {
    const first = said === '';
    said += chunk.toString();
    if (said.endsWith('{"id":0,"end":null}\n'))
      socket.write(`${JSON.stringify({ id: 1, method: 'cmdlet', params: run })}\n`);
    if (/"id":1,"(?:end|error)"/.test(said)) socket.destroy();
    const [, token] = /"kind":"ask","token":"([^"]+)"/.exec(chunk.toString()) ?? [];
    const reply = { id: 2, method: 'cmdlet-reply', params: { token, value: true } };
    if (token !== undefined) socket.write(`${JSON.stringify(reply)}\n`);
    if (!first) return;
    const { prove } = JSON.parse(said) as { prove: string };
    spawnSync('setpriv', [...asMember, 'mkdir', '-m', '700', join(management, 'callers', prove)]);
    socket.write('{"proved":true}\n');
  });
  await promise;
  assert.deepEqual(audited('x.example'), [member.name], said);
});

test('the folders have the modes that say so', { skip }, async () => {
  const mode = (path: string): string => (statSync(join(appliance.state, path)).mode & 0o7777).toString(8);
  const { gid } = await findGroup(group);
  assert.deepEqual(
    ['', 'management', 'management/callers', 'management/socket', 'run', 'directory', 'run/ldapi'].map(mode),
    ['710', '2710', '1730', '660', '700', '700', '600'],
  );
  for (const path of ['', 'management', 'management/callers', 'management/socket'])
    assert.equal(statSync(join(appliance.state, path)).gid, gid, path);
});

test('started again without the group, its members are strangers', { skip }, async () => {
  await appliance.stop();
  const stopped = as(member, 'shell', '-c', 'Get-AcceptedDomain');
  assert.equal(stopped.status, 2);
  assert.match(
    stopped.stderr,
    /the service of .* does not run: only root and the account that owns it may administer it now/,
  );
  appliance.options = { user: service };
  await appliance.start();
  const { status, stderr } = as(member, 'shell', '-c', 'Get-AcceptedDomain');
  assert.equal(status, 2);
  assert.match(stderr, /only root and the account that owns it may/);
});

test('a group that does not exist is told before anything starts', { skip }, async () => {
  await appliance.stop();
  const args = ['start', '--state', appliance.state, '--admin-group', 'no-such-group'];
  const { status, stderr } = spawnSync(edgeCommand, args, { encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(stderr, /there is no group 'no-such-group': create it, or name another/);
});

test('names come from the system, a number where it has none', async () => {
  assert.equal(await accountName(0), 'root');
  assert.equal(await accountName(34_999), 'uid 34999');
  assert.equal((await findGroup('0')).name, 'root');
  await assert.rejects(findGroup('no-such-group'), RangeError);
});
