/** The reading side of the store: the same in the process that writes and in those that only read. */
import { Dn, type KnownAttribute, LdapError, parentKey, parseGuid, type Schema } from '../../../ldap/index.ts';
import type {
  Change,
  Changes,
  DirectoryEntry,
  DirectoryReader,
  SearchPlan,
  SearchRequest,
  ValueProbe,
} from '../entries/contract.ts';
import { type EntryContext, StoredEntry } from '../entries/stored-entry.ts';
import { count, type Environment, readMeta } from '../files/environment.ts';
import { equalityKey, prefixRange } from '../indexes/index-keys.ts';
import { behindSubtree, childOf, longestKey, rangeBelow } from '../indexes/key-ranges.ts';
import { idOf, LmdbIndex } from '../indexes/lmdb-index.ts';
import { gentleSteps, resultsOf, Search } from '../indexes/search.ts';
import { parseChange, usnOctets } from './change-log.ts';

/** The octets for good: what LMDB gives is written over by the next read. From Node's pool, unlike `getBinary`, which takes memory of its own for each entry. */
function kept(shared: Buffer): Buffer {
  const octets = Buffer.allocUnsafe(shared.length);
  shared.copy(octets, 0, 0, shared.length);
  return octets;
}

export class StoreReader implements DirectoryReader, EntryContext {
  readonly environment: Environment;
  readonly index: LmdbIndex;
  #schema: Schema;
  readonly #baseSchema: Schema;
  #extensions: readonly string[] = [];

  constructor(environment: Environment, schema: Schema) {
    this.environment = environment;
    this.#baseSchema = schema;
    this.#schema = schema;
    this.index = new LmdbIndex(environment.index, readMeta(environment, 'indexes'));
    this.refresh();
  }

  get schema(): Schema {
    return this.#schema;
  }

  get usn(): number {
    this.environment.root.resetReadTxn();
    this.refresh();
    return readMeta(this.environment, 'usn');
  }

  get namingContexts(): readonly string[] {
    return readMeta(this.environment, 'contexts');
  }

  get schemaExtensions(): readonly string[] {
    return readMeta(this.environment, 'schemaExtensions');
  }

  /** Number of entries. */
  get size(): number {
    return count(this.environment.entries);
  }

  /** Takes over what another process did to schema and indexes. */
  refresh(): void {
    const extensions = readMeta(this.environment, 'schemaExtensions');
    const known = this.#extensions;
    if (extensions.length === known.length && extensions.every((ldif, i) => ldif === known[i])) return;
    // All at once: a schema made anew for each extension would take longer with every one.
    const goesOn = known.every((ldif, i) => ldif === extensions[i]);
    const added = goesOn ? extensions.slice(known.length) : extensions;
    this.#schema = (goesOn ? this.#schema : this.#baseSchema).extended(...added);
    this.#extensions = extensions;
    this.index.complete = new Set(readMeta(this.environment, 'indexes'));
  }

  get(dn: string | Dn): DirectoryEntry | undefined {
    return this.byKey(this.keyOf(dn));
  }

