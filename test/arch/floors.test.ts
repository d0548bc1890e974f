import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { floors, importsOf, roomOf, violation, violations } from './floors.ts';

const source = fileURLToPath(new URL('../../src', import.meta.url));

test('no file of src breaks the floors and doors', () => {
  assert.deepEqual(violations(source), []);
});

test('every room has a door that lists its names one by one', () => {
  for (const room of readdirSync(source)) {
    if (!(room in floors)) continue;
    assert.ok(existsSync(`${source}/${room}/index.ts`), `src/${room} has no index.ts`);
    assert.doesNotMatch(readFileSync(`${source}/${room}/index.ts`, 'utf8'), /export \*/, `src/${room}/index.ts`);
  }
});

// The rule itself must be able to fail: each row is an import that is refused, or (undefined) allowed.
const rows: readonly [file: string, specifier: string, expected: RegExp | undefined][] = [
  ['smtp/reply.ts', './address.ts', undefined],
  ['smtp/reply.ts', '../base/index.ts', undefined],
  ['smtp/reply.ts', '../base/bytes.ts', /not by its door/],
  ['smtp/reply.ts', '../mail/index.ts', /floor 1\) imports mail \(floor 2/],
  ['smtp/reply.ts', '../ldap/index.ts', /floor 1\) imports ldap \(floor 1/],
  ['smtp/reply.ts', './index.ts', /own door/],
  ['smtp-send/pool.ts', '../smtp-receive/index.ts', /floor 5/],
  ['smtp-send/pool.ts', '../main.ts', /above every room/],
  ['smtp-send/pool.ts', '../../test/lib/x.ts', /leaves src/],
  ['smtp-send/pool.ts', 'nodemailer/lib/smtp-connection', undefined],
  ['smtp-receive/x.ts', 'nodemailer/lib/smtp-connection', /belongs to smtp-send/],
  ['queue/x.ts', 'ldapts', /belongs to directory or edge-sync/],
  ['attic/x.ts', '../base/index.ts', /stands on no floor/],
  ['main.ts', './smtp/index.ts', undefined],
  ['bin/edge.ts', '../cli/index.ts', undefined],
];
for (const [file, specifier, expected] of rows) {
  test(`${file} importing ${specifier} is ${expected === undefined ? 'allowed' : 'refused'}`, () => {
    const found = violation(file, specifier);
    if (expected === undefined) assert.equal(found, undefined);
    else assert.match(found ?? '', expected);
  });
}

test('imports are found in every form', () => {
  const text =
    "import a from './a.ts';\nimport {\n b,\n} from '../b/index.ts';\nexport { c } from './c.ts';\nimport './d.ts';\nconst e = await import('./e.ts');\n";
  assert.deepEqual(importsOf(text), ['./a.ts', '../b/index.ts', './c.ts', './d.ts', './e.ts']);
  assert.equal(roomOf('bin/edge.ts'), 'main');
});
