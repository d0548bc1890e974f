import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { newGuid } from '../../base/index.ts';
import type { ServerRole, SnapshotPlace } from '../../config/index.ts';
import {
  type DirectoryEntry,
  type DirectoryReader,
  DirectoryStore,
  loadSchema,
  type StoreOptions,
  seed,
} from '../../directory/store/index.ts';
import { equals, escapeDnValue } from '../../ldap/index.ts';
import type { StatePaths } from '../../processes/index.ts';
import { checkStateVersion, upgradeState } from '../upgrade/state-version.ts';

/** Folder of a part of `ldap/`, which comes with the program. */
const ldapFolder = (name: string): string => fileURLToPath(new URL(`../../../ldap/${name}`, import.meta.url));

/**
 * Opens the directory of a state folder. One process opens it for writing; the others read the same mapped store. Whoever writes holds
 * the lock, and brings an older state up to date first, with a line to `say` for every step; a newer one is refused for all.
 */
export async function openDirectory(
  paths: StatePaths,
  options: Pick<StoreOptions, 'readOnly' | 'alongside' | 'checked'>,
  say: (text: string) => void = () => undefined,
): Promise<DirectoryStore> {
  if (options.readOnly === true || options.alongside === true) checkStateVersion(paths);
  else await upgradeState(paths, say);
  return DirectoryStore.open({ path: paths.directory, schema: await loadSchema(ldapFolder('schema')), ...options });
}

/** Makes an empty store in a folder that is not there yet. */
export async function openScratch(folder: string): Promise<DirectoryStore> {
  return DirectoryStore.open({ path: folder, schema: await loadSchema(ldapFolder('schema')) });
}

/** Opens what `edge directory backup` wrote. Throws StoreError. */
export async function openBackup(folder: string): Promise<DirectoryStore> {
  return DirectoryStore.open({
    path: folder,
    schema: await loadSchema(ldapFolder('schema')),
    readOnly: true,
    checked: true,
  });
}

/** Short name of this machine as its server object has it: upper case, as Windows names are. */
export function shortHostName(name = hostname()): string {
  return (name.split('.')[0] ?? name).toUpperCase();
}

/** What the seed entries are filled with: a new instance, this machine's name. */
export function seedPlaceholders(name = hostname()): Record<string, string> {
  const instanceGuid = newGuid();
  return {
    instanceGuid,
    configurationDn: `CN=Configuration,CN={${instanceGuid.toUpperCase()}}`,
    serverName: escapeDnValue(shortHostName(name)),
    serverFqdn: name.toLowerCase(),
  };
}

/** Fills an empty directory with the entries of a new server of this role. One that has entries is left alone. */
export async function seedDirectory(store: DirectoryStore, role: ServerRole): Promise<void> {
  if (store.namingContexts.length > 0) return;
  const placeholders = seedPlaceholders();
  for (const folder of ['common', role === 'Mailbox' ? 'mailbox' : 'edge']) {
    await seed(store, ldapFolder(`seed/${folder}`), placeholders);
  }
}

/** Whether the role EdgeSync has a member. */
export function isReplicatedInto(store: DirectoryReader, configurationDn: string): boolean {
  return (store.get(`CN=EdgeSync,CN=Roles,${configurationDn}`)?.values('member').length ?? 0) > 0;
}

/**
 * Whether an account may replicate into this directory: the role EdgeSync has a member, or a subscription file was made and its
 * account has yet to ask for the first.
 */
export function hasReplicationAccount(store: DirectoryReader, configurationDn: string): boolean {
  return (
    isReplicatedInto(store, configurationDn) ||
    store.get(`CN=EdgeSync,${serverObjectIn(store, configurationDn).dn}`) !== undefined
  );
}

/** The bit of msExchCurrentServerRoles that says Edge Transport. */
const edgeRole = 64;

/** The object of the server whose configuration it is. Throws Error when there is none. */
export function serverObjectIn(store: DirectoryReader, configurationDn: string): DirectoryEntry {
  const filter = equals('objectClass', 'msExchExchangeServer');
  const [server] = [...store.search({ base: configurationDn, scope: 'sub', filter })];
  if (server === undefined) throw new Error(`there is no server object below ${configurationDn}`);
  return server;
}

/** Whose configuration a directory holds. Throws Error that says what to do when it holds that of no server. */
export function placeIn(store: DirectoryReader): SnapshotPlace {
  const configurationDn = store.namingContexts.find((dn) => /^CN=Configuration,/i.test(dn));
  if (configurationDn === undefined)
    throw new Error('the directory holds no configuration: start it once, or restore a backup');
  const server = serverObjectIn(store, configurationDn);
  const roles = Number(server.values('msExchCurrentServerRoles')[0] ?? edgeRole);
  return {
    configurationDn,
    serverName: server.values('cn')[0] ?? shortHostName(),
    role: (roles & edgeRole) === 0 ? 'Mailbox' : 'EdgeTransport',
  };
}
