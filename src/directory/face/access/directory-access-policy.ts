/** Rights from the rules in the directory itself (see access-rule.ts). Administrators may do everything, whatever the rules say. */
import { Dn, type Entry, LdapError, type Schema } from '../../../ldap/index.ts';
import type { Change, DirectoryWriter } from '../../store/entries/contract.ts';
import { type AccessPolicy, type EntryRights, everyRight, noRight } from './access-policy.ts';
import { type AccessRule, parseAccessRule, type Right, ruleAttribute } from './access-rule.ts';
import { EntryClasses } from './entry-classes.ts';
import type { Principal } from './identity.ts';

/** A rule that cannot be read and gives nothing: one imported, for clients cannot write such. */
export interface RuleProblem {
  readonly dn: string;
  readonly rule: string;
  readonly reason: string;
}

/** Folders whose rules are remembered; beyond, all are read anew. */
const maxRemembered = 10_000;
/** Folders whose rights are remembered, and rights in each; and the longest text that they are found by: clients choose both. */
const [maxPlaces, maxRightsOfPlace, longestText] = [1000, 200, 1000];

/** Rules that hold in one folder, and what they give whom on entries of which classes. */
interface Place {
  readonly rules: readonly AccessRule[];
  /** By name of the account and classes; undefined where a rule speaks of the entry itself. */
  readonly rights: Map<string, EntryRights> | undefined;
}

export class DirectoryAccessPolicy implements AccessPolicy, Disposable {
  readonly #store: DirectoryWriter;
  readonly #report: (problem: RuleProblem) => void;
  readonly #subscription: Disposable;
  /** Rules of entries that others stand below, by key of the name. */
  readonly #rules = new Map<string, readonly AccessRule[]>();
  /** Whether a principal is what a rule speaks of; dropped when members or names change. */
  #meant = new WeakMap<AccessRule, Map<string, boolean>>();
  /** By text of the folder's name: a synchronization makes and changes thousands of entries in one. */
  readonly #places = new Map<string, Place>();
  /** The schema that the rules were read by: it says which attributes are derived from those that a rule names. */
  #schema: Schema;
  /** A search asks several times about the same entry. */
  #last: { readonly entry: Entry; readonly dn: string; readonly rights: EntryRights } | undefined;

  constructor(store: DirectoryWriter, report: (problem: RuleProblem) => void = () => undefined) {
    this.#store = store;
    this.#report = report;
    this.#schema = store.schema;
    this.#subscription = store.onChange((changes, someLost) => this.#changed(changes, someLost));
  }

  rights(principal: Principal, entry: Entry): EntryRights {
    const { dn } = principal;
    const fixed = fixedRights(principal);
    if (fixed !== undefined) return fixed;
    if (this.#schema !== this.#store.schema) this.#forgetAll();
    if (this.#last?.entry === entry && this.#last.dn === dn) return this.#last.rights;
    const own = this.#parse(entry).filter(({ below }) => !below);
    const rights =
      own.length === 0 ? this.#rightsBelow(dn, entry) : this.#combined([...own, ...this.#rulesAbove(entry)], dn, entry);
    this.#last = { entry, dn, rights };
    return rights;
  }

  rightsAtPlace(principal: Principal, entry: Entry): EntryRights {
    const fixed = fixedRights(principal);
    if (fixed !== undefined) return fixed;
    if (this.#schema !== this.#store.schema) this.#forgetAll();
    return this.#rightsBelow(principal.dn, entry);
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]();
  }

  #forgetAll(): void {
    this.#schema = this.#store.schema;
    this.#rules.clear();
    this.#places.clear();
    this.#meant = new WeakMap();
    this.#last = undefined;
  }

  #changed(changes: readonly Change[], someLost: boolean): void {
    const renamed = someLost || changes.some(({ kind }) => kind === 'delete' || kind === 'modifyDn');
    const touched = new Set(changes.flatMap(({ attributes }) => attributes.map((name) => name.toLowerCase())));
    if (renamed || touched.has(ruleAttribute)) this.#rules.clear();
    if (renamed || touched.has('member')) this.#meant = new WeakMap();
    if (renamed || touched.has(ruleAttribute) || touched.has('member')) this.#places.clear();
    this.#last = undefined;
  }

