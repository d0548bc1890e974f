/** One transport worker: receives, keeps and delivers the messages of its own spool shard. */
import './transport-worker.ts';
