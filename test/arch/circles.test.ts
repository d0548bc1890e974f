import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { importsOf } from './floors.ts';

const source = fileURLToPath(new URL('../../src', import.meta.url));

/** A circle of imports, types included, that begins at a file; undefined when there is none. */
function circleFrom(start: string, imports: ReadonlyMap<string, readonly string[]>): string | undefined {
  const seen = new Set<string>();
  const walk = (file: string, way: readonly string[]): string | undefined => {
    for (const next of imports.get(file) ?? []) {
      if (next === start) return [...way, file, start].join(' -> ');
      if (seen.has(next)) continue;
      seen.add(next);
      const found = walk(next, [...way, file]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return walk(start, []);
}

function importsBelow(room: string): ReadonlyMap<string, readonly string[]> {
  const files = readdirSync(join(source, room), { recursive: true, encoding: 'utf8' }).filter((one) =>
    one.endsWith('.ts'),
  );
  return new Map(
    files.map((name) => {
      const file = join(room, name);
      const found = importsOf(readFileSync(join(source, file), 'utf8')).filter((one) => one.startsWith('.'));
      return [file, found.map((one) => normalize(join(dirname(file), one)))];
    }),
  );
}

for (const { name: room } of readdirSync(source, { withFileTypes: true }).filter((one) => one.isDirectory())) {
  const imports = importsBelow(room);
  const files = [...imports.keys()];
  if (files.length === 0) continue;
  test(`no files of ${room} import each other in a circle`, () => {
    assert.deepEqual(
      files.map((file) => circleFrom(file, imports)).filter((circle) => circle !== undefined),
      [],
    );
  });
}

test('a circle is found', () => {
  const imports = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['d', ['a']],
  ]);
  assert.equal(circleFrom('a', imports), 'a -> b -> d -> a');
  assert.equal(circleFrom('c', imports), undefined);
});
