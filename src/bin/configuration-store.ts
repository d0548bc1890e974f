/** The directory as cmdlets use it: over LDAP while the service runs, on the store itself when it does not. */
import type { ConfigurationStore, ConfigurationWrite } from '../cmdlets/index.ts';
import { DirectoryClient, type DirectoryStore, type Operation } from '../directory/index.ts';
import { type Entry, LdapError, type Modification, parseFilter } from '../ldap/index.ts';

/** Who writes when an administrator of this machine does. */
const actor = 'CN=Local Administrator';

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
    if (only?.kind === 'modify' && others.length === 0) await this.modify(only.dn, only.modifications);
    else await this.#store.batch(writes.map(operationOf), { actor });
  }

  async delete(dn: string): Promise<void> {
    await this.#client.delete(dn);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.close();
  }
}

/** The same on a store that this process has opened for writing. */
export class DirectConfigurationStore implements ConfigurationStore {
  readonly configurationDn: string;
  readonly #store: DirectoryStore;

  constructor(store: DirectoryStore, configurationDn: string) {
    this.configurationDn = configurationDn;
    this.#store = store;
  }

  async search(base: string, scope: 'base' | 'one' | 'sub', filter?: string): Promise<readonly Entry[]> {
    try {
      return [...this.#store.search({ base, scope, ...(filter === undefined ? {} : { filter: parseFilter(filter) }) })];
    } catch (error) {
      if (!isMissing(error)) throw error;
      return [];
    }
  }

  async add(dn: string, attributes: ReadonlyMap<string, readonly string[]>): Promise<void> {
    await this.#store.add(dn, valuesOf(attributes), { actor });
  }

  async modify(dn: string, modifications: readonly Modification[]): Promise<void> {
    await this.#store.modify(dn, modifications, { actor });
  }

  async together(writes: readonly ConfigurationWrite[]): Promise<void> {
    await this.#store.batch(writes.map(operationOf), { actor });
  }

  async delete(dn: string): Promise<void> {
    await this.#store.delete(dn, { actor });
  }
}

function operationOf(write: ConfigurationWrite): Operation {
  if (write.kind === 'modify') return write;
  return { kind: 'modifyDn', dn: write.dn, newRdn: write.rdn, deleteOldRdn: true };
}

function isMissing(error: unknown): boolean {
  return error instanceof LdapError && error.code === 'noSuchObject';
}

function valuesOf(attributes: ReadonlyMap<string, readonly string[]>): { attribute: string; values: Buffer[] }[] {
  return [...attributes].map(([attribute, values]) => ({
    attribute,
    values: values.map((value) => Buffer.from(value, 'utf8')),
  }));
}
