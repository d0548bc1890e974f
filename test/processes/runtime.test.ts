import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { test } from 'node:test';
import { getSystemErrorName } from 'node:util';
import { freePort } from '../lib/ports.ts';

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

test('node: _createServerHandle binds one port twice, accepts nothing, and says the errno', async () => {
  interface Handle {
    readonly fd: number;
    listen(backlog: number): number;
    close(): void;
  }
  const { _createServerHandle: create } = createRequire(import.meta.url)('node:net') as {
    _createServerHandle(address: string, port: number, type: 4 | 6, fd: undefined, flags: number): Handle | number;
  };
  const port = await freePort();
  const reusePort = 2;
  const bound = [1, 2].map(() => create('127.0.0.1', port, 4, undefined, reusePort));
  const handles = bound.filter((one) => typeof one !== 'number');
  assert.equal(handles.length, 2, 'two sockets have the port');
  for (const { fd } of handles) assert.ok(fd > 2);
  const client = connect(port, '127.0.0.1');
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
  assert.equal(error.code, 'ECONNREFUSED', 'nobody listens before listen()');
  const elsewhere = create('192.0.2.77', port, 4, undefined, 0);
  assert.ok(typeof elsewhere === 'number', 'an address of another machine');
  assert.equal(getSystemErrorName(elsewhere), 'EADDRNOTAVAIL');
  for (const handle of handles) handle.close();
});
