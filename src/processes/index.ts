/**
 * The processes of an appliance and what they stand on: a supervisor that starts, watches and stops them and holds the sockets,
 * the bus between them, the state directory and its lock, and the accounts that they run as. It knows nothing of mail.
 */
export {
  type Account,
  administrators,
  barrier,
  findAccount,
  type Group,
  serviceAccount,
} from './accounts/privileges.ts';
export {
  type AnswerOf,
  type ArgumentOf,
  Bus,
  type Channel,
  type Message,
  type MessageTable,
} from './bus/bus.ts';
export { channelPair, channelToParent } from './bus/channels.ts';
export {
  type BindingState,
  type FanOutAnswer,
  type FanOutRequest,
  type LogonOutcome,
  type LogonQuestion,
  type ToProcess,
  type ToSupervisor,
  toProcess,
  toSupervisor,
} from './bus/messages.ts';
export { giveBackWhenIdle, ownMemory, type ProcessMemory } from './idle-memory.ts';
export type { ChildPlan } from './launch/launch.ts';
export { endOrphans, recordProcesses } from './orphans.ts';
export { supervisorFolder } from './run-folder.ts';
export { StateError } from './state/own-file.ts';
export { claimState } from './state/root-part.ts';
export {
  defaultStateFolder,
  prepareStateFolder,
  type StatePaths,
  statePaths,
} from './state/state-folder.ts';
export { lockFile, lockHolder, lockStateFolder, StateLockedError } from './state/state-lock.ts';
export { Supervisor } from './supervisor.ts';
export { notifySystemd } from './systemd.ts';
