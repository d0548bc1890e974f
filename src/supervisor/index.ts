/**
 * The processes of an appliance: a supervisor that starts, watches and stops them and holds the sockets, the bus between
 * them, the management endpoint, the state directory and its lock, and the account that everything but the supervisor runs as.
 */
export { Bus, type Channel, channelToParent } from './bus.ts';
export type { ChildPlan } from './child.ts';
export { giveBackWhenIdle, ownMemory, type ProcessMemory } from './idle-memory.ts';
export { BindError, type Binding, backlog, bindingText, bindSocket, type SocketHandle } from './listen-sockets.ts';
export { ManagementClient, type ManagementMethod, ManagementServer, NotRunningError } from './management.ts';
export { endOrphans, recordProcesses } from './orphans.ts';
export { type Account, barrier, dropPrivileges, findAccount, serviceAccount } from './privileges.ts';
export {
  defaultStateFolder,
  lockHolder,
  lockStateFolder,
  managementSocket,
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
