import type { Socket } from 'node:net';
import type { Clock } from '../../base/index.ts';
import { type Capabilities, noCapabilities, parseCapabilities } from './capabilities.ts';
import { ConnectionLost, type LossKind, type OpeningStep } from './connection-lost.ts';
import type { ConnectionSettings, ConversationObserver, Dialogue } from './connection-settings.ts';
import { NodemailerConnection } from './nodemailer-connection.ts';
import type { PhaseTimeouts } from './phase-timeouts.ts';
import { type PeerReply, ReplyError, ReplyReader } from './reply-reader.ts';
import { socketFault } from './socket-fault.ts';

/** nodemailer's own timers are put out of the way: ours are deadlines of phases, its are silences. */
const never = 2 ** 31 - 1;

/**
 * One connection to a peer. nodemailer carries it from the greeting over EHLO, HELO and STARTTLS until it is ready; after
 * that replies come here at once, one call for each, without nodemailer's queue of timers between them.
 */
export class EdgeSmtpConnection extends NodemailerConnection {
  capabilities: Capabilities = noCapabilities;
  /** Set once, when the connection has ended for whatever reason. */
  loss: ConnectionLost | undefined;
  readonly timeouts: PhaseTimeouts;
  readonly isLmtp: boolean;
  readonly peer: string;
  readonly #reader = new ReplyReader();
  readonly #clock: Clock;
  readonly #forceHelo: boolean;
  readonly #observer: ConversationObserver | undefined;
  readonly #onTlsSession: ConnectionSettings['onTlsSession'];
  #opening: { resolve: () => void; reject: (loss: ConnectionLost) => void } | undefined;
  #dialogue: Dialogue | undefined;
  #idleLoss: ((loss: ConnectionLost) => void) | undefined;
  #drained: { resolve: () => void; reject: (loss: ConnectionLost) => void } | undefined;
  #deadline = Number.POSITIVE_INFINITY;
  #phase = '';
  /** End of what `limit` bounds, whatever the phases. */
  #limit = Number.POSITIVE_INFINITY;
  #step: OpeningStep = 'greeting';
  #watch: { cancel(): void } | undefined;

  constructor(settings: ConnectionSettings) {
    super({
      connection: settings.socket,
      // nodemailer takes the host for the TLS server name unless it is a bare address.
      host: settings.serverName ?? settings.socket.remoteAddress ?? 'localhost',
      port: settings.socket.remotePort ?? 25,
      name: settings.helloName,
      secure: false,
      lmtp: settings.protocol === 'LMTP',
      ignoreTLS: settings.startTls === 'never',
      requireTLS: settings.startTls === 'required',
      tls: settings.tls,
      servername: settings.serverName,
      logger: false,
      connectionTimeout: never,
      greetingTimeout: never,
      socketTimeout: never,
      socketCloseTimeout: settings.timeouts.quitMs,
    });
    this.timeouts = settings.timeouts;
    this.isLmtp = settings.protocol === 'LMTP';
    this.peer = settings.host;
    this.#clock = settings.clock;
    this.#forceHelo = settings.forceHelo && settings.protocol === 'SMTP';
    this.#observer = settings.observer;
    this.#onTlsSession = settings.onTlsSession;
  }

  /** The socket in use: the TLS socket after STARTTLS. */
  get socket(): Socket {
    return this._socket;
  }

