import { join } from 'node:path';
import { PipelineTracing } from '../../agents/index.ts';
import { BackPressure, diskUse, machineReadings } from '../../back-pressure/index.ts';
import { FaultList, SessionIds, systemClock } from '../../base/index.ts';
import { Categorizer, NotificationWriter } from '../../categorizer/index.ts';
import { CertificateStore, keyPassphrase } from '../../certificates/index.ts';
import { RevocationChecker, RevocationFetch } from '../../certificates/revocation/index.ts';
import { SecretBox } from '../../certificates/secrets/index.ts';
import type { Snapshot, SnapshotHolder } from '../../config/index.ts';
import type { DirectoryStore } from '../../directory/store/index.ts';
import { CachedDns, DnsClient, systemResolvers } from '../../dns/index.ts';
import type { RecipientDirectory } from '../../edge-sync/edge/index.ts';
import { FileJournal, openServiceLog, type ServiceLog } from '../../logs/index.ts';
import { MailboxDelivery } from '../../mailbox-transport/index.ts';
import { toWorkers } from '../../management/workers/index.ts';
import { PolicyServer } from '../../mta-sts/index.ts';
import { PickupFolder } from '../../pickup/index.ts';
import {
  Bus,
  type Channel,
  giveBackWhenIdle,
  type LogonOutcome,
  type LogonQuestion,
  ownMemory,
  type StatePaths,
  statePaths,
  toProcess,
  toSupervisor,
} from '../../processes/index.ts';
import { type DeliveryType, LmdbSpool, MessageQueue } from '../../queue/index.ts';
import { openDirectory, placeIn } from '../../server-state/directory/index.ts';
import { holdSnapshots, journalSettings, QueueHolds } from '../../server-state/index.ts';
import { NumberFiles, QueueSink, ReceiveService } from '../../smtp-receive/index.ts';
import type { SmtpSender } from '../../smtp-send/index.ts';
import type { DayCounter, ReportCourier } from '../../tls-reports/index.ts';
import type { Service } from '../child-process.ts';
import { ConfigurationFollower } from '../configuration.ts';
import type { ProcessOptions } from '../process-options.ts';
import { agentsOf, recipientsOf } from './agents.ts';
import { heldMemory } from './held-memory.ts';
import { type AskDirectory, LogonClient } from './logon-client.ts';
import { actOnMessages, actOnQueue, exportMessage } from './queue-actions.ts';
import { queueSettings } from './queue-settings.ts';
import { buildSender } from './sending.ts';
import { StateRecords } from './state-records.ts';
import { dayCounter, reportCourier } from './tls-reports.ts';

/** Sessions that transfer a message may take so long to finish when the service stops, in milliseconds. */
const drainMs = 20_000;
/** Behind guesses the directory waits before it answers. */
const logonMs = 35_000;
const clock = systemClock;
/** What a worker hears, from the supervisor and through it from the directory process. */
const heard = { ...toProcess, ...toWorkers };

/** The parts of a worker. */
interface Parts {
  readonly name: string;
  readonly paths: StatePaths;
  readonly service: ServiceLog;
  readonly faults: FaultList;
  readonly directory: DirectoryStore;
  readonly snapshots: SnapshotHolder;
  readonly journal: FileJournal;
  readonly certificates: CertificateStore;
  readonly spool: LmdbSpool;
  readonly queue: MessageQueue;
  readonly recipients: RecipientDirectory;
  readonly receive: ReceiveService;
  readonly sender: SmtpSender;
  /** Serves our own MTA-STS policy. */
  readonly policy: PolicyServer;
  readonly pressure: BackPressure;
  readonly records: StateRecords;
  /** Pickup and replay, in the first worker only: one of them looks at the folders. */
  readonly folders: readonly PickupFolder[];
  /** How TLS went today. */
  readonly counter: DayCounter;
  /** In the first worker only: one of them sends the reports. */
  readonly reports: ReportCourier | undefined;
}

