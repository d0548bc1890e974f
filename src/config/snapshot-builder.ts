/** Builds the snapshot from the directory. What does not decode is reported, and its last good state stays in force. */
import { type Entry, equals, escapeDnValue, type Filter } from '../ldap/index.ts';
import { receiveConnector } from './connectors/receive-connector.ts';
import { sendConnector } from './connectors/send-connector.ts';
import type { ConfigurationProblem, Snapshot } from './contract.ts';
import { InternalServers } from './internal-server.ts';
import { acceptedDomain } from './organization/accepted-domain.ts';
import { recipientFilterConfig } from './organization/recipient-filter-config.ts';
import { remoteDomain } from './organization/remote-domain.ts';
import { transportConfig } from './organization/transport-config.ts';
import { tryDecode } from './properties/codec.ts';
import { versionOf } from './properties/entry-version.ts';
import { brokenRules, defaultsOf, type ObjectTable } from './properties/object-table.ts';
import type { ObjectIdentity, Properties, ServerRole, ValuesOf } from './properties/property.ts';
import { transportService } from './servers/transport-service.ts';

/** Where entries come from. A DirectoryReader is one as it stands. */
export interface EntrySource {
  /** Sequence number of the last change. */
  readonly usn: number;
  search(request: { readonly base: string; readonly scope: 'sub'; readonly filter: Filter }): Iterable<Entry>;
}

/** Whose configuration it is. */
export interface SnapshotPlace {
  /** DN of the configuration naming context. */
  readonly configurationDn: string;
  /** Short name of the server: cn of its entry. */
  readonly serverName: string;
  readonly role: ServerRole;
}

/** An entry as last seen, with what it decoded to. */
interface Known {
  readonly version: string;
  /** Last good state; undefined when there never was one. */
  readonly object: ObjectIdentity | undefined;
  readonly problems: readonly ConfigurationProblem[];
}

type Values<P extends Properties> = ValuesOf<P> & ObjectIdentity;

/** Keeps what it decoded, so that the next snapshot decodes only what changed, and shares all other objects with this one. */
export class SnapshotBuilder {
  readonly #source: EntrySource;
  readonly #place: SnapshotPlace;
  #known: ReadonlyMap<string, Known> = new Map();
  readonly #internalServers = new InternalServers();
  #fallbackServer: Snapshot['server'] | undefined;
  #fallbackOrganization: Snapshot['organization'] | undefined;
  #fallbackFilter: Snapshot['recipientFilter'] | undefined;

  constructor(source: EntrySource, place: SnapshotPlace) {
    this.#source = source;
    this.#place = place;
  }

  /** The state of the directory now. Throws what the source throws. */
  build(): Snapshot {
    const { usn } = this.#source;
    const seen = new Map<string, Known>();
    const server = this.#server(seen);
    const missing = seen.size === 0 ? [this.#missingServer()] : [];
    const snapshot = {
      usn,
      server: server ?? this.#defaultServer(),
      organization: this.#read(transportConfig, seen)[0] ?? this.#defaultOrganization(),
      receiveConnectors: this.#read(receiveConnector, seen, this.#below('CN=Servers,', server)),
      sendConnectors: this.#read(sendConnector, seen),
      acceptedDomains: this.#read(acceptedDomain, seen),
      remoteDomains: this.#read(remoteDomain, seen),
      recipientFilter: this.#read(recipientFilterConfig, seen)[0] ?? this.#defaultFilter(),
      internalServers: this.#internalServers.read(this.#source, this.#place.configurationDn),
    };
    this.#known = seen;
    const decoding = [...seen.values()].flatMap(({ problems }) => problems);
    return Object.freeze({ ...snapshot, problems: [...missing, ...decoding, ...this.#internalServers.problems] });
  }

  #server(seen: Map<string, Known>): Snapshot['server'] | undefined {
    const { serverName } = this.#place;
    const isMine = (entry: Entry): boolean =>
      entry.values('cn').some((cn) => cn.toLowerCase() === serverName.toLowerCase());
    return this.#read(transportService, seen, isMine)[0];
  }

  /** Entries of this server only: the directory of an organization holds those of all. */
  #below(parent: string, server: ObjectIdentity | undefined): (entry: Entry) => boolean {
    const tail = server?.dn ?? `CN=${escapeDnValue(this.#place.serverName)},${parent}`;
    return (entry) => entry.dn.toLowerCase().includes(`,${tail.toLowerCase()}`);
  }

  #read<P extends Properties>(
    table: ObjectTable<P>,
    seen: Map<string, Known>,
    wanted: (entry: Entry) => boolean = () => true,
  ): readonly Values<P>[] {
    const filter = equals('objectClass', table.objectClass);
    const objects: Values<P>[] = [];
    for (const entry of this.#source.search({ base: this.#place.configurationDn, scope: 'sub', filter })) {
      if (!wanted(entry)) continue;
      const key = `${table.noun} ${entry.buffers('objectGUID')[0]?.toString('hex') ?? entry.dn.toLowerCase()}`;
      const known = this.#refresh(table, entry, this.#known.get(key));
      seen.set(key, known);
      if (known.object !== undefined) objects.push(known.object as Values<P>);
    }
    return objects;
  }

  #refresh<P extends Properties>(table: ObjectTable<P>, entry: Entry, before: Known | undefined): Known {
    const version = versionOf(entry);
    if (before?.version === version) return before;
    const decoded = tryDecode(table, entry, this.#place.role);
    if (!decoded.ok) {
      const problems = decoded.errors.map(({ dn, attribute, reason }) => ({ dn, attribute, reason }));
      return { version, object: before?.object, problems };
    }
    const broken = brokenRules(table, decoded.object);
    const problems = broken.map(({ rule, message }) => {
      const [field = ''] = rule.fields;
      return { dn: entry.dn, attribute: table.properties[field]?.attribute ?? field, reason: message };
    });
    // A state that breaks a rule is better than none: it is used when nothing better was ever there.
    return { version, object: broken.length === 0 ? decoded.object : (before?.object ?? decoded.object), problems };
  }

  #defaultServer(): Snapshot['server'] {
    const { role, serverName } = this.#place;
    this.#fallbackServer ??= { ...defaultsOf(transportService, role, serverName), fqdn: serverName };
    return this.#fallbackServer;
  }

  #defaultFilter(): Snapshot['recipientFilter'] {
    this.#fallbackFilter ??= defaultsOf(recipientFilterConfig, this.#place.role);
    return this.#fallbackFilter;
  }

  #defaultOrganization(): Snapshot['organization'] {
    this.#fallbackOrganization ??= defaultsOf(transportConfig, this.#place.role);
    return this.#fallbackOrganization;
  }

  #missingServer(): ConfigurationProblem {
    const { configurationDn, serverName } = this.#place;
    return {
      dn: configurationDn,
      attribute: 'cn',
      reason: `there is no server object '${serverName}'`,
    };
  }
}
