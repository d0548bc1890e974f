import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseCsvLine } from './csv.ts';
import { trackingFields } from './tracking-log.ts';

/** What to look for; an absent field matches everything. Texts match whole and without regard to case. */
export interface TrackingQuestion {
  readonly start?: Date;
  readonly end?: Date;
  readonly eventId?: string;
  readonly source?: string;
  readonly sender?: string;
  /** One of these is among the recipients. */
  readonly recipients?: readonly string[];
  readonly messageId?: string;
  readonly internalMessageId?: string;
  readonly networkMessageId?: string;
  /** Contained in the subject. */
  readonly messageSubject?: string;
  readonly reference?: string;
  readonly transportTrafficType?: string;
}

type Row = Readonly<Record<(typeof trackingFields)[number], string>>;

/** Fields of a row as Get-MessageTrackingLog names them, in its order. */
const shown: readonly (readonly [name: string, value: (row: Row) => unknown])[] = [
  ['Timestamp', (row) => new Date(row['date-time'])],
  ['ClientIp', (row) => row['client-ip']],
  ['ClientHostname', (row) => row['client-hostname']],
  ['ServerIp', (row) => row['server-ip']],
  ['ServerHostname', (row) => row['server-hostname']],
  ['SourceContext', (row) => row['source-context']],
  ['ConnectorId', (row) => row['connector-id']],
  ['Source', (row) => row['source']],
  ['EventId', (row) => row['event-id']],
  ['InternalMessageId', (row) => row['internal-message-id']],
  ['MessageId', (row) => row['message-id']],
  ['NetworkMessageId', (row) => row['network-message-id']],
  ['Recipients', (row) => listOf(row['recipient-address'])],
  ['RecipientStatus', (row) => listOf(row['recipient-status'])],
  ['TotalBytes', (row) => Number(row['total-bytes'])],
  ['RecipientCount', (row) => Number(row['recipient-count'])],
  ['RelatedRecipientAddress', (row) => row['related-recipient-address']],
  ['Reference', (row) => listOf(row['reference'])],
  ['MessageSubject', (row) => row['message-subject']],
  ['Sender', (row) => row['sender-address']],
  ['ReturnPath', (row) => row['return-path']],
  ['Directionality', (row) => row['directionality']],
  ['OriginalClientIp', (row) => row['original-client-ip']],
  ['MessageInfo', (row) => row['message-info']],
  ['EventData', (row) => listOf(row['custom-data'])],
  ['TransportTrafficType', (row) => row['transport-traffic-type']],
  ['SchemaVersion', (row) => row['schema-version']],
];

const listOf = (text: string): string[] => (text === '' ? [] : text.split(';'));

/** Rows of the message tracking log that answer the question, oldest first, as named values. */
export async function* searchTracking(
  folder: string,
  question: TrackingQuestion,
  signal: AbortSignal,
): AsyncGenerator<readonly (readonly [name: string, value: unknown])[]> {
  const matches = matcherOf(question);
  for (const name of filesOf(folder)) {
    for await (const line of createInterface({ input: createReadStream(join(folder, name)), crlfDelay: Infinity })) {
      if (signal.aborted) return;
      if (line === '' || line.startsWith('#')) continue;
      const values = parseCsvLine(line);
      const row = Object.fromEntries(trackingFields.map((field, i) => [field, values[i] ?? ''])) as Row;
      if (matches(row)) yield shown.map(([property, value]) => [property, value(row)] as const);
    }
  }
}

function matcherOf(question: TrackingQuestion): (row: Row) => boolean {
  const whole = (field: keyof Row, wanted: string | undefined): ((row: Row) => boolean) | undefined => {
    const text = wanted?.toLowerCase();
    return text === undefined ? undefined : (row) => row[field].toLowerCase() === text;
  };
  const { start, end, messageSubject, recipients } = question;
  const addresses = recipients?.map((address) => address.toLowerCase());
  const subject = messageSubject?.toLowerCase();
  const tests = [
    whole('event-id', question.eventId),
    whole('source', question.source),
    whole('sender-address', question.sender),
    whole('message-id', question.messageId),
    whole('internal-message-id', question.internalMessageId),
    whole('network-message-id', question.networkMessageId),
    whole('reference', question.reference),
    whole('transport-traffic-type', question.transportTrafficType),
    start && ((row: Row) => row['date-time'] >= start.toISOString()),
    end && ((row: Row) => row['date-time'] <= end.toISOString()),
    subject === undefined ? undefined : (row: Row) => row['message-subject'].toLowerCase().includes(subject),
    addresses && ((row: Row) => listOf(row['recipient-address'].toLowerCase()).some((one) => addresses.includes(one))),
  ].filter((one) => one !== undefined);
  return (row) => tests.every((test) => test(row));
}

function filesOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const key = (name: string): string =>
    name.replace(/-(\d+)\.LOG$/, (_, number: string) => `-${number.padStart(9, '0')}`);
  return readdirSync(folder)
    .filter((name) => /^MSGTRK\d{10}-\d+\.LOG$/.test(name))
    .sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