  /** Greeting, EHLO and STARTTLS. Rejects with ConnectionLost. */
  open(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => this.abandon('the service is stopping');
      const settled = (): void => {
        signal.removeEventListener('abort', abort);
        this.#opening = undefined;
      };
      this.#opening = {
        resolve: () => (settled(), resolve()),
        reject: (loss) => (settled(), reject(loss)),
      };
      signal.addEventListener('abort', abort);
      this.once('connect', () => this.#opened());
      this.expect(this.timeouts.greetingMs, 'waiting for the greeting');
      this.limit(this.timeouts.openingMs);
      this.#tick();
      this.connect();
      if (signal.aborted) abort();
    });
  }

  /** From now on replies go to `dialogue`. */
  begin(dialogue: Dialogue): void {
    this.#dialogue = dialogue;
    if (this.loss !== undefined) dialogue.lost(this.loss);
  }

  /** Nobody waits for a reply any more. */
  finish(): void {
    this.#dialogue = undefined;
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#limit = Number.POSITIVE_INFINITY;
  }

  /** The peer has `ms` from now; `phase` says in words what for. */
  expect(ms: number, phase: string): void {
    this.#deadline = this.#clock.monotonic() + ms;
    this.#phase = phase;
  }

  /** From now on everything together, until `finish`, has `ms`: a peer that always answers just in time must come to an end. */
  limit(ms: number): void {
    this.#limit = this.#clock.monotonic() + ms;
  }

  /** Sends command lines, each ending with CRLF, in one write. `shown`: what the protocol log gets instead of a secret. */
  command(lines: string, shown = lines): void {
    if (this.#observer !== undefined) {
      for (const line of shown.slice(0, -2).split('\r\n')) this.#observer.sent(line);
    }
    // An address may hold UTF-8; the encoder of Node is told only when one does, latin1 is the faster one.
    this._socket.write(lines, /[^\x00-\x7f]/.test(lines) ? 'utf8' : 'latin1');
  }

  /** Resolves when the peer has taken what was written. Rejects with ConnectionLost. */
  drained(): Promise<void> {
    if (this.loss !== undefined) return Promise.reject(this.loss);
    if (!this._socket.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#drained = { resolve, reject };
      this._socket.once('drain', resolve);
    });
  }

  /** Resolves when the connection ends while nobody uses it. */
  lostWhileIdle(): Promise<ConnectionLost> {
    if (this.loss !== undefined) return Promise.resolve(this.loss);
    return new Promise((resolve) => {
      this.#idleLoss = resolve;
    });
  }

  /** Says QUIT, waits a moment for the answer, and ends. Never rejects. */
  async goodbye(): Promise<void> {
    if (this.loss !== undefined) return;
    await new Promise<void>((resolve) => {
      this.begin({ reply: () => resolve(), lost: () => resolve() });
      this.expect(this.timeouts.quitMs, 'waiting for the reply to QUIT');
      this.#watch?.cancel();
      this.#watch = this.#clock.after(this.timeouts.quitMs, resolve);
      this.command('QUIT\r\n');
    });
    this.#dialogue = undefined;
    this.loss ??= closed;
    this.#watch?.cancel();
    this.close();
  }

  /** Ends the connection at once, in the middle of anything: the peer must not take half a message for a whole one. */
  abandon(reason: string, kind: LossKind = 'aborted', reply?: string): void {
    // RFC 7435 §3: whatever goes wrong at STARTTLS or in the handshake is a failure of TLS, silence and rubbish included.
    const real = kind !== 'aborted' && this.#opening !== undefined && this.#inTlsStep ? 'tls' : kind;
    this.#lose(new ConnectionLost(real, reason, reply, { step: this.#openingStep }));
  }

  get #inTlsStep(): boolean {
    return this.#step === 'STARTTLS' || this.#step === 'TLS handshake';
  }

  get #openingStep(): OpeningStep {
    return this.#opening === undefined ? '' : this.#step;
  }

  override _onData(chunk: Buffer): void {
    if (this._destroyed) return;
    try {
      this.#reader.push(chunk, (reply) => this.#take(reply));
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      this.abandon(error.message, 'protocol');
    }
  }

  /** False: nothing that follows in this chunk counts. */
  #take(reply: PeerReply): boolean {
    this.#observer?.received(reply);
    if (this.#opening !== undefined) return this.#takeWhileOpening(reply);
    if (this.#dialogue !== undefined) this.#dialogue.reply(reply);
    else if (reply.code === 421) this.abandon('the peer ended the idle connection', 'refused', reply.text);
    else this.abandon('the peer sent a reply that nobody asked for', 'protocol', reply.text);
    return !this._destroyed;
  }

  #takeWhileOpening(reply: PeerReply): boolean {
    const action = this._responseActions.shift();
    if (action === undefined) this.abandon('the peer sent a reply that nobody asked for', 'protocol', reply.text);
    else if (reply.code === 421) this.abandon('the peer is closing the connection', 'refused', reply.text);
    else action.call(this, reply.raw);
    return !this._destroyed && this.upgrading !== true;
  }

  override _actionGreeting(reply: string): void {
    if (!this.#forceHelo || !reply.startsWith('220')) return super._actionGreeting(reply);
    this._clearPhase();
    this._responseActions.push((answer) => this._actionHELO(answer));
    this._sendCommand(`HELO ${this.name}`);
  }

  /** RFC 3207 §4: 220 alone invites to the handshake. */
  override _actionSTARTTLS(reply: string): void {
    if (/^2(?!20)/.test(reply)) this.abandon('the peer answered neither yes nor no', 'protocol', reply);
    else super._actionSTARTTLS(reply);
  }

  /** Called while the connection is opened only: the verb is the step. */
  override _sendCommand(text: string): void {
    if (this._destroyed) return;
    this.#enter(openingSteps.find((step) => text.startsWith(step)) ?? 'EHLO');
    this.command(`${text}\r\n`);
  }

  #enter(step: OpeningStep): void {
    this.#step = step;
    const phase = step === 'TLS handshake' ? 'in the TLS handshake' : `waiting for the reply to ${step}`;
    this.expect(this.timeouts.helloMs, phase);
  }

  override _parseEhloExtensions(reply: string): void {
    this.capabilities = parseCapabilities(reply);
  }

  /** RFC 3207 §6: nothing that was said in the clear counts afterwards. */
  override _upgradeConnection(done: (error: Error | null, secured?: boolean) => void): void {
    this.#reader.forget();
    this.capabilities = noCapabilities;
    this.#enter('TLS handshake');
    super._upgradeConnection(done);
    // Listened for at once: with TLS 1.3 the ticket comes right behind the handshake.
    if (this.#onTlsSession !== undefined) this._socket.on('session', this.#onTlsSession);
  }

  override _onError(error: unknown, type: string, reply: string | false, command: string): void {
    if (this._destroyed) return;
    const opening = this.#opening !== undefined;
    const inTls = opening && (this.#inTlsStep || type === 'ETLS' || command === 'STARTTLS' || this.secure);
    const kind: LossKind = inTls ? 'tls' : reply === false ? 'closed' : 'refused';
    const words = reply === false ? undefined : reply.replaceAll('\n', ' ');
    this.#lose(new ConnectionLost(kind, socketFault(error), words, { cause: error, step: this.#openingStep }));
  }

  override _onClose(): void {
    if (this._destroyed) return;
    // Some peers say why without ending the line.
    const fragment = this.#reader.fragment.trim();
    const words = /^[45]\d\d[ -]/.test(fragment) ? fragment.slice(0, 200) : false;
    const type = this.upgrading === true ? 'ETLS' : 'ECONNECTION';
    this._onError(new Error('the peer closed the connection'), type, words, 'CONN');
  }

  #opened(): void {
    this._socket.setTimeout(0);
    this.finish();
    this.#opening?.resolve();
  }

  #lose(loss: ConnectionLost): void {
    if (this.loss !== undefined) return;
    this.loss = loss;
    this.#watch?.cancel();
    const socket: Socket | false = this._socket;
    this.close();
    if (socket) socket.destroy();
    this.#opening?.reject(loss);
    this.#drained?.reject(loss);
    this.#dialogue?.lost(loss);
    this.#idleLoss?.(loss);
  }

  /** One timer for the whole connection, a quarter of the shortest phase apart: deadlines move with every reply. */
  #tick(): void {
    const { connectMs: _connect, quitMs: _quit, ...phases } = this.timeouts;
    const interval = Math.min(Math.max(Math.min(...Object.values(phases)) / 4, 10), 15_000);
    this.#watch = this.#clock.after(interval, () => {
      if (this.loss !== undefined) return;
      const now = this.#clock.monotonic();
      if (now >= this.#deadline) this.abandon(`no answer in time, ${this.#phase}`, 'timeout');
      else if (now >= this.#limit) this.abandon(`it took too long in all, ${this.#phase}`, 'timeout');
      else this.#tick();
    });
  }
}

/** Of a connection that said QUIT. One for all: an error that nobody throws need not look where it comes from each time. */
const closed = new ConnectionLost('aborted', 'the connection was closed');

const openingSteps: readonly OpeningStep[] = ['EHLO', 'HELO', 'LHLO', 'STARTTLS'];
