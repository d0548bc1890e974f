/** Servers of the organization that an edge trusts by their keys (direct trust), as EdgeSync delivers them. */
import { keyDigestOf } from '../base/index.ts';
import { type Entry, equals, type Filter } from '../ldap/index.ts';
import type { ConfigurationProblem, InternalServer } from './contract.ts';
import { versionOf } from './properties/entry-version.ts';

/** Their container, below the configuration naming context. */
export const internalServersPath =
  'CN=Internal Servers,CN=Transport Settings,CN=First Organization,CN=Microsoft Exchange,CN=Services';

/** Class of their entries. */
export const internalServerClass = 'edgeInternalServer';
/** Attribute with their certificates, DER. */
export const internalServerCertificates = 'msExchServerInternalTLSCert';

/** Where the entries come from. */
interface ServerSource {
  search(request: { readonly base: string; readonly scope: 'sub'; readonly filter: Filter }): Iterable<Entry>;
}

interface Known {
  readonly version: string;
  readonly server: InternalServer;
  readonly problems: readonly ConfigurationProblem[];
}

/** Keeps what it read: an entry that did not change is the same object again. */
export class InternalServers {
  #known: ReadonlyMap<string, Known> = new Map();

  read(source: ServerSource, configurationDn: string): readonly InternalServer[] {
    const below = `,${internalServersPath},${configurationDn}`.toLowerCase();
    const seen = new Map<string, Known>();
    for (const entry of source.search({
      base: configurationDn,
      scope: 'sub',
      filter: equals('objectClass', internalServerClass),
    })) {
      const dn = entry.dn.toLowerCase();
      // The rights of EdgeSync end at the container; nothing that stands elsewhere is trusted.
      if (!dn.endsWith(below)) continue;
      const version = versionOf(entry);
      const before = this.#known.get(dn);
      seen.set(dn, before?.version === version ? before : { version, ...serverOf(entry) });
    }
    this.#known = seen;
    return [...seen.values()].map(({ server }) => server);
  }

  /** Certificates that cannot be read: their keys are trusted no more. */
  get problems(): readonly ConfigurationProblem[] {
    return [...this.#known.values()].flatMap(({ problems }) => problems);
  }
}

function serverOf(entry: Entry): Omit<Known, 'version'> {
  const address = entry.values('networkAddress').find((one) => /^ncacn_ip_tcp:./i.test(one));
  const name = address?.replace(/^.*?:/, '').toLowerCase() ?? entry.values('cn')[0] ?? entry.dn;
  const digests = entry.buffers(internalServerCertificates).map(keyDigestOf);
  const problems = digests
    .filter((digest) => digest === undefined)
    .map(() => ({
      dn: entry.dn,
      attribute: internalServerCertificates,
      reason: 'a value is no certificate, and no key is trusted by it',
    }));
  const keys = [...new Set(digests.filter((digest) => digest !== undefined))];
  return { server: Object.freeze({ name, keys }), problems };
}
