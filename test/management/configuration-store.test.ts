import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CmdletContext, type ConfigurationWrite, cmdletCatalogue } from '../../src/cmdlets/index.ts';
import { decode, transportService } from '../../src/config/index.ts';
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
    directory,
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

/** Writes something of its own into the entry before the first change of another one arrives. */
class OvertakingStore extends DirectConfigurationStore {
  meanwhile: (() => Promise<void>) | undefined;

  override async together(writes: readonly ConfigurationWrite[]): Promise<void> {
    const { meanwhile } = this;
    this.meanwhile = undefined;
    await meanwhile?.();
    await super.together(writes);
  }
}

test('two administrators that set different bits of one attribute at once lose none', async () => {
  await using opened = await openStore();
  const { configurationDn } = opened.store;
  const store = new OvertakingStore(opened.directory, configurationDn);
  const catalogue = cmdletCatalogue();
  const asked: string[] = [];
  const run = async (bound: Readonly<Record<string, unknown>>): Promise<void> => {
    const context = {
      store,
      role: 'EdgeTransport',
      serverName: placeIn(opened.directory).serverName,
      warning: () => undefined,
      verbose: () => undefined,
      changed: () => undefined,
      shouldProcess: async ({ action }: { readonly action: string }) => asked.push(action) > 0,
      signal: new AbortController().signal,
    } as unknown as CmdletContext;
    const cmdlet = catalogue.find('Set-TransportService') ?? assert.fail('no cmdlet');
    await Array.fromAsync(cmdlet.run(context, new Map(Object.entries(bound))));
  };
  store.meanwhile = () => run({ ConnectivityLogEnabled: false });
  await run({ MessageTrackingLogEnabled: false });
  const [server] = await store.search(configurationDn, 'sub', '(objectClass=msExchExchangeServer)');
  const values = decode(transportService, server ?? assert.fail('no server'), 'EdgeTransport');
  assert.deepEqual([values.connectivityLogEnabled, values.messageTrackingLogEnabled], [false, false]);
  assert.equal(asked.length, 2, 'each administrator is asked once');
});
