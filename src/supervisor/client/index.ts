/**
 * The door of who talks to an appliance and runs none: where its state lies, whether somebody holds it, and the management
 * endpoint. Commands that only ask load this alone; everything else of the room is at its main door.
 */
export { ManagementClient, NotPermittedError, NotRunningError } from '../management-client.ts';
export {
  defaultStateFolder,
  lockHolder,
  lockStateFolder,
  mayUse,
  prepareStateFolder,
  StateLockedError,
  type StatePaths,
  statePaths,
} from '../state-folder.ts';
