/**
 * The far end of a benchmark: an SMTP sink in a process of its own that follows every (message, recipient) pair.
 * A message carries `X-Bench-Id: <run> <number> <sent at>`; recipients are r<j>.<number>@…. Told of by its parent:
 * {reset} begins a run, {report} asks for the full account; short accounts go out every 20 ms while mail arrives.
 */
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';

/** What the sink has seen of a run. */
export interface SinkAccount {
  readonly pairs: number;
  readonly messages: number;
  readonly duplicates: number;
  readonly wrongLength: number;
  readonly strays: number;
  readonly connections: number;
  /** CLOCK_MONOTONIC milliseconds of the last message. */
  readonly last: number;
  /** Sent-to-arrived times in ms at the 50th, 95th and 99th percentile; only in full accounts. */
  readonly latency?: readonly number[];
}

export interface SinkReset {
  readonly run: string;
  readonly bodyLength: number;
  readonly recipients: number;
}

const endOfData = Buffer.from('\r\n.\r\n');
const endOfHeader = Buffer.from('\r\n\r\n');
const tag = Buffer.from('X-Bench-Id: ');
const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

class Account {
  #plan: SinkReset;
  #seen = new Uint8Array(1 << 20);
  #latency: number[] = [];
  pairs = 0;
  messages = 0;
  duplicates = 0;
  wrongLength = 0;
  strays = 0;
  connections = 0;
  last = 0;
  changed = true;

  constructor(plan: SinkReset) {
    this.#plan = plan;
  }

