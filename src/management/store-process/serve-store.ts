/** Serves the cmdlets of a stopped state to the process that forked this one. */
import type { CertificateStore } from '../../certificates/index.ts';
import { SecretBox } from '../../certificates/secrets/index.ts';
import type { CmdletEnvironment, ServiceFolders, TrackingLog } from '../../cmdlets/index.ts';
import type { ServerRole } from '../../config/index.ts';
import type { DirectoryStore } from '../../directory/store/index.ts';
import { lockStateFolder, prepareStateFolder, type StatePaths, statePaths } from '../../processes/state/index.ts';
import { isReplicatedInto, openDirectory, placeIn, seedDirectory } from '../../server-state/directory/index.ts';
import { acmeAdministration } from '../acme-administration.ts';
import { auditWriter, openAdminAudit } from '../audit/admin-audit.ts';
import { cmdletMethods } from '../cmdlet-methods.ts';
import { lazyEdgeSync } from '../lazy-edge-sync.ts';
import type { Caller, ManagementMethod } from '../management-server.ts';
import type { Answer, Request } from '../management-wire.ts';
import { tlsReportShelf } from '../tls-report-shelf.ts';
import { DirectConfigurationStore } from './direct-configuration-store.ts';

/** What the process is started with. */
interface StoreArguments {
  readonly state: string;
  readonly role: ServerRole;
  /** Who asks: this process may be another account's, the owner of the state. */
  readonly account: string;
}

/** Opens the store that the first argument names, says so, and serves until the other process leaves. */
export async function serveStore(args: readonly string[]): Promise<void> {
  const send = (answer: Answer): void => {
    if (process.connected) process.send?.(answer);
  };
  try {
    const { state, role, account } = JSON.parse(args[0] ?? '') as StoreArguments;
    const { methods, close } = await openStore(statePaths(state), role, account);
    const caller = new StoreConnection(methods, account, send);
    process.on('message', (request) => void caller.take(request as Request));
    process.on('disconnect', () => void close().finally(() => process.exit(0)));
    send({ id: 0, end: null });
  } catch (error) {
    process.send?.({ id: 0, error: (error as Error).message }, () => process.exit(2));
  }
}

interface OpenStore {
  readonly methods: Readonly<Record<string, ManagementMethod>>;
  close(): Promise<void>;
}

async function openStore(paths: StatePaths, role: ServerRole, account: string): Promise<OpenStore> {
  prepareStateFolder(paths);
  const lock = lockStateFolder(paths);
  const store = await openDirectory(paths, { readOnly: false });
  // An empty one becomes that of a new server.
  await seedDirectory(store, role);
  const place = placeIn(store);
  const auditTrail = openAdminAudit(paths);
  const secrets = new SecretBox(paths.certificates);
  const certificates = once(() => openCertificates(store, paths));
  const environment: CmdletEnvironment = {
    store: new DirectConfigurationStore(store, place.configurationDn),
    role: place.role,
    serverName: place.serverName,
    transport: undefined,
    auditTrail,
    trackingLog: trackingLogOf(store, paths),
    seal: (text: string, purpose: string) => secrets.seal(text, purpose),
    certificates,
    edgeSync: lazyEdgeSync(
      place.role,
      once(async () => {
        const { edgeSyncFor } = await import('../edge-sync-for.ts');
        return edgeSyncFor({ store, paths, place, certificates: await certificates() });
      }),
      () => isReplicatedInto(store, place.configurationDn),
    ),
    folders: foldersOf(paths),
    tlsReports: tlsReportShelf(paths),
    acme: acmeAdministration(paths.certificates),
  };
  const write = auditWriter(auditTrail, { server: place.serverName, via: 'store', who: account });
  // Loaded behind the answer that the store is open: a prompt does not wait for them.
  const cmdlets = once(async () => {
    const { cmdletCatalogue, LocalCmdletRunner } = await import('../../cmdlets/index.ts');
    const catalogue = cmdletCatalogue();
    return {
      descriptions: catalogue,
      runnerFor: (account: string) =>
        new LocalCmdletRunner(catalogue, environment, { audited: (entry) => write(entry, account) }),
    };
  });
  return {
    methods: cmdletMethods({ serverName: place.serverName, role: place.role }, cmdlets),
    async close() {
      auditTrail.close();
      await store[Symbol.asyncDispose]();
      lock[Symbol.dispose]();
    },
  };
}

/** The same value each time. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** As the service opens it, with the certificates that a new server makes for itself. */
async function openCertificates(store: DirectoryStore, paths: StatePaths): Promise<CertificateStore> {
  const { CertificateStore, keyPassphrase } = await import('../../certificates/index.ts');
  const { systemClock } = await import('../../base/index.ts');
  const options = { folder: paths.certificates, clock: systemClock, passphrase: keyPassphrase() };
  const certificates = await CertificateStore.open(options);
  const { holdSnapshots } = await import('../../server-state/index.ts');
  await certificates.ensureServerCertificate(holdSnapshots(store).current.server.fqdn);
  return certificates;
}

/** The log that the service wrote while it ran. What reads it is loaded when somebody asks. */
function trackingLogOf(store: DirectoryStore, paths: StatePaths): TrackingLog {
  return {
    async *search(query, signal) {
      const { searchTracking } = await import('../../logs/index.ts');
      const { holdSnapshots, trackingFolder } = await import('../../server-state/index.ts');
      yield* searchTracking(trackingFolder(holdSnapshots(store).current, paths), query, signal);
    },
  };
}

/** The store is opened by the account that owns it, which is the one that the service runs as. */
function foldersOf(paths: StatePaths): ServiceFolders {
  return {
    async refusal(path) {
      const { FolderTrial } = await import('../../server-state/index.ts');
      return await new FolderTrial(paths).refusal(path);
    },
  };
}

/** The calls of the process that forked this one. */
class StoreConnection {
  readonly #methods: Readonly<Record<string, ManagementMethod>>;
  readonly #send: (answer: Answer) => void;
  readonly #running = new Map<number, AbortController>();
  readonly #caller: Caller;

  constructor(methods: Readonly<Record<string, ManagementMethod>>, account: string, send: (answer: Answer) => void) {
    this.#caller = { uid: process.getuid?.() ?? 0, name: account };
    this.#methods = methods;
    this.#send = send;
  }

  async take({ id, cancel, method: name, params }: Request): Promise<void> {
    if (cancel !== undefined) return this.#running.get(cancel)?.abort();
    const abort = new AbortController();
    this.#running.set(id, abort);
    try {
      const method = Object.hasOwn(this.#methods, name) ? this.#methods[name] : undefined;
      if (method === undefined) throw new Error(`there is no method '${name}'`);
      const answer = method(params, abort.signal, this.#caller);
      for (;;) {
        const { done, value } = await answer.next();
        this.#send(done ? { id, end: value ?? null } : { id, part: value });
        if (done) return;
      }
    } catch (error) {
      this.#send({ id, error: error instanceof Error ? error.message : String(error) });
    } finally {
      this.#running.delete(id);
    }
  }
}
