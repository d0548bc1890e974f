/** `edge directory import --replace`: an export takes the place of everything that the directory holds, all or nothing. */
import { existsSync, rmSync } from 'node:fs';
import { type DirectoryStore, importLdif, type Restored, StoreError } from '../directory/index.ts';
import type { LdifRecord } from '../ldap/index.ts';
import { lockHolder, statePaths } from '../processes/state/index.ts';
import { commandActor, onStore } from './directory-session.ts';
import type { DirectoryAccess } from './parts.ts';

export interface Replaced extends Restored {
  readonly records: number;
  /** Backup of what was there before; absent when there was nothing, or nothing was written. */
  readonly kept?: string;
}

export interface Replacing {
  readonly state: string;
  readonly dryRun: boolean;
  readonly onProgress: (records: number) => void;
}

/**
 * Reads the export into a store of its own first, so that a fault in its last line leaves everything as it was. The instance
 * becomes the one of the export, with its identifiers; the ones that were there go into a backup. Throws StoreError for an
 * export without a configuration, or of another instance while a service runs.
 */
export async function replaceContent(
  records: Iterable<LdifRecord>,
  { state, dryRun, onProgress }: Replacing,
  access: DirectoryAccess,
): Promise<Replaced> {
  const paths = statePaths(state);
  const scratch = `${paths.directory}.import-${process.pid}`;
  rmSync(scratch, { recursive: true, force: true });
  try {
    await using from = await access.openScratch(scratch);
    const read = await importLdif(from, records, { actor: commandActor, onProgress });
    let replaced: Replaced = { records: read.records, added: 0, changed: 0, removed: 0, same: 0 };
    // Before this command takes the lock itself.
    const running = lockHolder(paths) !== undefined;
    await onStore(state, { access, readOnly: false }, async (store) => {
      requireInstance(from, store, running);
      const aside = `${paths.directory}.before-import-${new Date().toISOString().replace(/[:.]/g, '-')}`;
      const keeps = !dryRun && store.size > 0 && !existsSync(aside);
      if (keeps) await store.backup(aside);
      const counts = await store.restore(from, { actor: commandActor, rehearse: dryRun });
      replaced = { records: read.records, ...counts, ...(keeps && { kept: aside }) };
      return 0;
    });
    return replaced;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const configurationOf = (store: DirectoryStore): string | undefined =>
  store.namingContexts.find((dn) => /^CN=Configuration,/i.test(dn));

function requireInstance(from: DirectoryStore, store: DirectoryStore, running: boolean): void {
  const wanted = configurationOf(from);
  if (wanted === undefined)
    throw new StoreError('format', 'the export holds no configuration: --replace takes a full export, without --base');
  const own = configurationOf(store);
  if (running && own !== undefined && own.toLowerCase() !== wanted.toLowerCase())
    throw new StoreError('format', 'the export is of another instance than the one that runs: stop the service first');
}
