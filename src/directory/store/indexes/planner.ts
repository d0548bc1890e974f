/**
 * Finds candidates for a filter in the indexes. A plan gives every entry that the filter lets through, and maybe more: what
 * comes out is always tested. So a part that no index answers may be left out of an AND, but not out of an OR.
 */
import type { Filter, KnownAttribute, Schema, SubstringsFilter } from '../../../ldap/index.ts';
import { equalityKey, orderRange, overflowKey, prefixRange, presenceKey, trigramKey, trigrams } from './index-keys.ts';

/** Reading side of the index database. */
export interface IndexReader {
  /** Whether the index named so (`eq mail`) is complete. */
  has(index: string): boolean;
  /** How many entries stand under a key. */
  count(key: Buffer): number;
  /** How many lie in a range; stops counting at `atMost`. */
  countRange(range: KeyRange, atMost: number): number;
  /** Numbers of the entries, in order, each once; `count` is what `count` said of the key at this moment. */
  ids(key: Buffer, count: number): Uint32Array;
  idsInRange(range: KeyRange): Uint32Array;
}

export interface KeyRange {
  readonly start: Buffer;
  readonly end: Buffer;
}

/** A way to a set of candidates. */
export interface Candidates {
  readonly estimate: number;
  /** The index accesses behind it, for explaining. */
  readonly steps: readonly { readonly index: string; readonly candidates: number }[];
  ids(): Uint32Array;
}

/** Ranges are counted up to here: beyond it they are poor candidates anyway. */
const countedInRange = 20_000;

/** Most trigrams looked up for one piece of a filter. */
const usedTrigrams = 3;

const empty = new Uint32Array(0);
const noCandidates: Candidates = { estimate: 0, steps: [{ index: 'never true', candidates: 0 }], ids: () => empty };

/** Candidates for a filter; undefined when no index helps. */
export function planFilter(filter: Filter, schema: Schema, index: IndexReader): Candidates | undefined {
  const planner = new Planner(schema, index);
  return planner.plan(filter);
}

class Planner {
  readonly #schema: Schema;
  readonly #index: IndexReader;

  constructor(schema: Schema, index: IndexReader) {
    this.#schema = schema;
    this.#index = index;
  }

  plan(filter: Filter): Candidates | undefined {
    switch (filter.kind) {
      case 'and':
        return intersection(filter.filters.map((part) => this.plan(part)).filter((part) => part !== undefined));
      case 'or': {
        const parts = filter.filters.map((part) => this.plan(part));
        return parts.includes(undefined) ? undefined : union(parts.filter((part) => part !== undefined));
      }
      case 'not':
      case 'extensible':
        return undefined;
      default:
        return this.#leaf(filter);
    }
  }

