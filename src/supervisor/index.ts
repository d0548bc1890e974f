/**
 * The processes of an appliance: a supervisor that starts, watches and stops them and holds the sockets, the bus between
 * them, the management endpoint, the state directory and its lock, and the account that everything but the supervisor runs as.
 */
export { Bus, type Channel, channelToParent } from './bus.ts';
export type { ChildPlan } from './child.ts';
export { giveBackWhenIdle, ownMemory, type ProcessMemory } from './idle-memory.ts';
export { BindError, type Binding, backlog, bindingText, bindSocket, type SocketHandle } from './listen-sockets.ts';
export { ManagementClient, NotPermittedError, NotRunningError } from './management-client.ts';
export { prepareManagement } from './management-folder.ts';
export { type Caller, type ManagementMethod, ManagementServer } from './management-server.ts';
export { endOrphans, recordProcesses } from './orphans.ts';
export {
  type Account,
  administrators,
  barrier,
  dropPrivileges,
  findAccount,
  type Group,
  serviceAccount,
} from './privileges.ts';
export {
  defaultStateFolder,
  lockHolder,
  lockStateFolder,
  prepareStateFolder,
  StateLockedError,
  type StatePaths,
  statePaths,
} from './state-folder.ts';
export {
  type BindingState,
  type ProcessState,
  Supervisor,
  type SupervisorLog,
  type SupervisorPlan,
} from './supervisor.ts';
export { notifySystemd } from './systemd.ts';
