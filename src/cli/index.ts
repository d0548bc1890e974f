/**
 * The `edge` command: its words, options, help and exit statuses. It talks to the running service over the management
 * socket; what it starts itself (the services, the shell) is handed in.
 */
export {
  type CommandParts,
  type ConnectorPlace,
  type ConnectorPlaces,
  exitStatus,
  type ShellOptions,
  type StartOptions,
} from './parts.ts';
export { runCommand } from './program.ts';
export type { StatusReport } from './status.ts';
export type { WhyRequest } from './why.ts';
