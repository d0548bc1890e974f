/** The directory process: owns the store and its LDAP face, the certificates' making, and the management endpoint. */
import { readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { coalesced, FaultList, systemClock } from '../../base/index.ts';
import { CertificateStore } from '../../certificates/index.ts';
import type { StatusReport, WhyRequest, WorkerReport } from '../../cli/index.ts';
import { type CmdletEnvironment, cmdletCatalogue, LocalCmdletRunner } from '../../cmdlets/index.ts';
import { type DirectoryStore, type FaceEvent, LdapServer, StoreError } from '../../directory/index.ts';
import {
  archivedLogs,
  findChains,
  LogArchiver,
  openServiceLog,
  parseQuestion,
  searchTracking,
} from '../../logs/index.ts';
import {
  auditWriter,
  cmdletMethods,
  FanOutAdministration,
  LdapConfigurationStore,
  type ManagementMethod,
  ManagementServer,
  openAdminAudit,
  type WorkerAnswer,
} from '../../management/index.ts';
import {
  type Binding,
  Bus,
  channelToParent,
  dropPrivileges,
  giveBackWhenIdle,
  ownMemory,
  statePaths,
} from '../../processes/index.ts';
import {
  hasReplicationAccount,
  openDirectory,
  placeIn,
  seedDirectory,
  serverObjectIn,
} from '../../server-state/directory/index.ts';
import {
  decisionFolder,
  holdSnapshots,
  journalSettings,
  QueueHolds,
  trackingFolder,
} from '../../server-state/index.ts';
import { processOptions } from '../process-options.ts';
import { LdapListeners } from './ldap-listeners.ts';

/** The first change is in force at once, those that follow it closely after so long. */
const betweenRefreshesMs = 50;

const options = processOptions();
const paths = statePaths(options.state);
const bus = new Bus(channelToParent());
// Compiled code is kept while it still may be written: it saves the next start time and memory.
flushCompileCache();
if (options.account !== undefined) dropPrivileges(options.account);

const clock = systemClock;
const since = clock.now();
const service = openServiceLog({ path: join(paths.logs, 'service.log'), process: 'directory' });
const { log } = service;
const store = await openOrSay();
await seedDirectory(store, options.role);
const place = placeIn(store);
if (place.role !== options.role) {
  throw new Error(
    `${paths.root} holds a server of the role ${place.role}: start it with --role ${place.role}, or choose another --state`,
  );
}
const snapshots = holdSnapshots(store);
const certificates = await CertificateStore.open({ folder: paths.certificates, clock });
await certificates.ensureServerCertificate(snapshots.current.server.fqdn);
certificates.onChange(() => bus.notify('certificates-changed', undefined));
certificates.watch((error) => log.error({ err: error }, 'the certificates cannot be read anew: the old ones stay'));

const faults = new FaultList(clock, log);
const archiver = new LogArchiver({
  clock,
  faults,
  logs: () => archivedLogs(journalSettings(snapshots.current, paths)),
});
archiver.start();

const ldapiPath = join(paths.run, 'ldapi');
const ldap = new LdapServer({
  store,
  log: tellLdap,
  hostName: snapshots.current.server.fqdn,
  version: programVersion(),
  serverDn: serverObjectIn(store, place.configurationDn).dn,
  tls: {
    secureContext: () => {
      const { context } = certificates.pick({ purpose: 'LDAPS', serverFqdn: snapshots.current.server.fqdn });
      if (context === undefined) throw new Error('there is no certificate for LDAPS');
      return context;
    },
  },
});
await ldap.listen({ path: ldapiPath });
const listeners = new LdapListeners({
  listen: (target) => ldap.listen(target),
  settings: () => snapshots.current.server,
  isSubscribed: () => hasReplicationAccount(store, place.configurationDn),
  failed: tellUnheard,
});
await listeners.apply();

const administration = new FanOutAdministration(
  async (name, argument) => (await bus.request('fan-out', { name, argument })) as WorkerAnswer<unknown>[],
  {
    serverName: place.serverName,
    holds: new QueueHolds(paths),
  },
);
const configuration = new LdapConfigurationStore(ldapiPath, place.configurationDn, store);
const auditTrail = openAdminAudit(paths);
const audited = auditWriter(auditTrail, { server: place.serverName, via: 'service', who: 'local administrator' });
const catalogue = cmdletCatalogue();
const environment: CmdletEnvironment = {
  store: configuration,
  role: place.role,
  serverName: place.serverName,
  transport: administration,
  auditTrail,
  trackingLog: {
    search: (query, signal) => searchTracking(trackingFolder(snapshots.current, paths), query, signal),
  },
};
const methods: Record<string, ManagementMethod> = {
  status: async function* () {
    return report();
  },
  /** A command wrote to the store beside this process: those who follow the changes are told now. */
  'directory-written': async function* (params) {
    const { what } = params as { what: string };
    log.info({ operation: what }, 'the directory was written by a command');
    await store.announceOthers();
  },
  'flush-logs': async function* () {
    await bus.request('fan-out', { name: 'flush-logs', argument: undefined });
  },
  /** The decisions, for administrators who may not read the files. */
  why: async function* (params) {
    const { about, most } = params as WhyRequest;
    return await findChains(decisionFolder(paths), parseQuestion(about), most);
  },
  ...cmdletMethods(
    { serverName: place.serverName, role: place.role },
    (account) =>
      new LocalCmdletRunner(catalogue, environment, {
        audited: (entry) => audited(entry, account),
        fault: (error) => log.error({ err: error }, 'a cmdlet failed by a fault of the program'),
      }),
  ),
};
const management = new ManagementServer(methods);
await management.listen(paths.management);

// Every process reads its configuration anew: while a load runs, for many changes at once.
const tellProcesses = coalesced(betweenRefreshesMs, clock, () => {
  bus.notify('changed', store.usn);
  void listeners.apply();
  if (!snapshots.refresh()) return;
  tellBindings();
  for (const { dn, attribute, reason } of snapshots.current.problems) log.warn({ dn, attribute }, reason);
});
// Names end with that of their naming context as it is spelled there. What lies elsewhere, recipients as a rule, every process
// finds in the store itself.
store.onChange((changes, someLost) => {
  if (someLost || changes.some(({ dn }) => dn.endsWith(place.configurationDn))) tellProcesses();
});
bus.handle('reopen-logs', () => {
  service.reopen();
  auditTrail.reopen();
});
bus.handle('stop', stop);
process.on('disconnect', () => process.exit(1));
process.on('uncaughtExceptionMonitor', (error) => {
  log.fatal(error, 'the directory ends by a fault of the program');
  service.flush();
});
giveBackWhenIdle(ownMemory, clock);
log.info({ usn: store.usn }, 'the directory is ready');
bus.notify('ready', undefined);
tellBindings();

/** The endpoints that enabled receive connectors name now. */
function tellBindings(): void {
  const bindings: Binding[] = snapshots.current.receiveConnectors
    .filter(({ enabled }) => enabled)
    .flatMap((connector) => connector.bindings.map(({ address, port }) => ({ address, port })));
  bus.notify('bindings', bindings);
}

function programVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** A damaged store is told in one line with what to do, not as a fault of the program. */
async function openOrSay(): Promise<DirectoryStore> {
  try {
    return await openDirectory(paths, { readOnly: false });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    log.fatal(error.message);
    service.flush();
    process.stderr.write(`edge: ${error.message}\n`);
    process.exit(2);
  }
}

/** Mail does not depend on it, and the local socket still answers: say so and go on. */
function tellUnheard(endpoint: string, error: Error | undefined): void {
  const name = `LDAP ${endpoint}`;
  if (error === undefined) return faults.end(name);
  faults.begin(name, `${endpoint} cannot be listened on: ${error.message}`);
  process.stderr.write(`edge: ${endpoint} cannot be listened on: ${error.message}\n`);
}

function tellLdap(event: FaceEvent): void {
  if (event.kind === 'fault')
    log.error({ err: event.error, connection: event.connection }, 'LDAP: fault of the program');
  else if (['bind', 'write', 'refused', 'omitted'].includes(event.kind)) log.info(event, `LDAP ${event.kind}`);
  else log.debug(event, `LDAP ${event.kind}`);
}

async function report(): Promise<StatusReport> {
  const supervisor = (await bus.request('supervisor-status', undefined)) as Pick<
    StatusReport,
    'pid' | 'bindings' | 'processes'
  >;
  const answers = (await bus.request('fan-out', {
    name: 'worker-status',
    argument: undefined,
  })) as WorkerAnswer<WorkerReport>[];
  return {
    server: place.serverName,
    role: place.role,
    since,
    usn: store.usn,
    ...supervisor,
    ldap: listeners.lines,
    workers: answers.map(({ worker, result, error }) => ({
      ...result,
      worker,
      ...(error === undefined ? {} : { error }),
    })),
    problems: snapshots.current.problems,
    faults: faults.current,
  };
}

async function stop(): Promise<void> {
  management.close();
  await archiver[Symbol.asyncDispose]();
  await configuration[Symbol.asyncDispose]();
  await ldap.close();
  await certificates[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  log.info('the directory stops');
  service.flush();
  process.exit(0);
}
