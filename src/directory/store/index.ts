/**
 * The door of the store alone, for who reads the directory and serves nobody: a transport worker does not load the LDAP face, its
 * client and the two libraries behind them. Everything else of the room is at its main door.
 */
export type { DirectoryEntry, DirectoryReader } from './contract.ts';
export { DirectoryStore, type StoreOptions } from './directory-store.ts';
export { seed } from './ldif-transfer.ts';
export { loadSchema } from './schema-files.ts';
