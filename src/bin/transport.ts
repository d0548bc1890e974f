/** A transport worker. */
import './own-imports.ts';

const { runTransportWorker } = await import('../services/transport/index.ts');
await runTransportWorker();
