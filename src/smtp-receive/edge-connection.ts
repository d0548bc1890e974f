import type { Socket } from 'node:net';
import { type DetailedPeerCertificate, type SecureContext, TLSSocket } from 'node:tls';
import { type FairTurns, type ReadGarbage, sourceNetwork } from '../base/index.ts';
import { type ProxiedEndpoints, type Reply, replies } from '../smtp/index.ts';
import { type ContentSink, EdgeStream, type LineTaker } from './content/edge-stream.ts';
import { SMTPConnection, type SMTPServer, verifyPeerCertificate } from './content/library.ts';
import type { ShownChain } from './rights/client-certificate.ts';
import type { SessionOrigin, SessionParts, Wire } from './session/session-parts.ts';
import { Session } from './session.ts';

/** What a connection tells the service that it belongs to. */
export interface ConnectionOwner {
  /** The conversation is over: it counts no more. */
  released(connection: EdgeConnection): void;
  /** The socket is closed, or another one's. */
  gone(connection: EdgeConnection): void;
  /** The socket is now one between these endpoints. */
  beginAgain(connection: EdgeConnection, socket: Socket, endpoints: ProxiedEndpoints): void;
  /** Now, as an RFC 5322 date. */
  date(): string;
  /** TLS handshakes, which cost more than all else that a stranger may ask for: each address has its turn. */
  readonly handshakes: FairTurns;
  /** What was received. */
  readonly garbage: ReadGarbage;
}

const nothing: ReadonlyMap<string, never> & Map<string, never> = new Map<string, never>();

/** Clients are asked for a certificate. The session judges: a handshake that fails would tell the other side nothing. */
const asked = { requestCert: true, rejectUnauthorized: false } as const;

/** Lets the parser have a chunk. When it has to wait, so has the socket. */
function feed(parser: EdgeStream, chunk: Buffer, socket: Socket): void {
  let done = false;
  let waited = false;
  parser.take(chunk, () => {
    done = true;
    if (waited) socket.resume();
  });
  if (done) return;
  waited = true;
  socket.pause();
}

/**
 * One accepted socket. Of smtp-server's connection it keeps the life of the socket, up to the closing with its time limit. What is
 * said is a Session's business. The upgrade to TLS is its own: the library's looks for names, for which there is one certificate,
 * and pipes, for a tenth of what a handshake costs.
 */
export class EdgeConnection extends SMTPConnection implements LineTaker, Wire {
  readonly dialogue: Session;
  #owner: ConnectionOwner;
  #out = '';
  /** Topmost socket: the TLS socket already during its handshake, when it must not be torn down from below. */
  #top: Socket;
  #released = false;
  #handedOver = false;
  /** Grows with each chunk; the inactivity check compares it. */
  #turns = 0;
  #seenTurns = -1;
  /** By the monotonic clock, as what follows: an administrator who sets the time ends no session. */
  readonly #began: number;
  #idleSince: number;

  constructor(
    server: InstanceType<typeof SMTPServer>,
    socket: Socket,
    origin: SessionOrigin,
    parts: SessionParts,
    owner: ConnectionOwner,
  ) {
    super(server, socket, { id: origin.id });
    this.#owner = owner;
    this.#top = socket;
    this.dialogue = new Session(origin, parts, this);
    this.#began = parts.clock.monotonic();
    this.#idleSince = this.#began;
    // What these maps are for is the session's business, or not offered; empty ones are a tenth of an idle session.
    this._xClient = nothing;
    this._xForward = nothing;
    this._rcptIndex = nothing;
  }

