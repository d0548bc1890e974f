/**
 * PipelineTracing: copies of the messages of one sender as each agent leaves them, in the form of Exchange's MessageSnapshots folder.
 * The agents are wrapped: without tracing there is nothing of it in their chain. A trace that cannot be written is a fault in
 * `edge status`, and the message goes on.
 */
import { join } from 'node:path';
import { type Clock, type FaultReport, newGuid } from '../base/index.ts';
import { HeaderBlock } from '../mail/index.ts';
import {
  changedMessage,
  type EndOfHeadersArgs,
  type MessageChanges,
  type ReceiveAgent,
  type RoutedMessage,
} from '../pipeline/index.ts';
import { MessageTrace } from './message-trace.ts';

export interface TracingSettings {
  /** PipelineTracingSenderAddress: an address, or '<>' for messages with the null sender. */
  readonly sender: string;
  /** PipelineTracingPath. */
  readonly folder: string;
}

interface TracingParts extends TracingSettings {
  readonly clock: Clock;
  readonly faults: FaultReport;
}

/** Octets that one worker writes under one setting: tracing that is forgotten must not fill the disk. */
const mostOctets = 1024 ** 3;
/** Messages whose routing is written at the same time. */
const mostAtOnce = 100;
/** Traces under way; an older one has lost its session. */
const mostTraces = 1_000;
const faultKey = 'pipeline tracing';

/** The tracing of one worker, on and off by the configuration. */
export class PipelineTracing {
  readonly #parts: Pick<TracingParts, 'clock' | 'faults'>;
  #settings: TracingSettings | undefined;
  #tracer: Tracer | undefined;

  constructor(parts: Pick<TracingParts, 'clock' | 'faults'>) {
    this.#parts = parts;
  }

  /** From now on; undefined: off. */
  use(settings: TracingSettings | undefined): void {
    const same = settings?.sender === this.#settings?.sender && settings?.folder === this.#settings?.folder;
    this.#settings = settings;
    if (!same) this.#tracer = settings && new Tracer({ ...this.#parts, ...settings });
  }

  get isOn(): boolean {
    return this.#tracer !== undefined;
  }

  /** Whether the routing of a message is traced: once, and of those that came while tracing was on. */
  tracesRouting(message: { readonly guid: string; readonly receivedAt: number; readonly from: string }): boolean {
    return this.#tracer?.tracesRouting(message) === true;
  }

  /** The same agents, each with a look at the messages of the sender before and behind it, while tracing is on. */
  agents(agents: readonly ReceiveAgent[]): readonly ReceiveAgent[] {
    return this.#tracer === undefined ? agents : tracedAgents(agents, this.#tracer);
  }

  /** A message that `tracesRouting` was asked for has been routed. Never rejects. */
  async routed(message: RoutedMessage): Promise<void> {
    await this.#tracer?.routed(message);
  }
}

function tracedAgents(agents: readonly ReceiveAgent[], tracer: Tracer): readonly ReceiveAgent[] {
  const atHeaders = agents.some(({ onEndOfHeaders }) => onEndOfHeaders !== undefined);
  const atData = agents.some(({ onEndOfData }) => onEndOfData !== undefined);
  const wrapped = agents.map((agent): ReceiveAgent => {
    const { name, onEndOfHeaders, onEndOfData } = agent;
    return {
      ...agent,
      ...(onEndOfHeaders && { onEndOfHeaders: tracer.around(`OnEndOfHeaders,${name}`, onEndOfHeaders.bind(agent)) }),
      ...(onEndOfData && { onEndOfData: tracer.around(`OnEndOfData,${name}`, onEndOfData.bind(agent)) }),
    };
  });
  return [tracer.first(atHeaders, atData), ...wrapped, ...(atData ? [tracer.last()] : [])];
}

class Tracer {
  readonly #parts: TracingParts;
  /** By session: a session has one message at a time. */
  readonly #traces = new Map<string, MessageTrace>();
  /** Folders of messages that were received and are not routed yet, by session and Message-ID. */
  readonly #received = new Map<string, string>();
  readonly #routed = new Set<string>();
  readonly #since: number;
  #octets = 0;
  /** Messages whose routing is being written. */
  #routing = 0;

  constructor(parts: TracingParts) {
    this.#parts = parts;
    this.#since = parts.clock.now();
  }

  traces(from: string): boolean {
    const { sender } = this.#parts;
    return (from === '' ? '<>' : from).toLowerCase() === sender.toLowerCase() && this.#octets < mostOctets;
  }

