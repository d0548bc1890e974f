/** The schema in force: what is known by name or OID, and how values and names compare. Immutable; extending makes another. */
import { type AttributeDescription, parseAttributeDescription } from './attribute-description.ts';
import { Dn, type Rdn } from './dn.ts';
import { joinRdnKeys, rdnKeyOf } from './dn-key.ts';
import { readLdif } from './ldif-reader.ts';
import { type RuleBehaviour, type RuleContext, ruleBehaviours } from './matching-rules.ts';
import {
  type AttributeType,
  type AttributeTypeText,
  type LdapSyntax,
  type MatchingRule,
  type ObjectClass,
  parseAttributeType,
  parseLdapSyntax,
  parseMatchingRule,
  parseObjectClass,
} from './schema-elements.ts';
import { syntaxTests } from './syntaxes.ts';

/** The descriptions a schema is made of, as text. */
export interface SchemaText {
  readonly ldapSyntaxes: readonly string[];
  readonly matchingRules: readonly string[];
  readonly attributeTypes: readonly string[];
  readonly objectClasses: readonly string[];
}

/** A rule with what it does. */
export interface KnownRule extends MatchingRule, RuleBehaviour {}

/** An attribute type with its rules at hand. */
export interface KnownAttribute extends AttributeType {
  /** Name in lower case: the key under which values are compared and indexed. */
  readonly key: string;
  readonly equalityRule: KnownRule | undefined;
  readonly orderingRule: KnownRule | undefined;
  readonly substringsRule: KnownRule | undefined;
}

/** An attribute description that was read. */
interface Described {
  readonly attribute: KnownAttribute;
  readonly options: readonly string[];
}

const noOptions: readonly string[] = [];

const rememberedNames = 256;
const longestRemembered = 512;

export class Schema implements RuleContext {
  readonly text: SchemaText;
  readonly #syntaxes = new Map<string, LdapSyntax>();
  readonly #rules = new Map<string, KnownRule>();
  readonly #attributes = new Map<string, KnownAttribute>();
  /** By name or OID, without options. */
  readonly #described: ReadonlyMap<string, Described>;
  readonly #classes = new Map<string, ObjectClass>();
  readonly #subtypes = new Map<string, Set<string>>();
  readonly #chains = new Map<string, readonly ObjectClass[]>();
  readonly #oidKeys = new Map<string, Buffer>();
  readonly #names = new Map<string, Dn>();

