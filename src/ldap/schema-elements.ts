/** Attribute types, object classes and their companions as values: RFC 4512 §4.1. */
import { type Description, parseDescription } from './schema-text.ts';

/** Kinds of index an attribute type may ask for with the extension `X-INDEX 'eq,pres,sub,ord'`. */
export type IndexKind = 'eq' | 'pres' | 'sub' | 'ord';

export type AttributeAccess = 'guarded' | 'secret';

export type AttributeUsage = 'userApplications' | 'directoryOperation' | 'distributedOperation' | 'dSAOperation';

interface Element {
  readonly oid: string;
  /** First name, used for storing and printing; the OID when there is none. */
  readonly name: string;
  readonly names: readonly string[];
  readonly obsolete: boolean;
  readonly description: string;
  /** X-ORIGIN: where the definition comes from. */
  readonly origin: string;
  /** The description as published in the subschema entry. */
  readonly text: string;
}

export interface AttributeType extends Element {
  readonly superior: string | undefined;
  /** Names or OIDs of the matching rules, taken from the superior where not given. */
  readonly equality: string | undefined;
  readonly ordering: string | undefined;
  readonly substrings: string | undefined;
  /** Numeric OID of the syntax. */
  readonly syntax: string;
  /** Longest value, in characters; from `{n}` behind the syntax. Absent: no bound. */
  readonly maxLength: number | undefined;
  readonly singleValue: boolean;
  readonly collective: boolean;
  readonly noUserModification: boolean;
  readonly usage: AttributeUsage;
  readonly indexes: readonly IndexKind[];
  /**
   * X-EDGE-ACCESS. `guarded`: proves an identity, gives rights, or opens or closes an account, so that an access rule must name
   * it to let it be written. `secret`: also to let it be read. Taken from the superior where not given.
   */
  readonly access: AttributeAccess | undefined;
}

export interface ObjectClass extends Element {
  readonly superiors: readonly string[];
  readonly kind: 'abstract' | 'structural' | 'auxiliary';
  readonly must: readonly string[];
  readonly may: readonly string[];
}

export interface MatchingRule extends Element {
  readonly syntax: string;
}

export interface LdapSyntax {
  readonly oid: string;
  readonly description: string;
  readonly text: string;
}

const usages: Readonly<Record<string, AttributeUsage>> = {
  userapplications: 'userApplications',
  directoryoperation: 'directoryOperation',
  distributedoperation: 'distributedOperation',
  dsaoperation: 'dSAOperation',
};

function element({ oid, fields, text }: Description): Element {
  const names = fields.get('NAME') ?? [];
  for (const name of names) {
    if (!/^[A-Za-z][A-Za-z0-9-]*$/.test(name)) throw new RangeError(`schema: '${name}' is not a descriptor`);
  }
  return {
    oid,
    names,
    name: names[0] ?? oid,
    obsolete: fields.has('OBSOLETE'),
    description: fields.get('DESC')?.[0] ?? '',
    origin: (fields.get('X-ORIGIN') ?? []).join(', '),
    text,
  };
}

/** An attribute type as written, before what it takes from its superior. */
export type AttributeTypeText = Omit<AttributeType, 'syntax' | 'usage'> & {
  readonly syntax: string | undefined;
  readonly usage: AttributeUsage | undefined;
};

export function parseAttributeType(text: string): AttributeTypeText {
  const description = parseDescription(text);
  const one = (field: string): string | undefined => description.fields.get(field)?.[0];
  const [, syntax, bound] = /^([\d.]+)(?:\{(\d+)\})?$/.exec(one('SYNTAX') ?? '') ?? [];
  const usageText = one('USAGE');
  const usage = usageText === undefined ? undefined : usages[usageText.toLowerCase()];
  if (usageText !== undefined && usage === undefined) throw new RangeError(`schema: '${usageText}' is no USAGE`);
  return {
    ...element(description),
    superior: one('SUP'),
    equality: one('EQUALITY'),
    ordering: one('ORDERING'),
    substrings: one('SUBSTR'),
    syntax,
    maxLength: bound === undefined ? undefined : Number(bound),
    singleValue: description.fields.has('SINGLE-VALUE'),
    collective: description.fields.has('COLLECTIVE'),
    noUserModification: description.fields.has('NO-USER-MODIFICATION'),
    usage,
    access: accessOf(one('X-EDGE-ACCESS')),
    indexes: (description.fields.get('X-INDEX') ?? []).flatMap((list) => list.split(/[\s,]+/)).map(indexKind),
  };
}

function accessOf(text: string | undefined): AttributeAccess | undefined {
  if (text === undefined || text === 'guarded' || text === 'secret') return text;
  throw new RangeError(`schema: X-EDGE-ACCESS '${text}' is neither guarded nor secret`);
}

function indexKind(text: string): IndexKind {
  if (text === 'eq' || text === 'pres' || text === 'sub' || text === 'ord') return text;
  throw new RangeError(`schema: X-INDEX '${text}' is none of eq, pres, sub, ord`);
}

export function parseObjectClass(text: string): ObjectClass {
  const description = parseDescription(text);
  const list = (field: string): readonly string[] => description.fields.get(field) ?? [];
  return {
    ...element(description),
    superiors: list('SUP'),
    kind: description.fields.has('ABSTRACT')
      ? 'abstract'
      : description.fields.has('AUXILIARY')
        ? 'auxiliary'
        : 'structural',
    must: list('MUST'),
    may: list('MAY'),
  };
}

export function parseMatchingRule(text: string): MatchingRule {
  const description = parseDescription(text);
  return { ...element(description), syntax: description.fields.get('SYNTAX')?.[0] ?? '' };
}

export function parseLdapSyntax(text: string): LdapSyntax {
  const description = parseDescription(text);
  return { oid: description.oid, description: description.fields.get('DESC')?.[0] ?? '', text: description.text };
}
