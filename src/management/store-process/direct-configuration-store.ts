import type { ConfigurationStore, ConfigurationWrite } from '../../cmdlets/index.ts';
import type { DirectoryStore, Operation } from '../../directory/index.ts';
import { type Entry, LdapError, type Modification, parseFilter } from '../../ldap/index.ts';

/** Who writes when an administrator of this machine does. */
export const actor = 'CN=Local Administrator';

/** The directory as cmdlets use it while no service runs: a store that this process has opened for writing. */
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
}

/** What the store does for it. */
export function operationOf(write: ConfigurationWrite): Operation {
  if (write.kind !== 'rename') return write;
  const { dn, rdn, assertion } = write;
  return { kind: 'modifyDn', dn, newRdn: rdn, deleteOldRdn: true, ...(assertion && { assertion }) };
}

/** The base of a search is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof LdapError && error.code === 'noSuchObject';
}

/** Text as the octets that are stored. */
export function valuesOf(
  attributes: ReadonlyMap<string, readonly string[]>,
): { attribute: string; values: Buffer[] }[] {
  return [...attributes].map(([attribute, values]) => ({
    attribute,
    values: values.map((value) => Buffer.from(value, 'utf8')),
  }));
}
