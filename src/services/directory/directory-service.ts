import { join } from 'node:path';
import { coalesced, FaultList, formatEndpoint, joined, systemClock } from '../../base/index.ts';
import { CertificateStore, keyPassphrase } from '../../certificates/index.ts';
import { SecretBox } from '../../certificates/secrets/index.ts';
import type { StatusReport, WhyRequest } from '../../cli/index.ts';
import { type CmdletEnvironment, cmdletCatalogue, LocalCmdletRunner } from '../../cmdlets/index.ts';
import type { SnapshotPlace } from '../../config/index.ts';
import type { DirectoryStore } from '../../directory/index.ts';
import { DnsClient, systemResolvers } from '../../dns/index.ts';
import { EdgeSide } from '../../edge-sync/index.ts';
import {
  archivedLogs,
  findChains,
  LogArchiver,
  openServiceLog,
  parseQuestion,
  type ServiceLog,
  searchTracking,
} from '../../logs/index.ts';
import {
  acmeAdministration,
  auditWriter,
  cmdletMethods,
  edgeSyncFor,
  FanOutAdministration,
  LdapConfigurationStore,
  type ManagementMethod,
  ManagementServer,
  openAdminAudit,
  prepareManagement,
  tlsReportShelf,
  WorkerCaller,
} from '../../management/index.ts';
import {
  Bus,
  type Channel,
  giveBackWhenIdle,
  lockStateFolder,
  ownMemory,
  prepareStateFolder,
  type StatePaths,
  statePaths,
  type ToProcess,
  type ToSupervisor,
  toProcess,
  toSupervisor,
} from '../../processes/index.ts';
import { openDirectory, placeIn, seedDirectory } from '../../server-state/directory/index.ts';
import {
  decisionFolder,
  FolderTrial,
  holdSnapshots,
  journalSettings,
  QueueHolds,
  trackingFolder,
} from '../../server-state/index.ts';
import type { Service } from '../child-process.ts';
import { ConfigurationFollower } from '../configuration.ts';
import type { ProcessOptions } from '../process-options.ts';
import { AcmeRenewal } from './acme-renewal.ts';
import { CertificateWatch } from './certificate-watch.ts';
import { DirectoryLogon, logonSettings } from './directory-logon.ts';
import { LdapEndpoints } from './ldap-endpoints.ts';
import { LogonService } from './logon-service.ts';
import { PolicyWatch } from './policy-watch.ts';
import { TicketSecret } from './ticket-secret.ts';

/** The first change is in force at once, those that follow it closely after so long. */
const betweenRefreshesMs = 50;
/** Longer than a worker is waited for (the bus: ten seconds): one that hangs is told by name, and the others answer. */
const fanOutMs = 15_000;
/** A run of EdgeSync that was told to end is waited for so long. */
const runEndMs = 5000;
const clock = systemClock;

type SupervisorBus = Bus<ToSupervisor, ToProcess>;

/** This state holds a server of another role than the one that was asked for. */
class RoleError extends Error {
  override readonly name = 'RoleError';
}

/** The parts of the directory process. */
interface Parts {
  readonly paths: StatePaths;
  readonly service: ServiceLog;
  readonly faults: FaultList;
  readonly store: DirectoryStore;
  readonly place: SnapshotPlace;
  readonly configuration: ConfigurationFollower;
  readonly certificates: CertificateStore;
  readonly ldap: LdapEndpoints;
  readonly archiver: LogArchiver;
  readonly lock: Disposable;
  readonly edgeSide: EdgeSide | undefined;
  /** Called when the key of the address hashes changed. */
  readonly keyListeners: Set<() => void>;
}

/** With what runs once the service is open. */
type Serving = Parts & { readonly watch: CertificateWatch };

