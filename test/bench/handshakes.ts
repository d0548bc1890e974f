/** Clients that do nothing but EHLO, STARTTLS, the handshake and QUIT: in two processes, so that one alone is not what is measured. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { handshakeOptions } from './drive.ts';

interface Load {
  readonly port: number;
  readonly sessions: number;
  readonly seconds: number;
}
interface Outcome {
  readonly done: number;
  readonly lost: number;
  readonly perSecond: number;
  /** Why handshakes failed, and how often. */
  readonly notes: readonly (readonly [why: string, times: number])[];
}

/** Processes of clients, kept over many runs. */
export class HandshakeClients implements AsyncDisposable {
  readonly #processes: readonly ChildProcess[] = [0, 1].map(() => fork(fileURLToPath(import.meta.url), ['clients']));

  /** The sessions are shared out to the processes. */
  async run({ sessions, ...load }: Load): Promise<Outcome> {
    const each = sessions / this.#processes.length;
    const outcomes = await Promise.all(
      this.#processes.map(async (one) => {
        one.send({ ...load, sessions: each });
        const [outcome] = (await once(one, 'message')) as [Outcome];
        return outcome;
      }),
    );
    const sum = (figure: 'done' | 'lost' | 'perSecond'): number => outcomes.reduce((all, one) => all + one[figure], 0);
    return {
      done: sum('done'),
      lost: sum('lost'),
      perSecond: sum('perSecond'),
      notes: outcomes.flatMap((one) => one.notes),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#processes) one.disconnect();
  }
}

/** One connection: EHLO, STARTTLS, the handshake, QUIT. Resolves with why it failed; '' when it did not. */
function handshake(port: number): Promise<string> {
  return new Promise((resolve) => {
    const clear = connect({ host: '127.0.0.1', port, noDelay: true });
    clear.once('error', (error) => resolve(error.message));
    clear.once('close', () => resolve('closed in clear'));
    const answers = ['EHLO client.test\r\n', 'STARTTLS\r\n'];
    let text = '';
    clear.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (!/^\d{3} .*\r\n$/m.test(text)) return;
      text = '';
      const next = answers.shift();
      if (next !== undefined) return void clear.write(next);
      clear.removeAllListeners('data');
      clear.removeAllListeners('close');
      let secured = false;
      const tls = connectTls({ socket: clear, ...handshakeOptions }, () => {
        secured = true;
        tls.write('QUIT\r\n');
      });
      tls.on('data', () => tls.destroy());
      tls.once('error', (error: Error) => resolve(error.message));
      tls.once('close', () => resolve(secured ? '' : 'closed in the handshake'));
    });
  });
}

async function runHere({ port, sessions, seconds }: Load): Promise<Outcome> {
  const start = performance.now();
  const [counts, end] = [{ done: 0, lost: 0 }, start + seconds * 1_000];
  const notes = new Map<string, number>();
  const one = async (): Promise<void> => {
    while (performance.now() < end) {
      const why = await handshake(port);
      if (why === '') counts.done += 1;
      else {
        counts.lost += 1;
        notes.set(why, (notes.get(why) ?? 0) + 1);
      }
    }
  };
  await Promise.all(Array.from({ length: sessions }, one));
  return { ...counts, perSecond: (counts.done / (performance.now() - start)) * 1_000, notes: [...notes] };
}

if (process.argv[2] === 'clients')
  process.on('message', (load: Load) => void runHere(load).then((told) => process.send?.(told)));
