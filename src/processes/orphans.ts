import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { readOwnFile } from './state/own-file.ts';
import { processStart } from './state/state-lock.ts';

/** Processes of a supervisor that was killed end by themselves within this time, or are ended. */
const graceMs = 3_000;

const fileOf = (folder: string): string => join(folder, 'processes');

/** Notes, in the supervisor's own folder, the processes of this supervisor, for the one that comes after a crash. */
export function recordProcesses(folder: string, pids: readonly number[]): void {
  const draft = `${fileOf(folder)}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, pids.map((pid) => `${pid} ${processStart(pid)}\n`).join(''), { flag: 'wx', mode: 0o600 });
  renameSync(draft, fileOf(folder));
}

/**
 * Waits for the processes of a supervisor that was killed, and ends those that stay: two workers on one spool shard
 * would deliver its messages twice.
 */
export async function endOrphans(folder: string): Promise<void> {
  const noted = readOwnFile(fileOf(folder));
  if (noted === undefined) return;
  const lines = noted.trim().split('\n');
  const orphans = lines
    .map((line) => line.split(' '))
    .flatMap(([pid = '', start = '']) =>
      // Never a group (0, negative) or init.
      /^\d{1,10}$/.test(pid) && Number(pid) > 1 ? [{ pid: Number(pid), start }] : [],
    );
  const alive = (): { pid: number }[] =>
    orphans.filter(({ pid, start }) => start !== '' && processStart(pid) === start);
  const end = performance.now() + graceMs;
  while (alive().length > 0 && performance.now() < end) await pause(20);
  for (const { pid } of alive()) process.kill(pid, 'SIGKILL');
  while (alive().length > 0) await pause(20);
}
