/** A transport worker. */
import '../services/transport/index.ts';
