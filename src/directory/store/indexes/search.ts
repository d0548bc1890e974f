/** Searches: candidates from an index or a scan in order of names, each tested, none held open in between. */
import { unpaced } from '../../../base/index.ts';
import {
  compileFilter,
  type Dn,
  everyEntry,
  type Filter,
  LdapError,
  type Matcher,
  type Schema,
} from '../../../ldap/index.ts';
import type { DirectoryEntry, SearchPlan, SearchRequest } from '../entries/contract.ts';
import type { StoredEntry } from '../entries/stored-entry.ts';
import { count, type Environment } from '../files/environment.ts';
import { behindSubtree, childOf, inScope, rangeBelow } from './key-ranges.ts';
import { idOf, type LmdbIndex } from './lmdb-index.ts';
import { type Candidates, planFilter } from './planner.ts';

/** Names read at once by a scan. A read transaction lives no longer than reading these. */
const chunkSize = 200;

/** Candidates tested by a short filter before a search offers a pause; by a long one, fewer. */
const stepSize = 32;
/** Tests of one value that take about as long as is good between two pauses. */
const testsInStep = 1024;

/** Longest that a gentle search holds the event loop, in milliseconds. */
const sliceMs = 4;

/** Fewer candidates than this are fetched without asking whether a scan would be shorter. */
const fewCandidates = 64;

/** `undefined` is a good place for a pause. */
export type Steps = Generator<DirectoryEntry | undefined, void, undefined>;

/** What a search reads. StoreReader has this shape. */
interface SearchedStore {
  readonly schema: Schema;
  readonly index: LmdbIndex;
  readonly environment: Environment;
  keyOf(dn: string | Dn): Buffer;
  idByKey(key: Buffer): number | undefined;
  byKey(key: Buffer): StoredEntry | undefined;
  byId(id: number): StoredEntry | undefined;
  nearestTo(key: Buffer): StoredEntry | undefined;
  countChildren(key: Buffer, atMost: number): number;
  tombstones(): Iterable<StoredEntry>;
}

export class Search {
  readonly #reader: SearchedStore;
  readonly #request: SearchRequest;
  readonly #base: Buffer;
  readonly #matches: Matcher;
  readonly #stepSize: number;

