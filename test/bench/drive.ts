/**
 * Drives a relay with many SMTP sessions and follows every message to the sink: nothing counts as delivered that the
 * sink has not seen exactly once and in full length.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, TLSSocket } from 'node:tls';
import { memoryOf, processTree } from './accounting.ts';
import type { SinkAccount } from './sink.ts';

export interface Load {
  readonly sessions: number;
  /** Messages on one connection; Infinity: never reconnect. */
  readonly perConnection: number;
  /** Octets of each message. */
  readonly size: number;
  readonly recipients: number;
  /** New messages are begun for so long. */
  readonly seconds: number;
  readonly most?: number;
  /** STARTTLS, with a full handshake for each connection. */
  readonly tls?: boolean;
  /** False: nothing is expected at the sink. Default: true. */
  readonly drain?: boolean;
}

export interface Result {
  readonly accepted: number;
  readonly acceptedPerSecond: number;
  readonly deliveredPerSecond: number;
  readonly deliveredMegabytesPerSecond: number;
  readonly missing: number;
  readonly duplicates: number;
  readonly wrongLength: number;
  readonly refused: number;
  readonly broken: number;
  readonly cpuPerThousand: number;
  readonly acceptMs: readonly number[];
  readonly endToEndMs: readonly number[];
  readonly rss: number;
  readonly pss: number;
  readonly notes: Readonly<Record<string, number>>;
}

const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** The sink's process, kept over many runs. */
export class Sink implements AsyncDisposable {
  #process: ChildProcess;
  #account: SinkAccount | undefined;
  #up = Promise.withResolvers<void>();
  #ready = Promise.withResolvers<void>();
  #full = Promise.withResolvers<SinkAccount>();

  /** `pem`: a file with key and certificate; then it offers STARTTLS. */
  constructor(host: string, port: number, pem?: string) {
    const args = ['serve', host, String(port), ...(pem === undefined ? [] : [pem])];
    this.#process = fork(new URL('sink.ts', import.meta.url), args, { stdio: 'inherit' });
    this.#process.on('message', (message: { up?: true; ready?: true; full?: SinkAccount } & SinkAccount) => {
      if (message.up) this.#up.resolve();
      else if (message.ready) this.#ready.resolve();
      else if (message.full) this.#full.resolve(message.full);
      else this.#account = message;
    });
    this.#process.on('exit', () => this.#up.reject(new Error('the sink ended')));
  }

  get up(): Promise<void> {
    return this.#up.promise;
  }

  get pairs(): number {
    return this.#account?.pairs ?? 0;
  }

  async reset(run: string, bodyLength: number, recipients: number): Promise<void> {
    this.#ready = Promise.withResolvers();
    this.#process.send({ reset: { run, bodyLength, recipients } });
    await this.#ready.promise;
    this.#account = undefined;
  }

  async report(): Promise<SinkAccount> {
    this.#full = Promise.withResolvers();
    this.#process.send({ report: true });
    return this.#full.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.disconnect();
  }
}

/** Gives up on delivery when nothing new reaches the sink for so long. */
const drainMs = 20_000;
const settleMs = 300;

/** One run: load on a relay, until the sink has everything or gives up. `pid` is the root of the relay's processes. */
export async function drive(
  relay: { host: string; port: number; pid: number },
  sink: Sink,
  load: Load,
): Promise<Result> {
  const run = Math.random().toString(36).slice(2, 10);
  const body = bodyOf(load.size - headOf(run, 0, 0).length);
  await sink.reset(run, body.length - 3, load.recipients);
  const before = processTree(relay.pid);
  const start = monotonicMs();
  const client = new Clients(relay, run, body, load);
  await client.finished;
  const seconds = (client.lastAccept - start) / 1000;
  if (load.drain !== false) await drained(sink, client.accepted * load.recipients);
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const account = await sink.report();
  const after = processTree(relay.pid);
  const memory = memoryOf(after.pids);
  const arrived = account.pairs / load.recipients;
  const deliverSeconds = (account.last - start) / 1000;
  return {
    accepted: client.accepted,
    acceptedPerSecond: client.accepted / seconds,
    deliveredPerSecond: arrived / deliverSeconds,
    deliveredMegabytesPerSecond: (arrived * load.size) / 1e6 / deliverSeconds,
    missing: client.accepted * load.recipients - account.pairs,
    duplicates: account.duplicates,
    wrongLength: account.wrongLength,
    refused: client.refused,
    broken: client.broken,
    cpuPerThousand: ((after.cpuSeconds - before.cpuSeconds) / client.accepted) * 1000,
    acceptMs: percentiles(client.latency),
    endToEndMs: account.latency ?? [],
    ...memory,
    notes: Object.fromEntries(client.notes),
  };
}

