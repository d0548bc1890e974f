/** The logs of a transport server beside those of messages and conversations: agents, queues, resources, routes, DNS, statistics. */
import { csvLine, logHeader, Timestamps } from './csv.ts';
import type { LogParts } from './decision-log.ts';
import { LineLog, type LogLimits } from './files/line-log.ts';

interface RecordShape {
  readonly prefix: string;
  readonly type: string;
  /** Behind the date; the agent log has Exchange's. */
  readonly fields: readonly string[];
}

const shapes = {
  agent: {
    prefix: 'AGENTLOG',
    type: 'Agent Log',
    fields: [
      ...['SessionId', 'LocalEndpoint', 'RemoteEndpoint', 'EnteredOrgFromIP', 'MessageId', 'P1FromAddress'],
      ...['P2FromAddresses', 'Recipient', 'NumRecipients', 'Agent', 'Event', 'Action', 'SmtpResponse', 'Reason'],
    ],
  },
  dns: { prefix: 'DNSLOG', type: 'DNS Log', fields: ['side', 'question', 'outcome', 'milliseconds'] },
  queue: {
    prefix: 'QUEUELOG',
    type: 'Queue Viewer Log',
    fields: [
      ...['worker', 'identity', 'next-hop', 'connector', 'delivery-type', 'status', 'message-count', 'deferred-count'],
      ...['incoming-rate', 'outgoing-rate', 'connections', 'last-error'],
    ],
  },
  resource: {
    prefix: 'RESOURCELOG',
    type: 'Resource Log',
    fields: ['worker', 'resource', 'level', 'previous-level', 'pressure', 'transitions'],
  },
  routing: {
    prefix: 'ROUTINGLOG',
    type: 'Routing Table Log',
    fields: ['worker', 'connector', 'address-space', 'cost', 'next-hop', 'max-message-size'],
  },
  statistics: {
    prefix: 'SERVERSTATS',
    type: 'Server Statistics Log',
    fields: ['worker', 'sessions', 'messages', 'queues', 'memory'],
  },
} as const satisfies Record<string, RecordShape>;

/** Which of the logs. */
export type RecordKind = keyof typeof shapes;
const kinds = Object.keys(shapes) as readonly RecordKind[];

/** Limits of each. */
export type RecordLimits = Readonly<Record<RecordKind, LogLimits>>;

const off: LogLimits = { enabled: false, folder: '', maxAge: 0, maxDirectorySize: 0, maxFileSize: 0 };

/** All of them, of one process. */
export class RecordLogs {
  readonly #logs: ReadonlyMap<RecordKind, LineLog>;
  readonly #timestamps = new Timestamps();

  constructor(limits: RecordLimits | undefined, parts: LogParts) {
    this.#logs = new Map(
      kinds.map((kind) => {
        const { prefix, type, fields } = shapes[kind];
        return [
          kind,
          new LineLog(limits?.[kind] ?? off, { ...parts, prefix, header: logHeader(type, ['date-time', ...fields]) }),
        ];
      }),
    );
  }

  get lines(): readonly LineLog[] {
    return [...this.#logs.values()];
  }

  enabled(kind: RecordKind): boolean {
    return this.#logs.get(kind)?.enabled === true;
  }

  write(kind: RecordKind, at: number, fields: readonly (string | number)[]): void {
    const log = this.#logs.get(kind);
    if (log?.enabled === true) log.write(csvLine([this.#timestamps.of(at), ...fields.map(String)]));
  }

  configure(limits: RecordLimits | undefined): void {
    for (const [kind, log] of this.#logs) log.configure(limits?.[kind] ?? off);
  }
}
