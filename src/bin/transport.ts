/** A transport worker. */
import { runTransportWorker } from '../services/transport/index.ts';

await runTransportWorker();