  /** What the rules of everything above give. */
  #rightsBelow(dn: string, entry: Entry): EntryRights {
    const folder = folderOf(entry.dn);
    if (folder === undefined || folder.length > longestText) return this.#combined(this.#rulesAbove(entry), dn, entry);
    const { rules, rights } = this.#placeOf(folder, entry);
    if (rights === undefined) return this.#combined(rules, dn, entry);
    const key = `${dn}\n${entry.values('objectClass').join('\n')}`;
    const known = rights.get(key);
    if (known !== undefined) return known;
    const found = this.#combined(rules, dn, entry);
    if (rights.size >= maxRightsOfPlace) rights.clear();
    if (key.length <= longestText) rights.set(key, found);
    return found;
  }

  #placeOf(folder: string, entry: Entry): Place {
    const known = this.#places.get(folder);
    if (known !== undefined) return known;
    const rules = this.#rulesAbove(entry);
    const ofItself = rules.some(({ subject }) => subject.kind === 'self');
    const place: Place = { rules, rights: ofItself ? undefined : new Map<string, EntryRights>() };
    if (this.#places.size >= maxPlaces) this.#places.clear();
    this.#places.set(folder, place);
    return place;
  }

  #combined(rules: readonly AccessRule[], dn: string, entry: Entry): EntryRights {
    const { schema } = this.#store;
    const classes = new EntryClasses(entry, schema);
    return combine(
      rules.filter((rule) => this.#means(rule, dn, entry) && classes.isOf(rule.classes)),
      classes,
      schema,
    );
  }

  /** Rules of everything that the entry stands below. */
  #rulesAbove(entry: Entry): AccessRule[] {
    const rules: AccessRule[] = [];
    for (
      let above = this.#store.schema.dn(entry.dn).parent;
      above !== undefined && !above.isRoot;
      above = above.parent
    ) {
      rules.push(...this.#rulesOf(above));
    }
    return rules;
  }

  #rulesOf(dn: Dn): readonly AccessRule[] {
    const key = this.#store.schema.keyOf(dn).toString('latin1');
    const known = this.#rules.get(key);
    if (known !== undefined) return known;
    const entry = this.#store.get(dn);
    const rules = entry === undefined ? [] : this.#parse(entry);
    if (this.#rules.size >= maxRemembered) this.#rules.clear();
    this.#rules.set(key, rules);
    return rules;
  }

  #parse(entry: Entry): AccessRule[] {
    return entry.values(ruleAttribute).flatMap((rule) => {
      try {
        return [parseAccessRule(rule, this.#store.schema)];
      } catch (error) {
        if (!(error instanceof LdapError)) throw error;
        this.#report({ dn: entry.dn, rule, reason: error.message });
        return [];
      }
    });
  }

  #means(rule: AccessRule, dn: string, entry: Entry): boolean {
    if (rule.subject.kind === 'authenticated') return true;
    if (rule.subject.kind === 'self') return this.#same(Dn.parse(entry.dn), dn);
    const known = this.#meant.get(rule) ?? new Map<string, boolean>();
    const found =
      known.get(dn) ??
      (rule.subject.kind === 'dn' ? this.#same(rule.subject.name, dn) : this.#isMember(rule.subject.name, dn));
    this.#meant.set(rule, known.set(dn, found));
    return found;
  }

  #isMember(group: Dn, dn: string): boolean {
    const members = this.#store.get(group)?.values('member') ?? [];
    const key = this.#store.schema.dnKey(dn);
    return members.some((member) => key !== undefined && this.#store.schema.dnKey(member)?.equals(key) === true);
  }

  #same(name: Dn, dn: string): boolean {
    return this.#store.schema.keyOf(name).equals(this.#store.schema.keyOf(Dn.parse(dn)));
  }
}

/** Text of the folder's name as the entry's has it; undefined where a name must be read first to find its end. */
const folderOf = (dn: string): string | undefined => /^[^\\",]*,(?<folder>.+)$/s.exec(dn)?.groups?.['folder'];

function fixedRights({ kind }: Principal): EntryRights | undefined {
  if (kind === 'administrator') return everyRight;
  return kind === 'anonymous' ? noRight : undefined;
}

/** What an entry has from its children; who may not read all of these may not count them. */
const madeOfChildren: ReadonlySet<string> = new Set(['hassubordinates', 'numsubordinates']);

function combine(rules: readonly AccessRule[], entry: EntryClasses, schema: Schema): EntryRights {
  if (rules.length === 0) return noRight;
  const has = (right: Right): readonly AccessRule[] => rules.filter((rule) => rule.rights.has(right));
  const [read, write, create] = [has('read'), has('write'), has('create')];
  const reads = (key: string): boolean =>
    read.some(({ attributes, classes }) =>
      attributes === undefined
        ? schema.attribute(key)?.access !== 'secret' && (classes === undefined || !madeOfChildren.has(key))
        : attributes.has(key),
    );
  const writes = (key: string): boolean =>
    write.some(({ attributes }) =>
      attributes === undefined ? schema.attribute(key)?.access === undefined : attributes.has(key),
    );
  const setsClasses = write.some(
    ({ attributes, classes }) => attributes?.has('objectclass') === true && entry.hasOnly(classes),
  );
  return {
    visible: true,
    reads,
    writes,
    setsClasses,
    creates: create.some(
      ({ classes }) => entry.hasOnly(classes) && (classes !== undefined || !entry.hasAuxiliary || setsClasses),
    ),
    deletes: has('delete').some(({ classes }) => entry.hasOnly(classes)),
  };
}
