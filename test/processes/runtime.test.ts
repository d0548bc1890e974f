import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

interface Package {
  readonly version?: string;
  readonly integrity?: string;
  readonly optional?: boolean;
  readonly cpu?: string | readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Package> };
const { version: own, ...manifest } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;

test('the lock file holds every package that runs, by its digest', () => {
  const listed = Object.entries(packages).filter(([path]) => path !== '');
  assert.ok(own && listed.length > 50);
  for (const [path, { integrity }] of listed) assert.match(integrity ?? '', /^sha512-/, path);
});

test('the runtime is among them, for every processor, as it is running now', () => {
  for (const cpu of ['x64', 'arm64']) {
    const name = `node-linux-${cpu}`;
    const locked = packages[`node_modules/${name}`];
    assert.equal(locked?.version, manifest['optionalDependencies']?.[name], name);
    assert.deepEqual([locked?.optional, [locked?.cpu].flat(), locked?.integrity?.length], [true, [cpu], 95], name);
  }
  assert.equal(packages[`node_modules/node-linux-${process.arch}`]?.version, process.versions.node);
});

test('no install script runs, and nothing needs one', () => {
  assert.match(read('.npmrc'), /^ignore-scripts=true$/m);
  assert.deepEqual(manifest['scripts'], {});
  // What is compiled is a package of its own for this platform, locked as well; `lmdb` chooses among them.
  const ready = Object.keys(packages['node_modules/lmdb']?.optionalDependencies ?? {});
  for (const platform of ['linux-x64', 'linux-arm64']) {
    assert.ok(ready.includes(`@lmdb/lmdb-${platform}`), platform);
    assert.ok(packages[`node_modules/@lmdb/lmdb-${platform}`]?.integrity, platform);
  }
});
