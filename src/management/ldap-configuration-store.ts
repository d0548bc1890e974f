import type { ConfigurationStore, ConfigurationWrite } from '../cmdlets/index.ts';
import { DirectoryClient, type DirectoryStore } from '../directory/index.ts';
import type { Entry, Modification } from '../ldap/index.ts';
import { actor, isMissing, operationOf, valuesOf } from './store-process/direct-configuration-store.ts';

/** Attributes that LDAP gives only when they are asked for. */
const everything = ['*', '+', 'nTSecurityDescriptor'];

/** Cmdlets of the running service go through its own LDAP face, as any other client. */
export class LdapConfigurationStore implements ConfigurationStore, AsyncDisposable {
  readonly configurationDn: string;
  readonly #client: DirectoryClient;
  readonly #store: Pick<DirectoryStore, 'batch'>;

  constructor(socketPath: string, configurationDn: string, store: Pick<DirectoryStore, 'batch'>) {
    this.configurationDn = configurationDn;
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
    await this.#client.modify(dn, modifications);
  }

  /** LDAP knows no transaction over several entries (RFC 5805 is not served): these go to the store itself. */
  async together(writes: readonly ConfigurationWrite[]): Promise<void> {
    const [only, ...others] = writes;
    if (only?.kind === 'modify' && others.length === 0) {
      const { dn, modifications, assertion } = only;
      await (assertion === undefined
        ? this.modify(dn, modifications)
        : this.#client.modifyIf(assertion, dn, modifications));
    } else await this.#store.batch(writes.map(operationOf), { actor });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }
}
