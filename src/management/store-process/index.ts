/** The process that has the store of a stopped service open, and runs cmdlets on it. */
export { serveStore } from './serve-store.ts';
