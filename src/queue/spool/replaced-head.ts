/** Content of which the beginning was replaced: agents change header fields of messages that are on the disk already. */
import type { ReplacedHead } from '../model/contract.ts';

/** Whole content of which `head` is the beginning. */
export function withHead(content: Buffer, { head, octets }: ReplacedHead): Buffer {
  return Buffer.concat([head, content.subarray(octets)]);
}

/** `after` replaces the beginning of a content that has the beginning `before`: both as one, for the content as it was written. */
export function joinHeads(before: ReplacedHead | undefined, after: ReplacedHead): ReplacedHead {
  if (before === undefined) return after;
  const beyond = after.octets - before.head.length;
  if (beyond >= 0) return { head: after.head, octets: before.octets + beyond };
  return { head: Buffer.concat([after.head, before.head.subarray(after.octets)]), octets: before.octets };
}

/** Chunks of at most `chunkBytes` of `head`, then of the rest; `rest` is asked for from an octet of the content as it was written. */
export async function* streamWithHead(
  { head, octets }: ReplacedHead,
  start: number,
  chunkBytes: number,
  rest: (start: number) => AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void> {
  for (let at = start; at < head.length; at += chunkBytes) yield head.subarray(at, at + chunkBytes);
  yield* rest(octets + Math.max(0, start - head.length));
}
