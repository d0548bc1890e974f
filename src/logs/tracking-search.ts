import { cut } from './bounded-event.ts';
import { parseCsvLine } from './csv.ts';
import { mayHoldAny } from './files/log-archive.ts';
import { hourOf, type LogFile, listLogFiles } from './files/log-files.ts';
import { linesOf, readBlocks } from './files/log-reader.ts';
import { addressTerms, bare, canonicalAddress, folded, spellings, summaryTerm } from './files/search-terms.ts';
import { trackingFields, trackingPrefix } from './tracking-log.ts';

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
  const wanted = wantedTexts(question);
  for (const file of listLogFiles(folder, trackingPrefix)) {
    if (signal.aborted) return;
    if (isOutside(file, question) || !(await mayHoldAll(file, wanted))) continue;
    for await (const block of readBlocks(file)) {
      if (signal.aborted) return;
      const text = wanted.length === 0 ? '' : folded(block);
      if (!wanted.every((texts) => texts.some((one) => text.includes(one)))) continue;
      for (const line of linesOf(block)) {
        if (line === '' || line.startsWith('#')) continue;
        const values = parseCsvLine(line);
        const row = Object.fromEntries(trackingFields.map((field, i) => [field, values[i] ?? ''])) as Row;
        if (matches(row)) yield shown.map(([property, value]) => [property, value(row)] as const);
      }
    }
  }
}

/** Texts that a file must hold, each in one of several spellings, folded. */
function wantedTexts({
  sender,
  recipients,
  messageId,
  internalMessageId,
  networkMessageId,
}: TrackingQuestion): string[][] {
  const each = [sender, messageId && cut(messageId), internalMessageId, networkMessageId].filter(
    (one) => one !== undefined && one !== '',
  );
  const wanted = each.map((one) => spellings(folded(one ?? '')).slice());
  return recipients === undefined ? wanted : [...wanted, recipients.flatMap((one) => [...spellings(folded(one))])];
}

async function mayHoldAll(file: LogFile, wanted: readonly (readonly string[])[]): Promise<boolean> {
  for (const texts of wanted) {
    const terms = texts.map((text) => summaryTerm(bare(text)));
    if (terms.every((term) => term !== undefined) && !(await mayHoldAny(file, terms))) return false;
  }
  return true;
}

/** A file holds what was written in its hour; events are written at most some minutes after they happened. */
function isOutside({ hour }: LogFile, { start, end }: TrackingQuestion): boolean {
  if (end !== undefined && hour > hourOf(end.getTime() + hourMs)) return true;
  return start !== undefined && hour < hourOf(start.getTime());
}

const hourMs = 3_600_000;

/** By what the rows of a tracking file may be asked for. */
export function* trackingTerms(text: string): Generator<string, void> {
  for (const line of linesOf(text)) {
    if (line.startsWith('#')) continue;
    const values = parseCsvLine(line);
    for (const field of idFields) {
      const value = values[field];
      if (value !== undefined && value !== '') yield folded(value);
    }
  }
  yield* addressTerms(folded(text));
}

const idFields = (['source-context', 'internal-message-id', 'network-message-id'] as const).map((name) =>
  trackingFields.indexOf(name),
);

function matcherOf(question: TrackingQuestion): (row: Row) => boolean {
  const whole = (
    field: keyof Row,
    wanted: string | undefined,
    form: (text: string) => string = folded,
  ): ((row: Row) => boolean) | undefined => {
    const text = wanted === undefined ? undefined : form(wanted);
    return text === undefined ? undefined : (row) => form(row[field]) === text;
  };
  const { start, end, messageSubject, recipients } = question;
  const addresses = recipients?.map(canonicalAddress);
  const subject = messageSubject === undefined ? undefined : folded(messageSubject);
  const tests = [
    whole('event-id', question.eventId),
    whole('source', question.source),
    whole('sender-address', question.sender, canonicalAddress),
    whole('message-id', question.messageId && cut(question.messageId), canonicalAddress),
    whole('internal-message-id', question.internalMessageId),
    whole('network-message-id', question.networkMessageId),
    whole('reference', question.reference, canonicalAddress),
    whole('transport-traffic-type', question.transportTrafficType),
    start && ((row: Row) => row['date-time'] >= start.toISOString()),
    end && ((row: Row) => row['date-time'] <= end.toISOString()),
    subject === undefined ? undefined : (row: Row) => folded(row['message-subject']).includes(subject),
    addresses &&
      ((row: Row) => listOf(row['recipient-address']).some((one) => addresses.includes(canonicalAddress(one)))),
  ].filter((one) => one !== undefined);
  return (row) => tests.every((test) => test(row));
}
