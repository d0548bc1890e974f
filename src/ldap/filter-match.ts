/**
 * Filters against entries: three-valued, RFC 4511 §4.5.1.7, by the matching rules of the schema. A filter is compiled once
 * for a search: attributes, rules and normal forms of the assertions are looked up then, not for every entry.
 */
import { Dn } from './dn.ts';
import type { Entry } from './entry.ts';
import { type ExtensibleFilter, type Filter, maxFilterDepth, type SubstringsFilter } from './filter.ts';
import { matchesSubstrings } from './matching-rules.ts';
import { LdapError } from './result-code.ts';
import type { KnownAttribute, KnownRule, Schema } from './schema.ts';

/** An entry that finds the values of an attribute type, with all options, faster than by going through its attributes. */
export interface TypedEntry extends Entry {
  /** By the key of the type. Values of subtypes are not among them. */
  valuesOfType(key: string): readonly Buffer[];
}

const isTyped = (entry: Entry): entry is TypedEntry => 'valuesOfType' in entry;

/** `undefined` stands for Undefined; only `true` lets an entry through. */
export type Verdict = boolean | undefined;

/** Tests one entry; `readable` hides attributes (by key) that the asker may not see. */
export type Matcher = (entry: Entry, readable?: (attribute: string) => boolean) => Verdict;

/** LDAP_MATCHING_RULE_IN_CHAIN walks the directory for every entry: refused ([MS-ADTS] 3.1.1.3.4.4.3). */
const inChain = '1.2.840.113556.1.4.1941';

/** Compiles a filter. Throws LdapError for a rule that is refused and for a filter nested too deeply. */
export function compileFilter(filter: Filter, schema: Schema): Matcher {
  return compile(filter, schema, 0);
}

/** Evaluates a filter once. */
export function matchEntry(filter: Filter, entry: Entry, schema: Schema): Verdict {
  return compileFilter(filter, schema)(entry);
}

const undefinedMatcher: Matcher = () => undefined;

function compile(filter: Filter, schema: Schema, depth: number): Matcher {
  if (depth > maxFilterDepth)
    throw new LdapError('unwillingToPerform', `the filter is nested deeper than ${maxFilterDepth}`);
  switch (filter.kind) {
    case 'and':
      return allOf(filter.filters.map((part) => compile(part, schema, depth + 1)));
    case 'or':
      return anyOf(filter.filters.map((part) => compile(part, schema, depth + 1)));
    case 'not': {
      const inner = compile(filter.filter, schema, depth + 1);
      return (entry, readable) => negate(inner(entry, readable));
    }
    case 'present': {
      const attribute = schema.describe(filter.attribute);
      if (attribute === undefined) return undefinedMatcher;
      const values = valuesOf(schema, attribute.attribute, attribute.options);
      return (entry, readable) => values(entry, readable).length > 0;
    }
    case 'substrings':
      return compileSubstrings(filter, schema);
    case 'extensible':
      return compileExtensible(filter, schema);
    default: {
      const described = schema.describe(filter.attribute);
      if (described === undefined) return undefinedMatcher;
      const ordered = filter.kind === 'greaterOrEqual' || filter.kind === 'lessOrEqual';
      const rule = ordered ? described.attribute.orderingRule : described.attribute.equalityRule;
      const assertion = rule?.normalise(filter.value, schema);
      if (rule === undefined || assertion === undefined) return undefinedMatcher;
      const values = valuesOf(schema, described.attribute, described.options);
      const test = comparison(filter.kind, assertion);
      return (entry, readable) =>
        anyValue(values(entry, readable), (value) => decide(rule.normalise(value, schema), test));
    }
  }
}

const negate = (verdict: Verdict): Verdict => (verdict === undefined ? undefined : !verdict);
const decide = (normal: Buffer | undefined, test: (normal: Buffer) => boolean): Verdict =>
  normal === undefined ? undefined : test(normal);

function comparison(
  kind: 'equality' | 'approximate' | 'greaterOrEqual' | 'lessOrEqual',
  assertion: Buffer,
): (normal: Buffer) => boolean {
  if (kind === 'greaterOrEqual') return (normal) => normal.compare(assertion) >= 0;
  if (kind === 'lessOrEqual') return (normal) => normal.compare(assertion) <= 0;
  return (normal) => normal.equals(assertion);
}

/** TRUE when a value matches, FALSE when none does, Undefined when none does and one cannot be compared. */
function anyValue(values: readonly Buffer[], test: (value: Buffer) => Verdict): Verdict {
  let verdict: Verdict = false;
  for (const value of values) {
    const found = test(value);
    if (found === true) return true;
    if (found === undefined) verdict = undefined;
  }
  return verdict;
}

function allOf(parts: readonly Matcher[]): Matcher {
  return (entry, readable) => {
    let verdict: Verdict = true;
    for (const part of parts) {
      const found = part(entry, readable);
      if (found === false) return false;
      if (found === undefined) verdict = undefined;
    }
    return verdict;
  };
}

