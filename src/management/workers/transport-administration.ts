import { setTimeout as pause } from 'node:timers/promises';
import type {
  MessageAction,
  MessageInfo,
  PipelineStage,
  QueueAction,
  QueueInfo,
  TransportAdministration,
  WorkerResource,
} from '../../cmdlets/index.ts';
import type { AnswerOf, ArgumentOf, BindingState } from '../../processes/index.ts';
import type { MessageView, QueueView } from '../../queue/index.ts';
import type { QueueHolds } from '../../server-state/index.ts';
import { smtpGreeting } from '../smtp-greeting.ts';
import type { WorkerAnswer, Workers } from './worker-caller.ts';
import type { ToWorkers } from './worker-messages.ts';

/** Queues that Exchange names and does not number. */
const named = new Set(['Submission', 'Unreachable', 'Poison']);

/** Messages of one worker that are looked at. */
const mostMessages = 100_000;

/** How often bindings are looked at until they are open. */
const mostTries = 60;
const betweenTriesMs = 50;

/** One queue over all workers. */
interface Merged {
  readonly number: string;
  readonly parts: { readonly worker: string; readonly view: QueueView }[];
}

export interface AdministrationParts {
  readonly serverName: string;
  readonly holds: Pick<QueueHolds, 'hold' | 'release'>;
  /** How the bindings of the configuration stand that is in force. */
  readonly bindings: () => Promise<readonly BindingState[]>;
}

/** Reaches the queues of all workers: one next hop is one queue, whoever holds its messages. */
export class FanOutAdministration implements TransportAdministration {
  readonly #workers: Workers;
  readonly #serverName: string;
  readonly #holds: Pick<QueueHolds, 'hold' | 'release'>;
  readonly #bindings: AdministrationParts['bindings'];
  /** Numbers once given stay with their next hop while this process runs. */
  readonly #numbers = new Map<string, string>();

  constructor(workers: Workers, parts: AdministrationParts) {
    this.#workers = workers;
    this.#serverName = parts.serverName;
    this.#holds = parts.holds;
    this.#bindings = parts.bindings;
  }

  async queues(): Promise<readonly QueueInfo[]> {
    return (await this.#merged()).map((queue) => this.#info(queue));
  }

  async messages(): Promise<readonly MessageInfo[]> {
    const parts = await this.#parts();
    const answers = await this.#ask('messages', { limit: mostMessages });
    return answers.flatMap(({ worker, result }) =>
      result.map((view) => {
        const part = parts.find((one) => one.worker === worker && one.identity === view.queue);
        return this.#message(view, part?.number ?? view.queue);
      }),
    );
  }

  async actOnQueues(
    action: QueueAction,
    identities: readonly string[],
    options: { readonly resubmit?: boolean } = {},
  ): Promise<void> {
    const wanted = new Set(identities.map((identity) => this.#local(identity)));
    for (const { number, parts } of await this.#merged()) {
      const hop = parts.find(({ view }) => view.hop !== undefined)?.view.hop;
      if (!wanted.has(number.toLowerCase()) || hop === undefined) continue;
      // Written down first: a worker that starts meanwhile must do the same.
      if (action === 'suspend') await this.#holds.hold(hop);
      if (action === 'resume') await this.#holds.release(hop);
      await this.#act('queue-action', { action, hop, resubmit: options.resubmit === true });
    }
  }

  async actOnMessages(action: MessageAction, identities: readonly string[]): Promise<void> {
    const parts = await this.#parts();
    for (const identity of identities) {
      const words = identity.split('\\');
      const id = Number(words.at(-1));
      const number = words.length > 2 ? words.at(-2)?.toLowerCase() : undefined;
      const own = parts.filter((part) => part.number.toLowerCase() === number);
      const queues = own.map((part) => [part.worker, part.identity] as const);
      await this.#act('message-action', { action, id, queues: number === undefined ? undefined : queues });
    }
  }

  async redirect(smartHosts: readonly string[]): Promise<number> {
    const domain = smartHosts.join(',');
    const type = 'SmartHostConnectorDelivery';
    const answers = await this.#act('redirect', { key: `${type}:${domain}:`, type, domain, connector: '' });
    return answers.reduce<number>((sum, { result }) => sum + Number(result), 0);
  }

  async exportMessage(identity: string): Promise<Buffer> {
    const id = Number(identity.split('\\').at(-1));
    const pieces: Buffer[] = [];
    for (let offset = 0; ; ) {
      const answers = await this.#ask('export-message', { id, offset });
      const piece = answers.map(({ result }) => result.piece).find((one) => one !== undefined);
      if (piece === undefined) throw new Error(`there is no message ${identity} in any queue`);
      const content = Buffer.from(piece.content, 'base64');
      pieces.push(content);
      offset += content.length;
      if (!piece.more || content.length === 0) return Buffer.concat(pieces);
    }
  }

  async pipeline(): Promise<readonly PipelineStage[]> {
    // No agents are built yet: the pipeline is empty, and says so.
    return [];
  }

  async resources(): Promise<readonly WorkerResource[]> {
    const answers = await this.#ask('worker-status', undefined);
    return answers.flatMap(({ worker, result }) => result.resources.map((one) => ({ worker, ...one })));
  }

  async bindingFaults(bindings: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
    for (let tries = 0; ; tries++) {
      const states = await this.#bindings();
      const found = bindings.map((one) => states.find(({ binding }) => binding === one));
      const settled = found.every((one) => one !== undefined && (one.open || one.fault !== ''));
      // Longer than a change takes to be in force; what is not open then, the status tells.
      if (settled || tries === mostTries)
        return found.flatMap((one) => (one === undefined || one.open ? [] : [one.fault]));
      await pause(betweenTriesMs, undefined, { signal });
    }
  }

  greet(endpoint: { readonly address: string; readonly port: number }, signal: AbortSignal): Promise<string> {
    return smtpGreeting(endpoint, signal);
  }

  async #ask<N extends keyof ToWorkers>(
    name: N,
    argument: ArgumentOf<ToWorkers[N]>,
  ): Promise<readonly { worker: string; result: AnswerOf<ToWorkers[N]> }[]> {
    const answers = await this.#workers.ask(name, argument);
    return answers.flatMap(({ worker, result, error }) =>
      error === undefined ? [{ worker, result: result as AnswerOf<ToWorkers[N]> }] : [],
    );
  }

  /** Throws Error when a worker could not do its part. */
  async #act<N extends keyof ToWorkers>(
    name: N,
    argument: ArgumentOf<ToWorkers[N]>,
  ): Promise<readonly WorkerAnswer<AnswerOf<ToWorkers[N]>>[]> {
    const answers = await this.#workers.ask(name, argument);
    const failed = answers.find(({ error }) => error !== undefined);
    if (failed !== undefined) throw new Error(`${failed.worker}: ${failed.error ?? ''}`);
    return answers;
  }

  async #merged(): Promise<Merged[]> {
    const merged = new Map<string, Merged>();
    for (const { worker, result } of await this.#ask('queues', undefined)) {
      for (const view of result) {
        const number = this.#numberOf(view);
        const queue = merged.get(number) ?? { number, parts: [] };
        queue.parts.push({ worker, view });
        merged.set(number, queue);
      }
    }
    return [...merged.values()];
  }

