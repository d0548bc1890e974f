/** What a command loads before it does its work: a person waits for it, and an idle service keeps it in memory. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../../src', import.meta.url));

/** Imports that are loaded: static ones but those of types alone, which vanish, and what a file waits for as it begins. */
const loading =
  /(?:^|\n)(?:(?:import|export)\s+(?!type\b)(?:[^'";]*?from\s*)?|const \{[^}]*\} = await import\()'([^']+)'/g;

/** Files below `src` and names of packages that come with a file, by all that it imports in turn. */
function loadedBy(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, specifier = ''] of readFileSync(join(source, file), 'utf8').matchAll(loading)) {
    if (!specifier.startsWith('.')) found.add(specifier);
    else if (specifier.endsWith('.ts')) loadedBy(relative(source, join(source, dirname(file), specifier)), found);
  }
  return found;
}

const shellLanguage = /^shell\/(?:language|interpreter|builtins|values|completion)\//;
/** Cmdlets and their catalogue, beside what their callers use. */
const anyCmdlet = /^cmdlets\/(?:catalogue|exchange-cmdlets|objects|mail-flow|exchange-certificate|edge)/;
const libraries = /^(?:pino|ldapjs|ldapts|lmdb|node-forge|nodemailer|smtp-server)/;

// Each row: where it begins, what it is to do without, and something that it does load, so that no row is empty.
const rows: readonly (readonly [file: string, without: readonly RegExp[], loads: string])[] = [
  ['bin/edge.ts', [/^(?:shell|cmdlets|config|directory|logs|base(?!\/text\/))\//, libraries], 'commander'],
  [
    'cli/status.ts',
    [/^(?:shell|cmdlets|config|directory|logs|base(?!\/text\/))\//, libraries],
    'management/client/management-client.ts',
  ],
  ['cli/why.ts', [/^(?:shell|cmdlets|config|directory)\//, libraries], 'logs/decision-search.ts'],
  [
    'cli/shell/index.ts',
    [/^(?:cmdlets|config|directory|logs|base(?!\/text\/))\//, shellLanguage, libraries],
    'shell/caller/index.ts',
  ],
  [
    'cli/shell/shell-prompt.ts',
    [/^(?:cmdlets|config|directory|logs|base(?!\/text\/))\//, shellLanguage, libraries],
    'shell/prompt/prompt.ts',
  ],
  [
    'management/store/index.ts',
    [/^(?:shell|cmdlets|config|directory|logs|base(?!\/text\/))\//, libraries],
    'management/client/management-client.ts',
  ],
  // What runs lines may be killed at any time: it never has a store open. What there is to call it asks of who has.
  [
    'cli/shell/open-shell.ts',
    [/^(?:directory|logs|queue|tls|smtp|dns|ldap|config(?!\/values\/))\//, anyCmdlet, libraries],
    'shell/shell.ts',
  ],
  ['management/descriptions/index.ts', [/^(?:shell|cmdlets|config|directory)\//, libraries], 'base/shape.ts'],
  // A prompt waits until the store is open; cmdlets are loaded behind that.
  [
    'bin/store.ts',
    [
      ...[/^shell\/(?!caller|format|endpoint)/, /^(?:tls|smtp|dns)\//, /^config\/(?!values\/)/, anyCmdlet],
      /^(?:pino|ldapjs|ldapts|node-forge|nodemailer)/,
    ],
    'lmdb',
  ],
  [
    'cmdlets/index.ts',
    [/^(?:dns|certificates|logs|directory)\//, /^tls\/(?:revocation\/|certificate\/parsed)/, libraries],
    'config/index.ts',
  ],
  ['bin/transport.ts', [/^(?:shell|cmdlets)\//, /^ldap(?:js|ts)/], 'lmdb'],
  // Lines and their regular expressions never run in it.
  ['bin/directory.ts', [/^shell\/prompt\//, shellLanguage, /^(?:nodemailer|smtp-server)/], 'cmdlets/catalogue.ts'],
];
for (const [file, without, loads] of rows) {
  test(`${file} loads only what it uses`, () => {
    const loaded = loadedBy(file);
    assert.deepEqual(
      [...loaded].filter((one) => without.some((pattern) => pattern.test(one))),
      [],
    );
    assert.ok(loaded.has(loads), `${loads} is not loaded, so this row shows nothing`);
  });
}

test('an entry imports its own files the short way, and nothing before; none of them is a link, which would be another file', () => {
  for (const entry of ['edge', 'store', 'directory', 'transport']) {
    const text = readFileSync(join(source, `bin/${entry}.ts`), 'utf8');
    const imports = [...text.matchAll(/^import [^;]*?'([^']+)';/gm)].map(([, name]) => name);
    assert.deepEqual(imports, ['./own-imports.ts'], entry);
  }
  const links = readdirSync(source, { recursive: true, withFileTypes: true }).filter((one) => one.isSymbolicLink());
  assert.deepEqual(links, []);
});

test('nothing imports node:http, whose facade loads HTTP/2 and fetch: process.getBuiltinModule does not', () => {
  const importing = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .filter((name) =>
      /^import (?!type\b)[^;]*'node:http'|import\('node:http'\)/m.test(readFileSync(join(source, name), 'utf8')),
    );
  assert.deepEqual(importing, []);
});

test('no path is taken from a URL as it stands there: a folder with a blank in its name would be another one', () => {
  const wrong = ['src', 'test'].flatMap((room) =>
    readdirSync(join(source, '..', room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(room, name))
      .filter((name) => /import\.meta\.url\)\.pathname/.test(readFileSync(join(source, '..', name), 'utf8'))),
  );
  assert.deepEqual(wrong, []);
});
