import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { destination, pino } from 'pino';
import { openServiceLog } from '../../src/logs/index.ts';
import { ServiceLogFiles } from '../../src/logs/service-log-files.ts';

/** A process that appends to the log by its name at the time of opening. */
class Process {
  reopened = 0;
  readonly files: ServiceLogFiles;

  constructor(path: string) {
    this.files = new ServiceLogFiles({ path, reopen: () => this.#open(path) }, { maxFileSize: 100, keep: 3 });
  }

  #open(path: string): void {
    this.reopened += 1;
    appendFileSync(path, '');
  }
}

test('the service log is moved away when it is large, and so many files are kept', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-service-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'service.log');
  writeFileSync(path, '');
  const one = new Process(path);
  const other = new Process(path);
  one.files.look();
  assert.equal(one.reopened, 0, 'a small file stays');
  for (let round = 1; round <= 6; round++) {
    appendFileSync(path, `${round}`.repeat(101));
    one.files.look();
    other.files.look();
    assert.deepEqual([one.reopened, other.reopened], [round, round], 'both write to the new file');
  }
  assert.deepEqual(readdirSync(folder).sort(), ['service.log', 'service.log.1', 'service.log.2', 'service.log.3']);
  assert.equal(readFileSync(`${path}.1`, 'utf8')[0], '6');
  assert.equal(readFileSync(`${path}.3`, 'utf8')[0], '4');
  renameSync(path, `${path}.moved`);
  one.files.look();
  assert.equal(one.reopened, 7, 'a file that somebody moved away is made anew');
});

test('what a stranger wrote is cut and acts on no terminal, and a burst does not pass the bound', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-service-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'service.log');
  const service = openServiceLog({ path, process: 'test' });
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 5));
  service.log.info({ dn: 'x'.repeat(60_000), list: ['y'.repeat(999)], ok: 'short' }, 'a\u2028b\u009b2Jc\u202ed');
  service.log.error(new Error('own words'), 'a fault');
  for (let i = 0; !existsSync(`${path}.1`); i++) {
    service.log.info(`${i} ${'z'.repeat(60_000)}`);
    service.flush();
  }
  service.log.info('end');
  service.flush();
  // A write under way and a flush may change places.
  const lines = readFileSync(`${path}.1`, 'utf8').split('\n');
  const first = lines.find((one) => one.includes('"dn"')) ?? '';
  const second = lines.find((one) => one.includes('"err"')) ?? '';
  assert.doesNotMatch(first, /[\u0080-\u009f\u2028\u202e]/);
  const line = JSON.parse(first) as { dn: string; list: string[]; ok: string; msg: string };
  assert.deepEqual([line.dn.length, line.list[0]?.length, line.ok], [256, 256, 'short']);
  assert.equal(line.msg, 'a\u2028b\u009b2Jc\u202ed');
  assert.match(second, /own words/);
  for (const name of readdirSync(folder)) assert.ok(statSync(join(folder, name)).size < 20 * 1024 ** 2, name);
});

test('a service log that is a link or a pipe is not written through; what was said before the file was open is there', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-log-link-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const outside = join(folder, 'outside');
  writeFileSync(outside, 'precious');
  const path = join(folder, 'service.log');
  const service = openServiceLog({ path, process: 'test' });
  service.log.info('first');
  assert.match(readFileSync(path, 'utf8'), /"first"/);
  renameSync(path, `${path}.1`);
  symlinkSync(outside, path);
  // It cannot be opened anew: the lines go on into the file that is open.
  service.reopen();
  service.log.info('second');
  service.flush();
  assert.match(readFileSync(`${path}.1`, 'utf8'), /"second"/);
  rmSync(path);
  service.reopen();
  service.log.info('third');
  service.flush();
  assert.match(readFileSync(path, 'utf8'), /"third"/);
  assert.equal(readFileSync(outside, 'utf8'), 'precious');
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('pino: each line is one write, censored, and destination() writes to the file that it gets', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-pino-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const lines: string[] = [];
  const options = { base: { process: 'one' }, redact: { paths: ['password'], censor: '***' } };
  const log = pino(
    { ...options, formatters: { log: (fields) => ({ ...fields, seen: true }) } },
    { write: (line) => void lines.push(line) },
  );
  log.info({ password: 'secret' }, 'two\nlines');
  log.error(new Error('broken'), 'second');
  assert.equal(lines.length, 2);
  for (const line of lines) assert.match(line, /^\{[^\n]*\}\n$/);
  const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual([first?.['password'], first?.['msg'], first?.['seen']], ['***', 'two\nlines', true]);
  assert.deepEqual((second?.['err'] as Error | undefined)?.message, 'broken');
  const path = join(folder, 'log');
  const file = destination({ dest: openSync(path, 'a'), sync: true, minLength: 0 });
  file.write('a line\n');
  assert.equal(readFileSync(path, 'utf8'), 'a line\n');
  file.end();
});
