/** Runs cmdlets where the directory and the queues are: the caller's side of `cmdlet-wire.ts`. */
import {
  CmdletError,
  type CmdletHost,
  CmdletObject,
  type CmdletRequest,
  type CmdletRunner,
  type ErrorCategory,
  fromWire,
  toWire,
} from '../../cmdlets/calling/index.ts';
import { Channel } from '../../shell/caller/index.ts';
import { NotRunningError } from '../client/management-client.ts';
import type { MethodCaller } from '../client/method-caller.ts';
import type { CmdletCall, CmdletEnd, CmdletPart, CmdletReply } from '../cmdlet-wire.ts';

/** Where methods are called now: a service that was started anew is another one. Throws NotRunningError when there is none. */
export type CallerNow = () => Promise<MethodCaller>;

/** One process's cmdlets as those of another one. */
export class RemoteCmdletRunner implements CmdletRunner {
  readonly #callerNow: CallerNow;
  readonly #sudoer: string | undefined;

  constructor(callerNow: CallerNow, sudoer?: string) {
    this.#callerNow = callerNow;
    this.#sudoer = sudoer;
  }

  async *run(request: CmdletRequest, host: CmdletHost): AsyncGenerator<CmdletObject> {
    const caller = await this.#connected();
    host.signal.throwIfAborted();
    const stop = new AbortController();
    const parts = new Channel<CmdletPart>();
    const leave = (): void => {
      stop.abort();
      // What the service still has to say about it is waited for by nobody.
      parts.close();
    };
    host.signal.addEventListener('abort', leave, { once: true });
    const work = caller
      .callUntil(stop.signal, 'cmdlet', this.#call(request), (part) => parts.push(part as CmdletPart))
      .finally(() => parts.close());
    work.catch(() => undefined);
    try {
      yield* this.#received(parts, caller, host);
      host.signal.throwIfAborted();
      finish((await work) as CmdletEnd);
    } catch (error) {
      throw error instanceof NotRunningError ? serviceGone(error) : error;
    } finally {
      host.signal.removeEventListener('abort', leave);
      leave();
    }
  }

  async #connected(): Promise<MethodCaller> {
    try {
      return await this.#callerNow();
    } catch (error) {
      throw error instanceof NotRunningError ? serviceGone(error) : error;
    }
  }

  #call({ cmdlet, parameters, line }: CmdletRequest): CmdletCall {
    const sudoer = this.#sudoer;
    return {
      cmdlet,
      parameters: [...parameters].map(([name, value]) => [name, toWire(value)]),
      line,
      ...(sudoer === undefined ? {} : { sudoer }),
    };
  }

  async *#received(
    parts: AsyncIterable<CmdletPart>,
    caller: MethodCaller,
    host: CmdletHost,
  ): AsyncGenerator<CmdletObject> {
    const reply = (answer: CmdletReply): void => {
      // When the service is gone, the call itself says so.
      caller.call('cmdlet-reply', answer).catch(() => undefined);
    };
    for await (const part of parts) {
      if (part.kind === 'object') yield objectOf(part.value);
      else if (part.kind === 'more') reply({ token: part.token });
      else if (part.kind === 'ask') reply({ token: part.token, value: await host.shouldProcess(part.operation) });
      else if (part.kind === 'warning') host.warning(part.text);
      else if (part.kind === 'verbose') host.verbose(part.text);
      // A service that was broken into may say anything: what a line does is decided here.
      else throw new TypeError('the service sent what no cmdlet sends');
    }
  }
}

function objectOf(value: unknown): CmdletObject {
  const object = fromWire(value);
  if (object instanceof CmdletObject) return object;
  throw new TypeError('the service sent something that is no object');
}

/** Throws CmdletError for a refusal. */
function finish({ failed }: CmdletEnd): void {
  if (failed === undefined) return;
  const { id, category, message, target } = failed;
  throw new CmdletError(id, category as ErrorCategory, message, { target });
}

function serviceGone(cause: NotRunningError): CmdletError {
  const text = `The service cannot be reached: ${cause.message}. Look whether it runs with: edge status.`;
  return new CmdletError('ServiceNotReachable', 'ResourceUnavailable', text, { cause });
}
