/** The prompt of `edge shell` at the terminal that it was called from. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { History, KeyDecoder, KeyQueue, Prompt, type PromptScreen } from '../../shell/prompt/index.ts';
import { terminalColour } from './shell-output.ts';
import type { Runner } from './shell-runner.ts';

/** Milliseconds after which an escape is a key of its own and not the beginning of a sequence. */
const escapeMs = 50;
/** Milliseconds after which a program that should have been suspended was not. */
const notSuspendedMs = 100;
const bracketedPaste = { on: '\u001B[?2004h', off: '\u001B[?2004l' };

/** Talks with the person until `exit` or Ctrl-D; resolves with the exit status. */
export async function promptAtTerminal(runner: Runner, label: string): Promise<number> {
  using terminal = new Terminal();
  const path = historyPath();
  const history = path === undefined ? History.inMemory() : await History.open(path);
  const parts = { endpoint: runner, screen: terminal, keys: terminal.keys, history, colour: terminalColour(), label };
  // Behind the first drawing of the prompt. A line that cannot be loaded says so itself.
  setImmediate(() => void runner.prepare().catch(() => undefined));
  // Awaited here: the terminal is held until then.
  return await new Prompt({ ...parts, abandon: () => runner.abandon() }).run();
}

/** Where the lines of former sessions are: the person's own folder, whatever server the lines were for. */
function historyPath(): string | undefined {
  try {
    return join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local/state'), 'edge-shell', 'history');
  } catch {
    // An account that the system does not list has no home.
    return undefined;
  }
}

/** The terminal in raw mode: keys come one by one. Given back as it was. */
class Terminal implements PromptScreen, Disposable {
  readonly keys = new KeyQueue();
  readonly #decoder = new KeyDecoder();
  readonly #restore = (): void => this.#leave();
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    this.#enter();
    process.stdin.setEncoding('utf8');
    process.stdin.on('data', (chunk: string) => this.#take(chunk));
    process.stdin.on('end', () => this.keys.end());
    process.stdin.on('error', () => this.keys.end());
    // Also when the program ends by a fault.
    process.on('exit', this.#restore);
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
  }

  get columns(): number {
    return process.stdout.columns || 80;
  }

  get rows(): number {
    return process.stdout.rows || 24;
  }

  write(text: string): void {
    process.stdout.write(text);
  }

  onResize(call: () => void): Disposable {
    process.stdout.on('resize', call);
    return { [Symbol.dispose]: () => void process.stdout.off('resize', call) };
  }

  suspend(): void {
    this.#leave();
    const comeBack = (): void => {
      clearTimeout(timer);
      process.off('SIGCONT', comeBack);
      this.#enter();
      process.stdout.emit('resize');
    };
    process.once('SIGCONT', comeBack);
    process.kill(process.pid, 'SIGTSTP');
    // Nobody suspends a program that no shell started (`ssh host edge shell`): the kernel drops the signal, and none comes to go on.
    const timer = setTimeout(comeBack, notSuspendedMs);
  }

  [Symbol.dispose](): void {
    this.#leave();
    process.off('exit', this.#restore);
    process.stdin.pause();
  }

  #enter(): void {
    process.stdin.setRawMode(true);
    this.write(bracketedPaste.on);
  }

  #leave(): void {
    this.write(bracketedPaste.off);
    process.stdin.setRawMode(false);
  }

  #take(chunk: string): void {
    clearTimeout(this.#timer);
    for (const key of this.#decoder.feed(chunk)) this.keys.push(key);
    if (!this.#decoder.isWaiting) return;
    this.#timer = setTimeout(() => {
      for (const key of this.#decoder.flush()) this.keys.push(key);
    }, escapeMs);
  }
}
