/**
 * The processes of an appliance and what they stand on: a supervisor that starts, watches and stops them and holds the sockets,
 * the bus between them, the state directory and its lock, and the accounts that they run as. It knows nothing of mail.
 */
export {
  type Account,
  administrators,
  barrier,
  dropPrivileges,
  findAccount,
  type Group,
  serviceAccount,
} from './accounts/privileges.ts';
export { Bus, type Channel, channelToParent } from './bus.ts';
export type { ChildPlan } from './child.ts';
export { giveBackWhenIdle, ownMemory, type ProcessMemory } from './idle-memory.ts';
export { BindError, type Binding, backlog, bindSocket, type SocketHandle } from './listen-sockets.ts';
export { endOrphans, recordProcesses } from './orphans.ts';
export {
  defaultStateFolder,
  lockHolder,
  lockStateFolder,
  prepareStateFolder,
  StateLockedError,
  type StatePaths,
  statePaths,
} from './state/state-folder.ts';
export {
  type BindingState,
  type ProcessState,
  Supervisor,
  type SupervisorLog,
  type SupervisorPlan,
} from './supervisor.ts';
export { notifySystemd } from './systemd.ts';
