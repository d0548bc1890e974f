/** Callers whose word about themselves the system does not back: a proof on a file system of their own making, an account without a name. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ManagementServer, prepareManagement } from '../../src/management/index.ts';
import { prepareStateFolder, statePaths } from '../../src/processes/index.ts';
import { needs } from '../lib/peers.ts';

const source = (path: string): string => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));
const limits = { timeout: 300_000, killSignal: 'SIGKILL' } as const;

/** Runs a module of text behind a command that changes who or where it is; what it prints. */
async function runBehind(command: readonly string[], module: string): Promise<string> {
  const [file = '', ...rest] = command;
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', module];
  return (await promisify(execFile)(file, [...rest, ...node], limits)).stdout;
}

/** A proof folder that is a file system of its own, as a FUSE mount would be; what the service makes of it, and of a real one. */
const mounted = (folder: string): string => `
  import { execFileSync } from 'node:child_process';
  import { mkdirSync } from 'node:fs';
  import { ProofFolder } from '${source('management/caller-proof.ts')}';
  const proofs = new ProofFolder('${folder}');
  const redeemed = (name) => { try { return proofs.redeem(name); } catch (error) { return error.message; } };
  const [foreign, real] = [proofs.issue(), proofs.issue()];
  const path = '${folder}/callers/' + foreign;
  mkdirSync(path, { mode: 0o700 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'uid=0,mode=700', 'tmpfs', path]);
  mkdirSync('${folder}/callers/' + real, { mode: 0o700 });
  console.log(JSON.stringify([redeemed(foreign), redeemed(real)]));
  execFileSync('umount', [path]);`;

test('a proof on another device than the folder of proofs is none', needs('root'), async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-proofs-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const paths = statePaths(join(folder, 'state'));
  prepareStateFolder(paths);
  prepareManagement(paths);
  // A mount namespace of its own: nothing is left mounted, whatever happens.
  const out = await runBehind(['unshare', '--mount', '--propagation', 'private'], mounted(paths.management));
  assert.deepEqual(JSON.parse(out), [
    'the caller did not prove who it is: this folder lies on another device',
    process.getuid?.(),
  ]);
});

/** An account and a group that this system names, and an account that it does not. */
const group = 60;
const unnamed = 54_321;

const calling = (root: string): string => `
  import { ManagementClient } from '${source('management/client/index.ts')}';
  import { statePaths } from '${source('processes/state/index.ts')}';
  try {
    using client = await ManagementClient.connect(statePaths('${root}'));
    console.log(JSON.stringify(await client.call('who', null)));
  } catch (error) { console.log(error.message); }`;

test('an account that the system does not name is refused, though it is in the group', needs('root'), async (t) => {
  assert.doesNotMatch(readFileSync('/etc/passwd', 'utf8'), new RegExp(`:${unnamed}:`));
  const folder = mkdtempSync(join(tmpdir(), 'edge-proofs-'));
  t.after(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o711);
  const paths = statePaths(join(folder, 'state'));
  prepareStateFolder(paths);
  prepareManagement(paths, group);
  const server = new ManagementServer({
    who: async function* (_params, _signal, caller) {
      return caller;
    },
  });
  await server.listen(paths.management);
  t.after(() => server.close());
  const as = (uid: number): string[] => ['setpriv', `--reuid=${uid}`, `--regid=${group}`, '--clear-groups'];
  assert.match(await runBehind(as(unnamed), calling(paths.root)), /the system names no account 54321: call as one of/);
  assert.deepEqual(JSON.parse(await runBehind(as(5), calling(paths.root))), { uid: 5, name: 'games' });
});
