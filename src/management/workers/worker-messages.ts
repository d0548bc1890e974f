/** What the directory process asks of every worker, through the supervisor: one table, parsed by whoever receives. */

import { type MeterState, pressureLevels, resourceNames } from '../../back-pressure/index.ts';
import {
  type Fault,
  finite,
  flag,
  list,
  maybe,
  nothing,
  oneOf,
  pair,
  record,
  type Shape,
  text,
  whole,
} from '../../base/index.ts';
import type { MessageAction, QueueAction } from '../../cmdlets/index.ts';
import type { Message, MessageTable } from '../../processes/index.ts';
import type { MessageFilter, MessageStatus, MessageView, NextHop, QueueStatus, QueueView } from '../../queue/index.ts';
import type { TlsTrouble } from '../../smtp-send/index.ts';

export interface QueueRequest {
  readonly action: QueueAction;
  readonly hop: NextHop;
  readonly resubmit: boolean;
}

export interface MessageRequest {
  readonly action: MessageAction;
  readonly id: number;
  /** Pairs of worker and queue; undefined: wherever the message is. */
  readonly queues?: readonly (readonly [worker: string, identity: string])[] | undefined;
}

/** A piece of a message's content. */
export interface ContentRequest {
  readonly id: number;
  /** Octets to leave out at the beginning. */
  readonly offset: number;
}

export interface ContentPiece {
  /** Base64. */
  readonly content: string;
  /** More follows behind it. */
  readonly more: boolean;
}

/** Which configuration a worker runs on. */
export interface ConfigurationState {
  /** Update of the directory that it was read at. */
  readonly usn: number;
  /** A newer one that it could not take up, and why. */
  readonly refused?: { readonly usn: number; readonly reason: string };
}

export interface WorkerStatus {
  /** False: mail gets 452. */
  readonly accepting: boolean;
  readonly sessions: number;
  readonly messages: number;
  /** Octets that the process holds itself. */
  readonly memory: number;
  readonly configuration: ConfigurationState;
  readonly queues: readonly QueueView[];
  /** Back pressure. */
  readonly resources: readonly MeterState[];
  /** Destinations that TLS keeps mail from. */
  readonly tlsTroubles: readonly TlsTrouble[];
  /** Conditions that last now. */
  readonly faults: readonly Fault[];
}

/** Octets of content in one piece, so that no answer is large because a message is. */
export const pieceOctets = 4 * 1024 ** 2;

const statuses: readonly MessageStatus[] = [
  'Active',
  'PendingRemove',
  'PendingSuspend',
  'Ready',
  'Retry',
  'Suspended',
  'Locked',
];
const queueStatuses: readonly QueueStatus[] = ['Active', 'Connecting', 'Ready', 'Retry', 'Suspended'];
const queueActions: readonly QueueAction[] = ['suspend', 'resume', 'retry'];
const messageActions: readonly MessageAction[] = ['suspend', 'resume', 'remove', 'removeWithReport'];

const hop = record<NextHop>({
  key: text(),
  type: oneOf('SmartHostConnectorDelivery', 'DnsConnectorDelivery', 'SmtpDeliveryToMailbox', 'Unreachable'),
  domain: text(),
  connector: text(),
  tls: maybe(oneOf('required', 'optional')),
});

const queueView = record<QueueView>({
  identity: text(),
  deliveryType: text(),
  status: oneOf(...queueStatuses),
  messageCount: whole(),
  deferredMessageCount: whole(),
  nextHopDomain: text(),
  nextHopConnector: text(),
  lastError: text(),
  retryCount: whole(),
  firstRetryTime: finite,
  lastRetryTime: finite,
  nextRetryTime: finite,
  incomingRate: finite,
  outgoingRate: finite,
  velocity: finite,
  connections: whole(),
  hop: maybe(hop),
});

const recipient = record<MessageView['recipients'][number]>({
  status: oneOf('pending', 'delivered', 'relayed', 'failed'),
  attempts: whole(),
  due: finite,
  lastReply: text(),
  delayNotified: flag,
  address: text(),
});

const messageView = record<MessageView>({
  id: whole(),
  queue: text(),
  status: oneOf(...statuses),
  guid: text(),
  subject: text(1_000_000),
  messageId: text(1_000_000),
  from: text(),
  size: whole(),
  sourceAddress: text(),
  sourceName: text(),
  receivedAt: finite,
  expiresAt: finite,
  due: finite,
  lastError: text(),
  retryCount: whole(),
  recipients: list(recipient),
});

const configuration = record<ConfigurationState>({
  usn: whole(),
  refused: maybe(record<{ usn: number; reason: string }>({ usn: whole(), reason: text() })),
});

const meterState = record<MeterState>({
  resource: oneOf(...resourceNames),
  level: oneOf(...pressureLevels),
  previous: oneOf(...pressureLevels),
  pressure: finite,
  transitions: text(),
});

const tlsTrouble = record<TlsTrouble>({
  destination: text(),
  reason: text(),
  since: finite,
  last: finite,
  times: whole(),
});

const faultShape = record<Fault>({ key: text(), text: text(), since: finite });

const act = <A>(argument: Shape<A>): Message<A, undefined> => ({ argument, answer: nothing });

export const toWorkers = {
  'worker-status': {
    argument: nothing,
    answer: record<WorkerStatus>({
      accepting: flag,
      sessions: whole(),
      messages: whole(),
      memory: whole(),
      configuration,
      queues: list(queueView),
      resources: list(meterState),
      tlsTroubles: list(tlsTrouble),
      faults: list(faultShape),
    }),
  },
  'flush-logs': act(nothing),
  queues: { argument: nothing, answer: list(queueView) },
  messages: {
    argument: record<MessageFilter>({
      queue: maybe(text()),
      id: maybe(whole()),
      status: maybe(oneOf(...statuses)),
      limit: maybe(whole()),
    }),
    answer: list(messageView),
  },
  'queue-action': act(record<QueueRequest>({ action: oneOf(...queueActions), hop, resubmit: flag })),
  'message-action': act(
    record<MessageRequest>({
      action: oneOf(...messageActions),
      id: whole(),
      queues: maybe(list(pair(text(), text()))),
    }),
  ),
  redirect: { argument: hop, answer: whole() },
  /** Nothing when the worker does not have the message. */
  'export-message': {
    argument: record<ContentRequest>({ id: whole(), offset: whole() }),
    answer: record<{ piece?: ContentPiece }>({
      piece: maybe(record<ContentPiece>({ content: text(2 * pieceOctets), more: flag })),
    }),
  },
} satisfies MessageTable;

export type ToWorkers = typeof toWorkers;
