/** The door of who runs no processes: where a state lies, whether somebody holds it, and what may be done with it. */
export {
  defaultStateFolder,
  lockHolder,
  lockStateFolder,
  mayUse,
  prepareStateFolder,
  StateLockedError,
  type StatePaths,
  statePaths,
} from './state-folder.ts';
