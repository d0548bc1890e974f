import { ShellError } from '../values/shell-error.ts';

/** Bounds of one line's work: a loop over a huge range must not hold the service. */
const maxSteps = 20_000_000;
/** Longest list or text that an operator may make. */
export const maxLength = 10_000_000;
/** Deepest nesting of script blocks that call each other. */
const maxDepth = 64;

/** Counts the work of one line and ends it when it grows beyond bounds or is cancelled. */
export class Budget {
  readonly signal: AbortSignal;
  #steps = 0;
  #depth = 0;

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  /** One evaluation step. Throws ShellError when there were too many, or the signal's reason. */
  step(): void {
    this.#steps += 1;
    if (this.#steps > maxSteps) throw limit(`The line took more than ${maxSteps} steps.`);
    if (this.signal.aborted) throw cancelled();
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
export function cancelled(): ShellError {
  return new ShellError('The pipeline has been stopped.', {
    id: 'PipelineStopped',
    category: 'OperationStopped',
    exception: 'PipelineStoppedException',
  });
}
