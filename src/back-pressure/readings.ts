import { readFileSync, statfsSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { Readings } from './resources.ts';

/** Where the readings come from. */
export interface ReadingSources {
  /** Folders on the disks that are watched. */
  readonly spool: string;
  readonly logs: string;
  /** Octets that this process holds. */
  heldMemory(): number;
  /** Messages that are taken and not routed yet. */
  submissionQueue(): number;
}

/** A disk as its owner's accounts may use it: octets in all, and the share that is used, in per cent. */
export function diskUse(folder: string): { readonly total: number; readonly used: number } {
  try {
    const { blocks, bfree, bavail, bsize } = statfsSync(folder);
    const taken = blocks - bfree;
    const usable = taken + bavail;
    return { total: usable * bsize, used: usable === 0 ? 0 : (100 * taken) / usable };
  } catch {
    // Whoever writes there will hear what is wrong.
    return { total: 0, used: 0 };
  }
}

/** Memory of the machine that is in use, in per cent; 0 where it cannot be known. */
function systemMemory(): number {
  try {
    const text = readFileSync('/proc/meminfo', 'latin1');
    const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? 0);
    const total = kilobytes('MemTotal');
    return total === 0 ? 0 : 100 - (100 * kilobytes('MemAvailable')) / total;
  } catch {
    return 0;
  }
}

/** What this machine says now. */
export function machineReadings({ spool, logs, heldMemory, submissionQueue }: ReadingSources): Readings {
  const memory = process.constrainedMemory() > 0 ? Math.min(process.constrainedMemory(), totalmem()) : totalmem();
  return {
    DatabaseUsedSpace: diskUse(spool).used,
    PrivateBytes: (100 * heldMemory()) / memory,
    'QueueLength[SubmissionQueue]': submissionQueue(),
    SystemMemory: systemMemory(),
    'UsedDiskSpace[logs]': diskUse(logs).used,
  };
}
