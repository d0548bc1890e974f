import type { Entry } from './entry.ts';
import type { AttributeValues } from './modification.ts';

/** An entry in memory that can be changed: for tests, for plans, for entries not yet written. */
export class MutableEntry implements Entry {
  dn: string;
  readonly #attributes = new Map<string, { name: string; values: Buffer[] }>();

  constructor(dn: string) {
    this.dn = dn;
  }

  get attributes(): readonly string[] {
    return [...this.#attributes.values()].map(({ name }) => name);
  }

  values(attribute: string): readonly string[] {
    return this.buffers(attribute).map((value) => value.toString('utf8'));
  }

  buffers(attribute: string): readonly Buffer[] {
    return this.#attributes.get(attribute.toLowerCase())?.values ?? [];
  }

  /** Replaces all values; none removes the attribute. */
  set(attribute: string, values: readonly (string | Buffer)[]): this {
    const key = attribute.toLowerCase();
    if (values.length === 0) this.#attributes.delete(key);
    else
      this.#attributes.set(key, { name: this.#attributes.get(key)?.name ?? attribute, values: values.map(toBuffer) });
    return this;
  }

  /** Adds values behind those that are there. */
  append(attribute: string, values: readonly (string | Buffer)[]): this {
    return this.set(attribute, [...this.buffers(attribute), ...values]);
  }

  /** Attributes with their values, as an add operation takes them. */
  toAttributes(): AttributeValues[] {
    return [...this.#attributes.values()].map(({ name, values }) => ({ attribute: name, values }));
  }
}

const toBuffer = (value: string | Buffer): Buffer => (typeof value === 'string' ? Buffer.from(value) : value);

/** An entry from a plain record; a single value may stand without a list. */
export function entryFrom(
  dn: string,
  attributes: Readonly<Record<string, string | Buffer | readonly (string | Buffer)[]>>,
): MutableEntry {
  const entry = new MutableEntry(dn);
  for (const [name, values] of Object.entries(attributes)) {
    entry.set(name, typeof values === 'string' || Buffer.isBuffer(values) ? [values] : values);
  }
  return entry;
}
