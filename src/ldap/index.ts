/**
 * LDAP without a network or a disk: names (RFC 4514, 4518), filters (RFC 4515, 4511 §4.5.1.7), schema and matching rules
 * (RFC 4512, 4517), LDIF (RFC 2849), result codes. Pure. Leaves out: BER and connections (`directory/`), what attributes
 * mean to mail (`config/`).
 */

export { type AttributeDescription, parseAttributeDescription } from './attribute-description.ts';
export { type Ava, Dn, escapeDnValue, formatRdn, parseRdn, type Rdn } from './dn.ts';
export { isBelow, parentKey } from './dn-key.ts';
export type { Entry } from './entry.ts';
export {
  type AssertionFilter,
  type ExtensibleFilter,
  equals,
  everyEntry,
  type Filter,
  maxFilterDepth,
  type SubstringsFilter,
} from './filter.ts';
export { compileFilter, type Matcher, matchEntry, type TypedEntry, type Verdict } from './filter-match.ts';
export { escapeFilterValue, formatFilter, parseFilter } from './filter-text.ts';
export { formatGeneralizedTime, parseGeneralizedTime } from './generalized-time.ts';
export { formatGuid, parseGuid } from './guid.ts';
export { type LdifControl, LdifError, type LdifRecord, readLdif, readLdifStream } from './ldif-reader.ts';
export { formatLdifLine, formatLdifRecord } from './ldif-writer.ts';
export type { AttributeValues, Modification } from './modification.ts';
export { entryFrom, MutableEntry } from './mutable-entry.ts';
export { LdapError, type ResultCodeName, resultCodeName, resultCodes } from './result-code.ts';
export { type KnownAttribute, type KnownRule, Schema, type SchemaText } from './schema.ts';
export type {
  AttributeType,
  AttributeUsage,
  IndexKind,
  LdapSyntax,
  MatchingRule,
  ObjectClass,
} from './schema-elements.ts';
export { binarySyntaxes } from './syntaxes.ts';