/** Opens the directory service: it tells the supervisor the bindings, and every process what changed. */
export async function openDirectoryService(
  options: ProcessOptions,
  channel: Channel,
  ended: () => void,
): Promise<Service> {
  const parts = await build(options);
  const { service, store, place, certificates, ldap, archiver } = parts;
  const { log } = service;
  const bus: SupervisorBus = new Bus(channel, { out: toSupervisor, in: toProcess }, (error, name) =>
    log.error({ err: error, message: name }, 'a message between the processes could not be taken or done'),
  );
  const watch = new CertificateWatch({
    clock,
    certificates,
    faults: parts.faults,
    configuration: () => parts.configuration.current,
    warn: (text) => log.warn(text),
  });
  watch.look();
  const policyWatch = new PolicyWatch({
    clock,
    certificates,
    dns: new DnsClient({ resolvers: systemResolvers() }),
    faults: parts.faults,
    configuration: () => parts.configuration.current,
  });
  policyWatch.changed();
  certificates.onChange(() => {
    bus.notify('certificates-changed', undefined);
    watch.look();
    policyWatch.changed();
  });
  certificates.watch((error) => log.error({ err: error }, 'the certificates cannot be read anew: the old ones stay'));
  const tickets = new TicketSecret(clock, (secret) => bus.notify('ticket-secret', secret));
  archiver.start();
  await ldap.listen();
  const client = new LdapConfigurationStore(ldap.socketPath, place.configurationDn, store);
  const auditTrail = openAdminAudit(parts.paths);
  const { methods, renewal, edgeSync } = methodsOf({ ...parts, watch }, bus, client, auditTrail);
  const management = new ManagementServer(methods);
  await management.listen(parts.paths.management);
  tellChanges(parts, bus, () => {
    watch.look();
    policyWatch.changed();
  });
  bus.handle('reopen-logs', () => {
    service.reopen();
    auditTrail.reopen();
  });
  const logons = new LogonService({
    store,
    clock,
    servicesDn: `CN=Services,${place.configurationDn}`,
    rolesDn: `CN=Roles,${place.configurationDn}`,
    organization: new DirectoryLogon({
      clock,
      tls: () => ({ secureContext: certificates.peerContext() }),
      faults: parts.faults,
    }),
    settings: () => logonSettings(parts.configuration.current.server),
    report: (error) => log.error({ err: error }, 'a logon could not be checked'),
  });
  bus.handle('check-logon', (question) => logons.check(question));
  const ending = new AbortController();
  const inside = runInside(edgeSync, log, ending.signal);
  const stop = async (): Promise<void> => {
    ending.abort();
    renewal[Symbol.dispose]();
    watch[Symbol.dispose]();
    policyWatch[Symbol.dispose]();
    tickets[Symbol.dispose]();
    management.close();
    // A source that does not answer must not hold the end up: a run may be cut off anywhere.
    if (inside !== undefined)
      await Promise.race([inside, new Promise((resume) => clock.after(runEndMs, () => resume(undefined)))]);
    await archiver[Symbol.asyncDispose]();
    await client[Symbol.asyncDispose]();
    await ldap[Symbol.asyncDispose]();
    await certificates[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    log.info('the directory stops');
    service.flush();
    parts.lock[Symbol.dispose]();
    ended();
  };
  bus.handle('stop', stop);
  renewal.start();
  giveBackWhenIdle(ownMemory, clock);
  log.info({ usn: store.usn }, 'the directory is ready');
  bus.notify('ready', undefined);
  tellBindings(parts, bus);
  return {
    stop,
    crashed: (error) => {
      log.fatal(error, 'the directory ends by a fault of the program');
      service.flush();
    },
  };
}

/** EdgeSync of a Mailbox server, as long as it runs; undefined on an edge. Never rejects. */
function runInside(
  edgeSync: ReturnType<typeof edgeSyncFor>,
  log: ServiceLog['log'],
  signal: AbortSignal,
): Promise<void> | undefined {
  if (edgeSync.kind !== 'inside') return undefined;
  const lines: Parameters<typeof edgeSync.serve>[0] = {
    info: (facts, text) => log.info(facts, text),
    warn: (facts, text) => log.warn(facts, text),
  };
  return edgeSync.serve(lines, signal).catch((error: unknown) => {
    log.error({ err: error }, 'EdgeSync ended by a fault of the program');
  });
}

async function build(options: ProcessOptions): Promise<Parts> {
  const paths = statePaths(options.state);
  // The folders are made here, by the account that owns them; the lock lives as long as the supervisor.
  prepareStateFolder(paths);
  const lock = lockStateFolder(paths, process.ppid);
  prepareManagement(paths, options.group);
  const service = openServiceLog({ path: join(paths.logs, 'service.log'), process: 'directory' });
  const { log } = service;
  const faults = new FaultList(clock, log);
  const store = await openStore(paths, service);
  await seedDirectory(store, options.role);
  const place = placeIn(store);
  if (place.role !== options.role) {
    throw new RoleError(
      `${paths.root} holds a server of the role ${place.role}: start it with --role ${place.role}, or choose another --state`,
    );
  }
  const configuration = new ConfigurationFollower(holdSnapshots(store), faults);
  const { fqdn } = configuration.current.server;
  const certificates = await CertificateStore.open({ folder: paths.certificates, clock, passphrase: keyPassphrase() });
  await certificates.ensureServerCertificate(fqdn);
  const keyListeners = new Set<() => void>();
  const edgeSide = edgeSideOf({ paths, store, place, certificates, log }, configuration.current.server, keyListeners);
  const ldap = new LdapEndpoints(paths, place, {
    store,
    certificates,
    log,
    faults,
    settings: () => configuration.current.server,
    edgeSide,
  });
  const archiver = new LogArchiver({
    clock,
    faults,
    logs: () => archivedLogs(journalSettings(configuration.current, paths)),
  });
  return {
    paths,
    service,
    faults,
    store,
    place,
    configuration,
    certificates,
    ldap,
    archiver,
    lock,
    edgeSide,
    keyListeners,
  };
}

/** EdgeSync on an edge: its accounts, its lease, the keys it is known by. */
function edgeSideOf(
  {
    paths,
    store,
    place,
    certificates,
    log,
  }: Pick<Parts, 'paths' | 'store' | 'place' | 'certificates'> & Pick<ServiceLog, 'log'>,
  { dn: serverDn, name: serverName }: { readonly dn: string; readonly name: string },
  keyListeners: ReadonlySet<() => void>,
): EdgeSide | undefined {
  if (place.role !== 'EdgeTransport') return undefined;
  return new EdgeSide({
    store,
    certificates,
    secrets: new SecretBox(paths.certificates),
    place: { configurationDn: place.configurationDn, serverDn, serverName },
    folder: paths.edgeSync,
    clock,
    log: { info: (facts, text) => log.info(facts, text), warn: (facts, text) => log.warn(facts, text) },
    keyChanged: () => {
      for (const listener of keyListeners) listener();
    },
    ruleProblem: (rule) => log.warn(rule, 'LDAP rule'),
  });
}

/** A damaged store is a line of the service log as well, before the process ends. */
async function openStore(paths: StatePaths, { log, flush }: ServiceLog): Promise<DirectoryStore> {
  try {
    return await openDirectory(paths, { readOnly: false }, (text) => log.info(text));
  } catch (error) {
    log.fatal((error as Error).message);
    flush();
    throw error;
  }
}

/** Every process reads its configuration anew: while a load runs, for many changes at once. */
function tellChanges(parts: Parts, bus: SupervisorBus, tookUp: () => void): void {
  const { store, place, configuration, service, ldap, keyListeners } = parts;
  const tell = coalesced(betweenRefreshesMs, clock, () => {
    bus.notify('changed', store.usn);
    void ldap.apply();
    if (!configuration.takeUp(store.usn)) return;
    tellBindings(parts, bus);
    tookUp();
    for (const { dn, attribute, reason } of configuration.current.problems) service.log.warn({ dn, attribute }, reason);
  });
  // The workers look at the key when they hear of any change.
  keyListeners.add(tell);
  // Names end with that of their naming context as it is spelled there. What lies elsewhere, recipients as a rule, every process
  // finds in the store itself.
  store.onChange((changes, someLost) => {
    if (someLost || changes.some(({ dn }) => dn.endsWith(place.configurationDn))) tell();
  });
}

/** The endpoints that enabled receive connectors name now, and those of our own MTA-STS policy that none of them has. */
function tellBindings({ configuration }: Parts, bus: SupervisorBus): void {
  const bindings = configuration.current.receiveConnectors
    .filter(({ enabled }) => enabled)
    .flatMap((connector) => connector.bindings.map(({ address, port }) => ({ address, port, use: 'smtp' as const })));
  const policy = configuration.current.server.mtaStsPolicyBindings
    .filter((one) => !bindings.some((other) => formatEndpoint(other) === formatEndpoint(one)))
    .map(({ address, port }) => ({ address, port, use: 'https' as const }));
  bus.notify('bindings', [...bindings, ...policy]);
}

/** The methods of the management endpoint. */
function methodsOf(
  parts: Serving,
  bus: SupervisorBus,
  client: LdapConfigurationStore,
  auditTrail: ReturnType<typeof openAdminAudit>,
): { methods: Record<string, ManagementMethod>; renewal: AcmeRenewal; edgeSync: ReturnType<typeof edgeSyncFor> } {
  const { paths, place, store, configuration, service, certificates } = parts;
  const workers = new WorkerCaller((request) => bus.request('fan-out', request, { timeoutMs: fanOutMs }));
  const transport = new FanOutAdministration(workers, {
    serverName: place.serverName,
    holds: new QueueHolds(paths),
    bindings: async () => (await bus.request('supervisor-status', undefined)).bindings,
  });
  const since = clock.now();
  const catalogue = cmdletCatalogue();
  const secrets = new SecretBox(paths.certificates);
  const edgeSync = edgeSyncFor({ store, paths, place, certificates: parts.certificates });
  const acme = acmeAdministration(paths.certificates);
  const environment: CmdletEnvironment = {
    store: client,
    role: place.role,
    serverName: place.serverName,
    transport,
    auditTrail,
    certificates: async () => certificates,
    dns: new DnsClient({ resolvers: systemResolvers() }),
    seal: (text, purpose) => secrets.seal(text, purpose),
    trackingLog: {
      search: (query, signal) => searchTracking(trackingFolder(configuration.current, paths), query, signal),
    },
    edgeSync,
    folders: new FolderTrial(paths),
    tlsReports: tlsReportShelf(paths),
    acme,
  };
  const audited = auditWriter(auditTrail, { server: place.serverName, via: 'service', who: 'local administrator' });
  const status = joined(() => statusOf(parts, bus, workers, since));
  const runnerFor = (account: string): LocalCmdletRunner =>
    new LocalCmdletRunner(catalogue, environment, {
      audited: (entry) => audited(entry, account),
      fault: (error) => service.log.error({ err: error }, 'a cmdlet failed by a fault of the program'),
    });
  const renewal = new AcmeRenewal({
    orders: () => acme.orders(),
    runner: runnerFor('ACME renewal'),
    clock,
    faults: parts.faults,
    log: service.log,
  });
  const methods: Record<string, ManagementMethod> = {
    status: async function* () {
      const { enabled, recipientValidationEnabled } = configuration.current.recipientFilter;
      const sync =
        edgeSync.kind === 'edge' ? edgeSync.status(enabled && recipientValidationEnabled) : edgeSync.status();
      return { ...(await status()), edgeSync: sync };
    },
    /** A command wrote to the store beside this process: those who follow the changes are told now. */
    'directory-written': async function* (params) {
      const { what } = params as { what: string };
      service.log.info({ operation: what }, 'the directory was written by a command');
      await store.announceOthers();
    },
    'flush-logs': async function* () {
      await workers.ask('flush-logs', undefined);
    },
    /** The decisions, for administrators who may not read the files. */
    why: async function* (params) {
      const { about, most } = params as WhyRequest;
      return await findChains(decisionFolder(paths), parseQuestion(about), most);
    },
    ...cmdletMethods({ serverName: place.serverName, role: place.role }, () => ({
      descriptions: catalogue,
      runnerFor,
    })),
  };
  return { methods, renewal, edgeSync };
}

async function statusOf(
  { place, store, configuration, ldap, faults, watch }: Serving,
  bus: SupervisorBus,
  workers: WorkerCaller,
  since: number,
): Promise<StatusReport> {
  const supervisor = await bus.request('supervisor-status', undefined);
  const answers = await workers.ask('worker-status', undefined);
  return {
    server: place.serverName,
    role: place.role,
    since,
    usn: store.usn,
    ...supervisor,
    configuration: configuration.state,
    ldap: ldap.lines,
    directTrust: configuration.current.internalServers,
    workers: answers.map(({ worker, result, error }) => ({
      ...result,
      worker,
      ...(error === undefined ? {} : { error }),
    })),
    problems: [
      ...configuration.current.problems,
      ...watch.notices
        .filter(({ within }) => within > 7)
        .map(({ thumbprint, text }) => ({ dn: thumbprint, attribute: 'NotAfter', reason: text })),
    ],
    faults: faults.current,
  };
}
