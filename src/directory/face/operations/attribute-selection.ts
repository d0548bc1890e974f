/** Which attributes of an entry a client is sent: RFC 4511 §4.5.1.8, `+` of RFC 3673, `@class` of RFC 4529. */
import type { Entry, KnownAttribute, Schema } from '../../../ldap/index.ts';
import { type EntryRights, everyRight } from '../access/access-policy.ts';
import type { SentAttribute } from '../ber/result.ts';

interface Wanted {
  readonly subtypes: ReadonlySet<string>;
  readonly options: readonly string[];
}

/** A request's list of attributes, looked up once and used for every entry. */
export class AttributeSelection {
  readonly #schema: Schema;
  readonly #user: boolean;
  readonly #operational: boolean;
  readonly #wanted: readonly Wanted[];
  readonly #typesOnly: boolean;
  /** Verdicts by name as entries spell it; the key of the attribute for those that are sent. */
  readonly #verdicts = new Map<string, { readonly key: string } | undefined>();

  /** `requested` as sent: unknown attributes are passed over, as the RFC says. */
  constructor(requested: readonly string[], schema: Schema, typesOnly = false) {
    this.#schema = schema;
    this.#typesOnly = typesOnly;
    this.#user = requested.length === 0 || requested.includes('*');
    this.#operational = requested.includes('+');
    this.#wanted = requested.flatMap((description) => wanted(description, schema));
  }

  pick(entry: Entry, rights: EntryRights = everyRight): SentAttribute[] {
    const picked: SentAttribute[] = [];
    for (const name of entry.attributes) {
      const verdict = this.#verdict(name);
      if (verdict === undefined || !rights.reads(verdict.key)) continue;
      const values = entry.buffers(name);
      if (values.length > 0) picked.push({ name, values: this.#typesOnly ? [] : values });
    }
    return picked;
  }

  /** Whether the attribute of this key is among those asked for. */
  wants(key: string): boolean {
    return this.#verdict(key) !== undefined;
  }

  #verdict(name: string): { readonly key: string } | undefined {
    if (this.#verdicts.has(name)) return this.#verdicts.get(name);
    const described = this.#schema.describe(name);
    const sent = described !== undefined && this.#wants(described.attribute, described.options);
    const verdict = sent ? { key: described.attribute.key } : undefined;
    this.#verdicts.set(name, verdict);
    return verdict;
  }

  #wants(attribute: KnownAttribute, options: readonly string[]): boolean {
    if (attribute.usage === 'userApplications' ? this.#user : this.#operational) return true;
    return this.#wanted.some(
      (one) => one.subtypes.has(attribute.key) && one.options.every((option) => options.includes(option)),
    );
  }
}

function wanted(description: string, schema: Schema): Wanted[] {
  if (description.startsWith('@')) {
    const names = schema.classChain(description.slice(1)).flatMap(({ must, may }) => [...must, ...may]);
    return names.flatMap((name) => wanted(name, schema));
  }
  const described = schema.describe(description);
  return described === undefined
    ? []
    : [{ subtypes: schema.subtypes(described.attribute), options: described.options }];
}
