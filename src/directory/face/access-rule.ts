/**
 * Access rules as kept in edgeAccessRule: each gives rights on the entry that holds it and on everything below. There is no rule
 * that takes rights away: what no rule gives is not had.
 *
 *     allow read to group CN=Readers,CN=Roles,CN=Configuration
 *     allow read,write on mail,proxyAddresses to dn CN=sync,OU=Accounts,O=Contoso
 *     allow create,delete,read,write to authenticated
 */
import { Dn, LdapError, type Schema } from '../../ldap/index.ts';

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
  /** Keys of attributes; undefined: all but secrets. */
  readonly attributes: ReadonlySet<string> | undefined;
  readonly subject: Subject;
}

/** Key of the attribute that holds rules. */
export const ruleAttribute = 'edgeaccessrule';

/** Attributes that a rule must name to give a right on them, by key. */
export const secretAttributes: ReadonlySet<string> = new Set(['userpassword', ruleAttribute, 'ntsecuritydescriptor']);

const form =
  /^\s*allow\s+([a-z]+(?:\s*,\s*[a-z]+)*)(?:\s+on\s+(\*|[\w.-]+(?:\s*,\s*[\w.-]+)*))?\s+to\s+(dn|group|self|authenticated)(?:\s+(\S.*))?$/i;

/** Reads one rule. Throws LdapError invalidAttributeSyntax that says what is wrong. */
export function parseAccessRule(text: string, schema: Schema): AccessRule {
  const [, rightsText = '', attributesText, kind = '', name] = form.exec(text) ?? [];
  if (kind === '') throw fault(`'${text.slice(0, 200)}' is not of the form: allow RIGHTS [on ATTRIBUTES] to WHO`);
  return {
    rights: new Set(listOf(rightsText).map(rightOf)),
    attributes:
      attributesText === undefined || attributesText === '*' ? undefined : attributeKeys(attributesText, schema),
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
