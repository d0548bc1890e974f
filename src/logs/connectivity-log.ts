import { csvLine, logHeader, Timestamps } from './csv.ts';
import type { LogParts } from './decision-log.ts';
import type { DecisionEvent } from './events.ts';
import { LineLog, type LogLimits } from './files/line-log.ts';

/** Fields of the connectivity log, in Exchange's order. */
export const connectivityFields = [
  'date-time',
  'session',
  'source',
  'destination',
  'direction',
  'description',
] as const;

/** The connectivity log: what became of each outgoing connection. */
export class ConnectivityLog {
  #log: LineLog;
  #timestamps = new Timestamps();

  constructor(limits: LogLimits, parts: LogParts) {
    this.#log = new LineLog(limits, {
      ...parts,
      prefix: 'CONNECTLOG',
      header: logHeader('Transport Connectivity Log', connectivityFields),
    });
  }

  get lines(): LineLog {
    return this.#log;
  }

  take(event: DecisionEvent): void {
    if (!this.#log.enabled) return;
    switch (event.kind) {
      case 'connection-opened':
        return this.#write(
          event.at,
          event.session,
          event.hop,
          '+',
          `Established connection to ${event.host} ${event.remote} from ${event.local}`,
        );
      case 'connection-failed':
        return this.#write(
          event.at,
          event.session,
          event.hop,
          '>',
          `Failed connection to ${event.host}: ${event.reason}`,
        );
      case 'connection-closed':
        return this.#write(
          event.at,
          event.session,
          event.hop,
          '-',
          `Messages: ${event.messages} Bytes: ${event.bytes} (${event.host})`,
        );
      default:
    }
  }

  #write(at: number, session: string, destination: string, direction: string, description: string): void {
    this.#log.write(csvLine([this.#timestamps.of(at), session, 'SMTP', destination, direction, description]));
  }
}
