import { printableLines } from '../../base/text/index.ts';
import { pad, truncate } from '../format/layout.ts';

/** What a running line told of itself. */
export interface Progress {
  readonly activity: string;
  readonly status: string;
  /** 0 to 100; absent when the end is not known. */
  readonly percent?: number;
}

const barWidth = 20;

/** One line for a person who waits, at most `width` columns wide. */
export function progressText(progress: Progress | undefined, seconds: number, width: number): string {
  const { activity = '', status = '', percent } = progress ?? {};
  const what = printableLines([activity, status].filter((part) => part !== '').join(': ')) || 'Working';
  const time = `${Math.floor(seconds)} s, Ctrl-C stops`;
  const end = percent === undefined ? time : `${bar(percent)} ${time}`;
  const room = width - end.length - 2;
  if (room < 8) return truncate(what, Math.max(1, width));
  return `${pad(truncate(what, room), Math.min(room, 24), false)}  ${end}`;
}

function bar(percent: number): string {
  const part = Math.min(100, Math.max(0, percent));
  const full = Math.round((part / 100) * barWidth);
  return `[${'#'.repeat(full)}${'.'.repeat(barWidth - full)}] ${Math.round(part)}%`;
}

/** Where the line is shown. */
export interface ProgressTerminal {
  readonly columns: number;
  write(text: string): void;
}

/** Milliseconds before a line that runs says so by itself. */
const patienceMs = 1000;
const stepMs = 250;

/** A line at the bottom that tells of long work. It is taken away before anything else is written. */
export class ProgressLine implements Disposable {
  readonly #terminal: ProgressTerminal;
  readonly #started = performance.now();
  readonly #timer: NodeJS.Timeout;
  #progress: Progress | undefined;
  #shown = false;
  /** Something stands in the current row that must not be overwritten, or a person is being asked. */
  #held = false;

  constructor(terminal: ProgressTerminal) {
    this.#terminal = terminal;
    this.#timer = setInterval(() => this.#draw(), stepMs);
  }

  /** News from the line that runs; `done` ends its activity. */
  tell(progress: Progress & { readonly done?: boolean }): void {
    this.#progress = progress.done === true ? undefined : progress;
    if (progress.done === true) this.clear();
  }

  /** Before other text is written. `text` decides whether the line may come back below it. */
  before(text: string): void {
    this.clear();
    if (text !== '') this.#held = !text.endsWith('\n');
  }

  /** Takes the line away, and keeps it away until `release`. */
  hold(): void {
    this.clear();
    this.#held = true;
  }

  release(): void {
    this.#held = false;
  }

  clear(): void {
    if (this.#shown) this.#terminal.write('\r\u001B[K');
    this.#shown = false;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.clear();
  }

  #draw(): void {
    const elapsedMs = performance.now() - this.#started;
    if (this.#held || elapsedMs < patienceMs) return;
    this.#terminal.write(`\r\u001B[K${progressText(this.#progress, elapsedMs / 1000, this.#terminal.columns - 1)}`);
    this.#shown = true;
  }
}
