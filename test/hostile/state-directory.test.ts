/**
 * A state directory that was filled by code which runs with the services' account: links, pipes, devices, wrong owners and modes in
 * every place, before each command of root. Nothing outside may change, nobody may hang, and what is odd is named.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { edgeCommand } from '../lib/appliance.ts';
import { overlaid } from './lib/overlaid.ts';

/** Every attack at every place, before every command; else a few of each. */
const all = process.env['EDGE_HOSTILE'] === 'all';
const isRoot = process.getuid?.() === 0;
const skip = isRoot ? false : 'only root is attacked here';
/** An account of the system that runs nothing here. */
const account = { name: 'games', uid: 5, gid: 60 };

let top: string;
let outside: string;
let model: string;
before(() => {
  if (!isRoot) return;
  top = mkdtempSync(join(tmpdir(), 'edge-hostile-'));
  chmodSync(top, 0o755);
  outside = join(top, 'outside');
  mkdirSync(join(outside, 'folder/callers'), { recursive: true });
  writeFileSync(join(outside, 'file'), 'precious', { mode: 0o644 });
  writeFileSync(join(outside, 'folder/data.mdb'), 'precious', { mode: 0o600 });
  // A real state, made once, copied for every case.
  model = join(top, 'model');
  const made = run('shell', ['-c', 'Get-AcceptedDomain'], model);
  assert.equal(made.status, 0, made.stderr);
  give(model);
});
after(() => {
  if (isRoot) rmSync(top, { recursive: true, force: true });
});

/** Runs `$@` and ends it when it says that it is ready, or after twenty seconds. */
const untilReady = `
  { sh -c 'echo $$; exec timeout -s TERM 20 "$@"' sh "$@"; echo "ended $?"; } | {
    read -r pid
    while read -r line; do
      case $line in
        *' is ready'*) kill -TERM "$pid" ;;
        'ended '*) exit "\${line#ended }" ;;
      esac
      printf '%s\\n' "$line"
    done
  }`;

/** A start that nothing stands in the way of is ended. */
function commandLine(command: string, args: readonly string[], state: string): string[] {
  const whole = [edgeCommand, command, ...args, '--state', state];
  return command === 'start' ? ['sh', '-c', untilReady, 'sh', ...whole] : whole;
}

function run(command: string, args: readonly string[], state: string) {
  const [file = '', ...rest] = commandLine(command, args, state);
  return spawnSync(file, rest, { encoding: 'utf8', timeout: 300_000 });
}

/** What an attacker with the account could have made: everything is theirs. */
function give(path: string): void {
  lchownSync(path, account.uid, account.gid);
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) give(join(path, name));
}

/** The same on a copy of the whole file system: what was changed outside the state and root's own notes. */
async function runOverlaid(command: string, args: readonly string[], state: string) {
  const ran = await overlaid(`${state}.mounts`, commandLine(command, args, state), 120_000);
  // Root's own notes, and compiled code beside the program, which belongs to root.
  const own = ['/run/edge', join(edgeCommand, '../../../node_modules/.cache')];
  const isOwn = (path: string): boolean => own.some((one) => path === one || path.startsWith(`${one}/`));
  const within = ran.changes.filter(({ path }) => path === state || path.startsWith(`${state}/`));
  const outside = ran.changes.filter((change) => !within.includes(change) && !isOwn(change.path));
  return { ...ran, within, outside: outside.map(({ path }) => path) };
}

/** Gives a thing of the model another mode; where the model has none, a folder stands there. */
function ruin(place: string, name: string, mode: number): void {
  const original = join(model, name);
  if (lstatSync(original, { throwIfNoEntry: false }) === undefined) mkdirSync(place);
  else execFileSync('cp', ['-a', original, place]);
  chmodSync(place, mode);
}

type Attack = (place: string, name: string) => void;
const attacks: Readonly<Record<string, Attack>> = {
  'a link to a folder': (place) => symlinkSync(join(outside, 'folder'), place),
  'a link to a file': (place) => symlinkSync(join(outside, 'file'), place),
  'a link to nothing': (place) => symlinkSync(join(outside, 'new'), place),
  'a named pipe': (place) => execFileSync('mkfifo', [place]),
  'a second name of a file': (place) => linkSync(join(outside, 'file'), place),
  'a folder of root': (place) => mkdirSync(place, { mode: 0o700 }),
  // A disk, a terminal: a real account cannot make one, a mounted file system or a clumsy restore can.
  'a device': (place) => execFileSync('mknod', ['-m', '666', place, 'c', '1', '3']),
  'what was there, open to everyone': (place, name) => ruin(place, name, 0o777),
  'what was there, closed to its owner': (place, name) => ruin(place, name, 0),
};

const places = [
  'edge.lock',
  'directory',
  'directory/data.mdb',
  'spool',
  'certificates',
  'logs',
  'logs/service.log',
  'logs/Decisions',
  'run',
  'run/processes',
  'run/ldapi',
  'management',
  'management/callers',
  'management/socket',
  'mailboxes',
  'cache',
  'edge-sync',
  'edge-sync/settings.json',
];