  byGuid(guid: string): DirectoryEntry | undefined {
    try {
      return this.lookupEquality('objectGUID', parseGuid(guid))[0];
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  tombstone(usn: number): DirectoryEntry | undefined {
    const octets = this.environment.tombstones.get(usnOctets(usn));
    return octets === undefined ? undefined : new StoredEntry(Buffer.from(octets), this);
  }

  nearest(dn: string | Dn): string {
    return this.nearestTo(this.keyOf(dn))?.dn ?? '';
  }

  search(request: SearchRequest): Generator<DirectoryEntry, void, undefined> {
    return resultsOf(new Search(this, request).steps(), request.limit);
  }

  searchGently(request: SearchRequest, signal?: AbortSignal): AsyncGenerator<DirectoryEntry, void, undefined> {
    return gentleSteps(new Search(this, request).steps(), request, signal);
  }

  explain(request: SearchRequest): SearchPlan {
    return new Search(this, request).plan();
  }

  lookupEquality(attribute: string, value: string | Buffer): readonly DirectoryEntry[] {
    const known = this.#schema.attribute(attribute);
    const rule = known?.equalityRule;
    if (known === undefined || rule === undefined || !this.index.hasEquality(known.key)) {
      throw new LdapError('inappropriateMatching', `'${attribute}' has no equality index`);
    }
    const normal = rule.normalise(typeof value === 'string' ? Buffer.from(value) : value, this.#schema);
    if (normal === undefined) return [];
    const key = equalityKey(known, normal);
    const id = this.index.single(key);
    if (id === undefined) return [];
    const found = (id >= 0 ? [id] : [...this.index.ids(key)])
      .map((each) => this.byId(each))
      .filter((entry) => entry !== undefined);
    // Long values share keys by their hash only, and an entry may have changed since: look again.
    return normal.length < 300 ? found : found.filter((entry) => this.#holds(entry, known, normal));
  }

  valueProbe(attribute: string, octets: number): ValueProbe {
    const known = this.#schema.attribute(attribute);
    if (known?.equalityRule?.name !== 'octetStringMatch' || !this.index.hasEquality(known.key))
      throw new LdapError('inappropriateMatching', `'${attribute}' has no equality index of octets`);
    const key = equalityKey(known, Buffer.alloc(octets));
    const { start: first, end } = prefixRange(known, Buffer.alloc(0));
    return {
      value: key.subarray(key.length - octets),
      holds: () => this.index.holds(key),
      heldAfter: (value, limit) => {
        const start = value === undefined ? first : equalityKey(known, value);
        const keys = this.index.keysIn({ start, end }, { limit, exclusiveStart: value !== undefined });
        return keys.map((each) => each.subarray(first.length));
      },
    };
  }

  changesSince(usn: number, limit = 1_000): Changes {
    const current = this.usn;
    const changes: Change[] = [];
    for (const { value } of this.environment.changes.getRange({ start: usnOctets(usn + 1), limit }))
      changes.push(parseChange(value));
    const first = changes[0]?.usn;
    return { complete: usn >= current || first === usn + 1, changes, usn: changes.at(-1)?.usn ?? current };
  }

  /** Tombstones, oldest deletion first. */
  *tombstones(): Generator<StoredEntry, void, undefined> {
    let start: Buffer | undefined;
    for (;;) {
      const chunk = [
        ...this.environment.tombstones.getRange({
          ...(start === undefined ? {} : { start, exclusiveStart: true }),
          limit: 100,
        }),
      ];
      for (const { key, value } of chunk) {
        start = Buffer.from(key);
        yield new StoredEntry(Buffer.from(value), this);
      }
      if (chunk.length < 100) return;
    }
  }

  /** Key of a name. Throws LdapError invalidDNSyntax. */
  keyOf(dn: string | Dn): Buffer {
    return this.#schema.keyOf(typeof dn === 'string' ? Dn.parse(dn) : dn);
  }

  idByKey(key: Buffer): number | undefined {
    if (key.length === 0 || key.length > longestKey) return undefined;
    const octets = this.environment.names.getBinaryFast(key);
    return octets === undefined ? undefined : idOf(octets);
  }

  byKey(key: Buffer): StoredEntry | undefined {
    const id = this.idByKey(key);
    return id === undefined ? undefined : this.byId(id);
  }

  byId(id: number): StoredEntry | undefined {
    const shared = this.environment.entries.getBinaryFast(id);
    return shared === undefined ? undefined : new StoredEntry(kept(shared), this);
  }

  nearestTo(key: Buffer): StoredEntry | undefined {
    for (let at: Buffer | undefined = key; at !== undefined; at = parentKey(at)) {
      const entry = this.byKey(at);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  countChildren(key: Buffer, atMost: number): number {
    let children = 0;
    const { start: first, end } = rangeBelow(key);
    for (let start = first; ; ) {
      const range = { ...(start && { start }), ...(end && { end }), limit: atMost < 100 ? 1 : 100 };
      const chunk = [...this.environment.names.getKeys(range)];
      for (const each of chunk) if (childOf(key, each).length === each.length) children += 1;
      const last = chunk.at(-1);
      if (last === undefined || children >= atMost) return Math.min(children, atMost);
      start = behindSubtree(childOf(key, last));
    }
  }

  #holds(entry: DirectoryEntry, attribute: KnownAttribute, normal: Buffer): boolean {
    return entry
      .buffers(attribute.name)
      .some((value) => attribute.equalityRule?.normalise(value, this.#schema)?.equals(normal));
  }
}
