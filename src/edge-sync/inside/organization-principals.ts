/** Names and SIDs of the organization's users and groups, asked of the source by the account that reads it. */
import { DirectoryClient, type DirectoryPrincipal, PrincipalSearch } from '../../directory/index.ts';
import { LdapError } from '../../ldap/index.ts';
import { socketTo } from '../source/ldap-socket.ts';
import { bindRefusal, refuseClearPassword } from '../source/source-bind.ts';
import type { InsideState } from './inside-state.ts';

/** A user or group with its groups. */
export interface OrganizationPrincipal extends DirectoryPrincipal {
  /** Its own first, then those of its groups. */
  readonly sids: readonly string[];
}

/** An administrator waits. */
const answerMs = 8_000;

export class OrganizationPrincipals {
  readonly #state: InsideState;

  constructor(state: InsideState) {
    this.#state = state;
  }

  /** All that a name or SID may mean, over all domains that are read. Throws LdapError, SyncStateError. */
  async find(nameOrSid: string): Promise<readonly OrganizationPrincipal[]> {
    const found = await this.#each(async (search) => {
      const here = /^S-1-/i.test(nameOrSid) ? await search.bySid(nameOrSid) : await search.find(nameOrSid);
      return Promise.all([here ?? []].flat().map(async (one) => ({ ...one, sids: await search.sidsOf(one.dn) })));
    });
    return found.flat();
  }

  /** Names by SID, of those that have one. Throws LdapError, SyncStateError. */
  async names(sids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = await this.#each((search) => Promise.all(sids.map((sid) => search.bySid(sid))));
    return new Map(found.flat().flatMap((one) => (one === undefined ? [] : [[one.sid, one.name] as const])));
  }

  /** Asks each server, one after the other. */
  async #each<T>(ask: (search: PrincipalSearch) => Promise<T>): Promise<readonly T[]> {
    const { settings, password, sourceAuthorities: ca } = this.#state;
    const { url: first, also = [], bindDn, base } = settings.source;
    const answers: T[] = [];
    for (const url of [first, ...also]) {
      refuseClearPassword(url, password);
      const socket = await socketTo({ url, tls: ca === '' ? {} : { ca }, timeoutMs: answerMs });
      const bind = { dn: bindDn, password };
      await using client = new DirectoryClient({ url, socket: () => socket, bind, timeoutMs: answerMs });
      await client.connect().catch((error: unknown) => {
        socket.destroy();
        throw error instanceof LdapError ? bindRefusal({ url, bindDn }, error.code, error.message) : error;
      });
      answers.push(await ask(new PrincipalSearch(client, base)));
    }
    return answers;
  }
}
