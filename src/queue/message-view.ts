import type { StoredMessage } from './model/contract.ts';
import type { MessageStatus, MessageView, QueueView } from './model/views.ts';
import { heldDue, type Item, type ItemState } from './table/delivery-queue.ts';
import type { QueueClock } from './table/queue-clock.ts';

/** Exchange's name of the state. */
export function statusOf(state: ItemState): MessageStatus {
  switch (state) {
    case 'deferred':
      return 'Retry';
    case 'suspended':
      return 'Suspended';
    case 'active':
      return 'Active';
    case 'suspending':
      return 'PendingSuspend';
    case 'removing':
    case 'removing-with-report':
      return 'PendingRemove';
    default:
      return 'Ready';
  }
}

/** An item as an administrator sees it. */
export function viewOf(item: Item, message: StoredMessage, status: MessageStatus, clock: QueueClock): MessageView {
  const { facts, envelope, origin } = message;
  const recipients = item.recipients.flatMap((index) => {
    const state = message.recipients[index];
    return state === undefined ? [] : [{ ...state, address: envelope.recipients[index]?.address ?? '' }];
  });
  return {
    id: message.id,
    queue: item.queue.identity,
    status,
    guid: message.guid,
    subject: facts.subject,
    messageId: facts.messageId,
    from: envelope.from,
    size: facts.size,
    sourceAddress: origin.remoteAddress,
    sourceName: origin.session === '' ? 'DSN' : `SMTP:${origin.connector}`,
    receivedAt: message.receivedAt,
    expiresAt: message.expiresAt,
    due: item.due === heldDue ? 0 : clock.toWall(item.due),
    lastError: recipients.find(({ lastReply }) => lastReply !== '')?.lastReply ?? item.queue.lastError,
    retryCount: recipients.reduce((most, { attempts }) => Math.max(most, attempts), 0),
    recipients,
  };
}

/** A message of which no more than its id can be read. */
export function damagedView(id: number, queue: string, lastError: string): MessageView {
  const unknown = { guid: '', subject: '', messageId: '', from: '', sourceAddress: '', sourceName: '' };
  const never = { size: 0, receivedAt: 0, expiresAt: 0, due: 0, retryCount: 0 };
  return { id, queue, status: 'Suspended', ...unknown, ...never, lastError, recipients: [] };
}

/** While nothing waits for agents there is no such queue; Exchange's scripts look for it all the same. */
export const submissionView: QueueView = {
  identity: 'Submission',
  deliveryType: 'Undefined',
  status: 'Ready',
  messageCount: 0,
  deferredMessageCount: 0,
  nextHopDomain: 'Submission',
  nextHopConnector: '',
  lastError: '',
  retryCount: 0,
  firstRetryTime: 0,
  lastRetryTime: 0,
  nextRetryTime: 0,
  incomingRate: 0,
  outgoingRate: 0,
  velocity: 0,
  connections: 0,
};