  /**
   * Later descriptions replace earlier ones with the same OID. Throws RangeError for a description that cannot be read, or
   * that names something unknown.
   */
  constructor(text: SchemaText) {
    this.text = text;
    for (const line of text.ldapSyntaxes) this.#addSyntax(parseLdapSyntax(line));
    for (const line of text.matchingRules) this.#addRule(parseMatchingRule(line));
    this.#addAttributes(latest(text.attributeTypes.map(parseAttributeType)));
    this.#described = new Map(
      [...this.#attributes].map(([name, attribute]) => [name, { attribute, options: noOptions }]),
    );
    for (const objectClass of latest(text.objectClasses.map(parseObjectClass))) register(this.#classes, objectClass);
    for (const objectClass of this.objectClasses) this.#checkClass(objectClass);
  }

  /** Reads LDIF files whose records carry attributeTypes, objectClasses, matchingRules, ldapSyntaxes. Throws RangeError with the file. */
  static fromLdif(files: readonly { readonly name: string; readonly text: string }[]): Schema {
    const text = { ldapSyntaxes: [], matchingRules: [], attributeTypes: [], objectClasses: [] };
    for (const file of files) {
      try {
        appendDescriptions(text, file.text);
      } catch (cause) {
        throw new RangeError(`schema file ${file.name}: ${cause instanceof Error ? cause.message : String(cause)}`, {
          cause,
        });
      }
    }
    return new Schema(text);
  }

  /** This schema and the descriptions of more LDIF texts. Throws RangeError. */
  extended(...ldif: readonly string[]): Schema {
    const text = {
      ldapSyntaxes: [...this.text.ldapSyntaxes],
      matchingRules: [...this.text.matchingRules],
      attributeTypes: [...this.text.attributeTypes],
      objectClasses: [...this.text.objectClasses],
    };
    for (const one of ldif) appendDescriptions(text, one);
    return new Schema(text);
  }

  get syntaxes(): readonly LdapSyntax[] {
    return [...this.#syntaxes.values()];
  }

  get matchingRules(): readonly MatchingRule[] {
    return [...new Set(this.#rules.values())];
  }

  get attributeTypes(): readonly KnownAttribute[] {
    return [...new Set(this.#attributes.values())];
  }

  get objectClasses(): readonly ObjectClass[] {
    return [...new Set(this.#classes.values())];
  }

  /** Attribute type by name or OID, case ignored. */
  attribute(nameOrOid: string): KnownAttribute | undefined {
    return this.#attributes.get(nameOrOid) ?? this.#attributes.get(nameOrOid.toLowerCase());
  }

  objectClass(nameOrOid: string): ObjectClass | undefined {
    return this.#classes.get(nameOrOid.toLowerCase());
  }

  matchingRule(nameOrOid: string): KnownRule | undefined {
    return this.#rules.get(nameOrOid.toLowerCase());
  }

  /** Type and options of an attribute description; undefined when it cannot be read or its type is unknown. */
  describe(description: string): Described | undefined {
    const plain = this.#described.get(description);
    if (plain !== undefined) return plain;
    const parsed: AttributeDescription | undefined = parseAttributeDescription(description);
    const attribute = parsed === undefined ? undefined : this.attribute(parsed.type);
    return parsed === undefined || attribute === undefined ? undefined : { attribute, options: parsed.options };
  }

  /** Keys of the attribute type and of all that are derived from it. */
  subtypes(attribute: KnownAttribute): ReadonlySet<string> {
    return this.#subtypes.get(attribute.key) ?? new Set([attribute.key]);
  }

  /** The class and its superiors, itself first; empty for an unknown one. */
  classChain(nameOrOid: string): readonly ObjectClass[] {
    const first = this.objectClass(nameOrOid);
    if (first === undefined) return [];
    const known = this.#chains.get(first.oid);
    if (known !== undefined) return known;
    const chain = [first];
    for (const objectClass of chain) {
      for (const superior of objectClass.superiors) {
        const found = this.objectClass(superior);
        if (found !== undefined && !chain.includes(found)) chain.push(found);
      }
    }
    this.#chains.set(first.oid, chain);
    return chain;
  }

  /** True when the octets are a value of the attribute's syntax. */
  accepts(attribute: AttributeType, value: Buffer): boolean {
    return syntaxTests.get(attribute.syntax)?.(value) ?? false;
  }

  /** Octets that are the same for names that RFC 4517 §4.2.15 calls equal; ancestors are prefixes (see dn-key.ts). */
  keyOf(dn: Dn): Buffer {
    return dn.keyBy(this, () => joinRdnKeys(dn.rdns.map((rdn) => this.rdnKey(rdn))));
  }

  /** Reads a name as `Dn.parse` does; names that come again and again, as bases of searches do, are remembered. */
  dn(text: string): Dn {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    const dn = Dn.parse(text);
    // Bounded in number and length: strangers choose them.
    if (this.#names.size >= rememberedNames) this.#names.clear();
    if (text.length <= longestRemembered) this.#names.set(text, dn);
    return dn;
  }

  rdnKey(rdn: Rdn): Buffer {
    return rdnKeyOf(rdn, this);
  }

  oid(text: string): string | undefined {
    if (/^\d+(?:\.\d+)+$/.test(text)) return text;
    const name = text.toLowerCase();
    return (this.#classes.get(name) ?? this.#attributes.get(name) ?? this.#rules.get(name))?.oid;
  }

  oidKey(text: string): Buffer | undefined {
    const known = this.#oidKeys.get(text);
    if (known !== undefined) return known;
    const oid = this.oid(text.trim());
    if (oid === undefined) return undefined;
    const key = Buffer.from(oid);
    // Bounded: strangers may ask for any number of OIDs.
    if (this.#oidKeys.size < 10_000) this.#oidKeys.set(text, key);
    return key;
  }

  dnKey(text: string): Buffer | undefined {
    try {
      return this.keyOf(Dn.parse(text));
    } catch {
      return undefined;
    }
  }

  #addSyntax(syntax: LdapSyntax): void {
    if (!syntaxTests.has(syntax.oid)) throw new RangeError(`schema: syntax ${syntax.oid} is not implemented`);
    this.#syntaxes.set(syntax.oid, syntax);
  }

  #addRule(rule: MatchingRule): void {
    const behaviour = ruleBehaviours.get(rule.oid);
    if (behaviour === undefined)
      throw new RangeError(`schema: matching rule ${rule.name} (${rule.oid}) is not implemented`);
    register(this.#rules, { ...rule, ...behaviour });
  }

  #addAttributes(texts: readonly AttributeTypeText[]): void {
    const byName = new Map<string, AttributeTypeText>();
    for (const attribute of texts) register(byName, attribute);
    for (const attribute of texts) {
      // A name taken over by a later description leaves the earlier one without it.
      const known = this.#complete(attribute, byName);
      register(this.#attributes, known);
    }
    for (const attribute of this.attributeTypes) this.#addToSuperiors(attribute);
  }

  /** Takes over from the superior what the description leaves out (RFC 4512 §4.1.2). */
  #complete(attribute: AttributeTypeText, byName: ReadonlyMap<string, AttributeTypeText>): KnownAttribute {
    const line = [attribute];
    for (let at = attribute; at.superior !== undefined; ) {
      const superior = byName.get(at.superior.toLowerCase());
      if (superior === undefined)
        throw new RangeError(`schema: ${attribute.name} has the unknown superior ${at.superior}`);
      if (line.includes(superior)) throw new RangeError(`schema: ${attribute.name} is its own superior`);
      line.push(superior);
      at = superior;
    }
    const inherited = <K extends keyof AttributeTypeText>(field: K): AttributeTypeText[K] | undefined =>
      line.find((at) => at[field] !== undefined)?.[field];
    const syntax = inherited('syntax');
    if (syntax === undefined || !this.#syntaxes.has(syntax)) {
      throw new RangeError(`schema: ${attribute.name} has the unknown syntax ${syntax ?? '(none)'}`);
    }
    const rule = (name: string | undefined): KnownRule | undefined => {
      const found = name === undefined ? undefined : this.matchingRule(name);
      if (name !== undefined && found === undefined)
        throw new RangeError(`schema: ${attribute.name} has the unknown rule ${name}`);
      return found;
    };
    return {
      ...attribute,
      key: attribute.name.toLowerCase(),
      syntax,
      usage: inherited('usage') ?? 'userApplications',
      access: inherited('access'),
      equality: inherited('equality'),
      ordering: inherited('ordering'),
      substrings: inherited('substrings'),
      equalityRule: rule(inherited('equality')),
      orderingRule: rule(inherited('ordering')),
      substringsRule: rule(inherited('substrings')),
    };
  }

  #addToSuperiors(attribute: KnownAttribute): void {
    for (
      let at: KnownAttribute | undefined = attribute;
      at !== undefined;
      at = at.superior === undefined ? undefined : this.attribute(at.superior)
    ) {
      const set = this.#subtypes.get(at.key) ?? new Set();
      this.#subtypes.set(at.key, set.add(attribute.key));
    }
  }

  #checkClass({ name, superiors, must, may }: ObjectClass): void {
    for (const superior of superiors) {
      if (this.objectClass(superior) === undefined)
        throw new RangeError(`schema: class ${name} has the unknown superior ${superior}`);
    }
    for (const attribute of [...must, ...may]) {
      if (this.attribute(attribute) === undefined)
        throw new RangeError(`schema: class ${name} names the unknown attribute ${attribute}`);
    }
    if (
      this.classChain(name)
        .slice(1)
        .some((above) => above.name === name)
    )
      throw new RangeError(`schema: class ${name} is its own superior`);
  }
}

function register<T extends { readonly oid: string; readonly names: readonly string[] }>(
  map: Map<string, T>,
  item: T,
): void {
  map.set(item.oid, item);
  for (const name of item.names) map.set(name, item).set(name.toLowerCase(), item);
}

/** Of descriptions with the same OID the last one, in the place of the first. */
function latest<T extends { readonly oid: string }>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [item.oid, item])).values()];
}

function appendDescriptions(text: { [K in keyof SchemaText]: string[] }, ldif: string): void {
  const lists: Readonly<Record<string, keyof SchemaText>> = {
    ldapsyntaxes: 'ldapSyntaxes',
    matchingrules: 'matchingRules',
    attributetypes: 'attributeTypes',
    objectclasses: 'objectClasses',
    olcldapsyntaxes: 'ldapSyntaxes',
    olcattributetypes: 'attributeTypes',
    olcobjectclasses: 'objectClasses',
  };
  for (const record of readLdif(ldif)) {
    if (record.kind === 'delete' || record.kind === 'modifyDn')
      throw new RangeError(`line ${record.line}: a schema file only adds`);
    const parts = record.kind === 'modify' ? record.modifications : record.attributes;
    for (const { attribute, values } of parts) {
      const list = lists[attribute.toLowerCase()];
      if (list !== undefined) text[list].push(...values.map((value) => value.toString('utf8').replace(/^\{\d+\}/, '')));
    }
  }
}
