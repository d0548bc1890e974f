/**
 * The prompt on a terminal that can only print (TERM=dumb: Emacs' shell buffer, a serial console), and where output goes into a
 * file: nothing is drawn, the terminal itself edits the line.
 */
import { createInterface } from 'node:readline';
import { printableLines } from '../../base/text/index.ts';
import { answerOf, exitOf, type Question, questionText } from '../../shell/caller/index.ts';
import { isComplete } from '../../shell/language/index.ts';
import { LineWriter, terminalWidth } from './shell-output.ts';
import type { Runner } from './shell-runner.ts';

/** Talks with the person until `exit` or the end of input; resolves with the exit status. */
export async function plainPrompt(runner: Runner, label: string): Promise<number> {
  using prompt = new PlainPrompt(runner, label);
  return await prompt.run();
}

class PlainPrompt implements Disposable {
  readonly #runner: Runner;
  readonly #label: string;
  readonly #input = createInterface({ input: process.stdin, terminal: false, crlfDelay: Infinity });
  readonly #rows = this.#input[Symbol.asyncIterator]();
  /** A prompt is for the person, and no part of the output. */
  readonly #screen = process.stdout.isTTY ? process.stdout : process.stderr;
  readonly #interrupt = (): void => this.#stopOrForget();
  /** Set while a line runs. */
  #stop: AbortController | undefined;
  #held = '';
  #status = 0;

  constructor(runner: Runner, label: string) {
    this.#runner = runner;
    this.#label = label;
    process.on('SIGINT', this.#interrupt);
  }

  async run(): Promise<number> {
    for (;;) {
      const row = await this.#read(this.#held === '' ? this.#label : '>> ');
      if (row === undefined) return this.#status;
      this.#held = this.#held === '' ? row : `${this.#held}\n${row}`;
      if (this.#held.trim() !== '' && !isComplete(this.#held)) continue;
      const line = this.#held;
      this.#held = '';
      const asked = exitOf(line);
      if (asked !== undefined) return asked.status ?? this.#status;
      if (line.trim() !== '') await this.#runLine(line);
    }
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.#interrupt);
    this.#input.close();
  }

  async #runLine(line: string): Promise<void> {
    const stop = new AbortController();
    this.#stop = stop;
    const writer = new LineWriter();
    const options = { width: terminalWidth(), colour: false, signal: stop.signal };
    try {
      for await (const piece of this.#runner.run(line, {
        ...options,
        ask: (question) => writer.asking(() => this.#ask(question)),
      })) {
        if (piece.kind === 'end') this.#status = Number(!piece.ok);
        else await writer.write(piece);
      }
    } catch (error) {
      this.#status = 1;
      process.stderr.write(`${printableLines((error as Error).message)}\n`);
    } finally {
      writer.end();
      this.#stop = undefined;
    }
  }

  async #ask(question: Question): Promise<string> {
    const { head, label } = questionText(question);
    this.#screen.write(head);
    for (;;) {
      const text = question.secret === true ? await this.#readSecret(label) : await this.#read(label);
      if (text === undefined) throw new Error('no answer was given');
      const answer = answerOf(text, question);
      if (answer !== undefined) return answer;
    }
  }

  async #read(label: string): Promise<string | undefined> {
    this.#screen.write(label);
    const { done, value } = await this.#rows.next();
    if (done !== true) return value;
    this.#screen.write('\n');
    return undefined;
  }

  /** In raw mode nothing is shown, and what the terminal would have edited is edited here. */
  async #readSecret(label: string): Promise<string | undefined> {
    process.stdin.setRawMode(true);
    try {
      let text = '';
      for (const char of (await this.#read(label)) ?? '') {
        if (char === '\u0003' || char === '\u0004') return undefined;
        text = char === '\u007F' || char === '\b' ? text.slice(0, -1) : text + char;
      }
      return text;
    } finally {
      process.stdin.setRawMode(false);
      this.#screen.write('\n');
    }
  }

  /** Ctrl-C. The one who insists does not wait for a line that does not stop. */
  #stopOrForget(): void {
    if (this.#stop?.signal.aborted) process.exit(130);
    this.#screen.write('\n');
    if (this.#stop !== undefined) return this.#stop.abort();
    this.#held = '';
    this.#screen.write(this.#label);
  }
}
