/**
 * Requests and notices between the supervisor and its processes, over the channel that the runtime gives to a child.
 * Both ends speak the same protocol, so one class serves both.
 */

/** What a bus needs of its channel; ChildProcess and process both have it. */
export interface Channel {
  send(message: unknown, handle?: unknown): void;
  onMessage(listener: (message: unknown, handle: unknown) => void): void;
}

type Handler = (argument: unknown, handle: unknown) => unknown;

interface Packet {
  readonly type: 'request' | 'reply' | 'error' | 'notice';
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

/** Answers from other processes are waited for so long, in milliseconds, unless the caller says otherwise. */
const defaultTimeoutMs = 10_000;

/** One end of a channel between two processes. */
export class Bus {
  #channel: Channel;
  #handlers = new Map<string, Handler>();
  #pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void; timer: NodeJS.Timeout }>();
  #next = 1;
  #closed = false;

  constructor(channel: Channel) {
    this.#channel = channel;
    channel.onMessage((message, handle) => this.#take(message, handle));
  }

  /** Says what to do with a request or notice of this name. What it throws goes back to the asker as its message. */
  handle(name: string, handler: Handler): void {
    this.#handlers.set(name, handler);
  }

  /** Asks and waits. Rejects when the other side throws, is gone or does not answer in time. */
  request(name: string, argument: unknown, options: { timeoutMs?: number; handle?: unknown } = {}): Promise<unknown> {
    if (this.#closed) return Promise.reject(new Error(`${name}: the process is gone`));
    const id = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    const timer = setTimeout(
      () => this.#settle(id)?.reject(new Error(`${name}: no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    this.#pending.set(id, { resolve, reject, timer });
    this.#send({ type: 'request', id, name, argument }, options.handle);
    return promise;
  }

  /** Tells without waiting; lost when the other side is gone. */
  notify(name: string, argument: unknown, handle?: unknown): void {
    if (!this.#closed) this.#send({ type: 'notice', id: 0, name, argument }, handle);
  }

  /** The other side is gone: everything that waits is rejected. */
  close(): void {
    this.#closed = true;
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(new Error('the process is gone'));
  }

  #send(packet: Packet, handle?: unknown): void {
    try {
      this.#channel.send(packet, handle);
    } catch {
      // The channel closed between our check and the write; 'close' of the process tells the rest.
    }
  }

  #settle(id: number): { resolve(value: unknown): void; reject(error: Error): void } | undefined {
    const waiting = this.#pending.get(id);
    if (waiting === undefined) return undefined;
    clearTimeout(waiting.timer);
    this.#pending.delete(id);
    return waiting;
  }

  #take(message: unknown, handle: unknown): void {
    if (typeof message !== 'object' || message === null || !('type' in message)) return;
    const packet = message as Packet;
    if (packet.type === 'reply') return this.#settle(packet.id)?.resolve(packet.argument);
    if (packet.type === 'error') return this.#settle(packet.id)?.reject(new Error(String(packet.argument)));
    void this.#answer(packet, handle);
  }

  async #answer(packet: Packet, handle: unknown): Promise<void> {
    const { id, name } = packet;
    try {
      const handler = this.#handlers.get(name);
      if (handler === undefined) throw new Error(`nobody answers '${name}' in this process`);
      const argument = await handler(packet.argument, handle);
      if (packet.type === 'request') this.#send({ type: 'reply', id, name, argument });
    } catch (error) {
      const argument = error instanceof Error ? error.message : String(error);
      if (packet.type === 'request') this.#send({ type: 'error', id, name, argument });
    }
  }
}

/** The channel of this process to the one that forked it. Throws when it was not forked. */
export function channelToParent(): Channel {
  const { send } = process;
  if (send === undefined) throw new Error('this process has no parent to talk to');
  return {
    send: (message, handle) => void send.call(process, message, handle as never),
    onMessage: (listener) => void process.on('message', listener),
  };
}
