import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { heldInternals } from './library-internals.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const textOf = (file: string): string => readFileSync(`${root}${file}`, 'utf8');

/** Installed, and demanded by package.json. Node comes as one package for each platform. */
function versionsOf(library: string): { readonly installed: string; readonly demanded: string | undefined } {
  const { dependencies, optionalDependencies } = JSON.parse(textOf('package.json')) as {
    dependencies: Record<string, string>;
    optionalDependencies: Record<string, string>;
  };
  if (library === 'node')
    return { installed: process.versions.node, demanded: optionalDependencies[`node-linux-${process.arch}`] };
  const { version } = JSON.parse(textOf(`node_modules/${library}/package.json`)) as { version: string };
  return { installed: version, demanded: dependencies[library] };
}

for (const { library, version, internal, usedIn, seenBy, test: behaviour } of heldInternals) {
  test(`${library}: ${internal}, in ${usedIn}`, () => {
    const { installed, demanded } = versionsOf(library);
    assert.equal(installed, version, 'another version: see what it changed there, then write it down');
    assert.equal(demanded, version, 'package.json must name the version exactly');
    assert.ok(textOf(usedIn).includes(seenBy), `${usedIn} does not use it any more`);
    const [file, title] = behaviour;
    assert.ok(textOf(file).includes(`test('${title.replaceAll("'", "\\'")}'`), `${file} has no test '${title}'`);
  });
}
