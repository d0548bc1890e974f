/** The door of who runs no processes: where a state lies, whether somebody holds it, and what may be done with it. */

export { readOwnFile, StateError } from './own-file.ts';
export { becomeOwner, otherOwner } from './root-part.ts';
export {
  defaultStateFolder,
  mayUse,
  prepareStateFolder,
  type StatePaths,
  statePaths,
} from './state-folder.ts';
export { lockHolder, lockStateFolder, StateLockedError } from './state-lock.ts';