  /** Throws LdapError noSuchObject, invalidDNSyntax, or for a filter that is refused. */
  constructor(reader: SearchedStore, request: SearchRequest) {
    this.#reader = reader;
    this.#request = request;
    this.#base = reader.keyOf(request.base);
    this.#stepSize = Math.max(1, Math.min(stepSize, Math.floor(testsInStep / partsOf(request.filter ?? everyEntry))));
    this.#matches = compileFilter(request.filter ?? everyEntry, reader.schema);
    if (this.#base.length > 0 && reader.idByKey(this.#base) === undefined && request.includeDeleted !== true) {
      const matchedDn = reader.nearestTo(this.#base)?.dn ?? '';
      throw new LdapError('noSuchObject', `there is no entry '${request.base.toString()}'`, { matchedDn });
    }
  }

  *steps(): Steps {
    const candidates = this.#candidates();
    yield* candidates === undefined ? this.#scan() : this.#fetch(candidates.ids());
    if (this.#request.includeDeleted === true) yield* this.#deleted();
  }

  plan(): SearchPlan {
    const candidates = this.#candidates();
    const filter = this.#request.filter ?? everyEntry;
    if (candidates === undefined) {
      const inView = this.#scopeSize(Number.MAX_SAFE_INTEGER);
      const tried =
        this.#request.scope === 'base' ? undefined : planFilter(filter, this.#reader.schema, this.#reader.index);
      const why =
        tried === undefined
          ? 'no index answers the filter'
          : `shorter than ${tried.estimate} candidates of ${names(tried)}`;
      return {
        access: 'scan',
        indexes: tried?.steps ?? [],
        candidates: inView,
        text: `scan of ${inView} entries in scope (${why})`,
      };
    }
    const text = `index ${names(candidates)}: ${candidates.estimate} candidates`;
    return { access: 'index', indexes: candidates.steps, candidates: candidates.estimate, text };
  }

  /** Undefined when scanning the scope is the shorter way. */
  #candidates(): Candidates | undefined {
    const { filter = everyEntry, scope } = this.#request;
    if (scope === 'base') return undefined;
    const candidates = planFilter(filter, this.#reader.schema, this.#reader.index);
    if (candidates === undefined || candidates.estimate <= fewCandidates) return candidates;
    // Fetching by number costs about twice as much as reading on in order.
    return this.#scopeSize(candidates.estimate * 2 + 1) <= candidates.estimate * 2 ? undefined : candidates;
  }

  #scopeSize(atMost: number): number {
    const { scope } = this.#request;
    if (scope === 'base') return 1;
    if (scope === 'one') return this.#reader.countChildren(this.#base, atMost);
    if (this.#base.length === 0) return count(this.#reader.environment.names);
    const below = this.#reader.environment.names.getKeysCount({ ...rangeBelow(this.#base), limit: atMost });
    return below + (scope === 'sub' ? 1 : 0);
  }

  *#fetch(ids: Uint32Array): Steps {
    let untilPause = this.#stepSize;
    for (const id of ids) {
      const entry = this.#reader.byId(id);
      if (entry !== undefined && this.#fits(entry)) yield entry;
      untilPause -= 1;
      if (untilPause === 0) {
        yield undefined;
        untilPause = this.#stepSize;
      }
    }
  }

  *#scan(): Steps {
    const { scope } = this.#request;
    if (scope === 'base' || scope === 'sub') {
      const base = this.#reader.byKey(this.#base);
      if (base !== undefined && this.#test(base)) yield base;
    }
    if (scope === 'base') return;
    const range = rangeBelow(this.#base);
    let start = range.start;
    for (;;) {
      const chunk = this.#names(start, range.end);
      const last = chunk.at(-1);
      let tested = 0;
      for (const { id, key } of chunk) {
        // One level: what is below a child is stepped over by seeking, so that deep trees cost nothing.
        if (scope === 'one' && !inScope(key, this.#base, 'one')) continue;
        const entry = this.#reader.byId(id);
        if (entry !== undefined && this.#test(entry)) yield entry;
        tested += 1;
        if (tested % this.#stepSize === 0) yield undefined;
      }
      if (last === undefined || chunk.length < chunkSize) return;
      start = this.#next(last.key, scope);
      yield undefined;
    }
  }

  /** Where reading goes on after a chunk: behind its last name, or behind the child that this name lies below. */
  #next(last: Buffer, scope: SearchRequest['scope']): Buffer {
    return scope === 'one' ? behindSubtree(childOf(this.#base, last)) : Buffer.concat([last, Buffer.from([0])]);
  }

  #names(start: Buffer | undefined, end: Buffer | undefined): { readonly key: Buffer; readonly id: number }[] {
    const range = {
      ...(start === undefined ? {} : { start }),
      ...(end === undefined ? {} : { end }),
      limit: chunkSize,
    };
    const found: { key: Buffer; id: number }[] = [];
    for (const { key, value } of this.#reader.environment.names.getRange(range))
      found.push({ key: Buffer.from(key), id: idOf(value) });
    return found;
  }

  *#deleted(): Steps {
    const seen = new Set<string>();
    for (const tombstone of this.#reader.tombstones()) {
      if (!seen.has(tombstone.dn) && this.#fits(tombstone)) yield tombstone;
      seen.add(tombstone.dn);
      yield undefined;
    }
  }

  #fits(entry: StoredEntry): boolean {
    return inScope(entry.encoded.key, this.#base, this.#request.scope) && this.#test(entry);
  }

  #test(entry: StoredEntry): boolean {
    const { readable } = this.#request;
    return (
      this.#matches(entry, readable === undefined ? undefined : (attribute) => readable(entry, attribute)) === true
    );
  }
}

function partsOf(filter: Filter): number {
  if (filter.kind === 'not') return 1 + partsOf(filter.filter);
  return filter.kind === 'and' || filter.kind === 'or'
    ? filter.filters.reduce((sum, part) => sum + partsOf(part), 1)
    : 1;
}

const names = (candidates: Candidates): string => [...new Set(candidates.steps.map(({ index }) => index))].join(' + ');

/** The entries of a search without its pauses, as many as wanted. */
export function* resultsOf(steps: Steps, limit = Number.POSITIVE_INFINITY): Generator<DirectoryEntry, void, undefined> {
  let left = limit;
  if (left <= 0) return;
  for (const step of steps) {
    if (step === undefined) continue;
    yield step;
    left -= 1;
    if (left <= 0) return;
  }
}

/** The same, giving way to other work after a few milliseconds. */
export async function* gentleSteps(
  steps: Steps,
  { limit = Number.POSITIVE_INFINITY, pace = unpaced }: Pick<SearchRequest, 'limit' | 'pace'>,
  signal?: AbortSignal,
): AsyncGenerator<DirectoryEntry, void, undefined> {
  let left = limit;
  if (left <= 0) return;
  if (pace.crowded) await pace.pause();
  let since = performance.now();
  // Who takes the entries may have waited for a reader meanwhile: that is not counted.
  const spend = (): void => pace.spend(Math.min(performance.now() - since, 2 * sliceMs));
  try {
    for (const step of steps) {
      if (performance.now() - since > sliceMs) {
        spend();
        await pace.pause();
        since = performance.now();
      }
      signal?.throwIfAborted();
      if (step === undefined) continue;
      yield step;
      left -= 1;
      if (left <= 0) return;
    }
  } finally {
    spend();
  }
}
