import type { AnswerOf, ArgumentOf, FanOutAnswer, FanOutRequest } from '../../processes/index.ts';
import { type ToWorkers, toWorkers } from './worker-messages.ts';

/** What one worker said. */
export interface WorkerAnswer<T> {
  readonly worker: string;
  readonly result?: T;
  readonly error?: string;
}

/** Passes a request to every worker; `Bus.request('fan-out', …)` of the directory process. */
export type FanOut = (request: FanOutRequest) => Promise<readonly FanOutAnswer[]>;

/** Asks every worker the same. */
export interface Workers {
  ask<N extends keyof ToWorkers>(
    name: N,
    argument: ArgumentOf<ToWorkers[N]>,
  ): Promise<readonly WorkerAnswer<AnswerOf<ToWorkers[N]>>[]>;
}

/** Asks through the supervisor. An answer of another form is that worker's error. */
export class WorkerCaller implements Workers {
  readonly #fanOut: FanOut;

  constructor(fanOut: FanOut) {
    this.#fanOut = fanOut;
  }

  async ask<N extends keyof ToWorkers>(
    name: N,
    argument: ArgumentOf<ToWorkers[N]>,
  ): Promise<readonly WorkerAnswer<AnswerOf<ToWorkers[N]>>[]> {
    const answers = await this.#fanOut({ name, argument });
    return answers.map(({ worker, result, error }) => {
      if (error !== undefined) return { worker, error };
      try {
        return { worker, result: toWorkers[name].answer(result, name) as AnswerOf<ToWorkers[N]> };
      } catch (cause) {
        return { worker, error: (cause as Error).message };
      }
    });
  }
}
