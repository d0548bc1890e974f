import assert from 'node:assert/strict';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { namesOf, readModules, unusedExports } from './exports.ts';

const root = join(import.meta.dirname, '../..');
const isDoor = (file: string): boolean => basename(file) === 'index.ts';
/** A door is for others: what its own room takes from it does not count. */
const counts = (user: string, file: string): boolean => !isDoor(file) || !user.startsWith(`${dirname(file)}/`);

test('every export is used outside its file, every export of a door outside its room', () => {
  const modules = readModules(root, ['src', 'test', 'certs']);
  assert.ok(modules.size > 500, 'the sources were found');
  assert.deepEqual(unusedExports(modules, { of: (file) => file.startsWith('src/'), users: counts }), []);
});

const sample = {
  'room/a.ts':
    'export const one = 1, two = 2; export function three() {} export type Four = 4; export const five: Four = 4; export class Six {}',
  'room/index.ts': "export { one, two as deux, five } from './a.ts';",
  'room/b.ts': "import { Six } from './a.ts'; import { five } from './index.ts'; void Six; void five;",
  'other/c.ts': "import { one } from '../room/index.ts'; const { deux } = await import('../room/index.ts'); void one;",
};

test('an export that nobody uses is found', () => {
  const modules = new Map(Object.entries(sample).map(([file, text]) => [file, namesOf(file, text)]));
  assert.deepEqual(unusedExports(modules, { of: () => true, users: counts }), [
    'room/a.ts: three',
    'room/index.ts: five',
  ]);
  const all = new Map([...modules, ['other/d.ts', namesOf('other/d.ts', "export * as room from '../room/index.ts';")]]);
  assert.deepEqual(unusedExports(all, { of: () => true, users: counts }), ['room/a.ts: three']);
});
