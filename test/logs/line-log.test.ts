import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Clock } from '../../src/base/index.ts';
import { LineLog, type LogLimits, prune } from '../../src/logs/line-log.ts';

const still: Clock = {
  now: () => Date.parse('2026-01-02T03:04:05.678Z'),
  monotonic: () => 0,
  after: () => ({ cancel: () => {} }),
};
const fail = (error: Error): void => assert.fail(error);

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

test('a file is named by hour and number and begins with its header', (t) => {
  const path = folder(t);
  const log = new LineLog(limits(path), { prefix: 'MSGTRK', header: () => '#head\r\n', clock: still, onError: fail });
  log.write('one');
  log.write('two');
  log.close();
  assert.deepEqual(readdirSync(path), ['MSGTRK2026010203-1.LOG']);
  assert.equal(readFileSync(join(path, 'MSGTRK2026010203-1.LOG'), 'utf8'), '#head\r\none\r\ntwo\r\n');
});

test('a full file is followed by the next number, each with a header', (t) => {
  const path = folder(t);
  const log = new LineLog(limits(path), { prefix: 'RECV', header: () => '#head\r\n', clock: still, onError: fail });
  for (let i = 0; i < 5; i++) {
    log.write('x'.repeat(600));
    log.flushNow();
  }
  log.close();
  assert.deepEqual(readdirSync(path).sort(), ['RECV2026010203-1.LOG', 'RECV2026010203-2.LOG', 'RECV2026010203-3.LOG']);
  for (const name of readdirSync(path)) assert.match(readFileSync(join(path, name), 'utf8'), /^#head\r\nx/);
});

test('a disabled or closed log writes nothing', (t) => {
  const path = folder(t);
  const log = new LineLog(limits(path, { enabled: false }), {
    prefix: 'A',
    header: () => '',
    clock: still,
    onError: fail,
  });
  log.write('one');
  log.configure(limits(path));
  log.close();
  log.write('two');
  log.flushNow();
  assert.deepEqual(readdirSync(path), []);
});

test('a folder that cannot be written is told once and does not stop the caller', (t) => {
  const path = folder(t);
  writeFileSync(join(path, 'file'), '');
  const errors: Error[] = [];
  const parts = { prefix: 'A', header: () => '', clock: still, onError: (error: Error) => void errors.push(error) };
  const log = new LineLog(limits(join(path, 'file')), parts);
  for (let i = 0; i < 3; i++) {
    log.write('one');
    log.flushNow();
  }
  assert.equal(errors.length, 1);
  assert.match(errors[0]?.message ?? '', /log A in .* cannot be written/);
});

test('files that are too old, or too many, go; the newest stays', (t) => {
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
  prune(limits(path), 'A', now);
  assert.deepEqual(readdirSync(path).sort(), [
    'A2026010201-1.LOG',
    'A2026010202-10.LOG',
    'A2026010202-2.LOG',
    'B2026010101-1.LOG',
  ]);
  prune(limits(path, { maxDirectorySize: 150 }), 'A', now);
  assert.deepEqual(readdirSync(path).sort(), ['A2026010202-10.LOG', 'B2026010101-1.LOG']);
});

test('many processes share the files: one header each, no torn line, none lost', async (t) => {
  const path = folder(t);
  const script = `
    import { LineLog } from '${new URL('../../src/logs/line-log.ts', import.meta.url).pathname}';
    const clock = { now: () => ${still.now()}, monotonic: () => performance.now(), after: (ms, call) => { const timer = setTimeout(call, 1); return { cancel: () => clearTimeout(timer) }; } };
    const log = new LineLog(${JSON.stringify(limits(path, { maxFileSize: 50_000 }))}, { prefix: 'A', header: () => '#head\\r\\n', clock, onError: (e) => { throw e; } });
    for (let i = 0; i < 2000; i++) { log.write(process.argv[1] + ':' + i + ':' + 'y'.repeat(i % 150)); if (i % 100 === 0) await new Promise((r) => setTimeout(r, 1)); }
    log.close();`;
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
