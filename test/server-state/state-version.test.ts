import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { prepareStateFolder, type StatePaths, statePaths } from '../../src/processes/state/index.ts';
import { openDirectory, placeIn, seedDirectory } from '../../src/server-state/directory/index.ts';
import { checkStateVersion, upgradeState } from '../../src/server-state/upgrade/state-version.ts';
import { type UpgradeStep, upgradeSteps } from '../../src/server-state/upgrade/steps.ts';
import { edge } from '../lib/appliance.ts';

const newest = upgradeSteps.length;

function stateOf(t: TestContext): StatePaths {
  const root = mkdtempSync(join(tmpdir(), 'edge-version-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const paths = statePaths(root);
  prepareStateFolder(paths);
  return paths;
}

const said = (paths: StatePaths): string => readFileSync(join(paths.root, 'version'), 'utf8');

/** A state of before, in which two files are about to change. */
function oldState(t: TestContext): { paths: StatePaths; read(): string[] } {
  const paths = stateOf(t);
  const files = ['spool/a', 'logs/b'].map((name) => join(paths.root, name));
  for (const file of files) writeFileSync(file, 'old');
  writeFileSync(join(paths.root, 'version'), '1\n');
  return { paths, read: () => files.map((file) => readFileSync(file, 'utf8')) };
}

/** Steps that write their number into both files; the one told fails between the two. */
function stepsTo(last: number, failing = 0): UpgradeStep[] {
  return Array.from({ length: last }, (_, i) => ({
    version: i + 1,
    what: `step ${i + 1}`,
    changes: ['spool', 'logs', 'nothing-there'],
    run: ({ spool, logs }) => {
      writeFileSync(join(spool, 'a'), `${readFileSync(join(spool, 'a'), 'utf8')} ${i + 1}`);
      if (i + 1 === failing) return Promise.reject(new Error('no room'));
      writeFileSync(join(logs, 'b'), `${readFileSync(join(logs, 'b'), 'utf8')} ${i + 1}`);
      return Promise.resolve();
    },
  }));
}

test('the steps are numbered from 1 without a gap', () => {
  assert.deepEqual(
    upgradeSteps.map(({ version }) => version),
    upgradeSteps.map((_, i) => i + 1),
  );
});

test('steps that are due run in order, each with a copy of what it changes', async (t) => {
  const { paths, read } = oldState(t);
  const lines: string[] = [];
  await upgradeState(paths, (text) => lines.push(text), stepsTo(3));
  assert.deepEqual(read(), ['old 2 3', 'old 2 3']);
  assert.equal(said(paths), '3\n');
  assert.equal(readFileSync(join(paths.root, 'before-version-2/spool/a'), 'utf8'), 'old');
  assert.equal(readFileSync(join(paths.root, 'before-version-3/logs/b'), 'utf8'), 'old 2');
  assert.equal(lines.length, 2);
  await upgradeState(paths, assert.fail, stepsTo(3));
  await upgradeState(paths, () => {}, stepsTo(4));
  assert.equal(existsSync(join(paths.root, 'before-version-2')), false, 'copies of an earlier upgrade go');
});

test('a step that fails leaves the state as it was before it, and says why', async (t) => {
  const { paths, read } = oldState(t);
  await assert.rejects(
    upgradeState(paths, () => {}, stepsTo(3, 3)),
    /cannot be brought to version 3 \(step 3\): no room/,
  );
  assert.deepEqual(read(), ['old 2', 'old 2']);
  assert.equal(said(paths), '2\n');
});

test('a step that a crash interrupted begins again on the copy', async (t) => {
  const { paths, read } = oldState(t);
  execFileSync('mkdir', ['-p', join(paths.root, 'before-version-2')]);
  execFileSync('cp', ['-a', paths.spool, paths.logs, join(paths.root, 'before-version-2')]);
  writeFileSync(join(paths.spool, 'a'), 'half');
  await upgradeState(paths, () => {}, stepsTo(2));
  assert.deepEqual(read(), ['old 2', 'old 2']);
});

test('a new state has the newest version; one that says nonsense is refused', async (t) => {
  const paths = stateOf(t);
  await upgradeState(paths, assert.fail);
  assert.equal(said(paths), `${newest}\n`);
  writeFileSync(join(paths.root, 'version'), 'two\n');
  assert.throws(() => checkStateVersion(paths), /holds no version/);
});

test('a state of a later version is refused with the reason, by the service and by every command', async (t) => {
  const paths = stateOf(t);
  await using store = await openDirectory(paths, { readOnly: false });
  await seedDirectory(store, 'EdgeTransport');
  await store[Symbol.asyncDispose]();
  writeFileSync(join(paths.root, 'version'), `${newest + 1}\n`);
  const reason = new RegExp(`has version ${newest + 1}, this program knows versions up to ${newest}`);
  for (const readOnly of [true, false]) await assert.rejects(openDirectory(paths, { readOnly }), reason);
  const user = process.getuid?.() === 0 ? ['--user', 'root'] : [];
  for (const args of [
    ['directory', 'export'],
    ['shell', '-c', 'Get-AcceptedDomain'],
    ['start', ...user],
  ]) {
    const { status, error } = await edge(...args, '--state', paths.root);
    assert.match(error, reason, args[0]);
    assert.equal(status, 2, args[0]);
  }
  assert.equal(said(paths), `${newest + 1}\n`);
});

// One small state of each version stays in test/states for ever.
for (let version = 0; version <= newest; version++) {
  const archive = fileURLToPath(new URL(`../states/state-v${version}.tar.gz`, import.meta.url));
  test(`a state of version ${version} is opened`, async (t) => {
    const paths = stateOf(t);
    execFileSync('tar', ['-xzf', archive, '--no-same-owner', '-C', paths.root]);
    await using store = await openDirectory(paths, { readOnly: false });
    const { configurationDn, role } = placeIn(store);
    assert.equal(role, 'EdgeTransport');
    const domain = `CN=Of version ${version},CN=Accepted Domains,CN=Transport Settings,CN=First Organization,CN=Microsoft Exchange,CN=Services,${configurationDn}`;
    const found =
      store.get(domain) ??
      [...store.search({ base: configurationDn, scope: 'sub' })].find(({ dn }) => dn.includes(`Of version ${version}`));
    assert.equal(found?.values('cn')[0], `Of version ${version}`);
    assert.deepEqual(store.verify(), []);
    assert.equal(said(paths), `${newest}\n`);
  });
}
