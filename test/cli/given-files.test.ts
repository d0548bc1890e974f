/** Files that a caller names and the system refuses: each command says which and why, in words, and ends with 2 (or 64, its own rule). */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { DirectoryStore } from '../../src/directory/index.ts';
import { edgeHere } from '../lib/command-here.ts';

const folder = mkdtempSync(join(tmpdir(), 'edge-given-'));
after(() => rmSync(folder, { recursive: true }));
const state = join(folder, 'state');
const plain = join(folder, 'plain');
writeFileSync(plain, 'x');

const init = (...args: string[]) => ['sync', 'init', '--state', state, '--source', 'ldap://127.0.0.1:1', ...args];

/** Lines that name a file to read. */
const reading: readonly (readonly [status: number, line: (file: string) => readonly string[]])[] = [
  [2, (file) => ['sync', 'subscribe', file, '--site', 'Main', '--state', state]],
  [2, (file) => init('--internal-server', `hub1.corp.example=${file}`)],
  [2, (file) => init('--password-file', file)],
  [2, (file) => init('--ca', file)],
  [2, (file) => ['sync', 'logon', 'To hub', '--user', 'u', '--password-file', file, '--state', state]],
  [2, (file) => ['directory', 'import', file, '--state', state]],
  [2, (file) => ['directory', 'import', '--replace', file, '--state', state]],
  [2, (file) => ['directory', 'account', 'add', 'a', '--role', 'Readers', '--password-file', file, '--state', state]],
  [2, (file) => ['tls', 'match', '--print', file]],
  [2, (file) => ['tls', 'report', file]],
  [2, (file) => ['tls', 'verify', file, plain, '--key', plain]],
  [64, (file) => ['tls', 'test', 'localhost', '--profile', `${file}.json`]],
  [64, (file) => ['tls', 'test', 'localhost', '--ca', file]],
  [64, (file) => ['tls', 'test', 'localhost', '--baseline', file]],
];

/** Lines that name a file to write. */
const writing: readonly ((file: string) => readonly string[])[] = [
  (file) => ['tls', 'test', 'localhost', '--output', file],
  (file) => ['directory', 'export', '--output', file, '--state', state],
];

async function refused(line: readonly string[], status: number, says: RegExp): Promise<void> {
  const ran = await edgeHere(line, {
    directory: { ready: () => Promise.resolve(), open: never, openBackup: never, openScratch: never },
  });
  const said = ran.out + ran.error;
  assert.equal(ran.status, status, `${line.join(' ')}: ${said}`);
  assert.match(said, says, line.join(' '));
  assert.doesNotMatch(said, /\bE[A-Z]{4,}\b|syscall| at .*\.ts/, line.join(' '));
}
const never = (): Promise<DirectoryStore> => assert.fail('the file comes first');

for (const [status, line] of reading) {
  test(`edge ${line('FILE').join(' ').replaceAll(folder, '')}`, async () => {
    const below = join(plain, 'below');
    await refused(line(join(folder, 'absent')), status, /absent.*there is no such file or folder/);
    await refused(line(below), status, /below.*a part of its path is a file, not a folder/);
    if (line('').join().includes('.json')) return;
    await refused(line(folder), status, new RegExp(`${folder}.*it is (?:a folder, not a file|no file)`));
  });
}

for (const line of writing) {
  test(`edge ${line('FILE').join(' ').replaceAll(folder, '')}`, async () => {
    await refused(line(join(folder, 'absent', 'report')), 2, /absent\/report: there is no such file or folder/);
    await refused(line(folder), 2, new RegExp(`${folder}: it is a folder, not a file`));
  });
}
