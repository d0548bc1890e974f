import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/index.ts';
import { LmdbSpool } from '../../src/queue/index.ts';
import { MemorySpool, memoryDisk } from '../lib/memory-spool.ts';
import { spoolContract } from './contract.ts';

spoolContract('memory', async () => {
  const disk = memoryDisk();
  return {
    open: async () => new MemorySpool({ disk }),
    [Symbol.asyncDispose]: async () => undefined,
  };
});

spoolContract('lmdb', async () => {
  const path = await mkdtemp(join(tmpdir(), 'edge-spool-'));
  return {
    open: () => LmdbSpool.open({ path, clock: systemClock }),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
});
