/** Output of `edge shell` without a prompt: text to standard output, everything else to standard error. */
import { once } from 'node:events';
import { ProgressLine, type Question, type ShellOutput } from '../shell/caller/index.ts';

/** Width of output that goes to no terminal, in columns: as Exchange's own lists are printed. */
const plainWidth = 120;

export const terminalWidth = (): number => process.stdout.columns ?? plainWidth;

/** Colour only on a terminal, and only when nobody forbids it (https://no-color.org). */
export const terminalColour = (): boolean =>
  process.stdout.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';

/** Writes what one line gives. */
export class LineWriter {
  readonly #progress = process.stderr.isTTY
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

  end(): void {
    this.#progress?.[Symbol.dispose]();
  }
}

/** Ends quietly when nobody reads any more, as `edge shell -c … | head` does. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}

/** Asks at the terminal; the default choice is taken for an empty answer. */
export async function answerAtTerminal({ caption, message, choices, defaultChoice }: Question): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const { choiceOf, choicesText } = await import('../shell/caller/index.ts');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    process.stderr.write(`\n${caption}\n${message}\n`);
    for (;;) {
      const answer = await terminal.question(choices.length === 0 ? ': ' : choicesText(choices, defaultChoice));
      if (choices.length === 0) return answer;
      const chosen = choiceOf(answer, choices, defaultChoice);
      if (chosen !== undefined) return String(chosen);
    }
  } finally {
    terminal.close();
  }
}
