/**
 * Requests and notices between the supervisor and its processes. Both ends speak the same protocol, so one class serves both; what
 * may be said is a table with the shape of each argument and answer, and everything is parsed where it arrives.
 */
import { finite, maybe, oneOf, record, type Shape, text, unread } from '../../base/index.ts';

/** What a bus needs of its channel. Messages are JSON values. */
export interface Channel {
  send(message: unknown, handle?: unknown): void;
  /** `octets`: those of the message as it came, where that is known. */
  onMessage(listener: (message: unknown, handle: unknown, octets?: number) => void): void;
}

/** One request or notice: what is asked, and what is answered (`nothing` for a notice). */
export interface Message<A, R> {
  readonly argument: Shape<A>;
  readonly answer: Shape<R>;
}

/** All that one side may say to the other, by name. */
export type MessageTable = Readonly<Record<string, Message<unknown, unknown>>>;
export type ArgumentOf<M> = M extends Message<infer A, unknown> ? A : never;
export type AnswerOf<M> = M extends Message<unknown, infer R> ? R : never;

/** What is said in each direction, as seen from one end. */
export interface BusTables<Out extends MessageTable, In extends MessageTable> {
  /** What this end says. */
  readonly out: Out;
  /** What this end hears. */
  readonly in: In;
}

/** Hears of every message that could not be taken or done: an error of a handler is a fault of the program. */
export type BusFault = (error: Error, name: string) => void;

type Handler = (argument: unknown, handle: unknown) => unknown;

interface Packet {
  readonly type: 'request' | 'reply' | 'error' | 'notice';
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

const packetShape = record<Packet>({
  type: oneOf('request', 'reply', 'error', 'notice'),
  id: finite,
  name: text(64),
  argument: maybe(unread),
});

interface Waiting {
  readonly answer: Shape<unknown>;
  readonly timer: NodeJS.Timeout;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Answers from other processes are waited for so long, in milliseconds, unless the caller says otherwise. */
const defaultTimeoutMs = 10_000;
/** Requests of the other side that are answered at once, and the octets of them: beyond, they are refused. */
const mostOpen = 4_096;
const mostOpenOctets = 256 * 1024 ** 2;
/** Longest text of an error that is told to the other side. */
const longestError = 2_000;

/** One end of a channel between two processes. */
export class Bus<Out extends MessageTable, In extends MessageTable> {
  readonly #channel: Channel;
  readonly #tables: BusTables<Out, In>;
  readonly #fault: BusFault;
  readonly #handlers = new Map<string, Handler>();
  readonly #pending = new Map<number, Waiting>();
  #next = 1;
  #closed = false;
  /** What the other side asked and is not answered yet. */
  #open = 0;
  #openOctets = 0;

  constructor(channel: Channel, tables: BusTables<Out, In>, fault: BusFault) {
    this.#channel = channel;
    this.#tables = tables;
    this.#fault = fault;
    channel.onMessage((message, handle, octets = 0) => this.#take(message, handle, octets));
  }

  /** Sets what is done with a request or notice of this name. What it throws is logged, and told to the other side. */
  handle<N extends keyof In & string>(
    name: N,
    handler: (
      argument: ArgumentOf<In[N]>,
      handle: unknown,
    ) =>
      | AnswerOf<In[N]>
      | Promise<AnswerOf<In[N]>>
      | (AnswerOf<In[N]> extends undefined ? void | Promise<void> : never),
  ): void {
    this.#handlers.set(name, handler as Handler);
  }

  /** Asks and waits. Rejects when the other side throws, is gone, does not answer in time, or answers in another form. */
  async request<N extends keyof Out & string>(
    name: N,
    argument: ArgumentOf<Out[N]>,
    options: { timeoutMs?: number; handle?: unknown } = {},
  ): Promise<AnswerOf<Out[N]>> {
    const answer = this.#tables.out[name]?.answer ?? unread;
    return (await this.#ask(name, argument, answer, options)) as AnswerOf<Out[N]>;
  }

  /** Passes on a request that this process does not know: whoever answers parses it, whoever asked parses the answer. */
  relay(name: string, argument: unknown): Promise<unknown> {
    return this.#ask(name, argument, unread, {});
  }

  /** Says something without waiting; lost when the other side is gone. A failure there is heard here as a fault. */
  notify<N extends keyof Out & string>(name: N, argument: ArgumentOf<Out[N]>, handle?: unknown): void {
    if (!this.#closed) this.#send({ type: 'notice', id: 0, name, argument }, handle);
  }

  /** The other side is gone: everything that waits is rejected. */
  close(): void {
    this.#closed = true;
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(new Error('the process is gone'));
  }

  #ask(
    name: string,
    argument: unknown,
    answer: Shape<unknown>,
    { timeoutMs = defaultTimeoutMs, handle }: { timeoutMs?: number; handle?: unknown },
  ): Promise<unknown> {
    if (this.#closed) return Promise.reject(new Error(`${name}: the process is gone`));
    const id = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const late = (): void => this.#settle(id)?.reject(new Error(`${name}: no answer within ${timeoutMs} ms`));
    this.#pending.set(id, { answer, resolve, reject, timer: setTimeout(late, timeoutMs) });
    this.#send({ type: 'request', id, name, argument }, handle);
    return promise;
  }

  #send(packet: Packet, handle?: unknown): void {
    try {
      this.#channel.send(packet, handle);
    } catch {
      // The channel closed between our check and the write; 'exit' of the process tells the rest.
    }
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#pending.get(id);
    if (waiting === undefined) return undefined;
    clearTimeout(waiting.timer);
    this.#pending.delete(id);
    return waiting;
  }

  #take(message: unknown, handle: unknown, octets: number): void {
    let packet: Packet;
    try {
      packet = packetShape(message, 'message');
    } catch (error) {
      return this.#fault(error as Error, 'message');
    }
    if (packet.type === 'request' || packet.type === 'notice') return void this.#answer(packet, handle, octets);
    // An error without a request tells of a notice that could not be done.
    if (packet.id === 0) return this.#fault(new Error(String(packet.argument).slice(0, longestError)), packet.name);
    const waiting = this.#settle(packet.id);
    if (waiting === undefined) return;
    if (packet.type === 'error') return waiting.reject(new Error(String(packet.argument).slice(0, longestError)));
    try {
      waiting.resolve(waiting.answer(packet.argument, packet.name));
    } catch (error) {
      waiting.reject(error as Error);
    }
  }

  async #answer({ type, id, name, argument }: Packet, handle: unknown, octets: number): Promise<void> {
    this.#open += 1;
    this.#openOctets += octets;
    try {
      if (this.#open > mostOpen || this.#openOctets > mostOpenOctets) throw new Error('too much is asked at once');
      const handler = this.#handlers.get(name);
      const known = Object.hasOwn(this.#tables.in, name) ? this.#tables.in[name] : undefined;
      if (handler === undefined || known === undefined) throw new Error(`nobody answers '${name}' in this process`);
      const answer = await handler(known.argument(argument, name), handle);
      if (type === 'request') this.#send({ type: 'reply', id, name, argument: answer });
    } catch (error) {
      this.#fault(error instanceof Error ? error : new Error(String(error)), name);
      const told = error instanceof Error ? error.message : String(error);
      this.#send({ type: 'error', id, name, argument: told.slice(0, longestError) });
    } finally {
      this.#open -= 1;
      this.#openOctets -= octets;
    }
  }
}
