/** A queue on a memory spool, with a router, a next hop and a notifier that do as the test tells them. */
import type { EventKind, EventOf } from '../../../src/logs/index.ts';
import {
  type ConnectionResult,
  type DeliveryItem,
  type DeliveryWork,
  MessageQueue,
  type NextHop,
  type NotificationRequest,
  type QueueSettings,
  type RecipientOutcome,
  type RoutePlan,
  type Router,
  type Spool,
  type StoredMessage,
} from '../../../src/queue/index.ts';
import { type MemoryDisk, MemorySpool, memoryDisk } from '../../lib/memory-spool.ts';
import { FakeClock, quiet } from './fake-clock.ts';
import { inTwoDays, type MessageWish, newMessage } from './new-message.ts';

/** Exchange's defaults on an Edge. */
export const edgeSettings: QueueSettings = {
  queueGlitchRetryCount: 4,
  queueGlitchRetryInterval: 60,
  transientFailureRetryCount: 6,
  transientFailureRetryInterval: 600,
  outboundConnectionFailureRetryInterval: 1_800,
  messageRetryInterval: 900,
  delayNotificationTimeout: 14_400,
  messageExpirationTimeout: 172_800,
  queueMaxIdleTime: 180,
  poisonThreshold: 2,
  maxOutboundConnections: 1_000,
  maxPerDomainOutboundConnections: 20,
};

export const ok: RecipientOutcome = { kind: 'delivered', reply: '250 2.0.0 OK' };
export const later: RecipientOutcome = { kind: 'deferred', reply: '451 4.3.0 later' };
export const never: RecipientOutcome = { kind: 'failed', reply: '550 5.1.1 unknown' };

export function hopTo(domain: string): NextHop {
  return { key: `DnsConnectorDelivery:${domain}:Out`, type: 'DnsConnectorDelivery', domain, connector: 'Out' };
}

/** One hop for each domain; 'unreachable.*' has none, 'noroute.*' fails. */
export function routeByDomain(message: StoredMessage, pending: readonly number[]): RoutePlan {
  const domainOf = (index: number): string => message.envelope.recipients[index]?.domain ?? '';
  const lost = pending.filter((index) => domainOf(index).startsWith('noroute.'));
  const groups = Map.groupBy(
    pending.filter((index) => !lost.includes(index)),
    domainOf,
  );
  return {
    hops: [...groups].map(([domain, recipients]) => ({
      recipients,
      hop: domain.startsWith('unreachable.')
        ? { key: 'Unreachable', type: 'Unreachable', domain: 'Unreachable Domain', connector: '' }
        : hopTo(domain),
    })),
    failed: lost.map((recipient) => ({ recipient, reply: '550 5.4.4 no route' })),
  };
}

/** Takes everything that is there, and waits for more. */
export function carrier(
  outcomesOf: (item: DeliveryItem) => readonly RecipientOutcome[] | Promise<readonly RecipientOutcome[]>,
  idleMs = 5_000,
) {
  return async (work: DeliveryWork): Promise<ConnectionResult> => {
    for (;;) {
      const item = await work.next(idleMs);
      if (item === undefined) return { kind: 'done' };
      item.settle(await outcomesOf(item), 'host [192.0.2.1]:25');
    }
  };
}

/** The same outcome for every recipient. */
export function all(outcome: RecipientOutcome) {
  return (item: DeliveryItem): readonly RecipientOutcome[] => item.recipients.map(() => outcome);
}

export class Bench {
  readonly clock: FakeClock;
  readonly disk: MemoryDisk;
  readonly spool: MemorySpool;
  readonly queue: MessageQueue;
  readonly events: { readonly [key: string]: unknown; readonly kind: EventKind; readonly at: number }[] = [];
  /** 'failed 1: 0,2', in the order of the reports. */
  readonly reports: string[] = [];
  readonly requests: NotificationRequest[] = [];
  /** Times of connection starts, in seconds since the bench was made. */
  readonly starts: number[] = [];
  /** Faults that last now, by key. */
  readonly faults = new Map<string, string>();
  settings: QueueSettings = edgeSettings;
  route = routeByDomain;
  readonly categorize: Router['categorize'];
  deliver: (work: DeliveryWork) => Promise<ConnectionResult> = carrier(all(ok));
  notify: (request: NotificationRequest) => Promise<void> = async () => undefined;
  readonly #begun: number;

  constructor({
    disk = memoryDisk(),
    clock = new FakeClock(),
    spool,
    categorize,
  }: { disk?: MemoryDisk; clock?: FakeClock; spool?: Spool; categorize?: Router['categorize'] } = {}) {
    this.clock = clock;
    this.categorize = categorize;
    this.disk = disk;
    this.#begun = clock.now();
    this.spool = new MemorySpool({ disk, now: () => clock.now() });
    this.queue = new MessageQueue({
      spool: spool ?? this.spool,
      router: { route: (message, pending) => this.route(message, pending), categorize },
      deliverers: () => ({
        deliver: (work) => {
          this.starts.push(this.seconds);
          return this.deliver(work);
        },
      }),
      notifier: {
        notify: async (request) => {
          await this.notify(request);
          const { kind, message, recipients } = request;
          this.requests.push(request);
          this.reports.push(`${kind} ${message.id}: ${recipients.map(({ index }) => index).join(',')}`);
          this.spool.story.push(`report ${message.id}`);
        },
      },
      settings: () => this.settings,
      faults: { begin: (key, text) => void this.faults.set(key, text), end: (key) => void this.faults.delete(key) },
      journal: { emit: (event) => void this.events.push(event as never) },
      clock,
    });
  }

  get seconds(): number {
    return (this.clock.now() - this.#begun) / 1_000;
  }

  /** Submits one message, without waiting for its delivery. */
  async submit(wish: MessageWish = {}, content: Buffer = Buffer.from('Hello\r\n')): Promise<StoredMessage> {
    const writer = this.queue.begin();
    await writer.write(content);
    return writer.commit(newMessage({ size: content.length, ...wish }), this.clock.now() + inTwoDays);
  }

  /** Submits, and lets everything happen that needs no time. */
  async send(wish: MessageWish = {}, content?: Buffer): Promise<StoredMessage> {
    const stored = await this.submit(wish, content);
    await quiet();
    return stored;
  }

  told<K extends EventKind>(kind: K): EventOf<K>[] {
    return this.events.filter((event) => event.kind === kind) as unknown as EventOf<K>[];
  }

  view(identity = '1') {
    return this.queue.queues().find((queue) => queue.identity === identity);
  }

  statuses(id: number): string[] {
    return this.disk.messages.get(id)?.message.recipients.map(({ status }) => status) ?? ['gone'];
  }
}

/** A deliverer that the test drives step by step: connections as they come. */
export class Connections {
  readonly open: { readonly work: DeliveryWork; readonly end: (result: ConnectionResult) => void }[] = [];

  deliver = (work: DeliveryWork): Promise<ConnectionResult> =>
    new Promise((resolve) => {
      const connection = {
        work,
        end: (result: ConnectionResult) => {
          this.open.splice(this.open.indexOf(connection), 1);
          resolve(result);
        },
      };
      this.open.push(connection);
    });

  at(index: number) {
    return (
      this.open[index] ??
      (() => {
        throw new Error(`there is no connection ${index}`);
      })()
    );
  }
}
