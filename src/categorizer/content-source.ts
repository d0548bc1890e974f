import type { StoredMessage } from '../queue/index.ts';

/** Where the content of a message is read. A spool has this shape. */
export interface ContentSource {
  content(id: number): Buffer | undefined;
  stream(id: number, start?: number): AsyncIterable<Buffer>;
}

/** The header block with its empty line. */
export async function headerOf(source: ContentSource, message: StoredMessage): Promise<Buffer> {
  return beginningOf(source, message, message.facts.headerSize);
}

/** The first octets of the content; fewer when it is shorter. */
export async function beginningOf(source: ContentSource, { id }: StoredMessage, octets: number): Promise<Buffer> {
  const whole = source.content(id);
  if (whole !== undefined) return whole.subarray(0, octets);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of source.stream(id)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= octets) break;
  }
  return Buffer.concat(chunks).subarray(0, octets);
}

/** The content behind the header block. */
export function bodyOf(source: ContentSource, { id, facts }: StoredMessage): AsyncIterable<Buffer> {
  return source.stream(id, facts.headerSize);
}
