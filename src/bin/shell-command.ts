/** `edge shell`: runs lines in the running service, or on the store itself when nothing runs. */

import { randomUUID } from 'node:crypto';
import { access, appendFile, readFile, writeFile } from 'node:fs/promises';
import { exitStatus, type ShellOptions } from '../cli/index.ts';
import { type FileAccess, type Question, type ShellOutput } from '../shell/index.ts';
import {
  lockStateFolder,
  ManagementClient,
  managementSocket,
  NotRunningError,
  prepareStateFolder,
  type StatePaths,
  statePaths,
} from '../supervisor/index.ts';
import { ownAccount } from './own-account.ts';
import { type CallerTask, type TaskReply } from './shell-session.ts';

/** One way to run lines. */
interface Runner extends AsyncDisposable {
  run(text: string, show: (output: ShellOutput) => void, file?: string): Promise<void>;
}

/** Files with the rights of whoever called the command. */
const callersFiles: FileAccess = {
  read: (path) => readFile(path),
  write: (path, content, append) => (append ? appendFile(path, content) : writeFile(path, content)),
  exists: (path) =>
    access(path).then(
      () => true,
      () => false,
    ),
};

/** Runs what was given; resolves with the exit status: 1 when a line failed. */
export async function shell(options: ShellOptions): Promise<number> {
  const paths = statePaths(options.state);
  await using runner = await connect(paths, options);
  let ok = true;
  const show = (output: ShellOutput): void => {
    if (output.kind === 'end') ok &&= output.ok;
    else if (output.kind === 'text') process.stdout.write(output.text);
    else if (output.kind !== 'progress') process.stderr.write(output.text);
  };
  for (const line of options.lines) await runner.run(line, show);
  for (const file of options.files) await runner.run(await readFile(file, 'utf8'), show, file);
  if (options.lines.length + options.files.length === 0) await converse((line) => runner.run(line, show));
  return ok ? exitStatus.done : exitStatus.finding;
}

/** Reads lines from the terminal, or from a pipe, until the end or `exit`. */
async function converse(run: (line: string) => Promise<void>): Promise<void> {
  const { createInterface } = await import('node:readline');
  const terminal = process.stdin.isTTY;
  const lines = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal,
    prompt: terminal ? '[PS] > ' : '',
  });
  lines.prompt();
  for await (const line of lines) {
    if (/^\s*(exit|quit)\s*$/i.test(line)) break;
    if (line.trim() !== '') await run(line);
    lines.prompt();
  }
}

async function connect(paths: StatePaths, options: ShellOptions): Promise<Runner> {
  try {
    return new ServiceRunner(await ManagementClient.connect(managementSocket(paths)));
  } catch (error) {
    if (!(error instanceof NotRunningError) && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // Only now is the directory loaded: the shell of a running service starts without it.
    const { openStoreRunner } = await import('./store-runner.ts');
    prepareStateFolder(paths);
    const lock = lockStateFolder(paths);
    return openStoreRunner(paths, options.role, callersFiles, lock);
  }
}

const width = (): number => process.stdout.columns ?? 120;
const colour = (): boolean => process.stdout.isTTY === true && !process.env['NO_COLOR'];

/** Lines run in the service; what they ask of the caller is done here. */
class ServiceRunner implements Runner {
  readonly #client: ManagementClient;
  readonly #session = randomUUID();

  constructor(client: ManagementClient) {
    this.#client = client;
  }

  async run(text: string, show: (output: ShellOutput) => void, file?: string): Promise<void> {
    const request = {
      session: this.#session,
      text,
      width: width(),
      colour: colour(),
      account: ownAccount(),
      ...(file === undefined ? {} : { file }),
    };
    await this.#client.call('shell', request, (part) => {
      const piece = part as ShellOutput | { readonly token: number; readonly task: CallerTask };
      if ('token' in piece) void this.#reply(piece.token, piece.task);
      else show(piece);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client[Symbol.dispose]();
  }

  async #reply(token: number, task: CallerTask): Promise<void> {
    let reply: TaskReply;
    try {
      reply = { token, value: await doTask(task) };
    } catch (error) {
      reply = { token, error: (error as Error).message };
    }
    await this.#client.call('shell-reply', reply);
  }
}

async function doTask(task: CallerTask): Promise<string | boolean> {
  switch (task.task) {
    case 'ask':
      return ask(task.question);
    case 'read':
      return Buffer.from(await callersFiles.read(task.path)).toString('base64');
    case 'write':
      await callersFiles.write(task.path, Buffer.from(task.content, 'base64'), task.append);
      return true;
    case 'exists':
      return callersFiles.exists(task.path);
  }
}

/** Nobody sits before a script: the default answer is taken. */
async function ask({ caption, message, choices, defaultChoice }: Question): Promise<string> {
  if (!process.stdin.isTTY) return String(defaultChoice);
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const names = choices.map((choice) => choice.replace('&', ''));
    const prompt =
      choices.length === 0
        ? `${caption}\n${message}: `
        : `${caption}\n${message}\n${names.join('  ')} (default ${names[defaultChoice]}): `;
    const answer = (await terminal.question(prompt)).trim().toLowerCase();
    if (choices.length === 0) return answer;
    const chosen = choices.findIndex((choice, i) => {
      const letter = /&(.)/.exec(choice)?.[1]?.toLowerCase();
      return answer !== '' && (answer === letter || answer === names[i]?.toLowerCase());
    });
    return String(chosen < 0 ? defaultChoice : chosen);
  } finally {
    terminal.close();
  }
}
