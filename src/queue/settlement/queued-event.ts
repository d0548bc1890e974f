import type { EventOf } from '../../logs/index.ts';
import type { NewMessage } from '../model/contract.ts';

/** How a message came here. */
export interface QueuedBy {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly source: EventOf<'message-queued'>['source'];
  /** What its client was told; '' when there is none. */
  readonly reply: string;
  /** Message-ID of the message that it speaks of; '' when there is none. */
  readonly reference: string;
}

/** The event of a message that is on disk: what tracking calls RECEIVE, or DSN for a report of our own. */
export function queuedEvent(
  { id, guid }: { readonly id: number; readonly guid: string },
  { envelope, origin, facts }: NewMessage,
  { at, source, reply, reference }: QueuedBy,
): EventOf<'message-queued'> {
  return {
    at,
    session: origin.session,
    message: id,
    kind: 'message-queued',
    guid,
    messageId: facts.messageId,
    subject: facts.subject,
    from: envelope.from,
    recipients: envelope.recipients.map(({ address }) => address),
    size: facts.size,
    reply,
    connector: origin.connector,
    clientIp: origin.remoteAddress,
    clientName: origin.helo,
    serverIp: origin.localAddress,
    source,
    reference,
  };
}
