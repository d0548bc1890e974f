/**
 * Brings a store of an older layout to that of this program: a copy of it is kept, then one step after the other runs, each in
 * one transaction with the number of the layout that it makes. What is cut off between two steps goes on at the next start.
 */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '../entries/store-error.ts';
import { type Environment, layout, openOlder } from './environment.ts';

/** Makes the layout `from + 1` of the layout `from`; synchronous, within a transaction. */
export interface UpgradeStep {
  readonly from: number;
  readonly run: (environment: Environment) => void;
}

/** The steps of all layouts that there ever were; a small store of each stays in test/states. Layout 1 is the first one. */
const steps: readonly UpgradeStep[] = [];

/** Where the copy of a store of that layout lies. */
export const backupFolder = (path: string, from: number): string => `${path.replace(/\/+$/, '')}-layout-${from}`;

/** Throws StoreError where no step leads on. The store must not be open. */
export async function upgradeStore(path: string, { to = layout, known = steps } = {}): Promise<void> {
  const environment = openOlder(path);
  try {
    const from = environment.meta.get('layout') as number;
    const way = Array.from({ length: to - from }, (_, i) => stepFrom(known, from + i, path));
    await keepCopy(environment, backupFolder(path, from));
    for (const step of way) {
      environment.root.transactionSync(() => {
        step.run(environment);
        void environment.meta.put('layout', step.from + 1);
      });
    }
    await environment.root.flushed;
  } finally {
    await environment.root.close();
  }
}

/** One that is whole already was made before anything was changed: an upgrade that was cut off goes on with it. */
async function keepCopy({ root }: Environment, folder: string): Promise<void> {
  if (existsSync(folder)) return;
  const unfinished = `${folder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  await root.backup(unfinished, true);
  chmodSync(join(unfinished, 'data.mdb'), 0o600);
  renameSync(unfinished, folder);
}

function stepFrom(known: readonly UpgradeStep[], from: number, path: string): UpgradeStep {
  const step = known.find((one) => one.from === from);
  if (step === undefined)
    throw new StoreError(
      'format',
      `no way leads from layout ${from} of the directory store in ${path} to this program's`,
    );
  return step;
}
