import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Clock, type FaultReport, systemClock } from '../../src/base/index.ts';
import { LineLog, type LineLogParts, type LogLimits, maxWaiting } from '../../src/logs/files/line-log.ts';
import { prune } from '../../src/logs/files/prune.ts';

const still: Clock = {
  now: () => Date.parse('2026-01-02T03:04:05.678Z'),
  monotonic: () => 0,
  after: () => ({ cancel: () => {} }),
};
const faultless: FaultReport = { begin: (key, text) => assert.fail(`${key}: ${text}`), end: () => {} };

function folder(t: { after(call: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'edge-logs-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

const limits = (path: string, change: Partial<LogLimits> = {}): LogLimits => ({
  enabled: true,
  folder: path,
  maxAge: 86_400,
  maxDirectorySize: 1_000_000,
  maxFileSize: 1_000,
  ...change,
});

const parts = (change: Partial<LineLogParts> = {}): LineLogParts => ({
  prefix: 'A',
  header: () => '#head\r\n',
  clock: still,
  faults: faultless,
  minFreeBytes: 0,
  ...change,
});

test('a file is named by hour and number and begins with its header', async (t) => {
  const path = folder(t);
  const log = new LineLog(limits(path), parts({ prefix: 'MSGTRK' }));
  log.write('one');
  log.write('two');
  await log.close();
  assert.deepEqual(readdirSync(path), ['MSGTRK2026010203-1.LOG']);
  assert.equal(readFileSync(join(path, 'MSGTRK2026010203-1.LOG'), 'utf8'), '#head\r\none\r\ntwo\r\n');
});

test('a full file is followed by the next number, each with a header', async (t) => {
  const path = folder(t);
  const log = new LineLog(limits(path), parts({ prefix: 'RECV' }));
  for (let i = 0; i < 5; i++) {
    log.write('x'.repeat(600));
    await log.flush();
  }
  await log.close();
  assert.deepEqual(readdirSync(path).sort(), ['RECV2026010203-1.LOG', 'RECV2026010203-2.LOG', 'RECV2026010203-3.LOG']);
  for (const name of readdirSync(path)) assert.match(readFileSync(join(path, name), 'utf8'), /^#head\r\nx/);
});

test('a disabled or closed log writes nothing', async (t) => {
  const path = folder(t);
  const log = new LineLog(limits(path, { enabled: false }), parts());
  log.write('one');
  log.configure(limits(path));
  await log.close();
  log.write('two');
  await log.flush();
  assert.deepEqual(readdirSync(path), []);
});

/** Faults as they are reported, by key. */
class Reported implements FaultReport {
  readonly now = new Map<string, string>();
  begin(key: string, text: string): void {
    this.now.set(key, text);
  }
  end(key: string): void {
    this.now.delete(key);
  }
}

const hopeless: readonly [what: string, path: (folder: string) => string][] = [
  ['a file where the folder should be', (folder) => `${folder}/file`],
  ['a file above the folder', (folder) => `${folder}/file/below/it`],
  ['a folder that the kernel does not let anybody make', () => '/proc/edge/tracking'],
  ['a named pipe', (folder) => `${folder}/pipe`],
];
for (const [what, pathIn] of hopeless) {
  test(`${what} neither blocks nor spins: it is a fault until the path is changed`, async (t) => {
    const path = folder(t);
    writeFileSync(join(path, 'file'), '');
    execFileSync('mkfifo', [join(path, 'pipe')]);
    const faults = new Reported();
    const log = new LineLog(limits(pathIn(path)), parts({ faults, clock: systemClock }));
    for (let i = 0; i < 3; i++) {
      log.write('one');
      await log.flush();
    }
    assert.match(faults.now.get('log A') ?? '', /log A in .* cannot be written, 3 lines are lost: /);
    log.configure(limits(join(path, 'good')));
    log.write('two');
    await log.close();
    assert.deepEqual([...faults.now], []);
    const [name = ''] = readdirSync(join(path, 'good'));
    assert.equal(readFileSync(join(path, 'good', name), 'utf8'), '#head\r\ntwo\r\n');
  });
}

test('a link or a pipe in the place of a log file is not written to', async (t) => {
  for (const make of [
    (at: string) => symlinkSync(join(at, '..', 'victim'), at),
    (at: string) => void execFileSync('mkfifo', [at]),
  ]) {
    const path = folder(t);
    make(join(path, 'A2026010203-1.LOG'));
    const faults = new Reported();
    const log = new LineLog(limits(path), parts({ faults }));
    log.write('one');
    await log.flush();
    assert.match(faults.now.get('log A') ?? '', /cannot be written/);
    await log.close();
  }
});

test('a limit below the size of the header makes one file for each write, not files without end', async (t) => {
  const path = folder(t);
  const log = new LineLog(limits(path, { maxFileSize: 1 }), parts());
  log.write('one');
  await log.flush();
  log.write('two');
  await log.close();
  assert.equal(readdirSync(path).length, 2);
});

test('on a disk that is nearly full a log stops with a fault and leaves the rest', async (t) => {
  const path = folder(t);
  const faults = new Reported();
  const log = new LineLog(limits(path), parts({ faults, minFreeBytes: Number.MAX_SAFE_INTEGER }));
  log.write('one');
  await log.flush();
  assert.match(faults.now.get('log A') ?? '', /only \d+ MB are free on its disk/);
  assert.deepEqual(readdirSync(path), []);
  await log.close();
});

test('lines that the disk does not follow are dropped, counted and told', async (t) => {
  const path = folder(t);
  const faults = new Reported();
  const log = new LineLog(limits(path, { maxFileSize: 1e9 }), parts({ faults }));
  const line = 'x'.repeat(1024 * 1024 - 1);
  // Nothing is written before this turn ends.
  for (let i = 0; i < maxWaiting / line.length + 10; i++) log.write(line);
  assert.match(faults.now.get('log A') ?? '', /, 10 lines are lost: the disk does not follow/);
  await log.close();
  const [name = ''] = readdirSync(path);
  assert.equal(readFileSync(join(path, name), 'utf8').split('\r\n').length - 2, 17);
  assert.deepEqual([...faults.now], []);
});

test('files that are too old, or too many, go; the newest stays', async (t) => {
  const path = folder(t);
  const now = still.now();
  for (const [name, ageHours] of [
    ['A2026010101-1.LOG', 26],
    ['A2026010201-1.LOG', 2],
    ['A2026010202-2.LOG', 1],
    ['A2026010202-10.LOG', 1],
    ['B2026010101-1.LOG', 26],
  ] as const) {
    writeFileSync(join(path, name), 'x'.repeat(100));
    utimesSync(join(path, name), now / 1000 - ageHours * 3600, now / 1000 - ageHours * 3600);
  }
  await prune(limits(path), 'A', now);
  assert.deepEqual(readdirSync(path).sort(), [
    'A2026010201-1.LOG',
    'A2026010202-10.LOG',
    'A2026010202-2.LOG',
    'B2026010101-1.LOG',
  ]);
  await prune(limits(path, { maxDirectorySize: 150 }), 'A', now);
  assert.deepEqual(readdirSync(path).sort(), ['A2026010202-10.LOG', 'B2026010101-1.LOG']);
});

test('many processes share the files: one header each, no torn line, none lost', async (t) => {
  const path = folder(t);
  const script = `
    import { LineLog } from '${fileURLToPath(new URL('../../src/logs/files/line-log.ts', import.meta.url))}';
    const clock = { now: () => ${still.now()}, monotonic: () => performance.now(), after: (ms, call) => { const timer = setTimeout(call, ms > 1000 ? ms : 1); return { cancel: () => clearTimeout(timer) }; } };
    const log = new LineLog(${JSON.stringify(limits(path, { maxFileSize: 50_000 }))}, { prefix: 'A', header: () => '#head\\r\\n', clock, faults: { begin: (k, e) => { throw new Error(e); }, end: () => {} }, minFreeBytes: 0 });
    for (let i = 0; i < 2000; i++) { log.write(process.argv[1] + ':' + i + ':' + 'y'.repeat(i % 150)); if (i % 100 === 0) await new Promise((r) => setTimeout(r, 1)); }
    await log.close();`;
  const run = promisify(execFile);
  await Promise.all(
    ['a', 'b', 'c', 'd'].map((name) => run(process.execPath, ['--input-type=module', '-e', script, name])),
  );
  const seen = new Set<string>();
  for (const name of readdirSync(path)) {
    const lines = readFileSync(join(path, name), 'utf8').split('\r\n');
    assert.equal(lines.shift(), '#head');
    assert.equal(lines.pop(), '');
    for (const line of lines) {
      const match = /^([abcd]):(\d+):(y*)$/.exec(line);
      assert.ok(match, `torn: ${line}`);
      assert.equal(match[3]?.length, Number(match[2]) % 150);
      seen.add(`${match[1]}:${match[2]}`);
    }
  }
  assert.equal(seen.size, 8000);
});
