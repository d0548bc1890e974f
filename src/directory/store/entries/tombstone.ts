/** Tombstones, [MS-ADTS] 3.1.1.5.5: what is left of a deleted entry, so that others learn of the deletion. */
import { Dn, type Rdn, type Schema } from '../../../ldap/index.ts';
import type { EntryData } from './entry-data.ts';
import type { StoredEntry } from './stored-entry.ts';

/** Circumstances of a deletion. */
export interface Deletion {
  readonly usn: number;
  readonly time: number;
  readonly actor: string;
  /** Naming context of the entry: the tombstone is shown in its container for deleted objects. */
  readonly context: string;
}

/** Attributes that a tombstone keeps, beside its name: enough to tell what it was and where it came from. */
const keptAttributes: ReadonlySet<string> = new Set([
  'objectclass',
  'structuralobjectclass',
  'objectsid',
  'samaccountname',
  'creatorsname',
  'edgereplicatedfrom',
  'systemflags',
]);

/** The tombstone of an entry, named `<RDN>\0ADEL:<guid>,CN=Deleted Objects,<context>`. */
export function tombstoneOf(entry: StoredEntry, { usn, time, actor, context }: Deletion, schema: Schema): EntryData {
  const old = Dn.parse(entry.dn);
  const suffix = Buffer.from(`\nDEL:${entry.guid}`);
  const [first] = old.rdn;
  const rdn: Rdn = [{ type: first?.type ?? 'CN', value: Buffer.concat([first?.value ?? suffix, suffix]) }];
  const container: Rdn = [{ type: 'CN', value: Buffer.from('Deleted Objects') }];
  const dn = new Dn([rdn, container, ...Dn.parse(context).rdns]);
  const attributes = [
    ...entry.encoded.toData().attributes.filter(({ attribute }) => keptAttributes.has(attribute.toLowerCase())),
    ...rdn.map(({ type, value }) => ({ attribute: schema.attribute(type)?.name ?? type, values: [value] })),
    { attribute: 'isDeleted', values: [Buffer.from('TRUE')] },
    { attribute: 'lastKnownParent', values: [Buffer.from(old.parent?.toString() ?? '')] },
    ...(actor === '' ? [] : [{ attribute: 'modifiersName', values: [Buffer.from(actor)] }]),
  ];
  const { guid, usnCreated, created } = entry.encoded;
  return {
    guid,
    usnCreated,
    usnChanged: usn,
    created,
    changed: time,
    key: schema.keyOf(dn),
    dn: dn.toString(),
    attributes,
  };
}
