import { existsSync } from 'node:fs';
import type { Fault } from '../base/index.ts';
import { printable, printableJson } from '../base/text/index.ts';
import { ManagementClient, NotPermittedError, NotRunningError } from '../management/client/index.ts';
import { lockHolder, statePaths } from '../processes/state/index.ts';
import { exitStatus, type Terminal } from './parts.ts';

/** What the service says of itself; the directory process puts it together. */
export interface StatusReport {
  readonly server: string;
  readonly role: string;
  readonly since: number;
  readonly pid: number;
  readonly usn: number;
  readonly bindings: readonly { readonly binding: string; readonly use?: string; readonly fault: string }[];
  readonly processes: readonly { readonly name: string; readonly pid: number; readonly restarts: number }[];
  readonly ldap: readonly string[];
  /** Servers of the organization that are trusted by their keys. */
  readonly directTrust?: readonly { readonly name: string; readonly keys: readonly string[] }[];
  readonly workers: readonly WorkerReport[];
  readonly problems: readonly { readonly dn: string; readonly attribute: string; readonly reason: string }[];
  /** Which configuration the directory process itself runs on. */
  readonly configuration?: ConfigurationReport;
  /** Local conditions that refuse or delay mail or lose evidence, of the directory process; those of a worker stand with it. */
  readonly faults?: readonly Fault[];
  readonly edgeSync?: { readonly lines: readonly string[]; readonly faults: readonly string[] };
}

/** The update of the directory that a process runs on, and a newer one that it could not take up. */
export interface ConfigurationReport {
  readonly usn: number;
  readonly refused?: { readonly usn: number; readonly reason: string };
}

export interface WorkerReport {
  readonly worker: string;
  readonly error?: string;
  readonly sessions?: number;
  readonly messages?: number;
  readonly queues?: readonly QueueReport[];
  /** Octets that the process holds itself; what it maps of the spool and the directory is not counted. */
  readonly memory?: number;
  /** False: mail gets 452. */
  readonly accepting?: boolean;
  readonly configuration?: ConfigurationReport;
  readonly resources?: readonly ResourceReport[];
  readonly tlsTroubles?: readonly TlsTroubleReport[];
  readonly faults?: readonly Fault[];
}

/** A destination that TLS keeps mail from. */
export interface TlsTroubleReport {
  readonly destination: string;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly times: number;
}

/** One resource that back pressure watches. */
export interface ResourceReport {
  readonly resource: string;
  readonly level: string;
  /** Per cent, or messages. */
  readonly pressure: number;
}

export interface QueueReport {
  readonly identity: string;
  readonly deliveryType: string;
  readonly status: string;
  readonly messageCount: number;
  readonly nextHopDomain: string;
  readonly lastError: string;
}

/** `edge status`: 0 when all is well, 1 when something needs a look, 2 when nothing runs. */
export async function status(options: { state: string; json: boolean }, terminal: Terminal): Promise<number> {
  const paths = statePaths(options.state);
  if (!existsSync(paths.root)) return notRunning(options, terminal, `there is no state directory ${paths.root}`);
  try {
    using client = await ManagementClient.connect(paths);
    const report = (await client.call('status', undefined)) as StatusReport;
    terminal.out(options.json ? `${printableJson(report, 2)}\n` : renderStatus(report));
    return faults(report).length === 0 ? exitStatus.done : exitStatus.finding;
  } catch (error) {
    if (error instanceof NotPermittedError) return tellNothing(options, terminal, error.message);
    if (!(error instanceof NotRunningError)) throw error;
    const holder = lockHolder(paths);
    const text =
      holder === undefined
        ? `nothing runs on ${paths.root}`
        : `process ${holder} holds ${paths.root} but does not answer yet`;
    return notRunning(options, terminal, text);
  }
}

function notRunning(options: { json: boolean }, terminal: Terminal, text: string): number {
  if (!options.json) return tellNothing(options, terminal, `${text}. Start it with: edge start`);
  terminal.out(`${printableJson({ running: false, reason: text })}\n`);
  return exitStatus.failed;
}

function tellNothing({ json }: { json: boolean }, terminal: Terminal, text: string): number {
  if (json) terminal.out(`${printableJson({ error: text })}\n`);
  else terminal.error(`edge status: ${text}\n`);
  return exitStatus.failed;
}

