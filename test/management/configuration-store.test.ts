import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CmdletContext, type ConfigurationWrite, cmdletCatalogue } from '../../src/cmdlets/index.ts';
import { decode, grantedRights, parseAcl, transportService, wellKnownSids } from '../../src/config/index.ts';
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
  /** Transactions tried so far. */
  writes = 0;

  override async together(writes: readonly ConfigurationWrite[]): Promise<void> {
    const { meanwhile } = this;
    this.meanwhile = undefined;
    await meanwhile?.();
    this.writes++;
    await super.together(writes);
  }
}

/** Runs cmdlets on a new server as an administrator whom another one overtakes. */
async function overtaken() {
  const opened = await openStore();
  const { configurationDn } = opened.store;
  const store = new OvertakingStore(opened.directory, configurationDn);
  const catalogue = cmdletCatalogue();
  const asked: string[] = [];
  const warnings: string[] = [];
  const serverName = placeIn(opened.directory).serverName;
  const run = async (name: string, bound: Readonly<Record<string, unknown>>): Promise<void> => {
    const context = {
      store,
      role: 'EdgeTransport',
      serverName,
      warning: (text: string) => warnings.push(text),
      verbose: () => undefined,
      changed: () => undefined,
      shouldProcess: async ({ action }: { readonly action: string }) => asked.push(action) > 0,
      signal: new AbortController().signal,
    } as unknown as CmdletContext;
    const cmdlet = catalogue.find(name) ?? assert.fail('no cmdlet');
    await Array.fromAsync(cmdlet.run(context, new Map(Object.entries(bound))));
  };
  const find = async (objectClass: string) => store.search(configurationDn, 'sub', `(objectClass=${objectClass})`);
  return { store, run, asked, warnings, find, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

test('two administrators that set different bits of one attribute at once lose none', async () => {
  await using edge = await overtaken();
  edge.store.meanwhile = () => edge.run('Set-TransportService', { ConnectivityLogEnabled: false });
  await edge.run('Set-TransportService', { MessageTrackingLogEnabled: false });
  const [server] = await edge.find('msExchExchangeServer');
  const values = decode(transportService, server ?? assert.fail('no server'), 'EdgeTransport');
  assert.deepEqual([values.connectivityLogEnabled, values.messageTrackingLogEnabled], [false, false]);
  assert.equal(edge.asked.length, 2, 'each administrator is asked once');
});

test('two administrators that move the ports of the directory lose none', async () => {
  await using edge = await overtaken();
  edge.store.meanwhile = () => edge.run('ConfigureAdam.ps1', { LdapPort: '50001' });
  await edge.run('ConfigureAdam.ps1', { SslPort: '50002' });
  const [server] = await edge.find('msExchExchangeServer');
  const values = decode(transportService, server ?? assert.fail('no server'), 'EdgeTransport');
  assert.deepEqual([values.edgeSyncAdamLdapPort, values.edgeSyncAdamSslPort], [50_001, 50_002]);
  assert.equal(edge.asked.length, 2);
});

test('two administrators that give and take rights on one connector lose none', async () => {
  await using edge = await overtaken();
  const [connector] = await edge.find('msExchSmtpReceiveConnector');
  const right = (User: string, ExtendedRights: string) => ({ Identity: connector?.dn, User, ExtendedRights });
  const anyone = 'NT AUTHORITY\\ANONYMOUS LOGON';
  const rights = async () => {
    const [now] = await edge.find('msExchSmtpReceiveConnector');
    return grantedRights(parseAcl(now?.values('nTSecurityDescriptor')[0] ?? ''), [wellKnownSids.anonymous]);
  };
  const [relay, sender] = ['ms-Exch-SMTP-Accept-Any-Recipient', 'ms-Exch-SMTP-Accept-Any-Sender'] as const;
  await edge.run('Remove-ADPermission', right(anyone, sender));
  edge.store.meanwhile = () => edge.run('Add-ADPermission', right(anyone, relay));
  await edge.run('Add-ADPermission', right(anyone, sender));
  assert.deepEqual([(await rights()).has(relay), (await rights()).has(sender)], [true, true]);
  edge.warnings.length = 0;
  // Both take the same one back: whoever comes second is told so, once.
  edge.store.meanwhile = () => edge.run('Remove-ADPermission', right(anyone, relay));
  await edge.run('Remove-ADPermission', right(anyone, relay));
  assert.deepEqual([(await rights()).has(relay), (await rights()).has(sender)], [false, true]);
  assert.equal(edge.warnings.filter((text) => text.includes('is not given to')).length, 1);
});

test('a rename alone is judged anew on what another administrator wrote in between', async () => {
  await using edge = await overtaken();
  await edge.run('New-AcceptedDomain', { Name: 'a.example', DomainName: 'a.example' });
  const rename = { Identity: 'a.example', Name: 'b.example' };
  edge.store.meanwhile = () => edge.run('Set-AcceptedDomain', { Identity: 'a.example', DomainType: 'InternalRelay' });
  const written = edge.store.writes;
  await edge.run('Set-AcceptedDomain', rename);
  assert.equal(edge.store.writes - written, 3, 'the other write, the refused rename, the rename');
  const [domain] = await edge.find('msExchAcceptedDomain');
  assert.deepEqual(domain?.values('cn'), ['b.example']);
});

test('what another administrator made indispensable in between is not removed', async () => {
  await using edge = await overtaken();
  for (const name of ['a.example', 'b.example']) await edge.run('New-AcceptedDomain', { Name: name, DomainName: name });
  await edge.run('Set-AcceptedDomain', { Identity: 'a.example', MakeDefault: true });
  edge.store.meanwhile = () => edge.run('Set-AcceptedDomain', { Identity: 'b.example', MakeDefault: true });
  await assert.rejects(edge.run('Remove-AcceptedDomain', { Identity: 'b.example' }), /default/);
  assert.equal((await edge.find('msExchAcceptedDomain')).length, 2);
  edge.store.meanwhile = () => edge.run('Remove-AcceptedDomain', { Identity: 'a.example' });
  await assert.rejects(edge.run('Remove-AcceptedDomain', { Identity: 'a.example' }), /a\.example/);
});
