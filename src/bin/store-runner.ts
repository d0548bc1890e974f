/** Runs management-shell lines on the store itself, while no service has it open. */

import { cmdletCatalogue } from '../cmdlets/index.ts';
import type { ServerRole } from '../config/index.ts';
import type { FileAccess } from '../shell/index.ts';
import type { StatePaths } from '../supervisor/index.ts';
import { auditWriter, openAdminAudit } from './admin-audit.ts';
import { DirectConfigurationStore } from './direct-configuration-store.ts';
import { openDirectory, placeIn, seedDirectory } from './directory-access.ts';
import { ownAccount } from './own-account.ts';
import type { Runner } from './shell-runner.ts';
import { openShell } from './shell-session.ts';

/** Opens the store, and fills it as a new server of the role when it is empty. The lock is released at the end. */
export async function openStoreRunner(
  paths: StatePaths,
  role: ServerRole,
  files: FileAccess,
  lock: Disposable,
): Promise<Runner> {
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
    place: { serverName, running: false },
    run: (text, options) => shell.run(text, options),
    complete: (text, cursor) => shell.complete(text, cursor),
    async [Symbol.asyncDispose](): Promise<void> {
      auditTrail.close();
      await store[Symbol.asyncDispose]();
      lock[Symbol.dispose]();
    },
  };
}
