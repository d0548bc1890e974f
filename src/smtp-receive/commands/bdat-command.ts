/** BDAT: RFC 3030 §2. Whatever is answered, the announced octets are never read as commands. */
import { replies, SmtpError } from '../../smtp/index.ts';
import type { ChunkedContent } from '../content/chunked-content.ts';
import type { ContentSink } from '../content/edge-stream.ts';
import type { Refusal } from '../content/message-sink.ts';
import type { CommandSession } from '../session/command-session.ts';
import { contentFor } from './data-command.ts';
import { MailData } from './mail-data.ts';

/** What stands behind the verb. */
interface ChunkArgument {
  readonly octets: number;
  readonly last: boolean;
}

/** RFC 3030 §2: `chunk-size [SP "LAST"]`. Undefined: the number of octets cannot be known. */
function parseChunkArgument(argument: string): ChunkArgument | undefined {
  const [, digits, last] = /^(\d{1,20})(?: +(LAST))?$/i.exec(argument) ?? [];
  if (digits === undefined) return undefined;
  return { octets: Number(digits), last: last !== undefined };
}

/** Takes a chunk. */
export function bdat(session: CommandSession, argument: string): void | Promise<void> {
  const chunk = parseChunkArgument(argument);
  if (chunk === undefined) return closeUnread(session, argument);
  let content: ChunkedContent;
  try {
    if (!session.origin.profile.offered.chunking) {
      throw new SmtpError(replies.notImplemented, 'ChunkingEnabled of the connector is off');
    }
    content = chunkedContent(session);
  } catch (error) {
    if (!(error instanceof SmtpError)) throw error;
    return throwAway(session, chunk.octets, {
      reply: error.reply,
      reason: error.reason,
    });
  }
  content.beginChunk(chunk.octets);
  if (content.refused && !mayThrowAway(session, chunk.octets)) return;
  return take(session, content, chunk);
}

/** The command is refused before it is looked at closely (no EHLO, no TLS): its octets come all the same. */
export function refusedBdat(session: CommandSession, argument: string, refusal: Refusal): void {
  const chunk = parseChunkArgument(argument);
  if (chunk === undefined) return closeUnread(session, argument);
  throwAway(session, chunk.octets, refusal);
}

/** The content of the open transaction; the first chunk begins it. Throws SmtpError. */
function chunkedContent(session: CommandSession): ChunkedContent {
  const { transaction } = session;
  if (transaction?.chunked !== undefined) return transaction.chunked;
  const { transaction: ready, sink } = contentFor(session);
  const content = new MailData(session, ready, sink);
  ready.tell(session, content.id);
  ready.chunked = content;
  return content;
}

function take(session: CommandSession, content: ChunkedContent, { octets, last }: ChunkArgument): void | Promise<void> {
  session.mailData = {
    stage: 'data',
    cancel: (reason) => content.cancel(reason),
  };
  const sink: ContentSink = {
    write: (chunk) => content.write(chunk),
    end() {
      if (!last) return content.endChunk(octets);
      session.transaction = undefined;
      return content.end();
    },
  };
  if (octets === 0) return sink.end();
  session.wire.startChunk(octets, sink);
}

function throwAway(session: CommandSession, octets: number, { reply, reason }: Refusal): void {
  if (!mayThrowAway(session, octets)) return;
  // A client that pipelines meets the same refusal with each chunk; it is one error.
  const counted = !session.chunkRefused;
  const answer = (): void => {
    session.refuse('BDAT', reply, reason, 0, counted);
    session.chunkRefused = true;
  };
  if (octets === 0) return answer();
  session.wire.startChunk(octets, { write() {}, end: answer });
}

/** Chunks of this size and more are never read just to be refused, in octets. */
const leastBudget = 1024 ** 2;

/** Octets that a session may have read for nothing are bounded; beyond, it ends. */
function mayThrowAway(session: CommandSession, octets: number): boolean {
  session.thrownAway += octets;
  const { maxMessageSize } = session.connector;
  if (session.thrownAway <= 2 * Math.max(maxMessageSize, leastBudget)) return true;
  session.transaction?.chunked?.cancel('too many octets');
  session.refuse('BDAT', replies.chunkTooLarge, 'too many octets would be read to be thrown away');
  session.end('too many octets would be read to be thrown away');
  return false;
}

/** Where the next command begins is not known. */
function closeUnread(session: CommandSession, argument: string): void {
  const reason = `the size of a chunk cannot be read: '${argument}'`;
  session.refuse('BDAT', replies.invalidArguments, reason);
  session.end(reason);
}
