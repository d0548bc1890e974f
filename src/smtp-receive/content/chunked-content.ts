import type { ContentSink } from './edge-stream.ts';

/** Content that comes in chunks (RFC 3030): one for each BDAT, in a transaction that stays open until the last one. */
export interface ChunkedContent extends ContentSink {
  /** A chunk of so many octets begins: refused at once when the message becomes too large by it. */
  beginChunk(octets: number): void;
  /** A chunk that is not the last one is here, and is to be answered. Never throws. */
  endChunk(octets: number): void;
  /** True: nothing of it is kept any more; what comes is thrown away. */
  readonly refused: boolean;
  /** RSET, EHLO, or the connection is lost. */
  cancel(reason: string): void;
}
