/** The door of who calls a running service: the endpoint's client alone. Commands that only ask load nothing else. */
export { ManagementClient, NotPermittedError, NotRunningError } from './management-client.ts';
export type { MethodCaller } from './method-caller.ts';
