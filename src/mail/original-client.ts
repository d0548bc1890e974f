/** Where a message came from before it reached mail servers of one's own: by their trace fields (RFC 5321 §4.4). Pure. */
import { isIP } from 'node:net';
import type { HeaderBlock } from './header-block.ts';

/** Trace fields that are looked at. */
const mostFields = 30;

/**
 * The first address, from `peer` backwards, that is none of one's own servers. The last one known, where a field tells none: what
 * stands below it was written by others. `isOwn`: asked about addresses without brackets.
 */
export function originalClient(block: HeaderBlock, peer: string, isOwn: (address: string) => boolean): string {
  let client = peer;
  for (const field of block.all('received').slice(0, mostFields)) {
    if (!isOwn(client)) return client;
    const [from = ''] = field.split(/(?:^|\s)by\s/i, 1);
    const literal = /\[(?:IPv6:)?([0-9a-f.:]+)\]/i.exec(from)?.[1] ?? '';
    if (isIP(literal) === 0) return client;
    client = literal;
  }
  return client;
}