async function drained(sink: Sink, pairs: number): Promise<void> {
  let seen = -1;
  let since = monotonicMs();
  while (sink.pairs < pairs && monotonicMs() - since < drainMs) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (sink.pairs === seen) continue;
    seen = sink.pairs;
    since = monotonicMs();
  }
}

function percentiles(values: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  return [0.5, 0.95, 0.99].map((p) => sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? 0);
}

function headOf(run: string, number: number, sentAt: number): string {
  const id = String(number).padStart(9, '0');
  return `From: <s@bench.test>\r\nTo: <r0.${id}@rcpt.test>\r\nSubject: bench ${id}\r\nMessage-ID: <${run}.${id}@bench.test>\r\nX-Bench-Id: ${run} ${id} ${sentAt.toFixed(3).padStart(16, '0')}\r\n\r\n`;
}

/** Lines of 76 characters, ending in the end-of-data mark (3 octets more than the body). */
function bodyOf(length: number): Buffer {
  const line = `${'The quick brown fox jumps over the lazy dog, again and again and again. 0123'.slice(0, 74)}\r\n`;
  const text = Buffer.from(line.repeat(Math.ceil(length / line.length)).slice(0, Math.max(2, length)), 'latin1');
  text.write('\r\n', text.length - 2, 'latin1');
  if (text[text.length - 3] === 0x0d) text[text.length - 3] = 0x2e;
  return Buffer.concat([text, Buffer.from('.\r\n')]);
}

/** All sessions of one run. */
class Clients {
  accepted = 0;
  refused = 0;
  broken = 0;
  lastAccept = 0;
  latency: number[] = [];
  notes = new Map<string, number>();
  #next = 0;
  #open = 0;
  #until: number;
  #finished = Promise.withResolvers<void>();

  readonly relay: { host: string; port: number };
  readonly run: string;
  readonly body: Buffer;
  readonly load: Load;

  constructor(relay: { host: string; port: number }, run: string, body: Buffer, load: Load) {
    this.relay = relay;
    this.run = run;
    this.body = body;
    this.load = load;
    this.#until = monotonicMs() + load.seconds * 1000;
    for (let i = 0; i < load.sessions; i++) this.#open1();
  }

  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  mayBegin(): boolean {
    return (
      this.#next < (this.load.most ?? Infinity) && this.refused + this.broken < 1000 && monotonicMs() < this.#until
    );
  }

  nextNumber(): number {
    return this.#next++;
  }

  note(text: string): void {
    this.notes.set(text, (this.notes.get(text) ?? 0) + 1);
  }

  closed(): void {
    this.#open--;
    if (this.mayBegin()) setImmediate(() => this.#open1());
    else if (this.#open === 0) this.#finished.resolve();
  }

  #open1(): void {
    this.#open++;
    new Session(this);
  }
}

type Step = 'banner' | 'ehlo' | 'starttls' | 'mail' | 'rcpt' | 'data' | 'dot' | 'quit';

/** Every handshake is full, with TLS 1.3 and an ECDSA certificate on P-256. One context for all: each costs a fifth of a handshake. */
export const handshakeOptions = {
  rejectUnauthorized: false,
  secureContext: createSecureContext({
    minVersion: 'TLSv1.3',
    ecdhCurve: 'X25519',
    sigalgs: 'ecdsa_secp256r1_sha256',
  }),
} as const;

/** One client session: one command, one reply, as a simple client does. */
class Session {
  #clients: Clients;
  #socket: Socket;
  #step: Step = 'banner';
  #sent = 0;
  #recipient = 0;
  #number = -1;
  #id = '';
  #started = monotonicMs();
  #text = '';
  #closed = false;

