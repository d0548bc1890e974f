/** A receiving service on a loopback port with a queue in memory, and a client that speaks line by line. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Clock, parseIpRange, SessionIds, systemClock } from '../../src/base/index.ts';
import {
  ace,
  type ReceiveConnector,
  type Snapshot,
  testAcceptedDomain,
  testReceiveConnector,
  testSnapshot,
  testSnapshotSource,
  wellKnownSids,
} from '../../src/config/index.ts';
import type { DecisionEvent, EventKind, EventOf } from '../../src/logs/index.ts';
import { AgentChain, type ReceiveAgent } from '../../src/pipeline/index.ts';
import type { MessageWriter, NewMessage, ReplacedHead, StoredMessage } from '../../src/queue/index.ts';
import type { Reply } from '../../src/smtp/index.ts';
import {
  type CertificatePicker,
  type LogonChecker,
  type MessageQueueing,
  type MessageSink,
  QueueSink,
  type ReceiveParts,
  ReceiveService,
} from '../../src/smtp-receive/index.ts';

/** A message as the queue got it. */
export interface Kept {
  readonly id: number;
  readonly message: NewMessage;
  readonly content: Buffer;
  readonly expiresAt: number;
}

/** A queue in memory; tests make it fail, pause or refuse. */
export class MemoryQueue implements MessageQueueing {
  readonly kept: Kept[] = [];
  aborted = 0;
  begun = 0;
  accepting: { ok: true } | { ok: false; reply: Reply } = { ok: true };
  /** Awaited before each write, and before each commit. */
  onWrite: ((writer: MemoryWriter, chunk: Buffer) => void | Promise<void>) | undefined;
  onCommit: (() => Promise<void>) | undefined;
  #waiters: { count: number; resolve: () => void }[] = [];

  begin(): MessageWriter {
    return new MemoryWriter(this, ++this.begun);
  }

  keep(kept: Kept): void {
    this.kept.push(kept);
    for (const { count, resolve } of this.#waiters) if (this.kept.length >= count) resolve();
  }

  /** Resolves when so many messages are in the queue. */
  async has(count: number): Promise<void> {
    if (this.kept.length >= count) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push({ count, resolve });
    await promise;
  }
}

export class MemoryWriter implements MessageWriter {
  readonly id: number;
  readonly guid: string;
  #queue: MemoryQueue;
  #chunks: Buffer[] = [];
  #over = false;

  constructor(queue: MemoryQueue, id: number) {
    this.#queue = queue;
    this.id = id;
    this.guid = `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`;
  }