  #leaf(filter: Exclude<Filter, { kind: 'and' | 'or' | 'not' | 'extensible' }>): Candidates | undefined {
    const described = this.#schema.describe(filter.attribute);
    // An attribute that is not known makes Undefined: nothing is found.
    if (described === undefined) return noCandidates;
    const parts: Candidates[] = [];
    for (const key of this.#schema.subtypes(described.attribute)) {
      const attribute = this.#schema.attribute(key);
      const part = attribute === undefined ? undefined : this.#ofAttribute(filter, attribute);
      if (part === undefined) return undefined;
      parts.push(part);
    }
    return parts.length === 1 ? parts[0] : union(parts);
  }

  #ofAttribute(
    filter: Exclude<Filter, { kind: 'and' | 'or' | 'not' | 'extensible' }>,
    attribute: KnownAttribute,
  ): Candidates | undefined {
    switch (filter.kind) {
      case 'present':
        return this.#has('pres', attribute) ? this.#byKey(`pres ${attribute.key}`, presenceKey(attribute)) : undefined;
      case 'substrings':
        return this.#substrings(filter, attribute);
      case 'equality':
      case 'approximate': {
        if (!this.#has('eq', attribute)) return undefined;
        const normal = attribute.equalityRule?.normalise(filter.value, this.#schema);
        return normal === undefined ? noCandidates : this.#byKey(`eq ${attribute.key}`, equalityKey(attribute, normal));
      }
      default: {
        const { orderingRule, equalityRule } = attribute;
        if (orderingRule === undefined) return noCandidates;
        if (!this.#has('eq', attribute) || orderingRule.normalise !== equalityRule?.normalise) return undefined;
        const normal = orderingRule.normalise(filter.value, this.#schema);
        if (normal === undefined) return noCandidates;
        const range =
          filter.kind === 'greaterOrEqual'
            ? orderRange(attribute, normal, undefined)
            : orderRange(attribute, undefined, normal);
        return this.#byRange(`ord ${attribute.key}`, range);
      }
    }
  }

  #substrings(filter: SubstringsFilter, attribute: KnownAttribute): Candidates | undefined {
    const rule = attribute.substringsRule;
    if (rule?.piece === undefined) return noCandidates;
    const parts: Candidates[] = [];
    if (
      filter.initial !== undefined &&
      this.#has('eq', attribute) &&
      rule.normalise === attribute.equalityRule?.normalise
    ) {
      const prefix = rule.normalise(filter.initial, this.#schema);
      if (prefix === undefined) return noCandidates;
      if (prefix.length > 0)
        parts.push(this.#byRange(`eq ${attribute.key} (beginning)`, prefixRange(attribute, prefix)));
    }
    if (this.#has('sub', attribute)) {
      const pieces = [
        ...(filter.initial === undefined ? [] : [rule.piece(filter.initial, 'initial')]),
        ...filter.any.map((piece) => rule.piece?.(piece, 'any')),
        ...(filter.final === undefined ? [] : [rule.piece(filter.final, 'final')]),
      ];
      if (pieces.includes(undefined)) return noCandidates;
      const found = pieces.filter((piece) => piece !== undefined).flatMap(trigrams);
      if (found.length > 0) parts.push(this.#byTrigrams(attribute, found));
    }
    return intersection(parts);
  }

  /** The rarest trigrams, and the values that are too long for having all of theirs kept. */
  #byTrigrams(attribute: KnownAttribute, found: readonly Buffer[]): Candidates {
    const index = `sub ${attribute.key}`;
    const parts = found.slice(0, 64).map((trigram) => this.#byKey(index, trigramKey(attribute, trigram)));
    const rarest = parts.sort((a, b) => a.estimate - b.estimate).slice(0, usedTrigrams);
    const overflow = this.#byKey(index, overflowKey(attribute));
    const common = intersection(rarest) ?? noCandidates;
    return overflow.estimate === 0 ? common : union([common, overflow]);
  }

  #has(kind: 'eq' | 'pres' | 'sub', attribute: KnownAttribute): boolean {
    return this.#index.has(`${kind} ${attribute.key}`);
  }

  #byKey(index: string, key: Buffer): Candidates {
    const estimate = this.#index.count(key);
    return {
      estimate,
      steps: [{ index, candidates: estimate }],
      ids: () => (estimate === 0 ? empty : this.#index.ids(key, estimate)),
    };
  }

  #byRange(index: string, range: KeyRange): Candidates {
    const estimate = this.#index.countRange(range, countedInRange);
    return { estimate, steps: [{ index, candidates: estimate }], ids: () => this.#index.idsInRange(range) };
  }
}

/** The smallest set, thinned out by those that are not much larger. */
function intersection(parts: readonly Candidates[]): Candidates | undefined {
  const [smallest, ...others] = [...parts].sort((a, b) => a.estimate - b.estimate);
  if (smallest === undefined) return undefined;
  const worthwhile =
    smallest.estimate <= 32 ? [] : others.filter(({ estimate }) => estimate <= smallest.estimate * 8).slice(0, 3);
  return {
    estimate: smallest.estimate,
    steps: [smallest, ...worthwhile].flatMap(({ steps }) => steps),
    ids: () => worthwhile.reduce((ids, part) => (ids.length <= 32 ? ids : intersect(ids, part.ids())), smallest.ids()),
  };
}

function union(parts: readonly Candidates[]): Candidates {
  const [only] = parts;
  if (only === undefined) return noCandidates;
  if (parts.length === 1) return only;
  return {
    estimate: parts.reduce((sum, { estimate }) => sum + estimate, 0),
    steps: parts.flatMap(({ steps }) => steps),
    ids: () => sortedOnce(parts.map((part) => part.ids())),
  };
}

function intersect(a: Uint32Array, b: Uint32Array): Uint32Array {
  const result = new Uint32Array(Math.min(a.length, b.length));
  let length = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [left = 0, right = 0] = [a[i], b[j]];
    if (left === right) result[length++] = left;
    if (left <= right) i += 1;
    if (right <= left) j += 1;
  }
  return result.subarray(0, length);
}

/** All numbers of the lists, in order, each once. */
export function sortedOnce(lists: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(lists.reduce((sum, { length }) => sum + length, 0));
  let length = 0;
  for (const list of lists) {
    all.set(list, length);
    length += list.length;
  }
  all.sort();
  let kept = 0;
  for (let i = 0; i < all.length; i += 1) if (i === 0 || all[i] !== all[i - 1]) all[kept++] = all[i] ?? 0;
  return all.subarray(0, kept);
}
