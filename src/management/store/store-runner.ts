/** Runs management-shell lines on the store itself, while no service has it open. */
import type { CmdletGround, TrackingLog } from '../../cmdlets/index.ts';
import type { ServerRole } from '../../config/index.ts';
import type { DirectoryStore } from '../../directory/index.ts';
import type { StatePaths } from '../../processes/index.ts';
import { openDirectory, placeIn, seedDirectory } from '../../server-state/directory/index.ts';
import type { FileAccess, ShellEndpoint } from '../../shell/caller/index.ts';
import type { ShellTelling } from '../shell-session.ts';
import { auditWriter, openAdminAudit } from './admin-audit.ts';
import { DirectConfigurationStore } from './direct-configuration-store.ts';
import { ownAccount } from './own-account.ts';
import type { Runner } from './runner.ts';

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
  const ground = {
    store: configuration,
    role: ownRole,
    serverName,
    transport: undefined,
    auditTrail,
    trackingLog: trackingLogOf(store, paths),
  };
  const audited = auditWriter(auditTrail, { server: serverName, via: 'store', who: ownAccount() });
  let shell: Promise<ShellEndpoint> | undefined;
  const opened = (): Promise<ShellEndpoint> => (shell ??= load(ground, files, { audited }));
  return {
    place: { serverName, running: false },
    async prepare() {
      await opened();
    },
    async *run(text, options) {
      yield* (await opened()).run(text, options);
    },
    complete: async (text, cursor) => (await opened()).complete(text, cursor),
    async [Symbol.asyncDispose](): Promise<void> {
      auditTrail.close();
      await store[Symbol.asyncDispose]();
      lock[Symbol.dispose]();
    },
  };
}

/** The log that the service wrote while it ran. What reads it is loaded when somebody asks. */
function trackingLogOf(store: DirectoryStore, paths: StatePaths): TrackingLog {
  return {
    async *search(query, signal) {
      const { searchTracking } = await import('../../logs/index.ts');
      const { holdSnapshots } = await import('../../server-state/index.ts');
      const { trackingFolder } = await import('../../server-state/index.ts');
      yield* searchTracking(trackingFolder(holdSnapshots(store).current, paths), query, signal);
    },
  };
}

/** Language and cmdlets are half of what has to be loaded: a prompt stands before. */
async function load(ground: CmdletGround, files: FileAccess, telling: ShellTelling): Promise<ShellEndpoint> {
  const { cmdletCatalogue } = await import('../../cmdlets/index.ts');
  const { openShell } = await import('../shell-session.ts');
  return openShell(cmdletCatalogue(), ground, files, telling);
}
