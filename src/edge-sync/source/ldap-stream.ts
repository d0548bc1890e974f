/**
 * A reading LDAP connection that gives messages as they come: ldapts collects a whole search, knows no intermediate response
 * (RFC 4511 §4.13) and drops the controls of entries (RFC 4533 needs both). One search at a time; the socket waits while the
 * caller is busy, so memory is bounded by one chunk and one message.
 */
import type { Socket } from 'node:net';
import {
  BindRequest,
  type Control,
  FilterParser,
  type Message,
  PresenceFilter,
  SearchRequest,
  UnbindRequest,
} from 'ldapts';
import { LdapError } from '../../ldap/index.ts';
import { type MessageFrame, readFrames } from './ldap-frames.ts';
import { resultIn, type StreamMessage, searchMessage } from './ldap-messages.ts';
import { type SocketOptions, socketTo } from './ldap-socket.ts';
import { bindRefusal, refuseClearPassword } from './source-bind.ts';

export interface StreamOptions extends SocketOptions {
  readonly bindDn: string;
  readonly password: string;
}

export interface StreamSearch {
  readonly base: string;
  /** Default: `sub`. */
  readonly scope?: 'base' | 'one' | 'sub';
  /** Text of RFC 4515. Default: every entry. */
  readonly filter?: string;
  readonly attributes: readonly string[];
  readonly controls?: readonly Control[];
}

/** Silence after which the other end is asked, in milliseconds. */
const keepAliveMs = 60_000;

export class LdapStream implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #frames: AsyncGenerator<MessageFrame, void, undefined>;
  #next = 1;
  #broken = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#frames = readFrames(socket);
  }

  /** Connects and binds. Throws LdapError; a password never goes in clear to another machine. */
  static async open(options: StreamOptions): Promise<LdapStream> {
    refuseClearPassword(options.url, options.password);
    const stream = new LdapStream(await socketTo(options));
    try {
      await stream.#bind(options);
      return stream;
    } catch (error) {
      await stream[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The messages of one search. Leaving the loop early ends the connection. */
  async *search(search: StreamSearch): AsyncGenerator<StreamMessage, void, undefined> {
    const { base, scope = 'sub', filter, attributes, controls = [] } = search;
    const messageId = this.#next++;
    const request = new SearchRequest({
      messageId,
      baseDN: base,
      scope,
      filter:
        filter === undefined ? new PresenceFilter({ attribute: 'objectClass' }) : FilterParser.parseString(filter),
      attributes: [...attributes],
      // ldapts would say ten seconds, and a large directory takes longer.
      timeLimit: 0,
      controls: [...controls],
    });
    let done = false;
    try {
      await this.#send(request);
      while (!done) {
        const message = searchMessage(await this.#frame(messageId));
        done = message.kind === 'done';
        yield message;
      }
    } finally {
      if (!done) this.#giveUp();
    }
  }

  /** For a search without an end: silence is no fault any more, and the system asks whether the other end is still there. */
  waitWithoutLimit(): void {
    this.#socket.setTimeout(0);
    this.#socket.setKeepAlive(true, keepAliveMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#broken && !this.#socket.destroyed) {
      this.#socket.end(new UnbindRequest({ messageId: this.#next++ }).write());
    }
    this.#giveUp();
  }

  async #bind({ bindDn, password, url }: StreamOptions): Promise<void> {
    if (bindDn === '') return;
    const messageId = this.#next++;
    await this.#send(new BindRequest({ messageId, dn: bindDn, password }));
    const { reader } = await this.#frame(messageId);
    const { code, message } = resultIn(reader);
    if (code !== 'success') throw bindRefusal({ url, bindDn }, code, message);
  }

  async #send(request: Message): Promise<void> {
    if (this.#broken) throw new LdapError('unavailable', 'the connection is closed');
    const octets = request.write();
    await new Promise<void>((resolve, reject) =>
      this.#socket.write(octets, (error) => (error ? reject(lost(error)) : resolve())),
    );
  }

  /** The next message, which must answer this request. */
  async #frame(messageId: number): Promise<MessageFrame> {
    let next: IteratorResult<MessageFrame, void>;
    try {
      next = await this.#frames.next();
    } catch (error) {
      this.#giveUp();
      throw lost(error);
    }
    if (next.done === true) {
      this.#giveUp();
      throw lost(new Error('the server closed the connection'));
    }
    const frame = next.value;
    if (frame.messageId === messageId) return frame;
    this.#giveUp();
    // RFC 4511 §4.4.1: the notice of disconnection has message ID 0.
    if (frame.messageId === 0)
      throw lost(new Error(`the server ends the connection: ${resultIn(frame.reader).message}`));
    throw new LdapError('protocolError', `the answer to message ${frame.messageId} came, which was not asked`);
  }

  #giveUp(): void {
    this.#broken = true;
    this.#socket.destroySoon();
  }
}

function lost(error: unknown): LdapError {
  if (error instanceof LdapError) return error;
  return new LdapError('unavailable', error instanceof Error ? error.message : String(error), { cause: error });
}