/** Opens a worker: it takes orders over the channel, and mail on the sockets that come with them. */
export async function openTransportWorker(
  options: ProcessOptions,
  channel: Channel,
  ended: () => void,
): Promise<Service> {
  const logons: { ask?: AskDirectory } = {};
  const parts = await build(options, new LogonClient((question) => askDirectory(logons, question)));
  const { service, queue, journal, snapshots, spool } = parts;
  const { log } = service;
  const bus = new Bus(channel, { out: toSupervisor, in: heard }, (error, name) =>
    log.error({ err: error, message: name }, 'a message between the processes could not be taken or done'),
  );
  logons.ask = (question) => bus.request('check-logon', question, { timeoutMs: logonMs });
  const stop = async (): Promise<void> => {
    await close(parts, AbortSignal.timeout(drainMs));
    ended();
  };
  followConfiguration(parts);
  answerSupervisor(bus, parts);
  answerDirectory(bus, parts);
  bus.handle('stop', stop);
  for (const hop of new QueueHolds(parts.paths).read()) queue.suspendHop(hop);
  await queue.start();
  parts.pressure.start();
  for (const folder of parts.folders) folder.start();
  parts.reports?.start();
  giveBackWhenIdle(ownMemory, clock);
  log.info({ usn: snapshots.current.usn, messages: spool.count }, 'the worker is ready');
  bus.notify('ready', undefined);
  return {
    stop,
    crashed: (error) => {
      queue.noteCrash();
      log.fatal(error, 'the worker ends by a fault of the program');
      service.flush();
      journal.flushNow();
    },
  };
}

/** The bus is made behind the parts that ask through it. */
async function askDirectory({ ask }: { ask?: AskDirectory }, question: LogonQuestion): Promise<LogonOutcome> {
  return ask === undefined ? { kind: 'unavailable', name: '', sids: [] } : await ask(question);
}

async function build(options: ProcessOptions, logons: LogonClient): Promise<Parts> {
  const name = `worker ${options.index}`;
  const paths = statePaths(options.state);
  const service = openServiceLog({ path: join(paths.logs, 'service.log'), process: name });
  const { log } = service;
  const faults = new FaultList(clock, log);
  const directory = await openDirectory(paths, { readOnly: true });
  const snapshots = holdSnapshots(directory);
  const journal = new FileJournal(journalSettings(snapshots.current, paths), { clock, faults });
  const certificates = await CertificateStore.open({ folder: paths.certificates, clock, passphrase: keyPassphrase() });
  const sessionIds = new SessionIds();
  const common = { snapshots, journal, clock };
  const revocation = new RevocationChecker(
    new RevocationFetch({
      dns: new CachedDns(new DnsClient({ resolvers: systemResolvers() }), clock),
      allowed: () => snapshots.current.server.revocationIPRanges,
    }),
    clock,
  );
  const counter = dayCounter({ paths, snapshots, faults, clock }, options.index);
  const { sender, dns } = buildSender({
    ...common,
    policyFile: join(paths.spool, `mta-sts-${options.index}.json`),
    revocation,
    outcomes: counter,
    sessions: sessionIds,
    faults,
    certificates,
    secrets: new SecretBox(paths.certificates),
  });
  const mailboxes = new MailboxDelivery(
    { kind: 'maildir', folder: paths.mailboxes },
    {
      journal,
      sessions: sessionIds,
      clock,
      // The limit of the server, shared out among its workers.
      atOnce: () => Math.ceil(snapshots.current.server.maxConcurrentMailboxDeliveries / options.workers),
    },
  );
  const spool = await LmdbSpool.open({
    path: join(paths.spool, String(options.index)),
    shard: options.index,
    clock,
    faults,
  });
  const tracing = new PipelineTracing({ clock, faults });
  const router = new Categorizer({ ...common, contents: spool, tracing }, placeIn(directory).role);
  const queue: MessageQueue = new MessageQueue({
    spool,
    router,
    deliverers: (type: DeliveryType) => (type === 'SmtpDeliveryToMailbox' ? mailboxes : sender),
    notifier: new NotificationWriter({
      ...common,
      submission: { begin: () => queue.begin() },
      largest: (domain) => router.largest(domain),
      contents: spool,
    }),
    settings: queueSettings(snapshots, options.workers),
    journal,
    clock,
    faults,
  });
  const reports = { ...common, paths, faults, queue, webAddresses: dns.webAddresses };
  const recipients = recipientsOf(directory, snapshots.current, paths, clock);
  const pressure = pressureOf(paths, queue, faults);
  const numbers = NumberFiles.open(join(paths.run, 'counts'), options.index, options.workers);
  const receive = new ReceiveService({
    ...common,
    agents: agentsOf(snapshots, recipients, { clock, faults, paths, tracing }),
    sink: new QueueSink({ ...common, queue }),
    certificates,
    revocation,
    sessionIds,
    logons,
    numbers,
    pressure,
    onFault: (error, session) => log.error({ err: error, session }, 'a session ended by a fault of the program'),
  });
  return {
    name,
    paths,
    service,
    faults,
    directory,
    snapshots,
    journal,
    certificates,
    spool,
    queue,
    receive,
    sender,
    policy: new PolicyServer({ snapshots, certificates, clock }),
    recipients,
    pressure,
    counter,
    reports: options.index === 0 ? reportCourier(reports) : undefined,
    records: new StateRecords({
      journal,
      clock,
      worker: name,
      queue,
      pressure,
      numbers: () => [receive.count, spool.count, heldMemory()],
    }),
    folders: (['pickup', 'replay'] as const)
      .filter(() => options.index === 0)
      .map((kind) => new PickupFolder({ ...common, queue, pressure, faults }, kind)),
  };
}

