/** Writes down how the worker stands, now and then: queues and resources each minute, statistics each quarter of an hour. */
import type { BackPressure } from '../../back-pressure/index.ts';
import type { Clock } from '../../base/index.ts';
import type { Snapshot } from '../../config/index.ts';
import type { FileJournal } from '../../logs/index.ts';
import type { MessageQueue } from '../../queue/index.ts';

export interface StateRecordParts {
  readonly journal: Pick<FileJournal, 'record' | 'records'>;
  readonly clock: Clock;
  readonly worker: string;
  readonly queue: Pick<MessageQueue, 'queues'>;
  readonly pressure: Pick<BackPressure, 'state'>;
  /** Sessions, messages in the spool, octets of memory. */
  readonly numbers: () => readonly [sessions: number, messages: number, memory: number];
}

const minuteMs = 60_000;
/** Minutes between two lines of statistics. */
const statisticsEvery = 15;

export class StateRecords implements Disposable {
  readonly #parts: StateRecordParts;
  #minutes = 0;
  #timer: { cancel(): void };

  constructor(parts: StateRecordParts) {
    this.#parts = parts;
    this.#timer = this.#next();
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  /** The routes in force; written at the start and when they change. */
  routes({ sendConnectors }: Pick<Snapshot, 'sendConnectors'>): void {
    const { journal, clock, worker } = this.#parts;
    for (const connector of sendConnectors.filter(({ enabled }) => enabled)) {
      const hosts = connector.smartHosts.map(String).join(' ');
      for (const { type, address, cost } of connector.addressSpaces) {
        const space = `${type}:${address}`;
        const nextHop = connector.dnsRoutingEnabled ? 'DNS' : hosts;
        journal.record('routing', clock.now(), [
          worker,
          connector.name,
          space,
          cost,
          nextHop,
          connector.maxMessageSize,
        ]);
      }
    }
  }

  #next(): { cancel(): void } {
    return this.#parts.clock.after(minuteMs, () => {
      this.#timer = this.#next();
      this.#write();
    });
  }

  #write(): void {
    const { journal } = this.#parts;
    // What it takes to list them is spent only for a log that is written.
    if (journal.records('queue')) this.#writeQueues();
    if (journal.records('resource')) this.#writeResources();
    if (this.#minutes++ % statisticsEvery === 0 && journal.records('statistics')) this.#writeStatistics();
  }

  #writeQueues(): void {
    const { journal, clock, worker, queue } = this.#parts;
    // An empty queue says nothing that the next line does not say again.
    for (const one of queue.queues().filter(({ messageCount }) => messageCount > 0)) {
      const { identity, nextHopDomain, nextHopConnector, deliveryType, status, messageCount } = one;
      const rates = [one.incomingRate, one.outgoingRate].map((rate) => rate.toFixed(2));
      const who = [worker, identity, nextHopDomain, nextHopConnector, deliveryType, status];
      const more = [one.deferredMessageCount, ...rates, one.connections, one.lastError];
      journal.record('queue', clock.now(), [...who, messageCount, ...more]);
    }
  }

  #writeResources(): void {
    const { journal, clock, worker, pressure } = this.#parts;
    for (const one of pressure.state) {
      const { resource, level, previous, transitions } = one;
      const fields = [worker, resource, level, previous, one.pressure.toFixed(1), transitions];
      journal.record('resource', clock.now(), fields);
    }
  }

  #writeStatistics(): void {
    const { journal, clock, worker, queue, numbers } = this.#parts;
    const [sessions, messages, memory] = numbers();
    journal.record('statistics', clock.now(), [worker, sessions, messages, queue.queues().length, memory]);
  }
}
