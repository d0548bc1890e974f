import { csvLine, logHeader, Timestamps } from './csv.ts';
import type { LogParts } from './decision-log.ts';
import type { EventOf } from './events.ts';
import { LineLog, type LogLimits } from './files/line-log.ts';

/** Fields of the protocol logs, in Exchange's order. */
export const protocolFields = [
  'date-time',
  'connector-id',
  'session-id',
  'sequence-number',
  'local-endpoint',
  'remote-endpoint',
  'event',
  'data',
  'context',
] as const;

/** The protocol logs of both directions: the lines of sessions whose connector logs verbosely. */
export class ProtocolLog {
  #receive: LineLog;
  #send: LineLog;
  #timestamps = new Timestamps();
  /** Next sequence number of each open session; dropped when the session says goodbye. */
  #sequence = new Map<string, number>();
  #serverName: string;

  constructor(serverName: string, limits: { receive: LogLimits; send: LogLimits }, parts: LogParts) {
    this.#serverName = serverName;
    this.#receive = new LineLog(limits.receive, {
      ...parts,
      prefix: 'RECV',
      header: logHeader('SMTP Receive Protocol Log', protocolFields),
    });
    this.#send = new LineLog(limits.send, {
      ...parts,
      prefix: 'SEND',
      header: logHeader('SMTP Send Protocol Log', protocolFields),
    });
  }

  get lines(): readonly LineLog[] {
    return [this.#receive, this.#send];
  }

  configure(serverName: string, limits: { receive: LogLimits; send: LogLimits }): void {
    this.#serverName = serverName;
    this.#receive.configure(limits.receive);
    this.#send.configure(limits.send);
  }

  take(event: EventOf<'protocol-line'>): void {
    const sequence = this.#sequence.get(event.session) ?? 0;
    if (event.event === '-') this.#sequence.delete(event.session);
    else this.#sequence.set(event.session, sequence + 1);
    const log = event.direction === 'receive' ? this.#receive : this.#send;
    const connector = event.direction === 'receive' ? `${this.#serverName}\\${event.connector}` : event.connector;
    log.write(
      csvLine([
        this.#timestamps.of(event.at),
        connector,
        event.session,
        String(sequence),
        event.local,
        event.remote,
        event.event,
        event.data,
        event.context,
      ]),
    );
  }
}
