/** What processes cost, read from /proc (Linux): CPU time with that of ended children, and memory. */
import { readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = 100;

/** The processes below `root`, itself included, and the CPU seconds they and their ended children used. */
export function processTree(root: number): { pids: number[]; cpuSeconds: number } {
  const children = new Map<number, number[]>();
  const cpu = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(name) : undefined;
    if (stat === undefined) continue;
    cpu.set(Number(name), stat.ticks / ticksPerSecond);
    children.set(stat.parent, [...(children.get(stat.parent) ?? []), Number(name)]);
  }
  const pids: number[] = [];
  const todo = [root];
  for (let pid = todo.pop(); pid !== undefined; pid = todo.pop()) {
    if (!cpu.has(pid)) continue;
    pids.push(pid);
    todo.push(...(children.get(pid) ?? []));
  }
  return { pids, cpuSeconds: pids.reduce((sum, pid) => sum + (cpu.get(pid) ?? 0), 0) };
}

/** CPU seconds of one process and its ended children; 0 when it is gone. */
export const cpuSecondsOf = (pid: number): number => (statOf(String(pid))?.ticks ?? 0) / ticksPerSecond;

function statOf(pid: string): { parent: number; ticks: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [utime = 0, stime = 0, childUtime = 0, childStime = 0] = fields.slice(11, 15);
    return { parent: fields[1] ?? 0, ticks: utime + stime + childUtime + childStime };
  } catch {
    return undefined; // it has ended
  }
}

/**
 * Memory of one process in MiB, told apart: `anonymous` is its own, in memory or swapped out; `mapped` are resident pages of files,
 * which the system takes away when something else needs the room.
 */
export function heldBy(pid: number): { readonly anonymous: number; readonly mapped: number } {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
    const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) / 1024;
    const anonymous = of('Anonymous');
    return { anonymous: anonymous + of('Swap'), mapped: of('Rss') - anonymous };
  } catch {
    return { anonymous: 0, mapped: 0 }; // it has ended
  }
}

/** What a process of the appliance is: 'edge', 'directory', 'transport'. */
export function nameOf(pid: number): string {
  try {
    return /\/bin\/([a-z]+)\.ts/.exec(readFileSync(`/proc/${pid}/cmdline`, 'latin1'))?.[1] ?? String(pid);
  } catch {
    return String(pid); // it has ended
  }
}

/** Memory of processes in MiB. RSS counts a shared page once per process, PSS shares it out. */
export function memoryOf(pids: readonly number[]): { rss: number; pss: number } {
  let rss = 0;
  let pss = 0;
  for (const pid of pids) {
    try {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
      rss += Number(/^Rss:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024;
      pss += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024;
    } catch {
      // it has ended
    }
  }
  return { rss, pss };
}
