/** The door of who runs management-shell lines on the store of a stopped service. */
export type { Place, Runner } from './runner.ts';
export { openStoreRunner } from './store-runner.ts';
