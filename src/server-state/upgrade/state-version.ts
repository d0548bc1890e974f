/**
 * The version of a state directory, in its file `version`. A newer program brings an older state up to date, one step after the
 * other, with a copy of what each step changes; a state that a newer program wrote is refused. Steps survive a crash: one that did
 * not come to its end begins again on the copy.
 */
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile, syncFolder } from '../../base/index.ts';
import { readOwnFile, StateError, type StatePaths } from '../../processes/state/index.ts';
import { type UpgradeStep, upgradeSteps } from './steps.ts';

const newest = (steps: readonly UpgradeStep[]): number => steps.at(-1)?.version ?? 0;

/** Throws StateError for a state that a newer program wrote, and for one whose version cannot be read. */
export function checkStateVersion(paths: StatePaths, steps: readonly UpgradeStep[] = upgradeSteps): void {
  const version = versionOf(paths);
  if (version === undefined || version <= newest(steps)) return;
  throw new StateError(
    `${paths.root} has version ${version}, this program knows versions up to ${newest(steps)}: run the program that wrote it, or restore a backup into another --state`,
  );
}

/**
 * Brings a state to the newest version, before anything in it is opened. The caller holds its lock. `say` gets a line for every step.
 * Throws StateError for a newer state, or with the step that failed: the state is then as it was before that step.
 */
export async function upgradeState(
  paths: StatePaths,
  say: (text: string) => void,
  steps: readonly UpgradeStep[] = upgradeSteps,
): Promise<void> {
  checkStateVersion(paths, steps);
  const version = versionOf(paths) ?? (isNew(paths) ? newest(steps) : 0);
  const due = steps.filter((step) => step.version > version);
  // The copies of the upgrade before this one have done their service.
  if (due.length > 0) await forgetCopies(paths, version);
  for (const step of due) {
    try {
      await take(paths, step);
    } catch (cause) {
      const reason = (cause as Error).message;
      throw new StateError(`${paths.root} cannot be brought to version ${step.version} (${step.what}): ${reason}`, {
        cause,
      });
    }
    say(`the state was brought to version ${step.version}: ${step.what}`);
  }
  if (due.length === 0 && versionOf(paths) === undefined) await writeVersion(paths, version);
}

async function take(paths: StatePaths, step: UpgradeStep): Promise<void> {
  const copy = copyOf(paths, step.version);
  // A copy that is complete says that the step began, and did not come to its end.
  if (existsSync(copy)) await putBack(paths, step, copy);
  else await copyAside(paths, step, copy);
  try {
    await step.run(paths);
  } catch (error) {
    await putBack(paths, step, copy);
    throw error;
  }
  await writeVersion(paths, step.version);
}

/** Folder of what a step changed, as it was before. */
function copyOf({ root }: StatePaths, version: number): string {
  return join(root, `before-version-${version}`);
}

async function copyAside({ root }: StatePaths, { changes }: UpgradeStep, copy: string): Promise<void> {
  const draft = `${copy}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  try {
    for (const name of changes) if (isThere(join(root, name))) await cp(join(root, name), join(draft, name), copied);
  } catch (error) {
    // On a full disk the half of a copy is in the way.
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
  await rename(draft, copy);
  await syncFolder(root);
}

async function putBack({ root }: StatePaths, { changes }: UpgradeStep, copy: string): Promise<void> {
  for (const name of changes) {
    await rm(join(root, name), { recursive: true, force: true });
    if (isThere(join(copy, name))) await cp(join(copy, name), join(root, name), copied);
  }
}

const copied = { recursive: true, preserveTimestamps: true, errorOnExist: true, force: false } as const;

async function forgetCopies(paths: StatePaths, upTo: number): Promise<void> {
  for (let version = 1; version <= upTo; version++) await rm(copyOf(paths, version), { recursive: true, force: true });
}

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** Nothing was ever kept in it. */
function isNew({ directory, spool }: StatePaths): boolean {
  return !existsSync(join(directory, 'data.mdb')) && readdirSync(spool).length === 0;
}

const versionFile = ({ root }: StatePaths): string => join(root, 'version');

/** Undefined: the state says none. Throws StateError. */
function versionOf(paths: StatePaths): number | undefined {
  const text = readOwnFile(versionFile(paths), 64);
  if (text === undefined) return undefined;
  const [, number] = /^(\d{1,6})\n?$/.exec(text) ?? [];
  if (number === undefined) throw new StateError(`${versionFile(paths)} holds no version: restore a backup`);
  return Number(number);
}

async function writeVersion(paths: StatePaths, version: number): Promise<void> {
  await replaceFile(versionFile(paths), `${version}\n`);
}