  constructor(clients: Clients) {
    this.#clients = clients;
    this.#socket = connect({ ...clients.relay, noDelay: true });
    this.#listen();
  }

  #listen(): void {
    this.#socket.on('data', (chunk) => this.#take(chunk.toString('latin1')));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(error.code ?? error.message));
    this.#socket.on('close', () => this.#fail(`closed in ${this.#step}`));
  }

  #startTls(): void {
    this.#socket.removeAllListeners();
    this.#socket = connectTls({ socket: this.#socket, ...handshakeOptions });
    this.#listen();
    this.#say('ehlo', 'EHLO client.test\r\n');
  }

  #take(chunk: string): void {
    const text = this.#text === '' ? chunk : this.#text + chunk;
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0 && !this.#closed; end = text.indexOf('\n', start)) {
      if (text.charCodeAt(start + 3) !== 45) this.#reply(text.slice(start, end));
      start = end + 1;
    }
    this.#text = start === text.length ? '' : text.slice(start);
  }

  #reply(line: string): void {
    if (this.#step === 'quit') return this.#close();
    if (!line.startsWith(this.#step === 'data' ? '3' : '2')) return this.#refuse(line);
    switch (this.#step) {
      case 'banner':
        return this.#say('ehlo', 'EHLO client.test\r\n');
      case 'ehlo':
        if (this.#clients.load.tls !== true || this.#socket instanceof TLSSocket) return this.#begin();
        return this.#say('starttls', 'STARTTLS\r\n');
      case 'starttls':
        return this.#startTls();
      case 'mail':
      case 'rcpt':
        if (this.#recipient < this.#clients.load.recipients) {
          return this.#say('rcpt', `RCPT TO:<r${this.#recipient++}.${this.#id}@rcpt.test>\r\n`);
        }
        return this.#say('data', 'DATA\r\n');
      case 'data':
        return this.#content();
      case 'dot':
        return this.#done();
    }
  }

  #say(step: Step, text: string): void {
    this.#step = step;
    this.#socket.write(text, 'latin1');
  }

  #begin(): void {
    if (!this.#clients.mayBegin()) return this.#say('quit', 'QUIT\r\n');
    this.#number = this.#clients.nextNumber();
    this.#id = String(this.#number).padStart(9, '0');
    this.#recipient = 0;
    if (this.#sent > 0) this.#started = monotonicMs();
    this.#say('mail', 'MAIL FROM:<s@bench.test>\r\n');
  }

  #content(): void {
    const { run, body } = this.#clients;
    const head = Buffer.from(headOf(run, this.#number, this.#started), 'latin1');
    this.#step = 'dot';
    if (body.length < 65_536) return void this.#socket.write(Buffer.concat([head, body]));
    this.#socket.cork();
    this.#socket.write(head);
    this.#socket.write(body);
    this.#socket.uncork();
  }

  #done(): void {
    const clients = this.#clients;
    clients.lastAccept = monotonicMs();
    clients.latency.push(clients.lastAccept - this.#started);
    clients.accepted++;
    this.#sent++;
    if (this.#sent >= clients.load.perConnection) this.#say('quit', 'QUIT\r\n');
    else this.#begin();
  }

  #refuse(line: string): void {
    this.#clients.refused++;
    this.#clients.note(line.trim().slice(0, 80));
    this.#say('quit', 'QUIT\r\n');
  }

  #fail(why: string): void {
    if (this.#closed) return;
    if (this.#step !== 'quit') {
      this.#clients.broken++;
      this.#clients.note(why);
    }
    this.#close();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#clients.closed();
  }
}
