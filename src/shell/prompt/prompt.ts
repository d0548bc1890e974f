import { exitOf } from '../caller/exit.ts';
import { ProgressLine } from '../caller/progress.ts';
import { answerOf, questionText } from '../caller/question.ts';
import type { Question, ShellEndpoint } from '../endpoint.ts';
import { paint } from '../format/colour.ts';
import type { Screen } from './edit-area.ts';
import { History } from './history.ts';
import type { KeyQueue } from './key-queue.ts';
import { LineEditor } from './line-editor.ts';
import { Pager } from './pager.ts';

/** The terminal that a person sits at. */
export interface PromptScreen extends Screen {
  /** Calls back whenever the window has another size. */
  onResize(call: () => void): Disposable;
  /** Gives the terminal back to the shell that started this, until it is continued. */
  suspend?(): void;
}

export interface PromptParts {
  readonly endpoint: ShellEndpoint;
  readonly screen: PromptScreen;
  readonly keys: KeyQueue;
  readonly history: History;
  /** Colours are allowed. */
  readonly colour: boolean;
  /** '[PS] EDGE1> ' */
  readonly label: string;
  /** Gives a session up whose line does not stop. */
  readonly abandon?: () => void;
}

/** The conversation with a person: reads lines and shows what they give. */
export class Prompt {
  readonly #parts: PromptParts;
  readonly #editor: LineEditor;
  #succeeded = true;

  constructor(parts: PromptParts) {
    this.#parts = parts;
    const { endpoint } = parts;
    this.#editor = new LineEditor({ ...parts, complete: (text, cursor) => endpoint.complete(text, cursor) });
  }

  /** Resolves at `exit` or the end of input with what `exit` said, else with whether the last line went well. */
  async run(): Promise<number> {
    const { history, label, screen } = this.#parts;
    for (;;) {
      const line = await this.#editor.read(label);
      if (line === undefined) return Number(!this.#succeeded);
      if (line.trim() === '') continue;
      history.add(line);
      const asked = exitOf(line);
      if (asked !== undefined) return asked.status ?? Number(!this.#succeeded);
      if (/^\s*(?:cls|clear|clear-host)\s*$/i.test(line)) screen.write('\u001B[H\u001B[2J');
      else if (/^\s*(?:h|history|ghy|get-history)\s*$/i.test(line)) await this.#show(listed(history));
      else await this.#runLine(line);
    }
  }

  async #show(text: string): Promise<void> {
    await new Pager(this.#parts.screen, this.#parts.keys).write(text);
  }

  async #runLine(line: string): Promise<void> {
    const { endpoint, screen, keys, colour } = this.#parts;
    const stop = new AbortController();
    const abandoned = Promise.withResolvers<undefined>();
    const pager = new Pager(screen, keys);
    using progress = new ProgressLine(screen);
    const leave = (): void => {
      // Whoever insists need not wait for work that does not stop.
      if (stop.signal.aborted) abandoned.resolve(undefined);
      pager.leave();
      stop.abort();
    };
    keys.onInterrupt = () => {
      progress.before('\n');
      screen.write('^C\n');
      leave();
    };
    const ask = async (question: Question): Promise<string> => {
      progress.hold();
      pager.restart();
      return this.#ask(question, leave).finally(() => progress.release());
    };
    const output = endpoint.run(line, { width: screen.columns, colour, signal: stop.signal, ask });
    const pieces = output[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await Promise.race([pieces.next(), abandoned.promise]);
        if (next === undefined) this.#parts.abandon?.();
        if (next === undefined || next.done === true) break;
        const piece = next.value;
        if (piece.kind === 'end') this.#succeeded = piece.ok;
        else if (piece.kind === 'progress') progress.tell(piece);
        else if (!(await write(piece.text, pager, progress))) leave();
      }
    } catch (error) {
      this.#succeeded = false;
      progress.before('\n');
      screen.write(`${paint('red', (error as Error).message, colour)}\n`);
    } finally {
      keys.onInterrupt = undefined;
    }
  }

  async #ask(question: Question, leave: () => void): Promise<string> {
    const { screen, keys } = this.#parts;
    const { secret = false } = question;
    const { head, label } = questionText(question);
    const { onInterrupt } = keys;
    keys.onInterrupt = undefined;
    screen.write(head);
    const editor = new LineEditor({ ...this.#parts, history: History.inMemory(), secret });
    try {
      for (;;) {
        const text = await editor.read(label);
        if (text === undefined) {
          leave();
          throw new Error('no answer was given');
        }
        const answer = answerOf(text, question);
        if (answer !== undefined) return answer;
      }
    } finally {
      keys.onInterrupt = onInterrupt;
    }
  }
}

function listed(history: History): string {
  const { entries } = history;
  const width = String(entries.length).length;
  return entries
    .map(
      (entry, i) => `${String(i + 1).padStart(width + 1)}  ${entry.replaceAll('\n', `\n${' '.repeat(width + 3)}`)}\n`,
    )
    .join('');
}

function write(text: string, pager: Pager, progress: ProgressLine): Promise<boolean> {
  progress.before(text);
  return pager.write(text);
}