  /** No wait, no reverse lookup: only one turn of the event loop, in which whoever spoke too early is seen. */
  override init(): void {
    this._setListeners(() => setImmediate(() => setImmediate(() => this.#greet())));
  }

  /** As the library does it, but without pipe(), whose closures are a fifth of an idle session. */
  override _setListeners(callback: () => void): void {
    const { _socket: socket, _parser: parser } = this;
    socket.on('close', (hadError: boolean) => this._onCloseEvent(hadError));
    socket.on('error', (error: Error) => this._onError(error));
    if (parser instanceof EdgeStream) this.#listen(socket, parser);
    callback();
  }

  #listen(socket: Socket, parser: EdgeStream): void {
    const { garbage } = this.#owner;
    socket.on('data', (chunk: Buffer) => {
      garbage.add(chunk.length);
      feed(parser, chunk, socket);
    });
    socket.on('end', () => parser.finish());
  }

  #greet(): void {
    const wait = this.dialogue.greet(this.#owner.date());
    if (wait === undefined) this.#flush();
    else void wait.then(() => this.#flush());
  }

  /** The library's replies, should one of its own paths give any. */
  override send(code: number, data?: string | string[] | null): void {
    const lines = Array.isArray(data) ? data : [data ?? ''];
    this.dialogue.reply({
      code,
      lines: lines.map((line) => line.replace(/[\0-\x1f\x7f]/g, ' ')),
    });
    if (code === 421) this.dialogue.end('refused by smtp-server');
  }

  override _createParser(): EdgeStream {
    // Runs inside the library's constructor: nothing of this class may be touched yet, only kept for later.
    return new EdgeStream(this);
  }

  /** Every command takes the way of the session. */
  override _onCommand(command: Buffer, callback?: () => void): void {
    const wait = this.takeLine(command.toString('latin1', 0, command.length));
    if (wait === undefined) callback?.();
    else void wait.then(callback);
  }

  takeLine(line: string): void | Promise<void> {
    return this._upgrading ? undefined : this.dialogue.takeLine(line);
  }

  takeLongLine(beginning: string): void | Promise<void> {
    return this._upgrading ? undefined : this.dialogue.takeLongLine(beginning);
  }

  takeEnd(): void {
    this.dialogue.left('closed by the client');
    this.close();
  }

  /** A client that sends without reading the replies is not read any more until it has. */
  pause(next: () => void): void {
    this.#turns++;
    this.#flush();
    if (this._socket.writableNeedDrain && !this._socket.destroyed) this._socket.once('drain', next);
    else next();
  }

  write(text: string): void {
    this.#out += text;
  }

  #flush(): void {
    const text = this.#out;
    if (text === '' || this._upgrading) return;
    this.#out = '';
    if (this._socket.writable) this._socket.write(text, 'latin1');
  }

  startContent(sink: ContentSink): void {
    if (this._parser instanceof EdgeStream) this._parser.startContent(sink);
  }

  startChunk(octets: number, sink: ContentSink): void {
    if (this._parser instanceof EdgeStream) this._parser.startChunk(octets, sink);
  }

  limitLine(maxBytes: number): void {
    if (this._parser instanceof EdgeStream) this._parser.limitLine(maxBytes);
  }

  startTls(context: SecureContext): void {
    this.#flush();
    const { _socket: socket, _parser: parser } = this;
    // What came in clear behind the command is thrown away with the parser. The hello of the client waits in the socket.
    this._upgrading = true;
    if (parser) parser.isClosed = true;
    socket.removeAllListeners('data').removeAllListeners('end').pause();
    const source = sourceNetwork(this.dialogue.origin.remoteAddress);
    let heard = false;
    const hello = (): void => {
      if (heard) return;
      heard = true;
      this.#owner.handshakes.run(source, () => {
        // Not before: without a listener a resume that came in between would throw away what waits.
        socket.off('readable', hello);
        this.#handshake(context);
      });
    };
    socket.on('readable', hello);
  }

  #handshake(context: SecureContext): void {
    const { _socket: socket } = this;
    if (socket.destroyed) return;
    if (socket.readableLength === 0) return this._onError(new Error('the client closed its side before the handshake'));
    const { clients } = this.dialogue.origin.profile.tlsUse;
    socket.removeAllListeners();
    socket.on('error', (error: Error) => this._onError(error));
    const secure = new TLSSocket(socket, { isServer: true, secureContext: context, ...(clients && asked) });
    this.#top = secure;
    const failed = (error: Error): void => {
      secure.destroy();
      this._onError(error);
    };
    secure.once('close', (hadError: boolean) => this._onCloseEvent(hadError));
    secure.on('error', failed);
    secure.once('_tlsError', failed);
    // Once: a client of TLS 1.2 may renegotiate, which is told in the same way.
    secure.once('secure', () => this.#secured(secure));
    // A socket that may be half open does not end by itself, and in a handshake no answer is owed.
    secure.once('end', () => {
      if (!this._upgrading) return;
      this._onError(new Error('the client closed its side in the handshake'));
      secure.destroy();
    });
  }

