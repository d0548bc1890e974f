/**
 * LDAP without a network or a disk: names (RFC 4514, 4518), filters (RFC 4515, 4511 §4.5.1.7), schema and matching rules
 * (RFC 4512, 4517), LDIF (RFC 2849), result codes. Pure. Leaves out: BER and connections (`directory/`), what attributes
 * mean to mail (`config/`).
 */

export { Dn, escapeDnValue, formatRdn, parseRdn, type Rdn } from './dn.ts';
export { isBelow, parentKey } from './dn-key.ts';
export type { Entry } from './entry.ts';
export {
  equals,
  everyEntry,
  type Filter,
  type SubstringsFilter,
} from './filter.ts';
export { compileFilter, type Matcher, matchEntry, type Verdict } from './filter-match.ts';
export { escapeFilterValue, formatFilter, parseFilter } from './filter-text.ts';
export { formatGeneralizedTime, parseGeneralizedTime } from './generalized-time.ts';
export { formatGuid, parseGuid } from './guid.ts';
export { LdifError, type LdifRecord, readLdif, readLdifStream } from './ldif-reader.ts';
export { formatLdifRecord } from './ldif-writer.ts';
export type { AttributeValues, Modification } from './modification.ts';
export { entryFrom, MutableEntry } from './mutable-entry.ts';
export { LdapError, type ResultCodeName, resultCodeName, resultCodes } from './result-code.ts';
export { type KnownAttribute, Schema } from './schema.ts';
export type {
  IndexKind,
  ObjectClass,
} from './schema-elements.ts';
export { formatSid, guidOfSid, sidOfGuid } from './sid.ts';
