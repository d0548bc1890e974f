import { setImmediate } from 'node:timers/promises';
import { ShellError } from '../../values/shell-error.ts';

/** Bounds of one line's work: a loop over a huge range must not hold the service. */
const maxSteps = 20_000_000;
/** Longest list or text that an operator may make. */
const maxLength = 10_000_000;
/** Deepest nesting of script blocks that call each other. */
const maxDepth = 64;

/**
 * Milliseconds of work after which the process gets to its other work, and to a signal that cancels the line. By time, not
 * by steps: one operator may go over ten million items.
 */
const pauseAfterMs = 20;
/** Characters of long texts that one line may make in all. */
const maxText = 500_000_000;
/** Texts below this length are not counted. */
export const longText = 65_536;

/** Counts the work of one line and ends it when it grows beyond bounds or is cancelled. */
export class Budget {
  readonly signal: AbortSignal;
  #steps = 0;
  #text = 0;
  #depth = 0;
  #lastPause = performance.now();

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  /** One evaluation step. Throws ShellError when there were too many, or the signal's reason. */
  step(): void {
    this.#steps += 1;
    if (this.#steps > maxSteps) throw limit(`The line took more than ${maxSteps} steps.`);
    if (this.signal.aborted) throw cancelled();
  }

  /** True when the work was long enough: then `pause` is to be awaited. */
  get due(): boolean {
    return performance.now() - this.#lastPause > pauseAfterMs;
  }

  /** Lets timers and sockets have their turn: a loop of awaits alone would keep them waiting until its end. */
  async pause(): Promise<void> {
    await setImmediate();
    this.#lastPause = performance.now();
  }

  /** Counts a long text that was made. Throws ShellError when there were too many. */
  made(length: number): void {
    this.#text += length;
    if (this.#text > maxText) throw limit(`The line made texts of more than ${maxText} characters.`);
  }

  /** Runs a script block's call. */
  async nested<T>(call: () => Promise<T>): Promise<T> {
    if (this.#depth >= maxDepth) throw limit(`Script blocks call each other more than ${maxDepth} deep.`);
    this.#depth += 1;
    try {
      return await call();
    } finally {
      this.#depth -= 1;
    }
  }

  /** The same for a block whose values are passed on as they come. */
  async *nestedStream(values: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    if (this.#depth >= maxDepth) throw limit(`Script blocks call each other more than ${maxDepth} deep.`);
    this.#depth += 1;
    try {
      yield* values;
    } finally {
      this.#depth -= 1;
    }
  }

  /** Throws ShellError for a list or text that would be too long. */
  static size(length: number): number {
    if (length > maxLength)
      throw limit(`The result would have ${length} items or characters; ${maxLength} are allowed.`);
    return length;
  }
}

function limit(message: string): ShellError {
  return new ShellError(message, { id: 'WorkLimitExceeded', category: 'LimitsExceeded' });
}

/** The line was ended from outside, as by Ctrl+C. */
export function cancelled(message = 'The pipeline has been stopped.'): ShellError {
  return new ShellError(message, {
    id: 'PipelineStopped',
    category: 'OperationStopped',
    exception: 'PipelineStoppedException',
  });
}
