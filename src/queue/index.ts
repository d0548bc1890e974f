/**
 * The durable queue between receiving and sending: a spool that has every message on disk before it is acknowledged, and
 * a scheduler in memory that hands messages to connections, one queue for each next hop. RFC 5321 §4.5.4 (retry, queueing),
 * RFC 3464 (what is reported and when; the text of reports is the notifier's). It knows neither routing nor SMTP: router,
 * deliverers and notifier are handed in. Another engine takes the spool's place when it passes `test/queue/contract.ts`.
 */

export { MessageQueue } from './message-queue.ts';
export {
  type ContentFacts,
  type MessageWriter,
  type NewMessage,
  type RecipientState,
  type ReplacedHead,
  type Revision,
  type Spool,
  SpoolError,
  type SpoolWriter,
  type StoredMessage,
} from './model/contract.ts';
export type {
  Categorized,
  ConnectionResult,
  Deliverer,
  DeliveryItem,
  DeliveryType,
  DeliveryWork,
  NextHop,
  NotificationRequest,
  Notifier,
  QueueSettings,
  RecipientOutcome,
  RoutePlan,
  Router,
} from './model/delivery.ts';
export type { MessageFilter, MessageStatus, MessageView, QueueStatus, QueueView } from './model/views.ts';
export { queuedEvent } from './settlement/queued-event.ts';
export { LmdbSpool } from './spool/lmdb-spool.ts';
