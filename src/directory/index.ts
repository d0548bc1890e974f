/**
 * The embedded directory (the analogue of AD LDS): a store on LMDB with schema, indexes, change log and tombstones, and its
 * LDAP face. RFC 4510-4519, [MS-ADTS]. Leaves out: names, filters, schema and LDIF as text, which are pure and live in `ldap/`;
 * what the entries mean, which is `config/`.
 */

// client
export { DirectoryClient } from './client/directory-client.ts';
export { type DirectoryPrincipal, PrincipalSearch } from './client/principal-search.ts';
// LDAP face
export type { AccessPolicy, EntryRights } from './face/access/access-policy.ts';
export { parseAccessRule } from './face/access/access-rule.ts';
export { DirectoryAccessPolicy, type RuleProblem } from './face/access/directory-access-policy.ts';
export { defaultLockout, FailedBinds, type LockoutPolicy } from './face/access/failed-binds.ts';
export {
  localAdministrator,
  type Peer,
  type Principal,
} from './face/access/identity.ts';
export { Argon2Hasher, type PasswordHasher } from './face/access/password.ts';
export { networkOf, sourceOf } from './face/access/peer.ts';
export { StoreAuthenticator, type StoreAuthenticatorParts } from './face/access/store-authenticator.ts';
export type { FaceEvent } from './face/face-event.ts';
export { type LdapListener, LdapServer, type LdapServerOptions, type ListenTarget } from './face/ldap-server.ts';
export type { FaceLimits } from './face/limits.ts';
export { DirectoryStore, type StoreOptions } from './store/directory-store.ts';
// store
export type {
  AttributeValues,
  Change,
  DirectoryEntry,
  DirectoryReader,
  DirectoryWriter,
  Operation,
  SearchPlan,
  SearchScope,
  ValueProbe,
  WriteOptions,
} from './store/entries/contract.ts';
export { loadSchema } from './store/entries/schema-files.ts';
export { StoreError } from './store/entries/store-error.ts';
export {
  exportLdif,
  ImportError,
  importLdif,
  seed,
} from './store/ldif-transfer.ts';
export type { Restored } from './store/repair/restore.ts';
