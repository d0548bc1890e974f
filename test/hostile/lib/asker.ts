/**
 * Those who are to be served while others attack, in a process of their own: the one that attacks is busy itself, and what it
 * measured would be its own delay. Forked; takes an `Ask` as a message and sends back an `Answer`.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { DirectoryClient } from '../../../src/directory/index.ts';

/** Nothing here is asserted on speed: a machine may be busy. The figures are in the output. */
const answerLimitMs = 60_000;

interface Account {
  readonly dn: string;
  readonly password: string;
}

export type Ask =
  | { readonly what: 'directory'; readonly url: string; readonly bind?: Account }
  | { readonly what: 'message'; readonly port: number };

type Answer = { readonly ms: number } | { readonly error: string };

/** Binds, where it is told as whom, and reads the root DSE. */
async function askDirectory(url: string, bind: Account | undefined): Promise<void> {
  await using client = new DirectoryClient({
    url,
    tls: { rejectUnauthorized: false },
    ...(bind !== undefined && { bind }),
    timeoutMs: answerLimitMs,
    connectTimeoutMs: answerLimitMs,
  });
  let found = 0;
  for await (const _ of client.search({ base: '', scope: 'base' })) found += 1;
  if (found !== 1) throw new Error(`${found} entries`);
}

/** One message, taken. */
function sendMessage(port: number): Promise<void> {
  const lines = [
    'EHLO a.example',
    'MAIL FROM:<a@a.example>',
    'RCPT TO:<b@b.example>',
    'DATA',
    'S: x\r\n\r\nx\r\n.',
    'QUIT',
  ];
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.setTimeout(answerLimitMs, () => socket.destroy(new Error('no answer within a minute')));
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
      if (/^[2345]\d\d [^\n]*\n$/m.test(String(chunk))) socket.write(`${lines.shift() ?? ''}\r\n`);
    });
    socket.once('error', reject);
    socket.once('close', () => (/^250 2\.6\.0 /m.test(text) ? resolve() : reject(new Error(text))));
  });
}

async function answer(ask: Ask): Promise<Answer> {
  const begun = performance.now();
  try {
    await (ask.what === 'directory' ? askDirectory(ask.url, ask.bind) : sendMessage(ask.port));
    return { ms: Math.round(performance.now() - begun) };
  } catch (error) {
    return { error: String(error) };
  }
}

/** The process; one question at a time. */
export class Asker implements Disposable {
  readonly #child: ChildProcess = fork(import.meta.filename, ['answers'], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });

  /** Milliseconds to the answer. Rejects when there is none, or a wrong one. */
  async ask(ask: Ask): Promise<number> {
    this.#child.send(ask);
    const [answered] = (await once(this.#child, 'message')) as [Answer];
    if ('error' in answered) throw new Error(answered.error);
    return answered.ms;
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}

if (process.argv[2] === 'answers')
  process.on('message', (ask) => void answer(ask as Ask).then((answered) => process.send?.(answered)));
