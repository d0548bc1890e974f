/** What root made is given to the account of the services by descriptors, and only what root made. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  globSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { claimState, StateError } from '../../src/processes/index.ts';
import { needs } from '../lib/peers.ts';

const account = { name: 'games', uid: 5, gid: 60 };

/** A state of root's, with a file in a folder in a folder. */
function rootsState(t: TestContext): { readonly top: string; readonly state: string } {
  const top = mkdtempSync(join(tmpdir(), 'edge-give-'));
  t.after(() => rmSync(top, { recursive: true, force: true }));
  const state = join(top, 'state');
  mkdirSync(join(state, 'logs/Decisions'), { recursive: true });
  chmodSync(state, 0o700);
  writeFileSync(join(state, 'logs/Decisions/a.log'), 'x', { mode: 0o600 });
  return { top, state };
}

const owners = (state: string): number[] =>
  ['', 'logs', 'logs/Decisions', 'logs/Decisions/a.log'].map((name) => lstatSync(join(state, name)).uid);

test('all that root made is given away, the sockets of a service that ended are removed', needs('root'), async (t) => {
  const { state } = rootsState(t);
  const path = join(state, 'logs/ldapi');
  // As a killed service leaves it: Node.js itself removes its sockets.
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.bound`, resolve));
  linkAside(`${path}.bound`, path);
  server.close();
  claimState(state, account);
  assert.deepEqual(owners(state), [5, 5, 5, 5]);
  assert.equal(lstatSync(path, { throwIfNoEntry: false }), undefined);
});

const linkAside = (from: string, to: string): void => linkSync(from, to);

const oddThings: Readonly<Record<string, (place: string, top: string) => void>> = {
  'a link': (place) => symlinkSync('/etc', place),
  'a second name of a file elsewhere': (place, top) => {
    writeFileSync(join(top, 'precious'), 'x');
    linkSync(join(top, 'precious'), place);
  },
  'a pipe': (place) => execFileSync('mkfifo', [place]),
  'a device': (place) => execFileSync('mknod', ['-m', '666', place, 'c', '1', '3']),
  'a file of another account': (place) => {
    writeFileSync(place, '');
    chownSync(place, 6, 12);
  },
};
for (const [what, make] of Object.entries(oddThings)) {
  test(`${what} in a state of root's is named, and nothing is given away`, needs('root'), (t) => {
    const { top, state } = rootsState(t);
    // Behind the others in the order of names, so that they would have been given away already.
    make(join(state, 'zz'), top);
    assert.throws(
      () => claimState(state, account),
      (error) => error instanceof StateError && /state\/zz .*: remove it/.test(error.message),
    );
    assert.deepEqual(owners(state), [0, 0, 0, 0]);
    const precious = lstatSync(join(top, 'precious'), { throwIfNoEntry: false });
    assert.ok(precious === undefined || precious.uid === 0);
  });
}

test('nothing that root runs gives a path away', () => {
  const source = fileURLToPath(new URL('../../src/', import.meta.url));
  const files = globSync('{processes,services/appliance}/**/*.ts', { cwd: source });
  assert.ok(files.length > 20);
  const byPath = files.filter((file) => /\bl?chown(?:Sync)?\b/.test(readFileSync(join(source, file), 'utf8')));
  assert.deepEqual(byPath, []);
});
