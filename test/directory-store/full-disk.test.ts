/** A write that finds no room is refused with the reason; the process lives, reads, and writes again when there is room. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const program = (folder: string): string => `
  import { DirectoryStore, loadSchema } from './src/directory/store/index.ts';
  const store = await DirectoryStore.open({ path: '${folder}', schema: await loadSchema('ldap/schema') });
  const values = (attribute, ...list) => ({ attribute, values: list.map((one) => Buffer.from(one)) });
  await store.add('o=Test', [values('objectClass', 'organization')], { actor: '', newNamingContext: true });
  const add = (i) => store.add('cn=x' + i + ',o=Test',
    [values('objectClass', 'person'), values('sn', 'x'), values('description', 'y'.repeat(20_000))], { actor: '' });
  let error;
  let added = 0;
  for (; added < 300 && error === undefined; added += 1) await add(added).catch((each) => (error = each));
  // What lmdb rejects besides comes in later turns.
  for (let i = 0; i < 20; i += 1) await new Promise((resume) => setImmediate(resume));
  await add(added).catch((each) => (error = each));
  await store.delete('cn=x0,o=Test', { actor: '' }).catch(() => undefined);
  console.log(JSON.stringify({ added, reason: error?.reason, message: error?.message, read: store.get('cn=x1,o=Test')?.dn }));
  await store.close();
`;

test('a store that cannot grow refuses writes with the reason, and the process lives', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-full-'));
  try {
    const script =
      'trap "" XFSZ; ulimit -f 4096; exec "$0" --disable-warning=ExperimentalWarning --input-type=module-typescript -e "$1"';
    const out = execFileSync('sh', ['-c', script, process.execPath, program(folder)], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    const told = JSON.parse(out.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
    assert.ok(Number(told['added']) < 300, 'the disk was never full');
    assert.deepEqual([told['reason'], told['read']], ['io', 'cn=x1,o=Test']);
    assert.match(String(told['message']), /could not be written: .+/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
