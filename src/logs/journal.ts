import { boundedEvent } from './bounded-event.ts';
import { ConnectivityLog } from './connectivity-log.ts';
import { DecisionLog, type LogParts } from './decision-log.ts';
import type { DecisionEvent, Journal } from './events.ts';
import type { LineLog, LogLimits } from './files/line-log.ts';
import { ProtocolLog } from './protocol-log.ts';
import { TrackingLog, type TrackingSettings } from './tracking-log.ts';

/** Where the logs of a transport server lie and how large they may grow. */
export interface JournalSettings {
  readonly tracking: TrackingSettings;
  readonly receiveProtocol: LogLimits;
  readonly sendProtocol: LogLimits;
  readonly connectivity: LogLimits;
  readonly decisionFolder: string;
}

/** The journal of one process: every decision goes to the logs that show it. */
export class FileJournal implements Journal {
  #tracking: TrackingLog;
  #protocol: ProtocolLog;
  #connectivity: ConnectivityLog;
  #decisions: DecisionLog;
  #listeners = new Set<(event: DecisionEvent) => void>();

  constructor(settings: JournalSettings, parts: LogParts) {
    this.#tracking = new TrackingLog(settings.tracking, parts);
    this.#protocol = new ProtocolLog(settings.tracking.serverName, protocolLimits(settings), parts);
    this.#connectivity = new ConnectivityLog(settings.connectivity, parts);
    this.#decisions = new DecisionLog(settings.decisionFolder, parts);
  }

  emit(decision: DecisionEvent): void {
    const event = boundedEvent(decision);
    if (event.kind === 'protocol-line') this.#protocol.take(event);
    else {
      this.#tracking.take(event);
      this.#connectivity.take(event);
      this.#decisions.take(event);
    }
    for (const listener of this.#listeners) listener(event);
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
    return [this.#tracking.lines, ...this.#protocol.lines, this.#connectivity.lines, ...this.#decisions.lines];
  }
}

function protocolLimits(settings: JournalSettings): { receive: LogLimits; send: LogLimits } {
  return { receive: settings.receiveProtocol, send: settings.sendProtocol };
}
