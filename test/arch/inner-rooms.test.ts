import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { importsOf } from './floors.ts';

const source = fileURLToPath(new URL('../../src', import.meta.url));

/** Inner rooms of the large rooms, lowest first: each knows those before it only. '' is what lies in the folder itself. */
const inner: Readonly<Record<string, readonly string[]>> = {
  'directory/face': ['ber', 'access', 'operations', 'follow', ''],
  cmdlets: ['calling', 'objects', 'mail-flow', 'running', 'exchange-certificate', ''],
  config: ['values', 'properties', 'rights', 'servers', 'connectors', 'organization', ''],
  compliance: ['facts', 'probe', 'checks', 'domain', 'report', 'trap', ''],
  tls: ['der', 'names', 'certificate', 'revocation', 'policy', 'wire', ''],
  'smtp-receive': ['content', 'rights', 'limits', 'connector', 'session', 'commands', '', 'what-if'],
  'smtp-send': ['dns', 'connection', 'content', 'policies', 'transaction', ''],
  'directory/store': ['entries', 'files', 'indexes', 'records', 'repair', ''],
  'shell/interpreter': ['state', 'commands', 'expressions', ''],
  queue: ['model', 'spool', 'table', 'settlement', 'dispatch', ''],
};
/** Files of the folder itself that know none of its inner rooms but the lowest, and that every inner room may use. */
const sharedFiles: Readonly<Record<string, readonly string[]>> = {
  'directory/face': ['time-slice.ts', 'limits.ts', 'face-event.ts'],
  // What a cmdlet is, what is known of each, how its parameters are read, and whom their names mean.
  cmdlets: [
    'runtime.ts',
    'parameters.ts',
    'parameter-values.ts',
    'exchange-cmdlets.ts',
    'directory-objects.ts',
    'principals.ts',
    'transport-administration.ts',
    'transport-objects.ts',
    'utc-time.ts',
  ],
};

for (const [room, order] of Object.entries(inner)) {
  test(`the inner rooms of ${room} import downwards only`, () => {
    const folder = join(source, room);
    const wrong: string[] = [];
    const shared = new Set(sharedFiles[room]);
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts') || shared.has(file)) continue;
      const own = order.indexOf(innerOf(file));
      assert.ok(own >= 0, `${room}/${file} is in no known inner room`);
      for (const specifier of importsOf(readFileSync(join(folder, file), 'utf8'))) {
        const target = relative(folder, normalize(join(folder, dirname(file), specifier)));
        if (!specifier.startsWith('.') || target.startsWith('..') || shared.has(target)) continue;
        if (order.indexOf(innerOf(target)) > own) wrong.push(`${file} imports ${target}`);
      }
    }
    assert.deepEqual(wrong, []);
  });
}

function innerOf(file: string): string {
  const folder = dirname(file);
  return folder === '.' ? '' : folder;
}
