/** The content of a message as the peer can take it: 7-bit for a hop without 8BITMIME, lines for one without BINARYMIME, a report cut to the size of its way back. */
import { type ConversionTask, fitReport, SevenBitScan, SevenBitWriter } from '../../mail/index.ts';
import type { DeliveryItem, StoredMessage } from '../../queue/index.ts';
import type { Capabilities } from '../connection/capabilities.ts';

/** What had to be changed, for the decisions. */
export interface ContentChange {
  /** '7-bit', 'report: headers only' … */
  readonly change: string;
  /** Signatures that no longer hold: 'DKIM-Signature', 'multipart/signed'. */
  readonly broken: readonly string[];
}

export interface FittedItem {
  /** Message, recipients and content for the transaction; outcomes are settled with the item that was given. */
  readonly item: DeliveryItem;
  readonly changes: readonly ContentChange[];
  /** Why the content cannot be made fit, as a reply. */
  readonly refusal?: string;
}

/** The item itself, at once, when nothing has to be changed: that is nearly always. */
export function fitItem(item: DeliveryItem, offered: Capabilities): FittedItem | Promise<FittedItem> {
  const { facts, envelope } = item.message;
  const binary = envelope.body === 'BINARYMIME' && !offered.binaryMime;
  const asChunk = envelope.body === 'BINARYMIME' && !binary;
  const converts = binary || (facts.eightBit && !offered.eightBitMime && !asChunk);
  if (!converts && !isTooLargeReport(item, offered)) return { item, changes: [] };
  return fitBoth(item, offered, converts ? { binary, eightBit: offered.eightBitMime } : undefined);
}

function isTooLargeReport({ message }: DeliveryItem, { maxSize }: Capabilities): boolean {
  return message.origin.connector === 'DSN' && message.envelope.from === '' && message.facts.size > maxSize;
}

async function fitBoth(
  given: DeliveryItem,
  offered: Capabilities,
  task: ConversionTask | undefined,
): Promise<FittedItem> {
  const fit = task === undefined ? { item: given, changes: [] } : await convert(given, task);
  if (fit.refusal !== undefined || !isTooLargeReport(fit.item, offered)) return fit;
  const { item, changes } = fit;
  // What we attach to our reports is bounded by DsnMaxMessageAttachSize.
  const fitted = fitReport(await whole(item), offered.maxSize);
  if (fitted === undefined) return fit;
  const { content, change } = fitted;
  return {
    item: withContent(item, content.length, () => content, [content]),
    changes: [...changes, { change: `report: ${change}`, broken: [] }],
  };
}

async function convert(item: DeliveryItem, task: ConversionTask): Promise<FittedItem> {
  const scan = new SevenBitScan(task);
  for await (const chunk of chunksOf(item)) scan.push(chunk);
  const plan = scan.end();
  if (plan.obstacle !== undefined) {
    const missing = task.binary ? 'BINARYMIME' : '8BITMIME';
    const refusal = `554 5.6.3 The next hop does not offer ${missing}, and ${plan.obstacle} cannot be converted`;
    return { item, changes: [], refusal };
  }
  const changes = [
    {
      change: task.eightBit ? 'binary to 8-bit' : '7-bit',
      broken: plan.broken,
    },
  ];
  return { item: await rewrittenItem(item, () => new SevenBitWriter(plan), task), changes };
}

/** Makes other content of what is pushed through it. */
interface ContentWriter {
  push(chunk: Buffer): Buffer;
  end(): Buffer;
}

/** The item with all of its content written anew: at once where the content is held, else each time that it streams. */
export async function rewrittenItem(
  item: DeliveryItem,
  newWriter: () => ContentWriter,
  kept: Kept,
): Promise<DeliveryItem> {
  const rewritten = async function* (): AsyncGenerator<Buffer, void> {
    const writer = newWriter();
    for await (const chunk of chunksOf(item)) yield writer.push(chunk);
    yield writer.end();
  };
  if (item.content() !== undefined) {
    const content = Buffer.concat(await Array.fromAsync(rewritten()));
    return withContent(item, content.length, () => content, [content], kept);
  }
  // SIZE must be true (RFC 1870 §6.1): the length is known only when all has been written once.
  let size = 0;
  for await (const chunk of rewritten()) size += chunk.length;
  return withContent(item, size, () => undefined, { [Symbol.asyncIterator]: rewritten }, kept);
}

/** What a content keeps of the facts of the one before. */
type Kept =
  | ConversionTask
  | {
      readonly body: DeliveryItem['message']['envelope']['body'];
      /** Default: the change is in the header alone. */
      readonly headerSize?: number;
    };

/** The item with another content. `kept`: what was converted, or the body that stays as it was declared. */
export function withContent(
  item: DeliveryItem,
  size: number,
  content: () => Buffer | undefined,
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>,
  kept: Kept = {},
): DeliveryItem {
  const { message, recipients } = item;
  const { envelope, facts } = message;
  const screened = 'body' in kept;
  const eightBit = (screened || kept.eightBit === true) && facts.eightBit;
  const changed: StoredMessage = {
    ...message,
    envelope: { ...envelope, body: screened ? kept.body : eightBit ? '8BITMIME' : '7BIT' },
    // New lines may begin with a dot.
    facts: {
      ...facts,
      size,
      headerSize: screened ? (kept.headerSize ?? facts.headerSize + size - facts.size) : facts.headerSize,
      eightBit,
      utf8Header: facts.utf8Header && (eightBit || envelope.smtpUtf8),
      leadingDots: true,
    },
  };
  return {
    message: changed,
    recipients,
    content,
    stream: async function* () {
      yield* chunks;
    },
    settle: (outcomes, remote) => item.settle(outcomes, remote),
    release: () => item.release(),
  };
}

function chunksOf(item: DeliveryItem): Iterable<Buffer> | AsyncIterable<Buffer> {
  const content = item.content();
  return content === undefined ? item.stream() : [content];
}

async function whole(item: DeliveryItem): Promise<Buffer> {
  return item.content() ?? Buffer.concat(await Array.fromAsync(item.stream()));
}

/** The header of the message; of a large one no more is read. */
export async function headerOf(item: DeliveryItem): Promise<Buffer> {
  const { headerSize } = item.message.facts;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunksOf(item)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= headerSize) break;
  }
  return Buffer.concat(chunks).subarray(0, headerSize);
}

/** The facts of the event that tells of the changes. */
export function conversionFacts(host: string, changes: readonly ContentChange[]) {
  return {
    host,
    changes: changes.map(({ change }) => change),
    broken: changes.flatMap(({ broken }) => broken),
  };
}
