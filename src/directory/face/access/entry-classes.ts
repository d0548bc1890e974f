/** The classes of an entry as access rules look at them. */
import type { Entry, ObjectClass, Schema } from '../../../ldap/index.ts';

export class EntryClasses {
  /** OID of the structural class, the most derived one; undefined for an entry that names none. */
  readonly #structural: string | undefined;
  readonly #auxiliary: ReadonlySet<string>;

  constructor(entry: Entry, schema: Schema) {
    const all = entry.values('objectClass').flatMap((name) => schema.classChain(name));
    const structural = all.filter(({ kind }) => kind === 'structural');
    this.#structural = structural.find((one) => !structural.some((other) => isDerived(other, one, schema)))?.oid;
    this.#auxiliary = new Set(all.filter(({ kind }) => kind === 'auxiliary').map(({ oid }) => oid));
  }

  get hasAuxiliary(): boolean {
    return this.#auxiliary.size > 0;
  }

  /** Whether the structural class is among these; always for undefined. */
  isOf(classes: ReadonlySet<string> | undefined): boolean {
    return classes === undefined || (this.#structural !== undefined && classes.has(this.#structural));
  }

  /** Whether the entry has no auxiliary class but these; always for undefined. */
  hasOnly(classes: ReadonlySet<string> | undefined): boolean {
    return classes === undefined || [...this.#auxiliary].every((oid) => classes.has(oid));
  }
}

const isDerived = (one: ObjectClass, from: ObjectClass, schema: Schema): boolean =>
  one.oid !== from.oid && schema.classChain(one.oid).some(({ oid }) => oid === from.oid);
