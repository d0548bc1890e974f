/** A whole entry against the schema: RFC 4512 §2.4, §2.5 and §4.1.1. Run on every write, on the entry as it will be. */
import { type KnownAttribute, LdapError, type ObjectClass, type Schema } from '../../../ldap/index.ts';
import type { EntryDraft } from './entry-draft.ts';

/** What the classes of an entry ask for, worked out once for each combination of classes. */
interface ClassRules {
  readonly structural: string;
  /** Names of all classes with their superiors: the structural chain from the top, then the auxiliary classes. */
  readonly names: readonly Buffer[];
  readonly required: readonly { readonly by: string; readonly attribute: KnownAttribute }[];
  /** Keys of the attributes that may be there; undefined for every attribute. */
  readonly allowed: ReadonlySet<string> | undefined;
}

/** Combinations remembered at most: clients choose them. */
const remembered = 1_000;

export class SchemaCheck {
  readonly schema: Schema;
  readonly #rules = new Map<string, ClassRules>();

  constructor(schema: Schema) {
    this.schema = schema;
  }

  /** Checks the entry, and completes objectClass and structuralObjectClass. Throws LdapError. */
  check(draft: EntryDraft): void {
    const rules = this.#rulesFor(draft.values('objectClass'));
    // RFC 4512 §3.3: superior classes are there implicitly; kept explicitly they are found by filters, as in Active Directory.
    draft.put('objectClass', rules.names);
    draft.put('structuralObjectClass', [rules.structural]);
    const keys = new Set<string>();
    for (const { attribute, name, values } of draft.filled) {
      keys.add(attribute.key);
      if (attribute.singleValue && values.length > 1) {
        throw new LdapError('constraintViolation', `${name} takes one value, not ${values.length}`);
      }
      if (attribute.usage === 'userApplications' && rules.allowed?.has(attribute.key) === false) {
        throw new LdapError('objectClassViolation', `no class of the entry allows ${attribute.name}`);
      }
    }
    const missing = rules.required.find(({ attribute }) => !keys.has(attribute.key));
    if (missing !== undefined)
      throw new LdapError('objectClassViolation', `${missing.by} requires ${missing.attribute.name}`);
  }

  #rulesFor(values: readonly Buffer[]): ClassRules {
    const names = values.map((value) => value.toString('utf8').trim());
    const combination = names.join(' ').toLowerCase();
    const known = this.#rules.get(combination);
    if (known !== undefined) return known;
    const rules = this.#workOut(names);
    if (this.#rules.size < remembered) this.#rules.set(combination, rules);
    return rules;
  }

  #workOut(names: readonly string[]): ClassRules {
    const { schema } = this;
    if (names.length === 0) throw new LdapError('objectClassViolation', 'the entry has no objectClass');
    const classes = names.map((name) => {
      const found = schema.objectClass(name);
      if (found === undefined)
        throw new LdapError('objectClassViolation', `the class '${name.slice(0, 100)}' is not in the schema`);
      return found;
    });
    const structural = structuralClass(classes, schema);
    const closure = [...new Set(classes.flatMap(({ name }) => schema.classChain(name)))];
    const attributes = (list: readonly string[]): KnownAttribute[] =>
      list.map((name) => schema.attribute(name)).filter((attribute) => attribute !== undefined);
    const allowed = closure.flatMap(({ must, may }) => attributes([...must, ...may])).map(({ key }) => key);
    return {
      structural: structural.name,
      names: ordered(classes, structural, schema).map((name) => Buffer.from(name)),
      required: closure.flatMap(({ name: by, must }) => attributes(must).map((attribute) => ({ by, attribute }))),
      allowed: closure.some(({ name }) => name === 'extensibleObject') ? undefined : new Set(allowed),
    };
  }
}

/** The one structural class from which no other structural class of the entry is derived. */
function structuralClass(classes: readonly ObjectClass[], schema: Schema): ObjectClass {
  const structural = classes.filter(({ kind }) => kind === 'structural');
  const lowest = structural.find((one) => structural.every((other) => schema.classChain(one.name).includes(other)));
  if (structural.length === 0) throw new LdapError('objectClassViolation', 'the entry has no structural class');
  if (lowest === undefined) {
    const names = structural.map(({ name }) => name).join(', ');
    throw new LdapError('objectClassViolation', `the structural classes ${names} do not derive from each other`);
  }
  const above = new Set(
    classes.filter(({ kind }) => kind !== 'abstract').flatMap(({ name }) => schema.classChain(name)),
  );
  const stray = classes.find((one) => one.kind === 'abstract' && !above.has(one));
  if (stray !== undefined)
    throw new LdapError('objectClassViolation', `${stray.name} is abstract: name a class derived from it`);
  return lowest;
}

function ordered(classes: readonly ObjectClass[], structural: ObjectClass, schema: Schema): string[] {
  const line = (name: string): string[] =>
    schema
      .classChain(name)
      .map((each) => each.name)
      .reverse();
  const names = [...new Set([...line(structural.name), ...classes.flatMap(({ name }) => line(name))])];
  return names.includes('top') ? ['top', ...names.filter((name) => name !== 'top')] : names;
}
