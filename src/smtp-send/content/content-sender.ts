import { BlockPool } from '../../base/index.ts';
import type { DeliveryItem } from '../../queue/index.ts';
import { DotStuffer } from '../../smtp/index.ts';
import type { EdgeSmtpConnection } from '../connection/edge-smtp-connection.ts';

const endOfData = Buffer.from('.\r\n');
const lineEndAndEndOfData = Buffer.from('\r\n.\r\n');

/** Large content is read into these; each is free again when the system has taken what it holds. */
const blocks = new BlockPool(256 * 1024, 4);

/** The content could not be read from the spool; the connection must be abandoned, the peer has half a message. */
export class ContentError extends Error {
  override readonly name = 'ContentError';
}

/**
 * Sends content and the end of data (RFC 5321 §4.5.2). `lastWord` is called just before the octets that end the data are
 * handed to the system: from then on the peer may have the message. Rejects with ContentError or ConnectionLost.
 */
export function sendContent(
  connection: EdgeSmtpConnection,
  item: DeliveryItem,
  lastWord: () => void,
): void | Promise<void> {
  if (item.message.envelope.body === 'BINARYMIME') return sendChunk(connection, item, lastWord);
  const { leadingDots, bareLines } = item.message.facts;
  const whole = item.content();
  if (whole === undefined) return sendStream(connection, item, lastWord);
  lastWord();
  const { socket } = connection;
  // Corked: content and its end leave in one system call.
  socket.cork();
  if (leadingDots || bareLines) {
    const stuffer = new DotStuffer({ normalise: bareLines });
    socket.write(stuffer.push(whole));
    socket.write(stuffer.end());
  } else {
    if (whole.length > 0) socket.write(whole);
    socket.write(endsWithLine(whole) ? endOfData : lineEndAndEndOfData);
  }
  socket.uncork();
}

/** RFC 3030 §2: all of it as one chunk, the last one. A length that is not the announced one ends the connection. */
async function sendChunk(connection: EdgeSmtpConnection, item: DeliveryItem, lastWord: () => void): Promise<void> {
  const { size } = item.message.facts;
  const { socket } = connection;
  const whole = item.content();
  socket.write(`BDAT ${size} LAST\r\n`);
  let left = size;
  const chunks: Iterable<Buffer> | AsyncIterable<Buffer> = whole === undefined ? item.stream(0, blocks) : [whole];
  try {
    for await (const chunk of chunks) {
      if (connection.loss !== undefined) throw connection.loss;
      left -= chunk.length;
      if (left < 0) throw new ContentError('the content is longer than its record says');
      connection.expect(connection.timeouts.blockMs, 'sending content');
      if (left === 0) lastWord();
      if (!socket.write(chunk)) await connection.drained();
      if (socket.writableLength === 0) blocks.give(chunk);
    }
  } catch (cause) {
    if (cause instanceof ContentError || cause === connection.loss) throw cause;
    throw new ContentError('the content could not be read from the spool', {
      cause,
    });
  }
  if (left > 0) throw new ContentError('the content is shorter than its record says');
}

/** One chunk is read while the one before it travels; no more than two are held. */
async function sendStream(connection: EdgeSmtpConnection, item: DeliveryItem, lastWord: () => void): Promise<void> {
  const { leadingDots, bareLines } = item.message.facts;
  const stuffer = leadingDots || bareLines ? new DotStuffer({ normalise: bareLines }) : undefined;
  const chunks = item.stream(0, blocks)[Symbol.asyncIterator]();
  let tail: Buffer = Buffer.alloc(0);
  try {
    let reading = read(chunks);
    for (;;) {
      const { done, value } = await reading;
      if (connection.loss !== undefined) throw connection.loss;
      if (done === true) break;
      reading = read(chunks);
      // A failure to read is seen in the next round; until then it must not count as unhandled.
      reading.catch(() => undefined);
      connection.expect(connection.timeouts.blockMs, 'sending content');
      tail = Buffer.concat([tail, value.subarray(-2)]).subarray(-2);
      if (!connection.socket.write(stuffer === undefined ? value : stuffer.push(value))) await connection.drained();
      if (connection.socket.writableLength === 0) blocks.give(value);
    }
  } finally {
    await chunks.return?.().catch(() => undefined);
  }
  lastWord();
  connection.socket.write(stuffer?.end() ?? (endsWithLine(tail) ? endOfData : lineEndAndEndOfData));
}

async function read(chunks: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer, unknown>> {
  try {
    return await chunks.next();
  } catch (cause) {
    throw new ContentError('the content could not be read from the spool', {
      cause,
    });
  }
}

/** Nothing at all counts as ended: RFC 5321 §4.1.1.4, the CRLF of DATA is the one before the dot. */
function endsWithLine(content: Buffer): boolean {
  const { length } = content;
  return length === 0 || (length >= 2 && content[length - 1] === 10 && content[length - 2] === 13);
}
