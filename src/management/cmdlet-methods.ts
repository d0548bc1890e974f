/** The service's side of running cmdlets for callers in other processes. */
import { randomUUID } from 'node:crypto';
import {
  type CmdletDescriptions,
  CmdletError,
  type CmdletHost,
  type CmdletRequest,
  type CmdletRunner,
  fromWire,
  type Operation,
  toWire,
} from '../cmdlets/calling/index.ts';
import { Channel } from '../shell/caller/index.ts';
import { accountText } from './audit/own-account.ts';
import {
  type CmdletEnd,
  type CmdletPart,
  type CmdletReply,
  type DescribedCmdlets,
  objectsAhead,
} from './cmdlet-wire.ts';
import type { Caller, ManagementMethod } from './management-server.ts';

/** Calls of one account that run at a time: a pipeline has one for each of its cmdlets. */
const mostCalls = 64;

/** What callers learn of the server. */
export interface ServerPlace {
  readonly serverName: string;
  readonly role: string;
}

/** The cmdlets of this process. */
export interface CmdletPlace {
  readonly descriptions: CmdletDescriptions;
  /** Makes the runner for an account, which its audit records name. */
  readonly runnerFor: (account: string) => CmdletRunner;
}

/** Methods of the management endpoint that run cmdlets. What runs them may be loaded when somebody first asks. */
export function cmdletMethods(
  place: ServerPlace,
  cmdlets: () => CmdletPlace | Promise<CmdletPlace>,
): Record<string, ManagementMethod> {
  const calls = new Map<number, Set<RunningCall>>();
  return {
    server: async function* () {
      return place;
    },
    cmdlets: async function* () {
      return described((await cmdlets()).descriptions);
    },
    cmdlet: async function* (params, signal, caller) {
      const { request, sudoer } = readCall(params);
      const running = calls.get(caller.uid) ?? new Set();
      if (running.size >= mostCalls) throw new Error(`one account runs ${mostCalls} cmdlets at a time at the most`);
      const call = new RunningCall(signal);
      calls.set(caller.uid, running.add(call));
      try {
        const { runnerFor } = await cmdlets();
        return yield* call.run(runnerFor(accountText(caller.name, sudoer)), request);
      } finally {
        running.delete(call);
        if (running.size === 0) calls.delete(caller.uid);
      }
    },
    'cmdlet-reply': async function* (params, _signal, caller: Caller) {
      const reply = readReply(params);
      for (const call of calls.get(caller.uid) ?? []) call.reply(reply);
    },
  };
}

function described({ all, views }: CmdletDescriptions): DescribedCmdlets {
  return {
    cmdlets: all.map(({ name, synopsis, parameters, supportsShouldProcess, examples, notImplementedYet = false }) => ({
      ...{ name, synopsis, supportsShouldProcess, examples, notImplementedYet },
      parameters: parameters.map(({ check, ready: _ready, ...known }) => ({ ...known, checked: check !== undefined })),
    })),
    views: [...views],
  };
}

/** One call that runs. */
class RunningCall implements CmdletHost {
  readonly signal: AbortSignal;
  readonly #channel = new Channel<CmdletPart>();
  readonly #waiting = new Map<string, PromiseWithResolvers<boolean>>();

  constructor(signal: AbortSignal) {
    this.signal = signal;
    signal.addEventListener('abort', () => this.#leave(), { once: true });
  }

  async *run(runner: CmdletRunner, request: CmdletRequest): AsyncGenerator<CmdletPart, CmdletEnd> {
    const work = this.#work(runner, request).finally(() => this.#channel.close());
    // Its failure is thrown below, once all that came before it was read.
    work.catch(() => undefined);
    try {
      yield* this.#channel;
      return await work;
    } finally {
      this.#leave();
    }
  }

  warning(text: string): void {
    this.#channel.push({ kind: 'warning', text });
  }

  verbose(text: string): void {
    this.#channel.push({ kind: 'verbose', text });
  }

  shouldProcess(operation: Operation): Promise<boolean> {
    return this.#ask((token) => ({ kind: 'ask', token, operation }));
  }

  reply({ token, value, error }: CmdletReply): void {
    const waiting = this.#waiting.get(token);
    this.#waiting.delete(token);
    if (error === undefined) waiting?.resolve(value === true);
    else waiting?.reject(new Error(error));
  }

  async #work(runner: CmdletRunner, request: CmdletRequest): Promise<CmdletEnd> {
    let sent = 0;
    try {
      for await (const object of runner.run(request, this)) {
        if (this.signal.aborted) break;
        this.#channel.push({ kind: 'object', value: toWire(object) });
        if (++sent % objectsAhead === 0) await this.#ask((token) => ({ kind: 'more', token }));
      }
      return {};
    } catch (error) {
      if (!(error instanceof CmdletError)) throw error;
      const { id, category, message, target } = error;
      return { failed: { id, category, message, target } };
    }
  }

  #ask(part: (token: string) => CmdletPart): Promise<boolean> {
    if (this.signal.aborted) return Promise.reject(new Error(stopped));
    const token = randomUUID();
    const waiting = Promise.withResolvers<boolean>();
    this.#waiting.set(token, waiting);
    this.#channel.push(part(token));
    return waiting.promise;
  }

  /** Nobody answers any more. */
  #leave(): void {
    for (const waiting of this.#waiting.values()) waiting.reject(new Error(stopped));
    this.#waiting.clear();
  }
}

const stopped = 'the line was stopped';

/** Throws RangeError for what no caller of ours sends. */
function readCall(params: unknown): { readonly request: CmdletRequest; readonly sudoer: string | undefined } {
  const { cmdlet, parameters, line, sudoer } = recordOf(params);
  if (typeof cmdlet !== 'string' || typeof line !== 'string' || !Array.isArray(parameters)) {
    throw new RangeError('this is no call of a cmdlet');
  }
  const bound: CmdletRequest['parameters'] = new Map(
    parameters.map((parameter: unknown): [string, unknown] => {
      if (!Array.isArray(parameter)) throw new RangeError('this is no parameter of a cmdlet');
      const [name, value] = parameter as readonly unknown[];
      return [String(name), fromWire(value)];
    }),
  );
  return {
    request: { cmdlet, parameters: bound, line },
    sudoer: typeof sudoer === 'string' ? sudoer : undefined,
  };
}

function readReply(params: unknown): CmdletReply {
  const { token, value, error } = recordOf(params);
  return {
    token: String(token),
    value: value === true,
    ...(typeof error === 'string' && { error }),
  };
}

function recordOf(params: unknown): Readonly<Record<string, unknown>> {
  if (typeof params !== 'object' || params === null) throw new RangeError('there is nothing to read');
  return params as Readonly<Record<string, unknown>>;
}
