/** The process that has the store of a stopped service open, and runs cmdlets on it. */
export { DirectConfigurationStore } from './direct-configuration-store.ts';
export { serveStore } from './serve-store.ts';
