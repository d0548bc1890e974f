/** Server side sorting: RFC 2891. */
import { type Entry, LdapError, type Schema } from '../../../ldap/index.ts';
import type { DirectoryEntry } from '../../store/entries/contract.ts';
import type { SortKey } from '../ber/control-values.ts';

/** A key of the control with what it compares by. */
interface KnownKey {
  /** Names of entries' attributes that count, by key. */
  readonly subtypes: ReadonlySet<string>;
  readonly normalise: (value: Buffer) => Buffer | undefined;
  readonly reverse: boolean;
}

/** A sort key that cannot be used; `attribute` is the one to name in the response. */
export class SortRefusal extends LdapError {
  readonly attribute: string;

  constructor(
    code: 'noSuchAttribute' | 'inappropriateMatching' | 'adminLimitExceeded',
    message: string,
    attribute = '',
  ) {
    super(code, message);
    this.attribute = attribute;
  }
}

/** An entry in the order: as little as possible, for there may be many. */
export interface SortedRow {
  readonly guid: string;
  /** Normal form of the least value for each key. */
  readonly values: readonly (Buffer | undefined)[];
  /** A deleted entry cannot be found again by its GUID. */
  readonly deleted?: DirectoryEntry;
}

export class EntrySorter {
  readonly #schema: Schema;
  readonly #keys: readonly KnownKey[];

  /** Throws SortRefusal for a key the schema cannot sort by. */
  constructor(keys: readonly SortKey[], schema: Schema) {
    this.#schema = schema;
    this.#keys = keys.map((key) => known(key, schema));
  }

  /** What is kept of an entry while the others are read. What may not be read sorts as absent: the order would tell of it. */
  row(entry: DirectoryEntry, reads: (attribute: string) => boolean): SortedRow {
    const values = this.#keys.map((key) => this.#least(entry, key, reads));
    return { guid: entry.guid, values, ...(entry.isDeleted && { deleted: entry }) };
  }

  /** An entry without the attribute comes last, with the reverse order first (RFC 2891 §2.2). */
  compare(a: SortedRow, b: SortedRow): number {
    for (const [i, { reverse }] of this.#keys.entries()) {
      const order = compare(a.values[i], b.values[i]);
      if (order !== 0) return reverse ? -order : order;
    }
    return 0;
  }

  /** Smallest value of the attribute in its normal form. */
  #least(entry: Entry, { subtypes, normalise }: KnownKey, reads: (attribute: string) => boolean): Buffer | undefined {
    let least: Buffer | undefined;
    for (const name of entry.attributes) {
      const attribute = this.#schema.describe(name)?.attribute;
      if (attribute === undefined || !subtypes.has(attribute.key) || !reads(attribute.key)) continue;
      for (const value of entry.buffers(name)) {
        const normal = normalise(value);
        if (normal !== undefined && (least === undefined || normal.compare(least) < 0)) least = normal;
      }
    }
    return least;
  }
}

function compare(a: Buffer | undefined, b: Buffer | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return a.compare(b);
}

function known({ attribute: description, rule, reverse }: SortKey, schema: Schema): KnownKey {
  const described = schema.describe(description);
  if (described === undefined)
    throw new SortRefusal('noSuchAttribute', `the attribute ${description} is not known`, description);
  const { attribute } = described;
  const found = rule === undefined ? (attribute.orderingRule ?? attribute.equalityRule) : schema.matchingRule(rule);
  if (found === undefined || found.test !== undefined) {
    throw new SortRefusal(
      'inappropriateMatching',
      `${description} cannot be sorted by ${rule ?? 'its rules: it has none'}`,
      description,
    );
  }
  return { subtypes: schema.subtypes(attribute), normalise: (value) => found.normalise(value, schema), reverse };
}