/** What is wrong, one line each. */
function faults(report: StatusReport): string[] {
  return [
    ...report.bindings.flatMap(({ fault }) => (fault === '' ? [] : [fault])),
    ...report.workers.flatMap(({ worker, error }) => (error === undefined ? [] : [`${worker}: ${error}`])),
    ...(report.faults ?? []).map(({ text }) => text),
    ...(report.edgeSync?.faults ?? []),
    ...report.workers.flatMap(({ worker, faults: own = [] }) => own.map(({ text }) => `${worker}: ${text}`)),
    ...report.problems.map(({ dn, attribute, reason }) => `${dn}: ${attribute}: ${reason}`),
  ];
}

function renderStatus(report: StatusReport): string {
  const lines = [
    `${report.server} (${report.role}), process ${report.pid}, since ${new Date(report.since).toISOString()}`,
  ];
  for (const { binding, use = 'smtp', fault } of report.bindings)
    lines.push(
      `  ${use.padEnd(6)} ${binding}${use === 'https' ? ' (MTA-STS policy)' : ''}${fault === '' ? '' : `  NOT LISTENING`}`,
    );
  for (const address of report.ldap) lines.push(`  ldap   ${address}`);
  for (const line of report.edgeSync?.lines ?? []) lines.push(`  sync   ${line}`);
  for (const { name, keys } of report.directTrust ?? [])
    lines.push(
      `  trust  ${name} ${keys.length === 0 ? 'is not trusted: EdgeSync brought no certificate of it' : `by ${keys.map((key) => `key ${key}`).join(' or ')}`}`,
    );
  lines.push(`  configuration at update ${report.usn}`);
  for (const worker of report.workers) {
    const megabytes = Math.round((worker.memory ?? 0) / 1024 ** 2);
    lines.push(
      `  ${worker.worker}: ${worker.sessions ?? 0} sessions, ${worker.messages ?? 0} messages, ${megabytes} MB held, configuration at update ${worker.configuration?.usn ?? '?'}`,
    );
  }
  for (const { name, restarts } of report.processes)
    if (restarts > 0) lines.push(`  ${name} was started again ${restarts} times`);
  lines.push(`  ${backPressure(report)}`);
  const queues = mergeQueues(report);
  for (const queue of queues) {
    lines.push(
      `  queue  ${queue.nextHopDomain}  ${queue.deliveryType}  ${queue.status}  ${queue.messageCount} messages  ${queue.lastError}`.trimEnd(),
    );
  }
  for (const trouble of tlsTroubles(report)) lines.push(`  TLS    ${trouble}`);
  for (const fault of faults(report)) lines.push(`  FAULT  ${fault}`);
  // Replies of peers and names from the directory stand in these lines.
  return lines.map((line) => `${printable(line)}\n`).join('');
}

/** Destinations that TLS keeps mail from: those of all workers together, each with the first time and the last reason. */
function tlsTroubles({ workers }: StatusReport): string[] {
  const merged = new Map<string, TlsTroubleReport>();
  for (const one of workers.flatMap(({ tlsTroubles: own = [] }) => own)) {
    const other = merged.get(one.destination);
    const since = Math.min(one.since, other?.since ?? one.since);
    merged.set(one.destination, { ...one, since, times: one.times + (other?.times ?? 0) });
  }
  return [...merged.values()].map(
    ({ destination, reason, since, times }) =>
      `${destination} fails since ${new Date(since).toISOString()} (${times} ${times === 1 ? 'time' : 'times'}): ${reason}`,
  );
}

/** The level of back pressure, and what raises it: the worst reading of all workers. */
function backPressure({ workers }: StatusReport): string {
  const raised = new Map<string, ResourceReport>();
  for (const one of workers.flatMap(({ resources = [] }) => resources)) {
    const other = raised.get(one.resource);
    if (one.level !== 'Low' && (other === undefined || one.pressure > other.pressure)) raised.set(one.resource, one);
  }
  if (raised.size === 0) return 'back pressure: Low';
  const texts = [...raised.values()].map(
    ({ resource, level, pressure }) => `${resource} ${level} (${Math.round(pressure)})`,
  );
  return `back pressure: ${texts.join(', ')}`;
}

/** Queues of all workers that lead to the same next hop, together. */
function mergeQueues(report: StatusReport): QueueReport[] {
  const merged = new Map<string, QueueReport>();
  for (const queue of report.workers.flatMap((worker) => worker.queues ?? [])) {
    const key = `${queue.deliveryType} ${queue.nextHopDomain}`;
    const other = merged.get(key);
    merged.set(key, other === undefined ? queue : { ...queue, messageCount: queue.messageCount + other.messageCount });
  }
  return [...merged.values()];
}
