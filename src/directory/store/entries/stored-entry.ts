import { Dn, formatGeneralizedTime, formatGuid, type Schema } from '../../../ldap/index.ts';
import type { DirectoryEntry } from './contract.ts';
import { EncodedEntry } from './entry-data.ts';

/** Name of the subschema entry, published by the LDAP face. */
export const subschemaDn = 'cn=schema';

/** What computed attributes need to know of the store. */
export interface EntryContext {
  readonly schema: Schema;
  /** Whether anything stands below the key; `count` up to how many. */
  countChildren(key: Buffer, atMost: number): number;
}

/** An operational attribute that is not kept but made from the header, the name or the tree. */
interface Computed {
  readonly name: string;
  readonly compute: (entry: StoredEntry) => readonly (string | Buffer)[];
}

const time = (ms: number, fraction: '.0' | ''): string[] => [formatGeneralizedTime(ms, fraction)];

const computedAttributes: readonly Computed[] = [
  { name: 'objectGUID', compute: (entry) => [entry.encoded.guid] },
  { name: 'entryUUID', compute: (entry) => [entry.guid] },
  { name: 'uSNCreated', compute: (entry) => [String(entry.encoded.usnCreated)] },
  { name: 'uSNChanged', compute: (entry) => [String(entry.encoded.usnChanged)] },
  { name: 'whenCreated', compute: (entry) => time(entry.encoded.created, '.0') },
  { name: 'whenChanged', compute: (entry) => time(entry.encoded.changed, '.0') },
  { name: 'createTimestamp', compute: (entry) => time(entry.encoded.created, '') },
  { name: 'modifyTimestamp', compute: (entry) => time(entry.encoded.changed, '') },
  { name: 'entryDN', compute: (entry) => [entry.dn] },
  { name: 'distinguishedName', compute: (entry) => [entry.dn] },
  { name: 'canonicalName', compute: (entry) => [canonicalName(entry.dn)] },
  { name: 'subschemaSubentry', compute: () => [subschemaDn] },
  { name: 'hasSubordinates', compute: (entry) => [entry.countChildren(1) > 0 ? 'TRUE' : 'FALSE'] },
  { name: 'numSubordinates', compute: (entry) => [String(entry.countChildren(Number.MAX_SAFE_INTEGER))] },
];

const computedByKey: ReadonlyMap<string, Computed> = new Map(
  computedAttributes.map((row) => [row.name.toLowerCase(), row]),
);
const computedNames: readonly string[] = computedAttributes.map(({ name }) => name);

/** Keys of the attributes that no client writes because they are computed. */
export const computedKeys: ReadonlySet<string> = new Set(computedByKey.keys());

/** Keys of the attributes made from the header of an entry: these are indexed like kept ones. */
export const headerKeys: readonly string[] = ['objectguid', 'usncreated', 'usnchanged', 'whencreated', 'whenchanged'];

/** An entry read from the store: a view on its octets. */
export class StoredEntry implements DirectoryEntry {
  readonly encoded: EncodedEntry;
  readonly #context: EntryContext;
  #attributes: readonly string[] | undefined;

  constructor(octets: Buffer, context: EntryContext) {
    this.encoded = new EncodedEntry(octets);
    this.#context = context;
  }

  get dn(): string {
    return this.encoded.dn;
  }

  get guid(): string {
    return formatGuid(this.encoded.guid);
  }

  get usn(): number {
    return this.encoded.usnChanged;
  }

  get isDeleted(): boolean {
    return this.encoded.values('isdeleted')?.[0]?.toString('latin1') === 'TRUE';
  }

  get storedAttributes(): readonly string[] {
    return this.encoded.names;
  }

  get attributes(): readonly string[] {
    this.#attributes ??= [...this.encoded.names, ...computedNames];
    return this.#attributes;
  }

  values(attribute: string): readonly string[] {
    return this.buffers(attribute).map((value) => value.toString('utf8'));
  }

  buffers(attribute: string): readonly Buffer[] {
    const name = attribute.toLowerCase();
    return this.encoded.values(name) ?? this.#computed(name) ?? this.#byOtherName(attribute, name) ?? [];
  }

  valuesOfType(key: string): readonly Buffer[] {
    const values = this.encoded.valuesOfType(key);
    return values.length > 0 ? values : (this.#computed(key) ?? values);
  }

  countChildren(atMost: number): number {
    return this.#context.countChildren(this.encoded.key, atMost);
  }

  #computed(name: string): readonly Buffer[] | undefined {
    return computedByKey
      .get(name)
      ?.compute(this)
      .map((value) => (typeof value === 'string' ? Buffer.from(value) : value));
  }

  /** Asked for by an alias, an OID, or with options in another order. */
  #byOtherName(attribute: string, name: string): readonly Buffer[] | undefined {
    const described = this.#context.schema.describe(attribute);
    if (described === undefined) return undefined;
    const kept = [described.attribute.key, ...described.options].join(';');
    return kept === name ? undefined : (this.encoded.values(kept) ?? this.#computed(kept));
  }
}

/** `example.com/Users/Jane`: domain parts first, then the values of the other RDNs from the top ([MS-ADTS] 3.1.1.4.5.3). */
function canonicalName(dn: string): string {
  const rdns = Dn.parse(dn).rdns.map((rdn) => ({
    type: rdn[0]?.type.toLowerCase(),
    value: rdn[0]?.value.toString('utf8') ?? '',
  }));
  const domain = rdns.filter(({ type }) => type === 'dc').map(({ value }) => value);
  const path = rdns
    .filter(({ type }) => type !== 'dc')
    .map(({ value }) => value.replaceAll('\\', '\\\\').replaceAll('/', '\\/'));
  return `${domain.join('.')}/${path.reverse().join('/')}`;
}
