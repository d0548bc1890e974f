/** Queues and messages as an administrator sees them. Names are those of Exchange's Get-Queue and Get-Message. */
import type { RecipientState } from './contract.ts';
import type { NextHop } from './delivery.ts';

export type QueueStatus = 'Active' | 'Connecting' | 'Ready' | 'Retry' | 'Suspended';

/** One queue of this worker. */
export interface QueueView {
  /** 'Submission', 'Unreachable', 'Poison', or the number of the queue. Without the server's name. */
  readonly identity: string;
  /** Exchange's DeliveryType; 'Undefined' for Submission and Poison. */
  readonly deliveryType: string;
  readonly status: QueueStatus;
  /** All messages that wait here or are under way from here. */
  readonly messageCount: number;
  /** Those of them that wait for a retry of their own. */
  readonly deferredMessageCount: number;
  readonly nextHopDomain: string;
  readonly nextHopConnector: string;
  /** Why the last connection failed; '' when none did since the last success. */
  readonly lastError: string;
  /** Connections that failed one after the other. */
  readonly retryCount: number;
  /** Milliseconds since 1970; 0: never, or none is planned. */
  readonly firstRetryTime: number;
  readonly lastRetryTime: number;
  readonly nextRetryTime: number;
  /** Messages in a second over the last minute; velocity is outgoing less incoming. */
  readonly incomingRate: number;
  readonly outgoingRate: number;
  readonly velocity: number;
  readonly connections: number;
  /** Where it leads, for acting on it; absent for Submission and Poison, on which nobody acts. */
  readonly hop?: NextHop;
}

export type MessageStatus = 'Active' | 'PendingRemove' | 'PendingSuspend' | 'Ready' | 'Retry' | 'Suspended' | 'Locked';

/** One message in one queue: a message for two next hops is seen twice. */
export interface MessageView {
  /** Internal message id. */
  readonly id: number;
  /** Identity of the queue. */
  readonly queue: string;
  readonly status: MessageStatus;
  readonly guid: string;
  readonly subject: string;
  readonly messageId: string;
  readonly from: string;
  /** Octets. */
  readonly size: number;
  readonly sourceAddress: string;
  /** 'SMTP:<connector>' or 'DSN'. */
  readonly sourceName: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly expiresAt: number;
  /** 0: at once. */
  readonly due: number;
  readonly lastError: string;
  readonly retryCount: number;
  readonly recipients: readonly (RecipientState & { readonly address: string })[];
}

/** Which messages to look at; an absent field matches everything. */
export interface MessageFilter {
  /** Identity of the queue. */
  readonly queue?: string;
  readonly id?: number;
  readonly status?: MessageStatus;
  /** At most so many, the oldest of each queue first. Default 1000. */
  readonly limit?: number;
}
