import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { heldInternals } from './library-internals.ts';

const root = new URL('../../', import.meta.url).pathname;
const textOf = (file: string): string => readFileSync(`${root}${file}`, 'utf8');

for (const { library, version, internal, usedIn, test: behaviour } of heldInternals) {
  test(`${library}: ${internal}`, () => {
    const installed = JSON.parse(textOf(`node_modules/${library}/package.json`)) as { version: string };
    assert.equal(installed.version, version, 'another version: see what it changed there, then write it down');
    const { dependencies } = JSON.parse(textOf('package.json')) as { dependencies: Record<string, string> };
    assert.equal(dependencies[library], version, 'package.json must name the version exactly');
    const importsIt = textOf(usedIn).includes(`from '${library}'`);
    assert.ok(importsIt, `${usedIn} does not use it any more`);
    const [file, title] = behaviour;
    assert.ok(textOf(file).includes(`test('${title.replaceAll("'", "\\'")}'`), `${file} has no test '${title}'`);
  });
}