  /** Which queue of which worker is which number here. */
  async #parts(): Promise<readonly { readonly worker: string; readonly identity: string; readonly number: string }[]> {
    return (await this.#merged()).flatMap(({ number, parts }) =>
      parts.map(({ worker, view }) => ({ worker, identity: view.identity, number })),
    );
  }

  #numberOf({ identity, deliveryType, nextHopDomain, nextHopConnector }: QueueView): string {
    if (named.has(identity)) return identity;
    const key = `${deliveryType}\0${nextHopDomain}\0${nextHopConnector}`;
    const number = this.#numbers.get(key) ?? String(this.#numbers.size + 3);
    this.#numbers.set(key, number);
    return number;
  }

  #local(identity: string): string {
    return (identity.split('\\').at(-1) ?? identity).toLowerCase();
  }

  #info({ number, parts }: Merged): QueueInfo {
    const views = parts.map(({ view }) => view);
    const [first] = views as [QueueView, ...QueueView[]];
    const sum = (of: (view: QueueView) => number): number => views.reduce((total, view) => total + of(view), 0);
    const failing = views.find(({ lastError }) => lastError !== '') ?? first;
    return {
      identity: `${this.#serverName}\\${number}`,
      deliveryType: first.deliveryType,
      nextHopDomain: first.nextHopDomain,
      nextHopConnector: first.nextHopConnector,
      tlsDomain: '',
      status: worst(views),
      messageCount: sum((view) => view.messageCount),
      deferredMessageCount: sum((view) => view.deferredMessageCount),
      lastError: failing.lastError,
      retryCount: Math.max(...views.map((view) => view.retryCount)),
      lastRetryTime: dateOf(failing.lastRetryTime),
      nextRetryTime: dateOf(failing.nextRetryTime),
      firstRetryTime: dateOf(failing.firstRetryTime),
      incomingRate: sum((view) => view.incomingRate),
      outgoingRate: sum((view) => view.outgoingRate),
    };
  }

  #message(view: MessageView, number: string): MessageInfo {
    const queue = `${this.#serverName}\\${number}`;
    return {
      identity: `${queue}\\${view.id}`,
      queue,
      status: view.status,
      subject: view.subject,
      internetMessageId: view.messageId,
      fromAddress: view.from === '' ? '<>' : view.from,
      size: view.size,
      sourceIP: view.sourceAddress,
      messageSourceName: view.sourceName,
      scl: -1,
      dateReceived: new Date(view.receivedAt),
      expirationTime: new Date(view.expiresAt),
      lastError: view.lastError,
      retryCount: view.retryCount,
      recipients: view.recipients.map(({ address, status, lastReply }) => ({ address, status, lastError: lastReply })),
    };
  }
}

/** What an administrator must know first. */
function worst(views: readonly QueueView[]): QueueInfo['status'] {
  for (const status of ['Suspended', 'Retry', 'Active', 'Connecting'] as const) {
    if (views.some((view) => view.status === status)) return status;
  }
  return 'Ready';
}

function dateOf(ms: number): Date | null {
  return ms > 0 ? new Date(ms) : null;
}
