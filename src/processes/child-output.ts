import type { Readable } from 'node:stream';
import { printable } from '../base/index.ts';

/** Longest line shown, in characters; a child that says more at once is cut. */
const longestLine = 2_000;
/** Lines in each period; a child that was broken into must not fill the terminal or the journal. */
const mostLines = 500;
const periodMs = 10_000;

/** Passes on so many lines in each period, then says once that the rest is left out. */
export class LineBudget {
  readonly #take: (line: string) => void;
  #lines = 0;
  #since = performance.now();

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  tell(line: string): void {
    if (performance.now() - this.#since > periodMs) {
      this.#since = performance.now();
      this.#lines = 0;
    }
    this.#lines += 1;
    if (this.#lines <= mostLines) this.#take(line);
    else if (this.#lines === mostLines + 1) this.#take('says too much: the rest is left out for some seconds');
  }
}

/** Hands over what a child writes, line by line, without anything that acts on a terminal. */
export function readOutput(stream: Readable, budget: LineBudget): void {
  let rest = '';
  const show = (line: string): void => budget.tell(printable(line.replace(/^edge: /, ''), longestLine));
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const all = (rest + chunk).split('\n');
    rest = (all.pop() ?? '').slice(0, longestLine);
    for (const line of all) if (line !== '') show(line);
  });
  stream.on('end', () => {
    if (rest !== '') show(rest);
  });
  // The process ended; its exit says so.
  stream.on('error', () => {});
}