/** Watches memory, disks and the messages that are not routed yet. */
function pressureOf({ spool, logs }: StatePaths, queue: MessageQueue, faults: FaultList): BackPressure {
  const submissionQueue = (): number =>
    queue.queues().find(({ identity }) => identity === 'Submission')?.messageCount ?? 0;
  return new BackPressure({
    clock,
    faults,
    disks: { spool: diskUse(spool).total, logs: diskUse(logs).total },
    read: () => machineReadings({ spool, logs, heldMemory, submissionQueue }),
  });
}

function followConfiguration({ snapshots, journal, queue, paths, service, records }: Parts): void {
  let routed = snapshots.current;
  records.routes(routed);
  snapshots.onChange((snapshot) => {
    journal.configure(journalSettings(snapshot, paths));
    if (routesDiffer(routed, snapshot)) {
      const changed = changedConnectors(routed, snapshot);
      records.routes(snapshot);
      void queue.reroute().then(() => queue.retryConnectors(changed));
    }
    routed = snapshot;
    for (const { dn, attribute, reason } of snapshot.problems) service.log.warn({ dn, attribute }, reason);
  });
}

type WorkerBus = Bus<typeof toSupervisor, typeof heard>;

function answerSupervisor(bus: WorkerBus, parts: Parts): void {
  const { receive, policy, certificates, service, journal } = parts;
  bus.handle('listen', async (binding, handle) => {
    await (binding.use === 'https' ? policy : receive).serve(handle as object, binding);
  });
  bus.handle('unlisten', (binding) => (binding.use === 'https' ? policy : receive).unserve(binding));
  bus.handle('ticket-secret', (secret) => certificates.shareTickets(Buffer.from(secret, 'base64')));
  bus.handle('certificates-changed', async () => void (await certificates.reload()));
  bus.handle('reopen-logs', () => {
    service.reopen();
    journal.reopen();
  });
}

function answerDirectory(bus: WorkerBus, parts: Parts): void {
  const { queue, spool, receive, journal, snapshots, faults, name, recipients, pressure, sender } = parts;
  const configuration = new ConfigurationFollower(snapshots, faults);
  bus.handle('changed', (usn) => {
    recipients.refresh();
    void configuration.takeUp(usn);
  });
  bus.handle('flush-logs', () => journal.flush());
  bus.handle('worker-status', () => ({
    accepting: spool.accepting,
    sessions: receive.count,
    messages: spool.count,
    memory: heldMemory(),
    configuration: configuration.state,
    queues: queue.queues(),
    resources: pressure.state,
    tlsTroubles: sender.tlsTroubles,
    faults: faults.current,
  }));
  bus.handle('queues', () => queue.queues());
  bus.handle('messages', (filter) => queue.messages(filter));
  bus.handle('queue-action', (request) => actOnQueue(queue, request));
  bus.handle('redirect', (hop) => queue.redirect(hop));
  bus.handle('message-action', (request) => actOnMessages(queue, name, request));
  bus.handle('export-message', (request) => exportMessage(spool, request));
}

/** Whether messages may have to go another way: objects that did not change are the same in both. */
function routesDiffer(before: Snapshot, after: Snapshot): boolean {
  const differ = (one: readonly object[], two: readonly object[]): boolean =>
    one.length !== two.length || one.some((object, i) => object !== two[i]);
  return differ(before.sendConnectors, after.sendConnectors) || differ(before.acceptedDomains, after.acceptedDomains);
}

/** Names of send connectors that are not what they were: another port or smart host may be what their mail waits for. */
function changedConnectors(before: Snapshot, after: Snapshot): ReadonlySet<string> {
  const known = new Set(before.sendConnectors);
  return new Set(after.sendConnectors.filter((connector) => !known.has(connector)).map(({ name }) => name));
}

async function close(parts: Parts, signal: AbortSignal): Promise<void> {
  const { receive, queue, certificates, directory, journal, service, pressure } = parts;
  pressure[Symbol.dispose]();
  parts.records[Symbol.dispose]();
  for (const folder of parts.folders) await folder[Symbol.asyncDispose]();
  await parts.reports?.[Symbol.asyncDispose]();
  await parts.policy[Symbol.asyncDispose]();
  await receive.drain(signal);
  await queue.close(signal);
  await parts.counter.flush();
  await certificates[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
  await journal.close();
  service.log.info('the worker stops');
  service.flush();
}
