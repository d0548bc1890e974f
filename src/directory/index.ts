/**
 * The embedded directory (the analogue of AD LDS): a store on LMDB with schema, indexes, change log and tombstones, and its
 * LDAP face. RFC 4510-4519, [MS-ADTS]. Leaves out: names, filters, schema and LDIF as text, which are pure and live in `ldap/`;
 * what the entries mean, which is `config/`.
 */

// client
export { type ClientSearch, DirectoryClient, type DirectoryClientOptions } from './client/directory-client.ts';
// LDAP face
export {
  type AccessPolicy,
  administratorsOnly,
  type EntryRights,
  everyRight,
  noRight,
} from './face/access/access-policy.ts';
export { type AccessRule, parseAccessRule } from './face/access/access-rule.ts';
export { DirectoryAccessPolicy, type RuleProblem } from './face/access/directory-access-policy.ts';
export { defaultLockout, type LockoutPolicy } from './face/access/failed-binds.ts';
export {
  type Authenticator,
  BindRefusal,
  localAdministrator,
  type Peer,
  type PeerCertificate,
  type Principal,
} from './face/access/identity.ts';
export { Argon2Hasher, type PasswordHasher } from './face/access/password.ts';
export { StoreAuthenticator, type StoreAuthenticatorParts } from './face/access/store-authenticator.ts';
export type { FaceEvent, FaceLog } from './face/face-event.ts';
export { type LdapListener, LdapServer, type LdapServerOptions, type ListenTarget } from './face/ldap-server.ts';
export { defaultLimits, type FaceLimits } from './face/limits.ts';
export type { TlsIdentity } from './face/tls-upgrade.ts';
// store
export type {
  AttributeValues,
  Change,
  ChangeKind,
  Changes,
  DirectoryEntry,
  DirectoryReader,
  DirectoryWriter,
  Finding,
  Modification,
  Operation,
  PendingChange,
  SearchPlan,
  SearchRequest,
  SearchScope,
  WriteOptions,
  WriteResult,
} from './store/contract.ts';
export { DirectoryStore, type StoreOptions } from './store/directory-store.ts';
export {
  type ExportOptions,
  exportLdif,
  ImportError,
  type ImportOptions,
  type ImportResult,
  importLdif,
  type SeedResult,
  seed,
} from './store/ldif-transfer.ts';
export type { Restored } from './store/restore.ts';
export { loadSchema, readLdifFolder } from './store/schema-files.ts';
export { StoreError } from './store/store-error.ts';
export { subschemaDn } from './store/stored-entry.ts';