function anyOf(parts: readonly Matcher[]): Matcher {
  return (entry, readable) => {
    let verdict: Verdict = false;
    for (const part of parts) {
      const found = part(entry, readable);
      if (found === true) return true;
      if (found === undefined) verdict = undefined;
    }
    return verdict;
  };
}

type ValuesOf = (entry: Entry, readable?: (attribute: string) => boolean) => readonly Buffer[];

/** Values of an attribute, its subtypes and its variants with at least these options (RFC 4512 §2.5). */
function valuesOf(schema: Schema, attribute: KnownAttribute, options: readonly string[]): ValuesOf {
  const subtypes = schema.subtypes(attribute);
  const accepted = new Map<string, boolean>();
  const accepts = (name: string): boolean => {
    const known = accepted.get(name);
    if (known !== undefined) return known;
    const described = schema.describe(name);
    const verdict =
      described !== undefined &&
      subtypes.has(described.attribute.key) &&
      options.every((option) => described.options.includes(option));
    accepted.set(name, verdict);
    return verdict;
  };
  const [only] = subtypes;
  const direct = subtypes.size === 1 && options.length === 0 ? only : undefined;
  return (entry, readable) => {
    if (direct !== undefined && isTyped(entry)) return readable?.(direct) === false ? [] : entry.valuesOfType(direct);
    let values: readonly Buffer[] = [];
    for (const name of entry.attributes) {
      if (!accepts(name) || readable?.(schema.describe(name)?.attribute.key ?? name) === false) continue;
      const found = entry.buffers(name);
      values = values.length === 0 ? found : [...values, ...found];
    }
    return values;
  };
}

function compileSubstrings(filter: SubstringsFilter, schema: Schema): Matcher {
  const described = schema.describe(filter.attribute);
  const rule = described?.attribute.substringsRule;
  const { piece, haystack } = rule ?? {};
  if (described === undefined || rule === undefined || piece === undefined || haystack === undefined)
    return undefinedMatcher;
  const initial = filter.initial === undefined ? undefined : piece(filter.initial, 'initial');
  const final = filter.final === undefined ? undefined : piece(filter.final, 'final');
  const any = filter.any.map((part) => piece(part, 'any')).filter((part) => part !== undefined);
  const malformed =
    (filter.initial !== undefined && initial === undefined) || (filter.final !== undefined && final === undefined);
  if (malformed || any.length !== filter.any.length) return undefinedMatcher;
  const values = valuesOf(schema, described.attribute, described.options);
  return (entry, readable) =>
    anyValue(values(entry, readable), (value) =>
      decide(rule.normalise(value, schema), (normal) => matchesSubstrings(haystack(normal), initial, any, final)),
    );
}

/** RFC 4511 §4.5.1.7.7. */
function compileExtensible(filter: ExtensibleFilter, schema: Schema): Matcher {
  if (filter.rule === inChain) throw new LdapError('inappropriateMatching', 'the matching rule in-chain is refused');
  const named = filter.rule === undefined ? undefined : schema.matchingRule(filter.rule);
  const described = filter.attribute === undefined ? undefined : schema.describe(filter.attribute);
  if ((filter.rule !== undefined && named === undefined) || (filter.attribute !== undefined && described === undefined))
    return undefinedMatcher;
  const rule = named ?? described?.attribute.equalityRule;
  const assertion = rule?.normalise(filter.value, schema);
  if (rule === undefined || assertion === undefined) return undefinedMatcher;
  const test = (value: Buffer): Verdict => {
    if (rule.test !== undefined) return rule.test(value, assertion);
    return decide(rule.normalise(value, schema), (normal) => normal.equals(assertion));
  };
  const values =
    described === undefined ? valuesUnder(rule, schema) : valuesOf(schema, described.attribute, described.options);
  const inEntry: Matcher = (entry, readable) => anyValue(values(entry, readable), test);
  if (!filter.dnAttributes) return inEntry;
  const wanted = described === undefined ? undefined : schema.subtypes(described.attribute);
  return anyOf([inEntry, (entry) => anyValue(dnValues(entry, rule, wanted, schema), test)]);
}

/** Every value that the rule can compare: of attributes whose equality rule has the same assertion syntax. */
function valuesUnder(rule: KnownRule, schema: Schema): ValuesOf {
  return (entry, readable) =>
    entry.attributes.flatMap((name) => {
      const attribute = schema.describe(name)?.attribute;
      const fits = attribute !== undefined && comparable(attribute, rule) && readable?.(attribute.key) !== false;
      return fits ? entry.buffers(name) : [];
    });
}

const comparable = (attribute: KnownAttribute, rule: KnownRule): boolean =>
  attribute.syntax === rule.syntax || attribute.equalityRule?.syntax === rule.syntax;

function dnValues(
  entry: Entry,
  rule: KnownRule,
  wanted: ReadonlySet<string> | undefined,
  schema: Schema,
): readonly Buffer[] {
  return Dn.parse(entry.dn).rdns.flatMap((rdn) =>
    rdn.flatMap(({ type, value }) => {
      const attribute = schema.attribute(type);
      if (attribute === undefined) return [];
      return (wanted === undefined ? comparable(attribute, rule) : wanted.has(attribute.key)) ? [value] : [];
    }),
  );
}