  tracesRouting({ guid, receivedAt, from }: Parameters<PipelineTracing['tracesRouting']>[0]): boolean {
    // The queue routes a message again when the configuration changes, or the next hop cannot be reached.
    if (receivedAt < this.#since || this.#routed.has(guid) || !this.traces(from)) return false;
    const [oldest] = this.#routed;
    if (oldest !== undefined && this.#routed.size >= mostTraces) this.#routed.delete(oldest);
    this.#routed.add(guid);
    return true;
  }

  /** What the categorizer saw and left, in the folder of the session's snapshots where there is one. */
  async routed(message: RoutedMessage): Promise<void> {
    if (this.#routing >= mostAtOnce) return this.#failed(new Error('too many messages are routed at once'));
    this.#routing += 1;
    const known = this.#folderOf(message);
    const trace = new MessageTrace(known ?? this.#newFolder(), 'Routing');
    try {
      const { envelope } = message;
      const [at, header] = [this.#parts.clock.now(), await message.header()];
      if (known === undefined) trace.note({ at, source: 'Original', envelope, header });
      if (!message.changed) trace.note({ at, source: 'OnSubmittedMessage', envelope, header });
      trace.note({ at, source: 'OnCategorizedMessage', envelope, header });
      for await (const chunk of message.body) await trace.append(chunk);
      this.#octets += await trace.flush();
      this.#parts.faults.end(faultKey);
    } catch (error) {
      this.#failed(error);
    } finally {
      await trace.end().catch(() => undefined);
      this.#routing -= 1;
    }
    this.#tellIfFull();
  }

  /** Of the snapshots that its session left. A message without Message-ID may have got one since. */
  #folderOf({ session, messageId }: RoutedMessage): string | undefined {
    const keys = session === '' ? [] : [`${session} ${messageId}`, `${session} `];
    const key = keys.find((one) => this.#received.has(one));
    if (key === undefined) return undefined;
    const folder = this.#received.get(key);
    this.#received.delete(key);
    return folder;
  }

  #remember({ session, header }: EndOfHeadersArgs, folder: string): void {
    const [oldest] = this.#received.keys();
    if (oldest !== undefined && this.#received.size >= mostTraces) this.#received.delete(oldest);
    this.#received.set(`${session.id} ${new HeaderBlock(header).first('message-id') ?? ''}`, folder);
  }

  #newFolder(): string {
    return join(this.#parts.folder, 'MessageSnapshots', newGuid());
  }

  /** Before every other agent. */
  first(atHeaders: boolean, atData: boolean): ReceiveAgent {
    return {
      name: 'Pipeline Tracing',
      priority: Number.NEGATIVE_INFINITY,
      onEndOfHeaders: (args) => {
        if (this.#begin(args)) {
          this.#note('Original', args);
          if (atHeaders) this.#note('OnEndOfHeaders', args);
        }
        return { kind: 'continue' };
      },
      readContent: ({ session }) => {
        const trace = this.#traces.get(session.id);
        if (trace === undefined) return undefined;
        return {
          write: (chunk) => this.#attempt(session.id, () => trace.append(chunk)),
          end: async (args) => {
            if (atData) this.#note('OnEndOfData', args);
            await this.#flush(session.id, !atData);
            return { kind: 'continue' };
          },
          abort: () => void this.#flush(session.id, true),
        };
      },
    };
  }

  /** Behind every other agent. */
  last(): ReceiveAgent {
    return {
      name: 'Pipeline Tracing',
      priority: Number.POSITIVE_INFINITY,
      onEndOfData: async ({ session }) => {
        await this.#flush(session.id, true);
        return { kind: 'continue' };
      },
    };
  }

  /** A handler with a look at what it leaves behind. */
  around<Args extends EndOfHeadersArgs, Action extends { readonly kind: string; readonly changes?: MessageChanges }>(
    source: string,
    handle: (args: Args) => Action | Promise<Action>,
  ): (args: Args) => Action | Promise<Action> {
    return (args) => {
      if (!this.#traces.has(args.session.id)) return handle(args);
      return this.#followed(source, args, handle);
    };
  }

  async #followed<
    Args extends EndOfHeadersArgs,
    Action extends { readonly kind: string; readonly changes?: MessageChanges },
  >(source: string, args: Args, handle: (args: Args) => Action | Promise<Action>): Promise<Action> {
    const action = await handle(args);
    this.#note(source, action.changes === undefined ? args : changedMessage(args, action.changes));
    if (action.kind !== 'continue') await this.#flush(args.session.id, true);
    return action;
  }

  /** False: the message is of another sender. */
  #begin(args: EndOfHeadersArgs): boolean {
    const { session, envelope } = args;
    this.#drop(session.id);
    if (!this.traces(envelope.from)) return false;
    const [oldest] = this.#traces.keys();
    if (oldest !== undefined && this.#traces.size >= mostTraces) this.#drop(oldest);
    const folder = this.#newFolder();
    this.#traces.set(session.id, new MessageTrace(folder, 'SmtpReceive'));
    this.#remember(args, folder);
    return true;
  }

  #drop(session: string): void {
    const trace = this.#traces.get(session);
    if (trace === undefined) return;
    this.#traces.delete(session);
    // What could not be written is told already.
    trace.end().catch(() => undefined);
  }

  #note(source: string, { session, envelope, header }: EndOfHeadersArgs): void {
    this.#traces.get(session.id)?.note({ at: this.#parts.clock.now(), source, envelope, header });
  }

  async #flush(session: string, isLast: boolean): Promise<void> {
    const trace = this.#traces.get(session);
    if (trace === undefined) return;
    if (isLast) this.#traces.delete(session);
    await this.#attempt(session, async () => {
      this.#octets += await trace.flush();
      if (isLast) await trace.end();
      this.#parts.faults.end(faultKey);
    });
    this.#tellIfFull();
  }

  #tellIfFull(): void {
    if (this.#octets >= mostOctets)
      this.#parts.faults.begin(
        faultKey,
        'pipeline tracing has written 1 GB and stopped: set PipelineTracingEnabled to $false',
      );
  }

  #failed(error: unknown): void {
    this.#parts.faults.begin(faultKey, `pipeline tracing cannot write: ${(error as Error).message}`);
  }

  /** Neither rejects nor holds up the message for a disk that fails. */
  async #attempt(session: string, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#drop(session);
      this.#failed(error);
    }
  }
}
