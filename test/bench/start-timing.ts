/** How long commands take as a person at a terminal waits for them: from the call to the last of the output, or to the prompt. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { edgeCommand } from '../lib/appliance.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A command and its environment; nothing of it goes through another shell. */
export interface Call {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** The command as it is installed: compiled code is kept beside the packages. */
export const installed = (...args: string[]): Call => ({ program: edgeCommand, args });

/** What `src/bin/edge` does, with a folder of its own for compiled code: an empty one is the first start after a clone. */
export const withCache = (folder: string, ...args: string[]): Call => ({
  program: `${root}node_modules/.bin/node`,
  args: ['--disable-warning=ExperimentalWarning', `${root}src/bin/edge.ts`, ...args],
  environment: { NODE_COMPILE_CACHE: folder },
});

/** Milliseconds to the end of a command. Throws with what it said when its status is another. */
export async function timeToEnd(call: Call, expected = 0): Promise<number> {
  const begin = performance.now();
  const child = start(call);
  const output = collected(child);
  const [status] = (await once(child, 'close')) as [number | null];
  const took = performance.now() - begin;
  if (status !== expected) throw new Error(`${call.args.join(' ')}: status ${status}\n${output.text}`);
  return took;
}

/** Milliseconds to the prompt of a shell in a terminal of its own; then it is left. */
export async function timeToPrompt(call: Call): Promise<number> {
  const words = [call.program, ...call.args].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  // A terminal is what script(1) of util-linux makes; it costs 2 to 3 ms, which count.
  const args = ['-qfec', `exec ${words.join(' ')}`, '/dev/null'];
  const begin = performance.now();
  const child = start({ ...call, program: 'script', args });
  const output = collected(child);
  const prompt = Promise.withResolvers<number>();
  child.stdout?.on('data', () => {
    if (/\[PS\] [^>]*> /.test(output.text)) prompt.resolve(performance.now() - begin);
  });
  child.once('close', () => prompt.reject(new Error(`${words.join(' ')}: ended before its prompt\n${output.text}`)));
  const took = await prompt.promise;
  child.stdin?.end('exit\r');
  await once(child, 'close');
  return took;
}

function start({ program, args, environment = {} }: Call): ChildProcess {
  return spawn(program, args, { env: { ...process.env, ...environment } });
}

function collected(child: ChildProcess): { text: string } {
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output.text += chunk.toString();
    });
  return output;
}
