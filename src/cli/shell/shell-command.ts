/** `edge shell`: lines, scripts and the prompt. Exit status 1 when a line failed. */

import { exitOf, type Question } from '../../shell/caller/index.ts';
import { exitStatus, type ShellOptions } from '../parts.ts';
import { scriptText } from './script-text.ts';
import { canDraw, LineWriter, terminalColour, terminalWidth } from './shell-output.ts';
import { openRunner, type Runner } from './shell-runner.ts';

/** Runs what was given; resolves with the exit status. */
export async function shell(options: ShellOptions): Promise<number> {
  if (options.check) return (await import('./check-command.ts')).check(options);
  try {
    return await runGiven(options);
  } finally {
    // A read that the runtime has begun for a terminal that nobody listens to any more must not keep the program from ending.
    if (process.stdin.isTTY) process.stdin.unref();
  }
}

async function runGiven(options: ShellOptions): Promise<number> {
  const interactive = options.lines.length + options.files.length === 0 && process.stdin.isTTY;
  // Read before anything runs: a script that is not there must not be noticed half way.
  const scripts = await Promise.all(options.files.map(async (file) => ({ file, text: await scriptText(file) })));
  await using runner = await openRunner({ ...options, atOnce: !interactive });
  if (interactive) return await prompt(runner);
  const session = new Session(runner);
  for (const line of options.lines) if (!session.ended) await session.run(line);
  for (const { file, text } of scripts) if (!session.ended) await session.run(text, file);
  if (options.lines.length + scripts.length === 0) await session.runAll(process.stdin);
  return session.status;
}

/** Talks with the person, in the way that the terminal allows. */
async function prompt(runner: Runner): Promise<number> {
  const { serverName, running } = runner.place;
  const label = `[PS] ${serverName}> `;
  if (!running) {
    process.stderr.write(
      'The service is not running: configuration is changed in the store itself, queues and messages cannot be reached.\n',
    );
  }
  if (canDraw()) return (await import('./shell-prompt.ts')).promptAtTerminal(runner, label);
  return (await import('./plain-prompt.ts')).plainPrompt(runner, label);
}

/** Lines one after the other, without a prompt. Ctrl-C ends the one that runs and those behind it. */
class Session {
  readonly #runner: Runner;
  readonly #stop = new AbortController();
  #status: number = exitStatus.done;
  ended = false;

  constructor(runner: Runner) {
    this.#runner = runner;
    process.once('SIGINT', () => {
      this.ended = true;
      this.#stop.abort();
      // The one who waits may insist.
      process.once('SIGINT', () => process.exit(130));
    });
  }

  /** 1 when a line failed, what `exit` said, 130 after Ctrl-C. */
  get status(): number {
    return this.#stop.signal.aborted ? 130 : this.#status;
  }

  async run(text: string, file?: string): Promise<void> {
    const asked = exitOf(text);
    if (asked !== undefined) {
      this.ended = true;
      this.#status = asked.status ?? this.#status;
      return;
    }
    const writer = new LineWriter();
    const options = {
      width: terminalWidth(),
      colour: terminalColour(),
      signal: this.#stop.signal,
      ...(process.stdin.isTTY ? { ask: (question: Question) => writer.asking(() => ask(question)) } : {}),
      ...(file === undefined ? {} : { file }),
    };
    for await (const piece of this.#runner.run(text, options)) {
      if (piece.kind === 'end') this.#status = piece.ok ? this.#status : exitStatus.finding;
      else await writer.write(piece);
    }
    writer.end();
  }

  /** Runs each statement as soon as it is complete, so that a program may talk through a pipe. */
  async runAll(input: NodeJS.ReadStream): Promise<void> {
    const { isComplete } = await import('../../shell/language/index.ts');
    const { createInterface } = await import('node:readline');
    let held = '';
    let number = 0;
    for await (const line of createInterface({ input, crlfDelay: Infinity })) {
      // Lines already run stand before it as empty ones, so that errors name the place in the whole input.
      held = held === '' ? '\n'.repeat(number) + line : `${held}\n${line}`;
      number += 1;
      if (held.trim() !== '' && !isComplete(held)) continue;
      if (held.trim() !== '') await this.run(held);
      held = '';
      if (this.ended) return;
    }
    if (held.trim() !== '') await this.run(held);
  }
}

async function ask(question: Question): Promise<string> {
  return (await import('./terminal-answer.ts')).answerAtTerminal(question);
}
