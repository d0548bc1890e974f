/** An SMTP or LMTP server that does what a test tells it: answers, hangs, hangs up or resets at any phase. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';

/** Closes the connection (FIN) without a word. */
export const close = Symbol('close');
/** Resets the connection (RST). */
export const reset = Symbol('reset');
/** Says nothing, for ever. */
export const hang = Symbol('hang');

/** A reply without CRLF, several lines joined by LF, or what is done instead. A list: all in order. */
export type Step = string | typeof close | typeof reset | typeof hang | readonly Step[];
/** Fixed, or from the argument of the command, how often it came on this connection, and which connection it is. */
export type Answer = Step | ((argument: string, times: number, connection: number) => Step);

export interface PeerScript {
  readonly greeting?: Answer;
  /** Keywords in EHLO; PIPELINING, 8BITMIME, DSN, SMTPUTF8, SIZE 1000000 when absent. */
  readonly extensions?: readonly string[];
  /** Answers by verb; what is absent is answered as a friendly server does. */
  readonly on?: Readonly<Record<string, Answer>>;
  /** Answer to the final dot; with LMTP one is given for each accepted recipient, `times` counts them. */
  readonly final?: Answer;
  /** Said when so many octets of content have come. */
  readonly during?: { readonly octets: number; readonly step: Step };
  /** STARTTLS works with this certificate. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** The server asks for a client certificate. */
  readonly asksForCertificate?: boolean;
  /** Sent in clear together with the reply to STARTTLS. */
  readonly injected?: string;
  readonly lmtp?: boolean;
  /** Replies have no line end. */
  readonly unended?: boolean;
}

export interface PeerConnection {
  readonly commands: string[];
  /** Content with its final dot line taken off, dots still stuffed. */
  readonly messages: Buffer[];
  encrypted: boolean;
  /** The TLS session was one of an earlier connection. */
  resumed: boolean;
  serverName: string;
  /** Common name of the client's certificate; '' when none was shown. */
  clientName: string;
}

const friendly: Readonly<Record<string, Answer>> = {
  HELO: '250 peer.test',
  MAIL: '250 2.1.0 Ok',
  RCPT: '250 2.1.5 Ok',
  DATA: (_argument, _times) => '354 go on',
  RSET: '250 2.0.0 Ok',
  QUIT: ['221 2.0.0 Bye', close],
  NOOP: '250 2.0.0 Ok',
};

export class ScriptedPeer implements AsyncDisposable {
  readonly connections: PeerConnection[] = [];
  readonly #script: PeerScript;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #context: SecureContext | undefined;

