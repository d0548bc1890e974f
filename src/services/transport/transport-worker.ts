/** One transport worker: receives, keeps and delivers the messages of its own spool shard. */
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { FaultList, SessionIds, systemClock } from '../../base/index.ts';
import { Categorizer, NotificationWriter } from '../../categorizer/index.ts';
import { CertificateStore } from '../../certificates/index.ts';
import type { Snapshot } from '../../config/index.ts';
import { FileJournal, openServiceLog } from '../../logs/index.ts';
import { MailboxDelivery } from '../../mailbox-transport/index.ts';
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
  type DeliveryType,
  LmdbSpool,
  type MessageFilter,
  MessageQueue,
  type NextHop,
  type QueueSettings,
} from '../../queue/index.ts';
import { openDirectory, placeIn } from '../../server-state/directory/index.ts';
import { holdSnapshots, journalSettings, QueueHolds } from '../../server-state/index.ts';
import { QueueSink, ReceiveService } from '../../smtp-receive/index.ts';
import { NodeResolver, SmtpSender } from '../../smtp-send/index.ts';
import { processOptions } from '../process-options.ts';
import { heldMemory } from './held-memory.ts';
import { actOnMessages, actOnQueue, exportMessage, type MessageRequest, type QueueRequest } from './queue-actions.ts';

/** Sessions that transfer a message may take so long to finish when the service stops, in milliseconds. */
const drainMs = 20_000;

const options = processOptions();
const paths = statePaths(options.state);
const bus = new Bus(channelToParent());
// Compiled code is kept while it still may be written: it saves the next start time and memory.
flushCompileCache();
if (options.account !== undefined) dropPrivileges(options.account);

const name = `worker ${options.index}`;
const clock = systemClock;
const service = openServiceLog({ path: join(paths.logs, 'service.log'), process: name });
const { log } = service;
const directory = await openDirectory(paths, { readOnly: true });
const snapshots = holdSnapshots(directory);
const faults = new FaultList(clock, log);
const journal = new FileJournal(journalSettings(snapshots.current, paths), { clock, faults });
const certificates = await CertificateStore.open({ folder: paths.certificates, clock });
const sessionIds = new SessionIds();

/** Limits of the whole server are shared out among the workers. */
function settings(): QueueSettings {
  const share = (limit: number): number => Math.max(1, Math.ceil(limit / options.workers));
  const { server } = snapshots.current;
  return {
    ...server,
    maxOutboundConnections: share(server.maxOutboundConnections),
    maxPerDomainOutboundConnections: share(server.maxPerDomainOutboundConnections),
  };
}

const sender = new SmtpSender({ snapshots, resolver: new NodeResolver(), journal, sessions: sessionIds, clock });
const mailboxes = new MailboxDelivery(
  { kind: 'maildir', folder: paths.mailboxes },
  { journal, sessions: sessionIds, clock },
);
const spool = await LmdbSpool.open({
  path: join(paths.spool, String(options.index)),
  shard: options.index,
  clock,
  faults,
});
const router = new Categorizer({ snapshots, journal, clock }, placeIn(directory).role);
const queue: MessageQueue = new MessageQueue({
  spool,
  router,
  deliverers: (type: DeliveryType) => (type === 'SmtpDeliveryToMailbox' ? mailboxes : sender),
  notifier: new NotificationWriter({
    submission: { begin: () => queue.begin() },
    largest: (domain) => router.largest(domain),
    contents: spool,
    snapshots,
    journal,
    clock,
  }),
  settings,
  journal,
  clock,
  faults,
});
const receive = new ReceiveService({
  snapshots,
  sink: new QueueSink({ queue, snapshots, journal, clock }),
  journal,
  certificates,
  clock,
  sessionIds,
  onFault: (error, session) => log.error({ err: error, session }, 'a session ended by a fault of the program'),
});

let routed = snapshots.current;
snapshots.onChange((snapshot) => {
  journal.configure(journalSettings(snapshot, paths));
  if (routesDiffer(routed, snapshot)) {
    const changed = changedConnectors(routed, snapshot);
    void queue.reroute().then(() => queue.retryConnectors(changed));
  }
  routed = snapshot;
  for (const { dn, attribute, reason } of snapshot.problems) log.warn({ dn, attribute }, reason);
});

bus.handle('listen', async (binding, handle) => {
  await receive.serve(handle as object, binding as Binding);
});
bus.handle('unlisten', (binding) => receive.unserve(binding as Binding));
bus.handle('changed', () => {
  try {
    snapshots.refresh();
    faults.end('configuration');
  } catch (error) {
    const { usn } = snapshots.current;
    faults.begin('configuration', `${name} stays on the configuration of update ${usn}: ${(error as Error).message}`);
    throw error;
  }
});
bus.handle('certificates-changed', () => certificates.reload());
bus.handle('reopen-logs', () => {
  service.reopen();
  journal.reopen();
});
bus.handle('flush-logs', () => journal.flush());
bus.handle('worker-status', () => ({
  accepting: spool.accepting,
  sessions: receive.count,
  messages: spool.count,
  usn: snapshots.current.usn,
  memory: heldMemory(),
  queues: queue.queues(),
  faults: faults.current,
}));
bus.handle('queues', () => queue.queues());
bus.handle('messages', (filter) => queue.messages(filter as MessageFilter));
bus.handle('queue-action', (request) => actOnQueue(queue, request as QueueRequest));
bus.handle('redirect', (hop) => queue.redirect(hop as NextHop));
bus.handle('message-action', (request) => actOnMessages(queue, name, request as MessageRequest));
bus.handle('export-message', (request) => exportMessage(spool, (request as { id: number }).id));
bus.handle('stop', () => stop(AbortSignal.timeout(drainMs)));
// Without its supervisor a worker must not go on: another one may take over its shard.
process.on('disconnect', () => process.exit(1));
process.on('uncaughtExceptionMonitor', (error) => {
  queue.noteCrash();
  log.fatal(error, 'the worker ends by a fault of the program');
  service.flush();
  journal.flushNow();
});

for (const hop of new QueueHolds(paths).read()) queue.suspendHop(hop);
await queue.start();
giveBackWhenIdle(ownMemory, clock);
log.info({ usn: snapshots.current.usn, messages: spool.count }, 'the worker is ready');
bus.notify('ready', undefined);

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

async function stop(signal: AbortSignal): Promise<void> {
  await receive.drain(signal);
  await queue.close(signal);
  await certificates[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
  await journal.close();
  log.info('the worker stops');
  service.flush();
  process.exit(0);
}
