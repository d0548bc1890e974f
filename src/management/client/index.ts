/** The door of who calls a running service: the endpoint's client, and what passes over it. Commands that only ask load this alone. */
export type { CallerTask, ShellPart, ShellRequest, TaskReply } from '../shell-session.ts';
export { ManagementClient, NotPermittedError, NotRunningError } from './management-client.ts';
