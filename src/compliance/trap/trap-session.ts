/** One SMTP session of the trap: takes recipients with their token, takes DATA, keeps nothing of it, refuses it. RFC 5321, RFC 3207. */
import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import type { TrapKind } from './trap-table.ts';

/** What a sender did. */
export interface TrapAttempt {
  /** Address of the sender. */
  readonly from: string;
  readonly helo: string;
  /** 'clear', or version and suite. */
  readonly tls: string;
  /** STARTTLS was taken, whether a handshake came of it or not. */
  readonly triedTls: boolean;
  readonly sni: string;
  /** Tokens of the recipients that content was sent to; empty: it gave up before. */
  readonly delivered: readonly string[];
  readonly recipients: readonly string[];
}

export interface TrapSessionParts {
  readonly kind: TrapKind;
  readonly host: string;
  readonly context: SecureContext | undefined;
  /** Milliseconds of silence before a session ends. */
  readonly idleMs: number;
  readonly onEnd: (attempt: TrapAttempt) => void;
}

/** A session ends after so many lines, or octets of content. */
const maxLines = 200;
const maxLineBytes = 4096;

export class TrapSession {
  readonly #parts: TrapSessionParts;
  #socket: Socket;
  #held = '';
  #lines = 0;
  #inData = false;
  #tls = 'clear';
  #triedTls = false;
  #sni = '';
  #helo = '';
  #recipients: string[] = [];
  readonly #all = new Set<string>();
  readonly #delivered = new Set<string>();
  readonly #from: string;

  constructor(socket: Socket, parts: TrapSessionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#from = socket.remoteAddress ?? '';
    this.#listen(socket);
    socket.once('close', () => this.#end());
    this.#say(`220 ${parts.host} ESMTP`);
  }

  #listen(socket: Socket): void {
    socket.on('error', () => undefined);
    socket.on('data', this.#data);
    socket.setTimeout(this.#parts.idleMs, () => socket.destroy());
  }

  #end(): void {
    const { onEnd } = this.#parts;
    onEnd({
      from: this.#from,
      helo: this.#helo,
      tls: this.#tls,
      triedTls: this.#triedTls,
      sni: this.#sni,
      delivered: [...this.#delivered],
      recipients: [...this.#all],
    });
  }

  readonly #data = (octets: Buffer): void => {
    this.#held += octets.toString('latin1');
    for (let end = this.#held.indexOf('\r\n'); end >= 0; end = this.#held.indexOf('\r\n')) {
      const line = this.#held.slice(0, end);
      this.#held = this.#held.slice(end + 2);
      if (this.#inData) this.#content(line);
      else if (++this.#lines > maxLines) return void this.#socket.end('421 4.7.0 too many commands\r\n');
      else if (this.#command(line)) return;
    }
    // Content is not kept: what is no whole line yet is dropped but for a possible end of it.
    if (this.#held.length > maxLineBytes) this.#held = this.#inData ? this.#held.slice(-4) : '';
  };

  #say(line: string): void {
    if (this.#socket.writable) this.#socket.write(`${line}\r\n`);
  }

  /** True when TLS begins: what follows is not for this reader. */
  #command(line: string): boolean {
    const verb = line.slice(0, 8).split(/[ :]/)[0]?.toUpperCase() ?? '';
    if (verb === 'EHLO' || verb === 'HELO') this.#hello(line);
    else if (verb === 'STARTTLS') return this.#startTls();
    else if (verb === 'MAIL' || verb === 'RSET' || verb === 'NOOP') {
      if (verb !== 'NOOP') this.#recipients = [];
      this.#say('250 2.0.0 OK');
    } else if (verb === 'RCPT') this.#recipient(line);
    else if (verb === 'DATA') this.#begin();
    else if (verb === 'QUIT') this.#socket.end('221 2.0.0 bye\r\n');
    else this.#say('500 5.5.1 unknown command');
    return false;
  }

  #hello(line: string): void {
    const { kind, host } = this.#parts;
    this.#helo = line.slice(5, 260).trim();
    const secure = this.#tls !== 'clear';
    const words = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES'];
    if (!secure && kind.starttls !== 'absent') words.push(kind.starttls === 'masked' ? 'XXXXXXXA' : 'STARTTLS');
    if (secure && kind.requireTls) words.push('REQUIRETLS');
    const lines = [host, ...words];
    for (const [i, text] of lines.entries()) this.#say(`250${i < lines.length - 1 ? '-' : ' '}${text}`);
  }

  #recipient(line: string): void {
    const token = /<\s*([^@>\s]{1,64})@/.exec(line)?.[1];
    if (token === undefined) return this.#say('501 5.1.3 no address');
    this.#recipients.push(token);
    this.#all.add(token);
    this.#say('250 2.1.5 OK');
  }

  #begin(): void {
    if (this.#recipients.length === 0) return this.#say('503 5.5.1 no recipient');
    this.#inData = true;
    this.#say('354 end with a dot');
  }

  #content(line: string): void {
    if (line !== '.') return;
    this.#inData = false;
    for (const token of this.#recipients) this.#delivered.add(token);
    this.#recipients = [];
    this.#say('554 5.7.1 this is a test endpoint: the content came through and was thrown away');
  }

  #startTls(): boolean {
    const { kind, context } = this.#parts;
    if (kind.starttls === 'absent' || kind.starttls === 'masked' || this.#tls !== 'clear') {
      this.#say('502 5.5.1 STARTTLS is not offered');
      return false;
    }
    this.#say('220 2.0.0 ready');
    this.#triedTls = true;
    const bare = this.#socket;
    bare.removeListener('data', this.#data);
    if (context === undefined) {
      bare.once('data', () => bare.destroy());
      return true;
    }
    const secure = new TLSSocket(bare, { isServer: true, secureContext: context });
    secure.once('secure', () => {
      this.#tls = `${secure.getProtocol() ?? ''} ${secure.getCipher().standardName}`.trim();
      const { servername } = secure as { servername?: string | false };
      this.#sni = typeof servername === 'string' ? servername : '';
    });
    this.#held = '';
    this.#recipients = [];
    this.#socket = secure;
    this.#listen(secure);
    return true;
  }
}
