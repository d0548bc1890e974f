import { csvRow, logHeader, Timestamps } from './csv.ts';
import type { LogParts } from './decision-log.ts';
import type { DecisionEvent, EventOf } from './events.ts';
import { LineLog, type LogLimits } from './files/line-log.ts';

/** Fields of the message tracking log, in Exchange's order. */
export const trackingFields = [
  'date-time',
  'client-ip',
  'client-hostname',
  'server-ip',
  'server-hostname',
  'source-context',
  'connector-id',
  'source',
  'event-id',
  'internal-message-id',
  'message-id',
  'network-message-id',
  'recipient-address',
  'recipient-status',
  'total-bytes',
  'recipient-count',
  'related-recipient-address',
  'reference',
  'message-subject',
  'sender-address',
  'return-path',
  'message-info',
  'directionality',
  'tenant-id',
  'original-client-ip',
  'original-server-ip',
  'custom-data',
  'transport-traffic-type',
  'log-id',
  'schema-version',
] as const;

type TrackingField = (typeof trackingFields)[number];
type Row = Partial<Record<TrackingField, string>>;

/** Start of the names of the files, as Exchange has it. */
export const trackingPrefix = 'MSGTRK';

const schemaVersion = '15.01.0.0';

/** What the tracking log must know of its server. */
export interface TrackingSettings {
  readonly limits: LogLimits;
  readonly serverName: string;
  readonly subjectLogging: boolean;
}

/** The message tracking log: one row for each thing that happened to a message. */
export class TrackingLog {
  #log: LineLog;
  #settings: TrackingSettings;
  #timestamps = new Timestamps();

  constructor(settings: TrackingSettings, parts: LogParts) {
    this.#settings = settings;
    this.#log = new LineLog(settings.limits, {
      ...parts,
      prefix: trackingPrefix,
      header: logHeader('Message Tracking Log', trackingFields),
    });
  }

  get lines(): LineLog {
    return this.#log;
  }

  configure(settings: TrackingSettings): void {
    this.#settings = settings;
    this.#log.configure(settings.limits);
  }

  /** Writes the rows of an event; events that tracking does not show are ignored. */
  take(event: DecisionEvent): void {
    if (!this.#log.enabled) return;
    switch (event.kind) {
      case 'message-queued':
        return this.#write(event, this.#received(event));
      case 'delivered':
        return this.#write(event, this.#delivery(event, event.connector === '' ? 'DELIVER' : 'SEND'));
      case 'deferred':
        return this.#write(event, this.#delivery(event, 'DEFER'));
      case 'failed':
        return this.#write(event, this.#delivery(event, 'FAIL'));
      case 'agent-decided':
        // A refusal is told as the failures that it makes.
        return event.action === 'reject' ? undefined : this.#write(event, this.#decided(event));
      default:
    }
  }

  #received(event: EventOf<'message-queued'>): Row {
    const made = event.source === 'DSN';
    return {
      'client-ip': event.clientIp,
      'client-hostname': event.clientName,
      'server-ip': event.serverIp,
      'server-hostname': this.#settings.serverName,
      'source-context': event.session,
      'connector-id': event.connector === '' ? '' : `${this.#settings.serverName}\\${event.connector}`,
      source: event.source,
      'event-id': made ? 'DSN' : 'RECEIVE',
      'message-id': event.messageId,
      'network-message-id': event.guid,
      'recipient-address': listField(event.recipients),
      'total-bytes': String(event.size),
      'recipient-count': String(event.recipients.length),
      reference: event.reference,
      'message-subject': event.subject,
      'sender-address': event.from,
      'return-path': event.from === '' ? '<>' : event.from,
      directionality: made ? 'Originating' : 'Incoming',
      'original-client-ip': event.originalClient ?? event.clientIp,
      'original-server-ip': event.serverIp,
    };
  }

  #decided(event: EventOf<'agent-decided'>): Row {
    return {
      'server-hostname': this.#settings.serverName,
      'source-context': event.agent,
      source: 'AGENT',
      'event-id': event.action === 'discard' ? 'DROP' : 'DEFER',
      'message-id': event.messageId,
      'network-message-id': event.guid,
      'recipient-address': listField(event.recipients),
      'recipient-status': listField(event.recipients.map(() => event.reason)),
      'total-bytes': String(event.size),
      'recipient-count': String(event.recipients.length),
      'message-subject': event.subject,
      'sender-address': event.from,
      'return-path': event.from === '' ? '<>' : event.from,
      directionality: 'Incoming',
    };
  }

  #delivery(event: EventOf<'delivered' | 'deferred' | 'failed'>, id: 'SEND' | 'DELIVER' | 'DEFER' | 'FAIL'): Row {
    const host = hostOf(event.remote);
    return {
      'client-ip': event.local,
      'client-hostname': this.#settings.serverName,
      'server-ip': host.address,
      'server-hostname': host.name,
      'source-context': event.session,
      'connector-id': event.connector,
      source: id === 'DELIVER' ? 'STOREDRIVER' : id === 'SEND' || event.remote !== '' ? 'SMTP' : 'QUEUE',
      'event-id': id,
      'message-id': event.messageId,
      'network-message-id': event.guid,
      'recipient-address': listField(event.recipients),
      'recipient-status': listField(event.replies),
      'total-bytes': String(event.size),
      'recipient-count': String(event.recipients.length),
      'message-subject': event.subject,
      'sender-address': event.from,
      'return-path': event.from === '' ? '<>' : event.from,
      directionality: 'Incoming',
    };
  }

  #write(event: DecisionEvent, row: Row): void {
    row['date-time'] = this.#timestamps.of(event.at);
    row['internal-message-id'] = String(event.message);
    row['schema-version'] = schemaVersion;
    if (!this.#settings.subjectLogging) row['message-subject'] = '';
    this.#log.write(csvRow(trackingFields, row));
  }
}

/** Values joined by semicolons: one in a value (a quoted local part, a peer's words) must not make two of it. */
function listField(values: readonly string[]): string {
  const [only = ''] = values;
  if (values.length === 1 && !only.includes(';')) return only;
  return values.map((value) => value.replaceAll(';', ',')).join(';');
}

/** Of 'name [address]:port'. */
function hostOf(remote: string): { readonly name: string; readonly address: string } {
  const start = remote.indexOf('[');
  const end = remote.indexOf(']', start);
  if (start < 0 || end < 0) return { name: remote, address: '' };
  return { name: remote.slice(0, start).trimEnd(), address: remote.slice(start + 1, end) };
}
