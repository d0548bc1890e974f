/** Output of `edge shell` without a prompt: text to standard output, everything else to standard error. */
import { once } from 'node:events';
import { ProgressLine, type ShellOutput } from '../../shell/caller/index.ts';

/** Width of output that goes to no terminal, in columns: as Exchange's own lists are printed. */
const plainWidth = 120;

export const terminalWidth = (): number => process.stdout.columns ?? plainWidth;

/** The terminal moves its cursor and has colours: it is none that can only print (terminfo's entry `dumb`), nor one without a name. */
const isCapable = (): boolean => !['', 'dumb'].includes(process.env['TERM'] ?? '');

/** What is written can be drawn over: standard output is a terminal, and not one that can only print. */
export const canDraw = (): boolean => process.stdout.isTTY && isCapable();

/** Colour only on a terminal, and only when nobody forbids it (https://no-color.org). */
export const terminalColour = (): boolean => canDraw() && !process.env['NO_COLOR'];

/** Writes what one line gives. */
export class LineWriter {
  readonly #progress =
    process.stderr.isTTY && isCapable()
      ? new ProgressLine({
          get columns() {
            return process.stderr.columns ?? 80;
          },
          write: (text) => void process.stderr.write(text),
        })
      : undefined;

  async write(piece: Exclude<ShellOutput, { kind: 'end' }>): Promise<void> {
    if (piece.kind === 'progress') return this.#progress?.tell(piece);
    this.#progress?.before(piece.text);
    const stream = piece.kind === 'text' ? process.stdout : process.stderr;
    // A reader that is slower than the service holds it up; it must not fill the memory.
    if (!stream.write(piece.text)) await once(stream, 'drain');
  }

  /** Puts a question: nothing is drawn over it while it waits for its answer. */
  async asking<T>(question: () => Promise<T>): Promise<T> {
    this.#progress?.hold();
    try {
      return await question();
    } finally {
      this.#progress?.release();
    }
  }

  end(): void {
    this.#progress?.[Symbol.dispose]();
  }
}
