import { resolve } from 'node:path';
import { CmdletError, type ConfigurationStore, type ConfigurationWrite } from '../cmdlets/index.ts';
import { DirectoryClient, type DirectoryStore } from '../directory/index.ts';
import type { Entry, Modification } from '../ldap/index.ts';
import { refusalOfLogFolder } from '../logs/index.ts';
import { actor, isMissing, operationOf, valuesOf } from './store-process/direct-configuration-store.ts';

/** Attributes that LDAP gives only when they are asked for. */
const everything = ['*', '+', 'nTSecurityDescriptor'];

/** Cmdlets of the running service go through its own LDAP face, as any other client. */
export class LdapConfigurationStore implements ConfigurationStore, AsyncDisposable {
  readonly configurationDn: string;
  readonly #client: DirectoryClient;
  readonly #store: Pick<DirectoryStore, 'batch'>;

  readonly #root: string;

  /** `root`: relative paths of logs lie below it. */
  constructor(
    socketPath: string,
    { configurationDn, root }: { readonly configurationDn: string; readonly root: string },
    store: Pick<DirectoryStore, 'batch'>,
  ) {
    this.configurationDn = configurationDn;
    this.#root = root;
    this.#store = store;
    this.#client = new DirectoryClient({ url: `ldapi://${encodeURIComponent(socketPath)}`, bind: 'external' });
  }

  async search(base: string, scope: 'base' | 'one' | 'sub', filter?: string): Promise<readonly Entry[]> {
    const found: Entry[] = [];
    const request = { base, scope, attributes: everything, ...(filter === undefined ? {} : { filter }) };
    try {
      for await (const entry of this.#client.search(request)) found.push(entry);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    return found;
  }

  async add(dn: string, attributes: ReadonlyMap<string, readonly string[]>): Promise<void> {
    await this.#client.add(dn, valuesOf(attributes));
  }

  async modify(dn: string, modifications: readonly Modification[]): Promise<void> {
    await refuseUnwritablePaths(this.#root, modifications);
    await this.#client.modify(dn, modifications);
  }

  /** LDAP knows no transaction over several entries (RFC 5805 is not served): these go to the store itself. */
  async together(writes: readonly ConfigurationWrite[]): Promise<void> {
    const [only, ...others] = writes;
    for (const write of writes) {
      if (write.kind === 'modify') await refuseUnwritablePaths(this.#root, write.modifications);
    }
    if (only?.kind === 'modify' && others.length === 0) {
      const { dn, modifications, assertion } = only;
      await (assertion === undefined
        ? this.#client.modify(dn, modifications)
        : this.#client.modifyIf(assertion, dn, modifications));
    } else await this.#store.batch(writes.map(operationOf), { actor });
  }

  async delete(dn: string): Promise<void> {
    await this.#client.delete(dn);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }
}

/** The logs that this program writes where an administrator says. */
const pathsOfLogs = /^msExchTransport(?:MessageTrackingPath|(?:ReceiveProtocol|SendProtocol|Connectivity)LogPath)$/i;

/**
 * Paths of logs are tried as the account of the services, which this process runs as, before they are set. Throws CmdletError with
 * the reason: a log that nobody can write would only be heard of later.
 */
export async function refuseUnwritablePaths(root: string, modifications: readonly Modification[]): Promise<void> {
  for (const { operation, attribute, values } of modifications) {
    if (operation === 'delete' || !pathsOfLogs.test(attribute)) continue;
    for (const value of values) {
      const reason = await refusalOfLogFolder(resolve(root, String(value)));
      if (reason !== undefined)
        throw new CmdletError('InvalidLogPathException', 'InvalidArgument', reason, { target: attribute });
    }
  }
}