const commands: readonly (readonly [command: string, args: readonly string[]])[] = [
  ['start', ['--user', account.name, '--workers', '1']],
  ['shell', ['-c', 'Get-AcceptedDomain']],
  ['status', []],
  ['why', ['a@b.example']],
  ['directory', ['export']],
  // Nobody listens there: what init says about the source is kept, and that it cannot be read is told.
  ['sync', ['init', '--source', 'ldap://127.0.0.1:1', '--domain', 'corp.example']],
  ['sync', ['status']],
];

/** A short form of all pairs: each attack at a place or two and every command over the cases; all of them with EDGE_HOSTILE=all. */
const cases = places.flatMap((place, i) =>
  Object.keys(attacks).flatMap((attack, j) => (all || (i * 4 + j) % 9 === 0 ? [{ place, attack, turn: i }] : [])),
);

describe('things that root may not touch', { skip, concurrency: 3 }, () => {
  for (const { place, attack, turn } of cases) {
    test(`${attack} at ${place}`, async () => {
      const state = mkdtempSync(join(top, 'state-'));
      rmSync(state, { recursive: true });
      execFileSync('cp', ['-a', model, state]);
      const path = join(state, place);
      rmSync(path, { recursive: true, force: true });
      mkdirSync(join(path, '..'), { recursive: true });
      attacks[attack]?.(path, place);
      if (!/second name|folder of root/.test(attack)) give(state);
      for (const [command, args] of all
        ? commands
        : ([commands[turn % commands.length] ?? commands[0]].filter(Boolean) as typeof commands)) {
        const { status, signal, stderr, outside, within } = await runOverlaid(command, args, state);
        assert.equal(signal, null, `${command} hangs: ${stderr}`);
        assert.ok(status !== null && (status <= 2 || status === 124), `${command} ends with ${status}: ${stderr}`);
        assert.deepEqual(outside, [], `${command} changed something outside`);
        const rootsOwn = within.filter(({ uid }) => uid !== account.uid);
        assert.ok(
          attack === 'a folder of root' || rootsOwn.length === 0,
          `${command} made ${JSON.stringify(rootsOwn)}`,
        );
      }
      rmSync(state, { recursive: true });
    });
  }
});

test('edge sync on a state of another account leaves files that this account owns, and says what it may not read', {
  skip,
}, () => {
  const state = join(top, 'inside');
  execFileSync('cp', ['-a', model, state]);
  const secret = join(top, 'secret');
  writeFileSync(secret, 'x', { mode: 0o600 });
  const init = ['init', '--source', 'ldap://127.0.0.1:1', '--bind-dn', 'cn=a', '--password-file', secret];
  const { status, stderr } = run('sync', init, state);
  assert.equal(status, 2);
  assert.match(
    stderr,
    /password of the source \(\/.*\) cannot be read: this account may not open it; the account games, which owns the state/,
  );
  assert.equal(run('sync', ['logon', 'To X', '--user', 'u', '--password-file', secret], state).status, 0);
  const made = readdirSync(join(state, 'edge-sync'));
  assert.ok(made.includes('settings.json') && made.length > 1, made.join());
  for (const name of made) assert.equal(lstatSync(join(state, 'edge-sync', name)).uid, account.uid, name);
});

test('what a command changes anywhere is seen', { skip }, async () => {
  const file = join(outside, 'file');
  const work = `echo x >/etc/new && chmod 700 /opt && chown 5 '${file}' && rm '${outside}/folder/data.mdb'`;
  const { status, stderr, changes } = await overlaid(top, ['sh', '-c', work], 60_000);
  assert.equal(status, 0, stderr);
  assert.deepEqual(
    new Set(changes.map(({ path }) => path)),
    new Set(['/etc/new', '/opt', file, join(outside, 'folder/data.mdb')]),
  );
  assert.equal(lstatSync(file).uid, 0, 'and nothing of it stays');
});

test('the top folder itself is a link, or somebody can change the way to it', { skip }, async () => {
  const link = join(top, 'link');
  symlinkSync(outside, link);
  const linked = await runOverlaid('start', ['--user', account.name], link);
  assert.deepEqual([linked.status, linked.outside, linked.within], [2, [], []]);
  assert.match(linked.stderr, /is no folder/);
  const loose = join(top, 'loose');
  mkdirSync(loose);
  chownSync(loose, account.uid, account.gid);
  const {
    status,
    stderr,
    outside: changed,
    within,
  } = await runOverlaid('start', ['--user', account.name], join(loose, 'state'));
  assert.deepEqual([status, changed, within], [2, [], []]);
  assert.match(stderr, /does not belong to root/);
});

test('a state of another account is not given away, but the line that is told copies it', { skip }, () => {
  const state = join(top, 'other');
  renameSync(model, state);
  const { status, stderr } = run('start', ['--user', 'man'], state);
  const [, line = ''] = /^ {2}(install .*)$/m.exec(stderr) ?? [];
  execFileSync('sh', ['-c', line]);
  const copied = run('directory', ['export'], `${state}-man`);
  assert.equal(copied.status, 0, copied.stderr);
  assert.match(copied.stdout, /^dn: CN=Accepted Domains,/m);
  renameSync(state, model);
  assert.equal(status, 2);
  assert.match(stderr, /belongs to the account 5, not to 'man': start with --user/);
});
