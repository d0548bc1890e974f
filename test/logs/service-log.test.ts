import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
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
