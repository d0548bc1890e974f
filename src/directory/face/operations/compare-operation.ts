/** Compare: RFC 4511 §4.10. */
import { Dn, type Entry, LdapError, type Schema } from '../../../ldap/index.ts';
import { everyRight } from '../access/access-policy.ts';
import { assertOn, type DirectoryView, locate, requireBound } from '../access/entry-access.ts';
import type { CompareCall } from '../ber/request.ts';
import { rootDseFor } from './bind-operation.ts';
import type { Operation } from './operation.ts';
import type { SystemEntries } from './system-entries.ts';

export function compareOperation(view: DirectoryView, system: SystemEntries): Operation<CompareCall> {
  return async ({ dn, attribute, value }, { session, controls }) => {
    const { schema } = view.store;
    const name = Dn.parse(dn);
    if (!name.isRoot) requireBound(session.principal);
    const made = name.isRoot ? rootDseFor(session, system) : system.isSubschema(name) ? system.subschema() : undefined;
    const { entry, rights } =
      made === undefined ? locate(view, session.principal, name) : { entry: made, rights: everyRight };
    const described = schema.describe(attribute);
    if (described === undefined)
      throw new LdapError('undefinedAttributeType', `the attribute ${attribute} is not known`);
    if (!rights.reads(described.attribute.key))
      throw new LdapError('insufficientAccessRights', 'the attribute is not yours to compare');
    assertOn(controls.assertion, entry, rights, schema);
    return { code: holds(entry, attribute, value, schema) ? 'compareTrue' : 'compareFalse' };
  };
}

/** Throws LdapError for what makes a filter Undefined: a comparison has an answer for each. */
function holds(entry: Entry, description: string, assertion: Buffer, schema: Schema): boolean {
  const described = schema.describe(description);
  const rule = described?.attribute.equalityRule;
  if (described === undefined || rule === undefined) {
    throw new LdapError('inappropriateMatching', `${description} has no equality matching rule`);
  }
  const wanted = rule.normalise(assertion, schema);
  if (wanted === undefined)
    throw new LdapError('invalidAttributeSyntax', 'the value has not the syntax of the attribute');
  const subtypes = schema.subtypes(described.attribute);
  let present = false;
  for (const name of entry.attributes) {
    const found = schema.describe(name);
    if (found === undefined || !subtypes.has(found.attribute.key)) continue;
    if (!described.options.every((option) => found.options.includes(option))) continue;
    present = true;
    if (entry.buffers(name).some((value) => rule.normalise(value, schema)?.equals(wanted) === true)) return true;
  }
  if (!present) throw new LdapError('noSuchAttribute', `the entry has no ${description}`);
  return false;
}
