/** Runs management-shell lines on the store itself, while no service has it open. */

import { cmdletCatalogue } from '../cmdlets/index.ts';
import { type ServerRole } from '../config/index.ts';
import { type FileAccess, type ShellOutput } from '../shell/index.ts';
import { type StatePaths } from '../supervisor/index.ts';
import { auditWriter, openAdminAudit } from './admin-audit.ts';
import { DirectConfigurationStore } from './configuration-store.ts';
import { openDirectory, placeIn, seedDirectory } from './directory-access.ts';
import { ownAccount } from './own-account.ts';
import { openShell } from './shell-session.ts';

/** Opens the store, and fills it as a new server of the role when it is empty. The lock is released at the end. */
export async function openStoreRunner(paths: StatePaths, role: ServerRole, files: FileAccess, lock: Disposable) {
  const store = await openDirectory(paths, { readOnly: false });
  await seedDirectory(store, role);
  const place = placeIn(store);
  const configuration = new DirectConfigurationStore(store, place.configurationDn);
  const auditTrail = openAdminAudit(paths);
  const { role: ownRole, serverName } = place;
  const ground = { store: configuration, role: ownRole, serverName, transport: undefined, auditTrail };
  const audited = auditWriter(auditTrail, { server: serverName, via: 'store', who: ownAccount() });
  const shell = openShell(cmdletCatalogue(), ground, files, { audited });
  return {
    async run(text: string, show: (output: ShellOutput) => void, file?: string): Promise<void> {
      const options = { width: process.stdout.columns ?? 120, colour: false, ...(file === undefined ? {} : { file }) };
      for await (const output of shell.run(text, options)) show(output);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      auditTrail.close();
      await store[Symbol.asyncDispose]();
      lock[Symbol.dispose]();
    },
  };
}
