/**
 * Access rules as kept in edgeAccessRule: each gives rights on the entry that holds it and on everything below, or with `below` on
 * the latter alone; with `of`, on entries whose structural class is one of these alone. Entries with an auxiliary class are only
 * created and deleted by a rule that names it as well. There is no rule that takes rights away: what no rule gives is not had.
 *
 *     allow read to group CN=Readers,CN=Roles,CN=Configuration
 *     allow read,write on mail,proxyAddresses to dn CN=sync,OU=Accounts,O=Contoso
 *     allow create,delete,read,write of edgeRecipient below to group CN=EdgeSync,CN=Roles,CN=Configuration
 *     allow read to authenticated
 */
import { Dn, LdapError, type Schema } from '../../../ldap/index.ts';

const rights = ['read', 'write', 'create', 'delete'] as const;
export type Right = (typeof rights)[number];

export type Subject =
  | { readonly kind: 'dn' | 'group'; readonly name: Dn }
  /** The entry itself. */
  | { readonly kind: 'self' }
  /** Whoever has bound. */
  | { readonly kind: 'authenticated' };

export interface AccessRule {
  readonly rights: ReadonlySet<Right>;
  /** Keys of attributes; undefined: all but those that the schema marks (see `AttributeType.access`). */
  readonly attributes: ReadonlySet<string> | undefined;
  /** OIDs of classes; undefined: entries of any. The structural class is meant, and what auxiliary classes may stand beside it. */
  readonly classes: ReadonlySet<string> | undefined;
  /** Whether the entry that holds the rule is not meant itself. */
  readonly below: boolean;
  readonly subject: Subject;
}

/** Key of the attribute that holds rules. */
export const ruleAttribute = 'edgeaccessrule';

const listForm = (item: string): string => `${item}(?:\\s*,\\s*${item})*`;
const form = new RegExp(
  `^\\s*allow\\s+(?<rights>${listForm('[a-z]+')})` +
    `(?:\\s+on\\s+(?<attributes>\\*|${listForm('[\\w.-]+')}))?` +
    `(?:\\s+of\\s+(?<classes>${listForm('[\\w.-]+')}))?` +
    '(?<below>\\s+below)?' +
    '\\s+to\\s+(?<kind>dn|group|self|authenticated)(?:\\s+(?<name>\\S.*))?$',
  'i',
);
/** Longest rule read: longer ones are no rules that a person wrote. */
const maxLength = 4000;

/** Reads one rule. Throws LdapError invalidAttributeSyntax that says what is wrong. */
export function parseAccessRule(text: string, schema: Schema): AccessRule {
  const parts = text.length > maxLength ? undefined : form.exec(text)?.groups;
  if (parts === undefined)
    throw fault(`'${text.slice(0, 200)}' is not of the form: allow RIGHTS [on ATTRIBUTES] [of CLASSES] [below] to WHO`);
  const { rights: rightsText = '', attributes, classes, kind = '', name } = parts;
  return {
    rights: new Set(listOf(rightsText).map(rightOf)),
    attributes: attributes === undefined || attributes === '*' ? undefined : attributeKeys(attributes, schema),
    classes: classes === undefined ? undefined : new Set(listOf(classes).map((one) => classOid(one, schema))),
    below: parts['below'] !== undefined,
    subject: subjectOf(kind.toLowerCase(), name),
  };
}

const listOf = (text: string): string[] => text.split(',').map((part) => part.trim());

function rightOf(text: string): Right {
  const right = rights.find((one) => one === text.toLowerCase());
  if (right === undefined) throw fault(`'${text}' is not a right: ${rights.join(', ')} are`);
  return right;
}

function attributeKeys(text: string, schema: Schema): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const name of listOf(text)) {
    const attribute = schema.attribute(name);
    if (attribute === undefined) throw fault(`the attribute '${name}' is not known`);
    for (const key of schema.subtypes(attribute)) keys.add(key);
  }
  return keys;
}

function classOid(name: string, schema: Schema): string {
  const found = schema.objectClass(name);
  if (found === undefined) throw fault(`the class '${name}' is not known`);
  return found.oid;
}

function subjectOf(kind: string, name: string | undefined): Subject {
  if (kind === 'self' || kind === 'authenticated') {
    if (name !== undefined) throw fault(`nothing stands behind '${kind}'`);
    return { kind };
  }
  if (name === undefined) throw fault(`a name stands behind '${kind}'`);
  return { kind: kind === 'group' ? 'group' : 'dn', name: Dn.parse(name) };
}

function fault(what: string): LdapError {
  return new LdapError('invalidAttributeSyntax', `access rule: ${what}`);
}
