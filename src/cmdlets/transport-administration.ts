/** Queues, messages and logs as cmdlets see them. Implemented by whoever reaches the transport workers, merged over all. */
import type { MeterState } from '../back-pressure/index.ts';
import type { TrackingQuestion } from '../logs/index.ts';

/** One queue. Names are those of Exchange's ExtensibleQueueInfo. */
export interface QueueInfo {
  /** `SERVER\3`, `SERVER\Submission`, `SERVER\Unreachable`. */
  readonly identity: string;
  readonly deliveryType: string;
  /** Recipient domain, or smart hosts. */
  readonly nextHopDomain: string;
  /** Name of the send connector; '' for none. */
  readonly nextHopConnector: string;
  readonly tlsDomain: string;
  readonly status: 'Active' | 'Connecting' | 'Ready' | 'Retry' | 'Suspended';
  readonly messageCount: number;
  readonly deferredMessageCount: number;
  readonly lastError: string;
  readonly retryCount: number;
  readonly lastRetryTime: Date | null;
  readonly nextRetryTime: Date | null;
  readonly firstRetryTime: Date | null;
  /** Messages in a second over the last minute. */
  readonly incomingRate: number;
  readonly outgoingRate: number;
}

/** One recipient of a queued message. */
export interface QueuedRecipient {
  readonly address: string;
  readonly status: string;
  readonly lastError: string;
}

/** One message in a queue. Names are those of Exchange's ExtensibleMessageInfo. */
export interface MessageInfo {
  /** `SERVER\3\12345`. */
  readonly identity: string;
  /** Identity of the queue. */
  readonly queue: string;
  readonly status: 'Active' | 'PendingRemove' | 'PendingSuspend' | 'Ready' | 'Retry' | 'Suspended' | 'Locked';
  readonly subject: string;
  readonly internetMessageId: string;
  readonly fromAddress: string;
  /** Octets. */
  readonly size: number;
  readonly sourceIP: string;
  /** `SMTP:Default internal receive connector EDGE1`. */
  readonly messageSourceName: string;
  readonly scl: number;
  readonly dateReceived: Date;
  readonly expirationTime: Date;
  readonly lastError: string;
  readonly retryCount: number;
  readonly recipients: readonly QueuedRecipient[];
}

/** The message tracking log: files, which can be read without the service too. */
export interface TrackingLog {
  /** Oldest first. */
  search(query: TrackingQuestion, signal: AbortSignal): AsyncIterable<TrackingRecord>;
}

/** One line of the message tracking log, by Exchange's property names ('Timestamp', 'EventId', 'Recipients' …). */
export type TrackingRecord = readonly (readonly [name: string, value: unknown])[];

/** One resource that back pressure watches. */
export interface WorkerResource extends MeterState {
  /** 'worker 0'. */
  readonly worker: string;
}

/** An agent at an event of the transport pipeline. */
export interface PipelineStage {
  readonly event: string;
  readonly agents: readonly string[];
}

export type QueueAction = 'suspend' | 'resume' | 'retry';
export type MessageAction = 'suspend' | 'resume' | 'remove' | 'removeWithReport';

/** Reaches all workers and merges what they say. */
export interface TransportAdministration {
  queues(): Promise<readonly QueueInfo[]>;
  messages(): Promise<readonly MessageInfo[]>;
  /** Identities as given by `queues()`. `resubmit`: messages go through the categorizer again. */
  actOnQueues(
    action: QueueAction,
    identities: readonly string[],
    options?: { readonly resubmit?: boolean },
  ): Promise<void>;
  /** Identities as given by `messages()`. */
  actOnMessages(action: MessageAction, identities: readonly string[]): Promise<void>;
  /** Sends all that waits to these smart hosts instead; what is held stays. How many messages were moved. */
  redirect(smartHosts: readonly string[]): Promise<number>;
  /** Content of a message as it stands in the queue. */
  exportMessage(identity: string): Promise<Buffer>;
  pipeline(): Promise<readonly PipelineStage[]>;
  /** What back pressure watches, of each worker. */
  resources(): Promise<readonly WorkerResource[]>;
  /** Waits a moment until these endpoints ('0.0.0.0:25') are open; why those are not that cannot be. */
  bindingFaults(bindings: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
  /** First line that an SMTP endpoint says to this machine. Throws Error when nobody answers in time. */
  greet(endpoint: { readonly address: string; readonly port: number }, signal: AbortSignal): Promise<string>;
}