  private constructor(script: PeerScript) {
    this.#script = script;
    this.#context = script.tls === undefined ? undefined : createSecureContext(script.tls);
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  static async start(script: PeerScript = {}, host = '127.0.0.1', port = 0): Promise<ScriptedPeer> {
    const peer = new ScriptedPeer(script);
    peer.#server.listen(port, host);
    await once(peer.#server, 'listening');
    return peer;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** As a smart host. */
  get smartHost(): string {
    return `[127.0.0.1]:${this.port}`;
  }

  get commands(): string[] {
    return this.connections.flatMap(({ commands }) => commands);
  }

  get messages(): Buffer[] {
    return this.connections.flatMap(({ messages }) => messages);
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Hangs up on everybody. */
  dropAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dropAll();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    const record: PeerConnection = {
      commands: [],
      messages: [],
      encrypted: false,
      resumed: false,
      serverName: '',
      clientName: '',
    };
    this.connections.push(record);
    const session = new PeerSession(this.#script, record, this.connections.length, this.#context);
    session.attach(socket);
    session.say(this.#script.greeting ?? '220 peer.test ESMTP', 'GREETING', '');
  }
}

class PeerSession {
  readonly #script: PeerScript;
  readonly #record: PeerConnection;
  readonly #number: number;
  readonly #context: SecureContext | undefined;
  readonly #times = new Map<string, number>();
  #socket: Socket | undefined;
  #pending = Buffer.alloc(0);
  #inData = false;
  #hanging = false;
  #accepted = 0;

  constructor(script: PeerScript, record: PeerConnection, number: number, context: SecureContext | undefined) {
    this.#script = script;
    this.#record = record;
    this.#number = number;
    this.#context = context;
  }

  attach(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.#pending = Buffer.concat([this.#pending, chunk]);
      while (!this.#hanging && (this.#inData ? this.#takeContent() : this.#takeCommand())) continue;
    });
  }

  /** Returns the reply codes said. */
  say(answer: Answer, name: string, argument: string): number {
    const times = (this.#times.get(name) ?? 0) + 1;
    this.#times.set(name, times);
    const step = typeof answer === 'function' ? answer(argument, times, this.#number) : answer;
    let code = 0;
    for (const one of [step].flat(9) as Exclude<Step, readonly Step[]>[]) {
      if (typeof one === 'string') {
        const lines = one.split('\n');
        code = Number(lines.at(-1)?.slice(0, 3));
        this.#socket?.write(Buffer.from(`${lines.join('\r\n')}${this.#script.unended === true ? '' : '\r\n'}`, 'utf8'));
      } else if (one === hang) this.#hanging = true;
      else if (one === close) this.#socket?.end();
      else this.#socket?.resetAndDestroy();
    }
    return code;
  }

  #takeCommand(): boolean {
    const end = this.#pending.indexOf('\r\n');
    if (end < 0) return false;
    const line = this.#pending.toString('utf8', 0, end);
    this.#pending = this.#pending.subarray(end + 2);
    this.#record.commands.push(line);
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'STAR') return this.#startTls();
    const answer = this.#script.on?.[verb] ?? friendly[verb] ?? this.#hello(verb) ?? '500 5.5.2 What?';
    const code = this.say(answer, verb, line.slice(5));
    if (verb === 'MAIL') this.#accepted = 0;
    if (verb === 'RCPT' && code >= 200 && code < 300) this.#accepted += 1;
    if (verb === 'DATA' && code === 354) this.#inData = true;
    return true;
  }

  #hello(verb: string): Answer | undefined {
    if (verb !== 'EHLO' && verb !== 'LHLO') return undefined;
    const offered = this.#script.extensions ?? ['PIPELINING', '8BITMIME', 'DSN', 'SMTPUTF8', 'SIZE 1000000'];
    const starttls = this.#context !== undefined && !this.#record.encrypted ? ['STARTTLS'] : [];
    const lines = ['peer.test greets you', ...offered, ...starttls];
    return lines.map((line, i) => `250${i < lines.length - 1 ? '-' : ' '}${line}`).join('\n');
  }

  #startTls(): boolean {
    const answer = this.#script.on?.['STARTTLS'];
    if (answer !== undefined || this.#context === undefined) {
      this.say(answer ?? '502 5.5.1 No TLS', 'STARTTLS', '');
      return true;
    }
    const plain = this.#socket;
    if (plain === undefined) return false;
    plain.removeAllListeners('data');
    plain.write(`220 2.0.0 go\r\n${this.#script.injected ?? ''}`);
    this.#pending = Buffer.alloc(0);
    const secure = new TLSSocket(plain, {
      isServer: true,
      secureContext: this.#context,
      requestCert: this.#script.asksForCertificate === true,
      rejectUnauthorized: false,
    });
    secure.on('secure', () => {
      this.#record.encrypted = true;
      this.#record.resumed = secure.isSessionReused();
      this.#record.clientName = secure.getPeerX509Certificate()?.subject.replace('CN=', '') ?? '';
      const name: unknown = 'servername' in secure ? secure.servername : '';
      this.#record.serverName = typeof name === 'string' ? name : '';
    });
    this.attach(secure);
    return false;
  }

  #takeContent(): boolean {
    const { during } = this.#script;
    if (during !== undefined && this.#pending.length >= during.octets) {
      this.#inData = false;
      this.#pending = Buffer.alloc(0);
      this.#hanging = true;
      this.say(during.step, 'DURING', '');
      return false;
    }
    const empty = this.#pending.subarray(0, 3).equals(Buffer.from('.\r\n'));
    const end = empty ? 0 : this.#pending.indexOf('\r\n.\r\n');
    if (end < 0) return false;
    this.#record.messages.push(Buffer.from(this.#pending.subarray(0, empty ? 0 : end + 2)));
    this.#pending = this.#pending.subarray(empty ? 3 : end + 5);
    this.#inData = false;
    const rounds = this.#script.lmtp === true ? this.#accepted : 1;
    for (let i = 0; i < rounds; i++) this.say(this.#script.final ?? '250 2.0.0 Queued', 'FINAL', '');
    return true;
  }
}
