/**
 * PipelineTracing: copies of the messages of one sender as each agent leaves them, in the form of Exchange's MessageSnapshots folder.
 * The agents are wrapped: without tracing there is nothing of it in their chain. A trace that cannot be written is a fault in
 * `edge status`, and the message goes on.
 */
import { join } from 'node:path';
import { type Clock, type FaultReport, newGuid } from '../base/index.ts';
import { changedMessage, type EndOfHeadersArgs, type MessageChanges, type ReceiveAgent } from '../pipeline/index.ts';
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
/** Traces under way; an older one has lost its session. */
const mostTraces = 1_000;
const faultKey = 'pipeline tracing';

/** The same agents, each with a look at the messages of the sender before and behind it. */
export function tracedAgents(agents: readonly ReceiveAgent[], parts: TracingParts): readonly ReceiveAgent[] {
  const tracer = new Tracer(parts);
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
  #octets = 0;

  constructor(parts: TracingParts) {
    this.#parts = parts;
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
  #begin({ session, envelope }: EndOfHeadersArgs): boolean {
    const { sender, folder } = this.#parts;
    this.#drop(session.id);
    const from = envelope.from === '' ? '<>' : envelope.from;
    if (from.toLowerCase() !== sender.toLowerCase() || this.#octets >= mostOctets) return false;
    const [oldest] = this.#traces.keys();
    if (oldest !== undefined && this.#traces.size >= mostTraces) this.#drop(oldest);
    this.#traces.set(session.id, new MessageTrace(join(folder, 'MessageSnapshots', newGuid())));
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
    if (this.#octets >= mostOctets)
      this.#parts.faults.begin(
        faultKey,
        'pipeline tracing has written 1 GB and stopped: set PipelineTracingEnabled to $false',
      );
  }

  /** Neither rejects nor holds up the message for a disk that fails. */
  async #attempt(session: string, step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      this.#drop(session);
      this.#parts.faults.begin(faultKey, `pipeline tracing cannot write: ${(error as Error).message}`);
    }
  }
}
