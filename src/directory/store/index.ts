/**
 * The door of the store alone, for who reads the directory and serves nobody: a transport worker does not load the LDAP face, its
 * client and the two libraries behind them. Everything else of the room is at its main door.
 */

export { DirectoryStore, type StoreOptions } from './directory-store.ts';
export type { DirectoryEntry, DirectoryReader } from './entries/contract.ts';
export { loadSchema } from './entries/schema-files.ts';
export { seed } from './ldif-transfer.ts';