  write(chunk: Buffer): void | Promise<void> {
    if (this.#over) throw new Error('write after the end');
    this.#chunks.push(chunk);
    return this.#queue.onWrite?.(this, chunk);
  }

  replaceHead({ head, octets }: ReplacedHead): void {
    this.#chunks = [Buffer.concat([head, Buffer.concat(this.#chunks).subarray(octets)])];
  }

  async commit(message: NewMessage, expiresAt: number): Promise<StoredMessage> {
    if (this.#over) throw new Error('commit after the end');
    await this.#queue.onCommit?.();
    this.#over = true;
    this.#queue.keep({ id: this.id, message, content: Buffer.concat(this.#chunks), expiresAt });
    const recipients = message.envelope.recipients.map(() => ({
      status: 'pending' as const,
      attempts: 0,
      due: 0,
      lastReply: '',
      delayNotified: false,
    }));
    return { ...message, id: this.id, guid: this.guid, receivedAt: 0, expiresAt, recipients };
  }

  async abort(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#queue.aborted++;
  }
}

/** A clock that stands until a test moves it. */
export class HandClock implements Clock {
  #now = Date.UTC(2026, 10, 23, 12, 0, 0);
  /** What an administrator has set the clock ahead, in milliseconds. */
  aheadMs = 0;
  #calls = new Set<{ at: number; call: () => void }>();

  now(): number {
    return this.#now + this.aheadMs;
  }

  monotonic(): number {
    return this.#now;
  }

  after(delayMs: number, call: () => void): { cancel(): void } {
    const entry = { at: this.#now + delayMs, call };
    this.#calls.add(entry);
    return { cancel: () => void this.#calls.delete(entry) };
  }

  /** Whether something is set up for the end of exactly so long a wait. */
  isSetFor(ms: number): boolean {
    return [...this.#calls].some(({ at }) => at === this.#now + ms);
  }

  /** Moves on in steps, so that what is set up on the way comes in its turn. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#calls].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#calls.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.call();
    }
    this.#now = end;
  }
}

/** Rights of an Internet-facing connector. */
export const anonymousAcl = [
  ace(wellKnownSids.anonymous, 'ms-Exch-SMTP-Submit'),
  ace(wellKnownSids.anonymous, 'ms-Exch-SMTP-Accept-Any-Sender'),
  ace(wellKnownSids.anonymous, 'ms-Exch-SMTP-Accept-Authoritative-Domain-Sender'),
  ace(wellKnownSids.anonymous, 'ms-Exch-Accept-Headers-Routing'),
];

/** The connector of most tests: everyone on 127.0.0.1. */
export function internetConnector(overrides: Partial<ReceiveConnector> = {}): ReceiveConnector {
  const name = overrides.name ?? 'Internet';
  return testReceiveConnector({
    name,
    dn: `CN=${name}`,
    bindings: [{ address: '127.0.0.1', port: 25 }],
    remoteIPRanges: [parseIpRange('0.0.0.0-255.255.255.255')],
    fqdn: 'mail.example.net',
    acl: anonymousAcl,
    ...overrides,
  });
}

/** A configuration with one connector and the accepted domain example.test. */
export function internetSnapshot(
  connector: Partial<ReceiveConnector> = {},
  overrides: Partial<Snapshot> = {},
): Snapshot {
  return testSnapshot({
    receiveConnectors: [internetConnector(connector)],
    acceptedDomains: [testAcceptedDomain({ name: 'example.test', domainName: 'example.test', default: true })],
    ...overrides,
  });
}

/** No certificate: STARTTLS is not offered. */
export const noCertificates: CertificatePicker = {
  pick: ({ purpose }) => ({
    event: { purpose, wanted: 'mail.example.net', thumbprint: '', subject: '', reason: 'none fits', passedOver: [] },
  }),
};

export interface ReceivingOptions {
  readonly snapshot?: Snapshot;
  readonly clock?: Clock;
  readonly certificates?: CertificatePicker;
  readonly agents?: readonly ReceiveAgent[];
  /** The queue in memory when absent. */
  readonly sink?: MessageSink;
  readonly maxHeldOctets?: number;
  readonly logons?: LogonChecker;
  readonly pressure?: NonNullable<ReceiveParts['pressure']>;
  readonly revocation?: ReceiveParts['revocation'];
  /** Bugs fail the test unless it waits for them. */
  readonly faultsExpected?: boolean;
}

/** A running service with what a test wants to look at. */
export class Receiving implements AsyncDisposable {
  readonly queue = new MemoryQueue();
  readonly events: DecisionEvent[] = [];
  readonly faults: unknown[] = [];
  readonly snapshots: ReturnType<typeof testSnapshotSource>;
  readonly service: ReceiveService;
  port = 0;
  #expected: boolean;
  #clients: Client[] = [];

  private constructor(options: ReceivingOptions) {
    this.snapshots = testSnapshotSource(options.snapshot ?? internetSnapshot());
    this.#expected = options.faultsExpected ?? false;
    const journal = { emit: (event: DecisionEvent) => void this.events.push(event) };
    const clock = options.clock ?? systemClock;
    this.service = new ReceiveService({
      snapshots: this.snapshots,
      sink: options.sink ?? new QueueSink({ queue: this.queue, snapshots: this.snapshots, journal, clock }),
      ...(options.maxHeldOctets === undefined ? {} : { maxHeldOctets: options.maxHeldOctets }),
      ...(options.pressure === undefined ? {} : { pressure: options.pressure }),
      ...(options.revocation === undefined ? {} : { revocation: options.revocation }),
      ...(options.logons === undefined ? {} : { logons: options.logons }),
      journal,
      certificates: options.certificates ?? noCertificates,
      clock,
      sessionIds: new SessionIds(Buffer.from('0102030405', 'hex')),
      agents: new AgentChain(options.agents),
      onFault: (error) => void this.faults.push(error),
    });
  }

  static async start(options: ReceivingOptions = {}): Promise<Receiving> {
    const receiving = new Receiving(options);
    const binding = { address: '127.0.0.1', port: 25 };
    const listener = await receiving.service.serve({ host: '127.0.0.1', port: 0 }, binding);
    receiving.port = listener.address.port;
    return receiving;
  }

  /** A client that has not read the greeting yet. */
  async connect(): Promise<Client> {
    const socket = connect({ host: '127.0.0.1', port: this.port, noDelay: true });
    const client = new Client(socket);
    this.#clients.push(client);
    await once(socket, 'connect');
    return client;
  }

  /** A client that has read the greeting and said EHLO. */
  async greeted(): Promise<Client> {
    const client = await this.connect();
    await client.reply();
    await client.ask('EHLO client.example.org');
    return client;
  }

  /** Resolves when so many sessions have ended. */
  async closed(count: number): Promise<void> {
    while (this.of('session-closed').length < count || this.service.count > 0) await new Promise(setImmediate);
  }

  of<K extends EventKind>(kind: K): EventOf<K>[] {
    return this.events.filter((event): event is DecisionEvent & EventOf<K> => event.kind === kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.socket.destroy();
    await this.service[Symbol.asyncDispose]();
    if (!this.#expected && this.faults.length > 0) throw new AggregateError(this.faults, 'the service reported bugs');
  }
}

/** One connection, read reply by reply. */
export class Client {
  socket: Socket;
  #text = '';
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    this.#listen(socket);
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk) => {
      this.#text += chunk.toString('latin1');
      this.#wake?.();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    socket.on('end', end);
    socket.on('close', end);
    socket.on('error', end);
  }

  /** Sends a line, or octets as they are. */
  send(data: string | Buffer): void {
    this.socket.write(typeof data === 'string' ? `${data}\r\n` : data);
  }

  /** The next reply, lines joined with \n; '' when the connection has ended before one came. */
  async reply(): Promise<string> {
    for (;;) {
      const match = /^(?:\d{3}-[^\r\n]*\r\n)*\d{3} [^\r\n]*\r\n/.exec(this.#text);
      if (match !== null) {
        this.#text = this.#text.slice(match[0].length);
        return match[0].slice(0, -2).replaceAll('\r\n', '\n');
      }
      if (this.#ended) return this.#text;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  async ask(line: string | Buffer): Promise<string> {
    this.send(line);
    return this.reply();
  }

  /** Sends a whole message and returns the last reply. */
  async message(
    content: string | Buffer,
    recipients: readonly string[] = ['user@example.test'],
    from = 'sender@example.org',
  ): Promise<string> {
    await this.ask(`MAIL FROM:<${from}>`);
    for (const recipient of recipients) await this.ask(`RCPT TO:<${recipient}>`);
    const go = await this.ask('DATA');
    if (!go.startsWith('354')) return go;
    this.send(Buffer.from(content));
    return this.ask(Buffer.from('.\r\n'));
  }

  /** Resolves when the server has closed its side; gives what was left unread. */
  async end(): Promise<string> {
    while (!this.#ended) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    return this.#text;
  }

  unread(): string {
    return this.#text;
  }

  /** Goes on inside TLS, without looking at the certificate. `shown`: its own. */
  async secure(servername = '', shown: { readonly key?: string; readonly cert?: string } = {}): Promise<void> {
    this.socket.removeAllListeners();
    const socket = connectTls({ socket: this.socket, rejectUnauthorized: false, servername, ...shown });
    this.socket = socket;
    await once(socket, 'secureConnect');
    this.#listen(socket);
  }
}
