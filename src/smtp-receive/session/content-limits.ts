/** Limits of a message that its octets may break. Pure. */
import type { ReceiveConnector } from '../../config/index.ts';
import type { HeaderFacts } from '../../mail/index.ts';
import { type ContentScanner, replies } from '../../smtp/index.ts';
import type { Refusal } from '../content/message-sink.ts';
import type { SizeLimit } from './organization-limits.ts';

type Scanned = Pick<ContentScanner, 'size' | 'headerSize' | 'bareLf' | 'bareCr'>;

/** Size and line ends of what came so far. `binary`: octets behind the header need not be lines (RFC 3030 §3). */
export function contentRefusal(
  { size, headerSize, bareLf, bareCr }: Scanned,
  { bareLinefeedRejectionEnabled }: Pick<ReceiveConnector, 'bareLinefeedRejectionEnabled'>,
  { octets, parameter }: SizeLimit,
  binary = false,
): Refusal | undefined {
  if (size > octets) {
    const reason = `the message is larger than ${parameter} ${octets}`;
    return { reply: replies.messageTooLarge, reason };
  }
  if (bareLf < 0 && bareCr < 0) return undefined;
  const bare = Math.min(bareLf < 0 ? Infinity : bareLf, bareCr < 0 ? Infinity : bareCr);
  if (binary ? headerSize >= 0 && bare >= headerSize : !bareLinefeedRejectionEnabled) return undefined;
  return bareLf >= 0
    ? {
        reply: replies.bareLineFeed,
        reason: `a bare LF stands at octet ${bareLf}`,
      }
    : {
        reply: replies.bareCarriageReturn,
        reason: `a bare CR stands at octet ${bareCr}`,
      };
}

/** The header, complete or not. */
export function headerRefusal(
  { size, headerSize }: Scanned,
  { maxHeaderSize }: Pick<ReceiveConnector, 'maxHeaderSize'>,
): Refusal | undefined {
  if ((headerSize < 0 ? size : headerSize) <= maxHeaderSize) return undefined;
  return {
    reply: replies.headerTooLarge,
    reason: `the header is larger than MaxHeaderSize ${maxHeaderSize}`,
  };
}

/** RFC 5321 §6.3: a message that was on its way too often. */
export function hopRefusal(
  { hops, localHops }: Pick<HeaderFacts, 'hops' | 'localHops'>,
  { maxHopCount, maxLocalHopCount }: Pick<ReceiveConnector, 'maxHopCount' | 'maxLocalHopCount'>,
): Refusal | undefined {
  if (hops > maxHopCount) {
    return {
      reply: replies.tooManyHops,
      reason: `${hops} Received fields, MaxHopCount is ${maxHopCount}`,
    };
  }
  if (maxLocalHopCount === 0 || localHops <= maxLocalHopCount) return undefined;
  const reason = `it was here ${localHops} times, MaxLocalHopCount is ${maxLocalHopCount}`;
  return { reply: replies.tooManyHops, reason };
}