  message(
    id: { run: string; number: number; sentAt: number } | undefined,
    recipients: readonly number[],
    bodyLength: number,
  ): void {
    this.changed = true;
    if (id?.run !== this.#plan.run) {
      this.strays++;
      return;
    }
    if (bodyLength !== this.#plan.bodyLength) this.wrongLength++;
    for (const recipient of recipients) this.#pair(id.number * this.#plan.recipients + recipient);
    this.messages++;
    this.last = monotonicMs();
    this.#latency.push(this.last - id.sentAt);
  }

  #pair(index: number): void {
    if (index >= this.#seen.length) {
      const grown = new Uint8Array(Math.max(index + 1, this.#seen.length * 2));
      grown.set(this.#seen);
      this.#seen = grown;
    }
    if (this.#seen[index] === 1) this.duplicates++;
    else {
      this.#seen[index] = 1;
      this.pairs++;
    }
  }

  report(full: boolean): SinkAccount {
    const { pairs, messages, duplicates, wrongLength, strays, connections, last } = this;
    const account = { pairs, messages, duplicates, wrongLength, strays, connections, last };
    if (!full) return account;
    const sorted = Float64Array.from(this.#latency).sort();
    return {
      ...account,
      latency: [0.5, 0.95, 0.99].map((p) => sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? 0),
    };
  }
}

/** One incoming connection. Everything is counted from the octets as they come; nothing is kept. */
class Conversation {
  #socket: Socket;
  readonly #context: SecureContext | undefined;
  #account: () => Account;
  #inData = false;
  #line = '';
  #recipients: number[] = [];
  #head: Buffer | undefined;
  #id: { run: string; number: number; sentAt: number } | undefined;
  #bodyAt = -1;
  #total = 0;
  #tail: Buffer = Buffer.alloc(0);

  /** With `context` it offers STARTTLS. */
  constructor(socket: Socket, account: () => Account, context?: SecureContext) {
    this.#socket = socket;
    this.#account = account;
    this.#context = context;
    this.#listen();
    socket.write('220 sink.test ESMTP\r\n');
  }

  #listen(): void {
    this.#socket.on('error', () => {});
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  #startTls(): string {
    const plain = this.#socket;
    plain.removeAllListeners('data');
    plain.write('220 2.0.0 go\r\n');
    this.#socket = new TLSSocket(plain, { isServer: true, ...(this.#context && { secureContext: this.#context }) });
    this.#listen();
    return '';
  }

  #take(chunk: Buffer): void {
    let rest: Buffer | undefined = chunk;
    while (rest !== undefined && rest.length > 0) rest = this.#inData ? this.#data(rest) : this.#commands(rest);
  }

  #data(chunk: Buffer): Buffer | undefined {
    const end = this.#endOf(chunk);
    const piece = end < 0 ? chunk : chunk.subarray(0, end);
    if ((this.#bodyAt < 0 || this.#id === undefined) && this.#total < 65_536) this.#scanHead(piece);
    this.#total += piece.length;
    if (end < 0) {
      this.#tail = piece.length >= 4 ? piece.subarray(-4) : Buffer.concat([this.#tail, piece]).subarray(-4);
      return undefined;
    }
    // The mark itself, less the last CRLF of the body.
    const bodyLength = this.#bodyAt < 0 ? 0 : this.#total - 3 - this.#bodyAt;
    this.#account().message(this.#id, this.#recipients, bodyLength);
    this.#socket.write('250 2.0.0 Ok\r\n');
    this.#inData = false;
    this.#recipients = [];
    return chunk.subarray(end);
  }

  #endOf(chunk: Buffer): number {
    if (this.#tail.length > 0) {
      const seam = Buffer.concat([this.#tail, chunk.subarray(0, 4)]).indexOf(endOfData);
      if (seam >= 0) return seam + endOfData.length - this.#tail.length;
    }
    const at = chunk.indexOf(endOfData);
    return at < 0 ? -1 : at + endOfData.length;
  }

  #scanHead(piece: Buffer): void {
    this.#head = this.#head === undefined ? piece : Buffer.concat([this.#head, piece]);
    const at = this.#id === undefined ? this.#head.indexOf(tag) : -1;
    const end = at < 0 ? -1 : this.#head.indexOf('\r\n', at);
    if (end > 0) {
      const [run = '', number, sentAt] = this.#head.toString('latin1', at + tag.length, end).split(' ');
      this.#id = { run, number: Number(number), sentAt: Number(sentAt) };
    }
    const headerEnd = this.#bodyAt < 0 ? this.#head.indexOf(endOfHeader) : -1;
    if (headerEnd >= 0) this.#bodyAt = headerEnd + endOfHeader.length;
  }

  #commands(chunk: Buffer): Buffer | undefined {
    const text = this.#line + chunk.toString('latin1');
    let out = '';
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const line = text.slice(start, end);
      start = end + 1;
      out += this.#reply(line);
      if (this.#inData || this.#socket.writableEnded) break;
    }
    this.#line = text.slice(start);
    if (out !== '') this.#socket.write(out, 'latin1');
    if (!this.#inData || this.#line === '') return undefined;
    const rest = Buffer.from(this.#line, 'latin1');
    this.#line = '';
    return rest;
  }

  get #offersTls(): boolean {
    return this.#context !== undefined && !(this.#socket instanceof TLSSocket);
  }

  #reply(line: string): string {
    switch (line.slice(0, 4).toUpperCase()) {
      case 'STAR':
        return this.#startTls();
      case 'EHLO':
        return `250-sink.test\r\n${this.#offersTls ? '250-STARTTLS\r\n' : ''}250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 104857600\r\n`;
      case 'RCPT':
        // RCPT TO:<r12.000000345@rcpt.test>
        this.#recipients.push(Number.parseInt(line.slice(10), 10));
        return '250 2.1.5 Ok\r\n';
      case 'RSET':
      case 'MAIL':
        this.#recipients = [];
        return '250 2.1.0 Ok\r\n';
      case 'DATA':
        this.#inData = true;
        this.#head = undefined;
        this.#id = undefined;
        this.#bodyAt = -1;
        this.#total = 0;
        this.#tail = Buffer.alloc(0);
        return '354 go\r\n';
      case 'QUIT':
        this.#socket.end('221 2.0.0 Bye\r\n');
        return '';
      default:
        return '250 2.0.0 Ok\r\n';
    }
  }
}

/** Listens until the parent goes. `pem`: a file with key and certificate, for STARTTLS. */
function serve(host: string, port: number, pem: string | undefined): void {
  const text = pem === undefined ? '' : readFileSync(pem, 'latin1');
  const context = pem === undefined ? undefined : createSecureContext({ key: text, cert: text });

  let account = new Account({ run: '-', bodyLength: 0, recipients: 1 });
  const server = createServer({ noDelay: true }, (socket) => {
    account.connections++;
    new Conversation(socket, () => account, context);
  });
  server.listen(port, host, 4096, () => process.send?.({ up: true }));
  setInterval(() => {
    if (account.changed) process.send?.(account.report(false));
    account.changed = false;
  }, 20);
  process.on('message', (message: { reset?: SinkReset; report?: boolean }) => {
    if (message.reset !== undefined) {
      account = new Account(message.reset);
      process.send?.({ ready: true });
    } else if (message.report === true) process.send?.({ full: account.report(true) });
  });
  process.on('disconnect', () => process.exit(0));
}

if (process.argv[2] === 'serve') serve(process.argv[3] ?? '127.0.0.1', Number(process.argv[4]), process.argv[5]);
