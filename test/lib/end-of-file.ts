/**
 * Loaded before every file of tests. A limit of time is a test's, not a file's: a file that left something open, as one whose set-up
 * failed may, would keep its process, and the whole run, for ever. It ends half a minute behind its last test instead, as a failure.
 */
import { after } from 'node:test';
import '../../src/bin/own-imports.ts';

const patienceMs = Number(process.env['EDGE_TEST_PATIENCE_MS'] ?? 30_000);

after(() => {
  const timer = setTimeout(() => {
    process.stderr.write(`still open behind the last test: ${process.getActiveResourcesInfo().join(', ')}\n`);
    process.exit(1);
  }, patienceMs);
  timer.unref();
});
