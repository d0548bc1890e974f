import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ConfigurationWrite } from '../../src/cmdlets/index.ts';
import { DirectConfigurationStore } from '../../src/management/store-process/direct-configuration-store.ts';
import { prepareStateFolder, statePaths } from '../../src/processes/index.ts';
import { openDirectory, placeIn, seedDirectory } from '../../src/server-state/directory/directory-access.ts';

/** A new server on a real store. */
async function openStore() {
  const folder = mkdtempSync(join(tmpdir(), 'edge-configuration-'));
  const paths = statePaths(join(folder, 'state'));
  prepareStateFolder(paths);
  const directory = await openDirectory(paths, { readOnly: false });
  await seedDirectory(directory, 'EdgeTransport');
  const store = new DirectConfigurationStore(directory, placeIn(directory).configurationDn);
  return {
    store,
    async [Symbol.asyncDispose]() {
      await directory[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

const comment = (dn: string, text: string): ConfigurationWrite => ({
  kind: 'modify',
  dn,
  modifications: [{ operation: 'replace', attribute: 'adminDescription', values: [Buffer.from(text)] }],
});

test('writes that belong together are done whole or not at all', async () => {
  await using opened = await openStore();
  const { store } = opened;
  const [connector] = await store.search(store.configurationDn, 'sub', '(objectClass=msExchSmtpReceiveConnector)');
  const dn = connector?.dn ?? assert.fail('no connector');
  const now = async (): Promise<readonly string[]> =>
    (await store.search(store.configurationDn, 'sub', '(objectClass=msExchSmtpReceiveConnector)')).flatMap((entry) => [
      ...entry.values('cn'),
      ...entry.values('adminDescription'),
    ]);
  const before = await now();
  const missing = comment(`CN=Nobody,${dn.slice(dn.indexOf(',') + 1)}`, 'x');
  await assert.rejects(store.together([comment(dn, 'half done'), { kind: 'rename', dn, rdn: 'CN=Half' }, missing]));
  assert.deepEqual(await now(), before);
  await store.together([comment(dn, 'done'), { kind: 'rename', dn, rdn: 'CN=Whole' }]);
  assert.deepEqual(await now(), ['Whole', 'done']);
});
