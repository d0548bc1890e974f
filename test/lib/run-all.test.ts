/** The runner of all tests itself: what it must not overlook. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test } from 'node:test';

const root = new URL('../..', import.meta.url).pathname;

/** What a file does after its first test. */
const files: Readonly<Record<string, string>> = {
  'ends.test.ts': "test('two', () => process.exit(0)); test('three', () => {});",
  'killed.test.ts': "test('two', () => void process.kill(process.pid, 'SIGKILL')); test('three', () => {});",
  'open.test.ts': `test('two', () => {});
    describe('s', () => { before(() => { setInterval(() => {}, 1000); throw new Error('no set-up'); }); test('x', () => {}); });`,
  'daemon.test.ts': `test('two', () => {});
    describe('s', () => { before(async () => {
      const { Daemon } = await import(${JSON.stringify(join(root, 'test/lib/program.ts'))});
      const daemon = await Daemon.start('sleep', ['300'], { up: () => true });
      (await import('node:fs')).writeFileSync(new URL('pid', import.meta.url), String(daemon.pid));
      throw new Error('no daemon set-up');
    }); test('x', () => {}); });`,
  'sound.test.ts': "test('two', async () => {});",
};

test('a file whose process ends before its last test is a failure, and one that leaves something open ends, with its daemons', {
  timeout: 120_000,
}, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-run-all-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, rest] of Object.entries(files))
    writeFileSync(
      join(folder, name),
      `import { before, describe, test } from 'node:test';\ntest('one', () => {});\n${rest}\n`,
    );
  const args = [join(root, 'test/lib/run-all.ts'), join(relative(root, folder), '*.test.ts')];
  // Told by the runner of this test to the processes below it: they would answer in its own form.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...env, EDGE_TEST_PATIENCE_MS: '500' },
    timeout: 100_000,
  });
  assert.equal(status, 1, stdout);
  for (const name of ['ends.test.ts', 'killed.test.ts'])
    assert.match(stdout, new RegExp(`FAILED \\S*${name} its process ended before its last test`));
  assert.match(stdout, /FAILED \S*open\.test\.ts:\d+ [^]*no set-up/);
  assert.match(stdout + stderr, /open\.test\.ts: still open behind the last test: .*Timeout/);
  assert.match(stdout, /FAILED \S*daemon\.test\.ts:\d+ [^]*no daemon set-up/);
  assert.doesNotMatch(stdout + stderr, /daemon\.test\.ts: still open/);
  const pid = readFileSync(join(folder, 'pid'), 'latin1');
  assert.match(pid, /^\d+$/);
  assert.ok(!existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z '), 'it is left');
  assert.match(stdout, /ok +\S*sound\.test\.ts {2}2 in/);
});