  /** From now on the conversation is with a parser that has seen nothing in clear. */
  #secured(secure: TLSSocket): void {
    // The connection was closed meanwhile.
    if (!this._parser || this._closing) return;
    const parser = this._createParser();
    this._parser = parser;
    this._socket = secure;
    this._upgrading = false;
    const { name, standardName } = secure.getCipher();
    const negotiated = { protocol: secure.getProtocol() ?? '', cipher: name, standardName };
    const { clients } = this.dialogue.origin.profile.tlsUse;
    if (clients) verifyPeerCertificate(secure, asked);
    this.dialogue.secured(negotiated, clients ? shownBy(secure) : undefined);
    this.#listen(secure, parser);
  }

  /** Called now and then, with the monotonic time: ends what has lasted or idled too long. */
  tick(now: number): void {
    const { connectionTimeout, connectionInactivityTimeout } = this.dialogue.connector;
    const busy = this._parser instanceof EdgeStream && this._parser.waiting;
    if (this.#turns !== this.#seenTurns || busy) {
      this.#seenTurns = this.#turns;
      this.#idleSince = now;
    }
    if (now - this.#idleSince >= connectionInactivityTimeout * 1000) {
      this.#expire(replies.inactivityTimeout, 'ConnectionInactivityTimeout');
    } else if (now - this.#began >= connectionTimeout * 1000 && !busy) {
      this.#expire(replies.connectionTimedOut, 'ConnectionTimeout');
    }
  }

  #expire(reply: Reply, limit: string): void {
    this.dialogue.expire(reply, `${limit} is over`);
    // In a handshake nothing can be said.
    if (this._upgrading) this.cut(`${limit} is over`);
  }

  /** Ends it now, without a word. */
  cut(reason: string): void {
    this.dialogue.left(reason);
    this.#top.destroy();
  }

  /** Says goodbye if no message is being received; if one is, the session does so behind it. */
  stop(): void {
    if (this._upgrading) return this.cut('the service stops');
    this.dialogue.stop();
  }

  /** What was said so far counts no more; what was pipelined behind it is thrown away. */
  handOver(endpoints: ProxiedEndpoints): void {
    this.#flush();
    const socket = this._socket;
    this.#handedOver = true;
    if (this._parser) this._parser.isClosed = true;
    socket.removeAllListeners('data');
    this._server.connections.delete(this);
    this.#release();
    this.#owner.gone(this);
    this.#owner.beginAgain(this, socket, endpoints);
    socket.resume();
  }

  override close(): void {
    if (this.#handedOver) return;
    this.#flush();
    this.#release();
    super.close();
  }

  override _onError(error: Error & { code?: string }): void {
    // A handshake that fails is told more than once.
    if (this._upgrading && !this.dialogue.ended) this.dialogue.tlsFailed(error.message);
    this.dialogue.left(error.code ?? error.message);
    this.close();
  }

  override _onClose(): void {
    super._onClose();
    if (this.#handedOver) return;
    this.dialogue.left('closed by the client');
    this.#release();
    this.#owner.gone(this);
  }

  #release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#owner.released(this);
  }
}

/** Certificates looked at in what a client sends; OpenSSL itself takes no chain beyond 100. */
const longestChain = 10;

/** The chain as it was sent. Asked for once in a connection: Node hands the leaf out only the first time. */
function shownBy(socket: TLSSocket): ShownChain {
  const certificates: Buffer[] = [];
  const seen = new Set<unknown>();
  // An empty object where there is none, whatever its type says; a root names itself as its issuer.
  let next: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && !seen.has(next) && certificates.length < longestChain) {
    seen.add(next);
    certificates.push(next.raw);
    next = next.issuerCertificate;
  }
  const error: unknown = socket.authorizationError;
  const code = error instanceof Error ? error.message : typeof error === 'string' ? error : 'not trusted';
  return { certificates, opensslError: socket.authorized ? '' : code };
}
