import { readFileSync } from 'node:fs';

/**
 * Octets that this process holds for itself: anonymous pages, in memory or swapped out. Pages of files that are mapped (the
 * directory, the spool, the program) are the system's cache: they go when something else needs the room.
 */
export function heldMemory(): number {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    const kilobytes = (name: string): number =>
      Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
    return (kilobytes('RssAnon') + kilobytes('VmSwap')) * 1024;
  } catch {
    // No /proc: everything that is resident, then.
    return process.memoryUsage.rss();
  }
}
