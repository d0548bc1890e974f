import type { Clock } from '../base/index.ts';

/** What can be asked of the process. */
export interface ProcessMemory {
  /** CPU time used so far, in milliseconds. */
  cpuMs(): number;
  /** Resident octets. */
  resident(): number;
  /** Collects all that can be collected, and gives the pages back. Holds the process up for about 0.1 s. */
  collect(): void;
}

/** How often a look is taken, in milliseconds. */
const lookEveryMs = 5_000;
/** Idle is who used less than this share of a core in each of so many looks: what is collected then has to be compiled again. */
const idleShare = 0.03;
const idleLooks = 6;
/** Growth since the last time that is worth the work, in octets. */
const worthwhile = 8 * 1024 ** 2;

/**
 * Gives memory back after a busy time. V8 keeps what its heap has grown to until it needs to collect again, and an idle process
 * never does: thousands of sessions that came and wait would cost the garbage of their coming as well.
 */
export function giveBackWhenIdle(memory: ProcessMemory, clock: Clock): Disposable {
  let cpuMs = memory.cpuMs();
  let resident = 0;
  let quiet = 0;
  const look = (): void => {
    const used = memory.cpuMs() - cpuMs;
    cpuMs += used;
    quiet = used < lookEveryMs * idleShare ? quiet + 1 : 0;
    if (quiet >= idleLooks && memory.resident() >= resident + worthwhile) {
      memory.collect();
      cpuMs = memory.cpuMs();
      resident = memory.resident();
    }
    timer = clock.after(lookEveryMs, look);
  };
  let timer = clock.after(lookEveryMs, look);
  return { [Symbol.dispose]: () => timer.cancel() };
}

/** This process, when it was started with --expose-gc; without it nothing is collected. */
export const ownMemory: ProcessMemory = {
  cpuMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  resident: () => process.memoryUsage.rss(),
  collect: () => {
    const collect = (globalThis as { gc?: (options: object) => void }).gc;
    collect?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  },
};
