import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { processStart, type StatePaths } from './state/state-folder.ts';

/** Processes of a supervisor that was killed end by themselves within this time, or are ended. */
const graceMs = 3_000;

const fileOf = (paths: StatePaths): string => join(paths.run, 'processes');

/** Notes the processes of this supervisor, for the one that comes after a crash. */
export function recordProcesses(paths: StatePaths, pids: readonly number[]): void {
  writeFileSync(fileOf(paths), pids.map((pid) => `${pid} ${processStart(pid)}\n`).join(''), { mode: 0o600 });
}

/**
 * Waits for the processes of a supervisor that was killed, and ends those that stay: two workers on one spool shard
 * would deliver its messages twice.
 */
export async function endOrphans(paths: StatePaths): Promise<void> {
  if (!existsSync(fileOf(paths))) return;
  const lines = readFileSync(fileOf(paths), 'utf8').trim().split('\n');
  const orphans = lines.map((line) => line.split(' ')).map(([pid = '', start = '']) => ({ pid: Number(pid), start }));
  const alive = (): { pid: number }[] =>
    orphans.filter(({ pid, start }) => start !== '' && processStart(pid) === start);
  const end = performance.now() + graceMs;
  while (alive().length > 0 && performance.now() < end) await pause(20);
  for (const { pid } of alive()) process.kill(pid, 'SIGKILL');
  while (alive().length > 0) await pause(20);
}
