import { boundedEvent } from './bounded-event.ts';
import { ConnectivityLog } from './connectivity-log.ts';
import { DecisionLog, type LogParts } from './decision-log.ts';
import type { DecisionEvent, EventOf, Journal } from './events.ts';
import type { LineLog, LogLimits } from './files/line-log.ts';
import { ProtocolLog } from './protocol-log.ts';
import { type RecordKind, type RecordLimits, RecordLogs } from './record-logs.ts';
import { TrackingLog, type TrackingSettings } from './tracking-log.ts';

/** Where the logs of a transport server lie and how large they may grow. */
export interface JournalSettings {
  readonly tracking: TrackingSettings;
  readonly receiveProtocol: LogLimits;
  readonly sendProtocol: LogLimits;
  readonly connectivity: LogLimits;
  /** Absent: none of the other logs is written. */
  readonly records?: RecordLimits;
  readonly decisionFolder: string;
}

/** The journal of one process: every decision goes to the logs that show it. */
export class FileJournal implements Journal {
  #tracking: TrackingLog;
  #protocol: ProtocolLog;
  #connectivity: ConnectivityLog;
  #decisions: DecisionLog;
  readonly #records: RecordLogs;
  #listeners = new Set<(event: DecisionEvent) => void>();

  constructor(settings: JournalSettings, parts: LogParts) {
    this.#tracking = new TrackingLog(settings.tracking, parts);
    this.#protocol = new ProtocolLog(settings.tracking.serverName, protocolLimits(settings), parts);
    this.#connectivity = new ConnectivityLog(settings.connectivity, parts);
    this.#decisions = new DecisionLog(settings.decisionFolder, parts);
    this.#records = new RecordLogs(settings.records, parts);
  }

  emit(decision: DecisionEvent): void {
    const event = boundedEvent(decision);
    if (event.kind === 'protocol-line') this.#protocol.take(event);
    else if (event.kind === 'agent-acted') this.#records.write('agent', event.at, agentFields(event));
    else {
      this.#tracking.take(event);
      this.#connectivity.take(event);
      this.#decisions.take(event);
    }
    for (const listener of this.#listeners) listener(event);
  }

  /** A line of one of the other logs. */
  record(kind: RecordKind, at: number, fields: readonly (string | number)[]): void {
    this.#records.write(kind, at, fields);
  }

  /** Whether anybody reads such lines: what is costly to find need not be found. */
  records(kind: RecordKind): boolean {
    return this.#records.enabled(kind);
  }

  /** Hears every event from now on, as it happens. The returned value ends it. */
  listen(listener: (event: DecisionEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** New bounds are in force at once. */
  configure(settings: JournalSettings): void {
    this.#tracking.configure(settings.tracking);
    this.#protocol.configure(settings.tracking.serverName, protocolLimits(settings));
    this.#connectivity.lines.configure(settings.connectivity);
    this.#records.configure(settings.records);
  }

  /** Opens every file anew (SIGHUP). */
  reopen(): void {
    for (const log of this.#logs()) log.reopen();
  }

  /** Writes out what waits, so that a reader sees it. Resolves after five seconds at the latest. */
  async flush(): Promise<void> {
    this.#decisions.release();
    await Promise.all(this.#logs().map((log) => log.flush()));
  }

  /** For a process that breaks down: writes what it can before it returns. Never throws. */
  flushNow(): void {
    this.#decisions.release();
    for (const log of this.#logs()) log.flushNow();
  }

  async close(): Promise<void> {
    this.#decisions.release();
    await Promise.all(this.#logs().map((log) => log.close()));
  }

  #logs(): LineLog[] {
    const { lines } = this.#records;
    return [
      this.#tracking.lines,
      ...this.#protocol.lines,
      this.#connectivity.lines,
      ...this.#decisions.lines,
      ...lines,
    ];
  }
}

function protocolLimits(settings: JournalSettings): { receive: LogLimits; send: LogLimits } {
  return { receive: settings.receiveProtocol, send: settings.sendProtocol };
}

/** In the order of Exchange's agent log. */
function agentFields(event: EventOf<'agent-acted'>): readonly (string | number)[] {
  const { session, local, remote, from, recipient, recipients, agent, on, action, reply, reason } = event;
  const entered = remote.replace(/:\d+$/, '');
  return [session, local, remote, entered, '', from, '', recipient, recipients, agent, on, action, reply, reason];
}
