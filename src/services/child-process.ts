/** What every process of the services has in common: who it takes orders from, and how it ends. */
import { flushCompileCache } from 'node:module';
import { type Channel, channelToParent } from '../processes/index.ts';
import { type ProcessOptions, processOptions } from './process-options.ts';

/** A part of the appliance that runs until it is stopped. */
export interface Service {
  /** Finishes what is under way and closes everything. */
  stop(): Promise<void>;
  /** The process ends by an error that nothing caught: what has to be on disk is written now. Must not throw. */
  crashed(error: Error): void;
}

/** Opens a service. `ended` is called when the supervisor asked for the end and all is closed. */
export type OpenService = (options: ProcessOptions, channel: Channel, ended: () => void) => Promise<Service>;

/** Runs a service as this process. A refusal to start is one line, with what to do; exit status 2. */
export async function runAsProcess(open: OpenService): Promise<void> {
  const options = processOptions();
  // Without its supervisor a worker must not go on: another one may take over its shard.
  process.on('disconnect', () => process.exit(1));
  process.umask(0o077);
  let service: Service;
  try {
    service = await open(options, channelToParent(), () => process.exit(0));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    process.stderr.write(`edge: ${error.message}\n`);
    process.exit(2);
  }
  process.on('uncaughtExceptionMonitor', (error) => service.crashed(error));
  // Compiled code is kept: it saves the next start time and memory.
  flushCompileCache();
}

/** A condition of the state that the message explains: a stack would say nothing more. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && ['StoreError', 'StateError', 'StateLockedError', 'RoleError'].includes(error.name);
}
