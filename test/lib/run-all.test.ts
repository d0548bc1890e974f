/** The runner of all tests itself: what it must not overlook. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A sign of a file that has a process of its own. */
const own = 'process.title;';

/** What a file does after its first test. */
const files: Readonly<Record<string, string>> = {
  'ends.test.ts': "test('two', () => process.exit(0)); test('three', () => {});",
  'killed.test.ts': "test('two', () => void process.kill(process.pid, 'SIGKILL')); test('three', () => {});",
  'open.test.ts': `${own} test('two', () => {});
    describe('s', () => { before(() => { setInterval(() => {}, 1000); throw new Error('no set-up'); }); test('x', () => {}); });`,
  'daemon.test.ts': `${own} test('two', () => {});
    describe('s', () => { before(async () => {
      const { Daemon } = await import(${JSON.stringify(join(root, 'test/lib/program.ts'))});
      const daemon = await Daemon.start('sleep', ['300'], { up: () => true });
      (await import('node:fs')).writeFileSync(new URL('pid', import.meta.url), String(daemon.pid));
      throw new Error('no daemon set-up');
    }); test('x', () => {}); });`,
  'sound.test.ts': "test('two', async () => {});",
};

/** Runs a folder of files, each with a first test that passes and what is given behind it. */
async function runAll(
  t: TestContext,
  rests: Readonly<Record<string, string>>,
): Promise<{ folder: string; status: number; stdout: string; stderr: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'edge-run-all-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, rest] of Object.entries(rests))
    writeFileSync(
      join(folder, name),
      `import { before, describe, test } from 'node:test';\ntest('one', () => {});\n${rest}\n`,
    );
  const args = [join(root, 'test/lib/run-all.ts'), join(relative(root, folder), '*.test.ts')];
  // Told by the runner of this test to the processes below it: they would answer in its own form.
  const { NODE_TEST_CONTEXT: _, ...own } = process.env;
  const env = { ...own, EDGE_TEST_PATIENCE_MS: '500' };
  try {
    const ended = await promisify(execFile)(process.execPath, args, { encoding: 'utf8', env, timeout: 100_000 });
    return { folder, status: 0, ...ended };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { folder, status: code, stdout, stderr };
  }
}

test('a file whose process ends before its last test is a failure, and one that leaves something open ends, with its daemons', {
  timeout: 120_000,
}, async (t) => {
  const { folder, status, stdout, stderr } = await runAll(t, files);
  assert.equal(status, 1, stdout);
  for (const name of ['ends.test.ts', 'killed.test.ts'])
    assert.match(stdout, new RegExp(`FAILED \\S*${name}\\nits process ended before its last test`));
  assert.match(stdout, /FAILED \S*open\.test\.ts:\d+ [^]*no set-up/);
  assert.match(stdout + stderr, /open\.test\.ts: still open behind the last test: .*Timeout/);
  assert.match(stdout, /FAILED \S*daemon\.test\.ts:\d+ [^]*no daemon set-up/);
  assert.doesNotMatch(stdout + stderr, /daemon\.test\.ts: still open/);
  const pid = readFileSync(join(folder, 'pid'), 'latin1');
  assert.match(pid, /^\d+$/);
  assert.ok(!existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z '), 'it is left');
  assert.match(stdout, /ok +\S*sound\.test\.ts {2}2 in/);
  assert.doesNotMatch(stdout, /FAILED \S*sound/);
});

/** A test that does something at the first run of its file alone. */
const atFirst = (act: string): string => `import { existsSync, writeFileSync } from 'node:fs';
  test('two', () => {
    const mark = new URL(import.meta.url + '.mark');
    if (existsSync(mark)) return;
    writeFileSync(mark, '');
    ${act};
  }); test('three', () => {});`;
const failsAtFirst = atFirst("throw new Error('a race')");

test('what passes at a second look, by itself, is said to be unsteady, with its first failure, and lets the run pass', async (t) => {
  const { status, stdout } = await runAll(t, {
    'fails.test.ts': failsAtFirst,
    'ends.test.ts': atFirst('process.exit(0)'),
    'sound.test.ts': '',
  });
  assert.equal(status, 0, stdout);
  assert.match(stdout, /\nFAILED \S*fails\.test\.ts:\d+ two\nError: a race/);
  assert.match(stdout, /\nok +\S*fails\.test\.ts {2}2 in /);
  const end = stdout.slice(stdout.lastIndexOf('\nok  '));
  assert.match(end, /\nUNSTEADY \S*fails\.test\.ts:\d+ two\nError: a race/);
  assert.match(end, /\nUNSTEADY \S*ends\.test\.ts\nits process ended before its last test/);
  // Seven tests, one of them unsteady; and a process that ended.
  assert.match(end, /\n6 passed, 0 failed, 0 skipped, 2 unsteady\n$/);
});

test('files that share a process are told apart, and run by themselves where it ends early', async (t) => {
  const { folder, status, stdout } = await runAll(t, {
    // Not its plain name: a file that names it has a process of its own.
    'ends.test.ts': atFirst("process['exit'](0)"),
    'pids.test.ts':
      "import { appendFileSync } from 'node:fs'; appendFileSync(new URL('pids', import.meta.url), `${process.pid} `);",
    'more.test.ts':
      "import { appendFileSync } from 'node:fs'; appendFileSync(new URL('pids', import.meta.url), `${process.pid} `);",
    'own.test.ts': "before(() => {});\nprocess.umask(0o77); test('two', () => {});",
  });
  assert.equal(status, 0, stdout);
  const pids = readFileSync(join(folder, 'pids'), 'latin1').trim().split(' ');
  // Once in the process of both, then each in its own.
  assert.equal(pids.length, 4);
  assert.equal(new Set(pids).size, 3);
  assert.match(stdout, /\nUNSTEADY \S*-0\.test\.mjs\nits process ended before its last test/);
  for (const name of ['ends', 'pids', 'more', 'own'])
    assert.match(stdout, new RegExp(`\\nok +\\S*${name}\\.test\\.ts`));
  assert.match(stdout, /\n7 passed, 0 failed, 0 skipped, 1 unsteady\n$/);
});

test('what fails at the second look too is a failure of the run', async (t) => {
  const { status, stdout } = await runAll(t, {
    'always.test.ts': "test('two', () => { throw new Error('a fault'); });",
    'fails.test.ts': failsAtFirst,
  });
  assert.equal(status, 1, stdout);
  assert.equal(stdout.match(/\nFAILED \S*always\.test\.ts:\d+ two\nError: a fault/g)?.length, 2);
  assert.doesNotMatch(stdout, /UNSTEADY \S*always/);
  assert.match(stdout, /\n3 passed, 1 failed, 0 skipped, 1 unsteady\n$/);
});

test('a second look that leaves a test out is none', async (t) => {
  const { status, stdout } = await runAll(t, {
    'skips.test.ts': `${atFirst("throw new Error('a race')").replace("'two', ()", "'two', (c)").replace('return;', 'return c.skip();')}`,
  });
  assert.equal(status, 1, stdout);
  assert.match(stdout, /\n2 passed, 1 failed, 0 skipped\n$/);
});

test('three unsteady files are a failure of the run, with no second look', async (t) => {
  const names = ['a.test.ts', 'b.test.ts', 'c.test.ts'];
  const { status, stdout } = await runAll(t, Object.fromEntries(names.map((name) => [name, failsAtFirst])));
  assert.equal(status, 1, stdout);
  assert.doesNotMatch(stdout, /UNSTEADY|once more/);
  assert.match(stdout, /\n6 passed, 3 failed, 0 skipped\n$/);
});
