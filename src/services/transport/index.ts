/** One transport worker: receives, keeps and delivers the messages of its own spool shard. */
import { runAsProcess } from '../child-process.ts';
import { openTransportWorker } from './transport-worker.ts';

/** Runs a worker as this process. */
export async function runTransportWorker(): Promise<void> {
  await runAsProcess(openTransportWorker);
}
