/**
 * A reading LDAP connection that gives messages as they come: ldapts collects a whole search, knows no intermediate response
 * (RFC 4511 §4.13) and drops the controls of entries (RFC 4533 needs both). One search at a time; the socket waits while the
 * caller is busy, so memory is bounded by one chunk and one message.
 */
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import {
  type BerReader,
  BindRequest,
  type Control,
  FilterParser,
  type Message,
  PresenceFilter,
  SearchEntry,
  SearchReference,
  SearchRequest,
  UnbindRequest,
} from 'ldapts';
import {
  type Entry,
  LdapError,
  MutableEntry,
  type ResultCodeName,
  resultCodeName,
  resultCodes,
} from '../../ldap/index.ts';
import { type MessageFrame, readFrames } from './ldap-frames.ts';

export interface StreamOptions {
  /** `ldap://` or `ldaps://`. */
  readonly url: string;
  readonly bindDn: string;
  readonly password: string;
  /** For ldaps. */
  readonly tls?: ConnectionOptions;
  /** Silence after which the connection is given up, in milliseconds. Default: 60 s. */
  readonly timeoutMs?: number;
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

/** A control as it came. */
export interface SentControl {
  readonly oid: string;
  readonly value: Buffer;
}

/** One message of a search. `done` comes last and once; its code need not be success. */
export type StreamMessage =
  | { readonly kind: 'entry'; readonly entry: Entry; readonly controls: readonly SentControl[] }
  | { readonly kind: 'reference'; readonly uris: readonly string[] }
  | { readonly kind: 'intermediate'; readonly oid: string; readonly value: Buffer }
  | {
      readonly kind: 'done';
      readonly code: ResultCodeName | number;
      readonly message: string;
      readonly controls: readonly SentControl[];
    };

const tags = {
  bindResponse: 0x61,
  searchEntry: 0x64,
  searchDone: 0x65,
  searchReference: 0x73,
  extendedResponse: 0x78,
  intermediate: 0x79,
  controls: 0xa0,
} as const;

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
    const { protocol, hostname } = new URL(options.url);
    if (protocol !== 'ldaps:' && options.password !== '' && !isLoopback(hostname)) {
      throw new LdapError('confidentialityRequired', `${options.url} would get the password in clear: use ldaps://`);
    }
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
    if (code !== 'success') {
      const name = typeof code === 'number' ? 'other' : code;
      throw new LdapError(name, `${url} refuses to bind as ${bindDn}: ${bindFault(code, message)}`);
    }
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

/** Why a bind was refused, in words: Active Directory says it by a number only ([MS-ERREF] 2.2). */
function bindFault(code: ResultCodeName | number, message: string): string {
  if (code === 'strongerAuthRequired' || code === 'confidentialityRequired')
    return `it takes no password without TLS or signing (${message}): name it as ldaps://`;
  const data = /\bdata (?<data>[0-9a-f]{3})\b/i.exec(message)?.groups?.['data']?.toLowerCase() ?? '';
  const words = windowsFaults[data];
  return words === undefined ? message || String(code) : `${words} (${message})`;
}

const windowsFaults: Readonly<Record<string, string>> = {
  '525': 'there is no such account',
  '52e': 'the name or password is wrong',
  '530': 'the account may not log on at this time',
  '531': 'the account may not log on from here',
  '532': 'the password has expired: set a new one, and let it never expire',
  '533': 'the account is disabled',
  '701': 'the account has expired',
  '773': 'the password must be changed before the account can be used',
  '775': 'the account is locked',
};

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'));

function lost(error: unknown): LdapError {
  if (error instanceof LdapError) return error;
  return new LdapError('unavailable', error instanceof Error ? error.message : String(error), { cause: error });
}

/** Why there is no connection. What OpenSSL and Node say of a certificate names options that are not ours. */
function connectionFault({ message, code = '' }: NodeJS.ErrnoException): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `its certificate is of another name: use one of it (${message})`;
  return /^(?:SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER))/.test(code)
    ? 'its certificate is of no authority that is trusted here: name the PEM file of its authority by --ca FILE'
    : message;
}

function socketTo({ url, tls = {}, timeoutMs = 60_000 }: StreamOptions): Promise<Socket> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const secure = protocol === 'ldaps:';
  const target = { host, port: Number(port || (secure ? 636 : 389)) };
  return new Promise((resolve, reject) => {
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const socket = secure ? connectTls({ ...target, ...servername, ...tls }) : connectPlain(target);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`${url}: no answer within ${timeoutMs / 1000} s`)));
    const fail = (error: Error): void =>
      reject(new LdapError('unavailable', `${url}: ${connectionFault(error)}`, { cause: error }));
    socket.once('error', fail);
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      socket.off('error', fail);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

function searchMessage({ tag, reader }: MessageFrame): StreamMessage {
  switch (tag) {
    case tags.searchEntry: {
      const parsed = new SearchEntry({ messageId: 0 });
      parsed.parseMessage(reader);
      const entry = new MutableEntry(parsed.name);
      for (const { type, parsedBuffers } of parsed.attributes) entry.append(type, parsedBuffers);
      return { kind: 'entry', entry, controls: controlsIn(reader) };
    }
    case tags.searchReference: {
      const parsed = new SearchReference({ messageId: 0 });
      parsed.parseMessage(reader);
      return { kind: 'reference', uris: parsed.uris };
    }
    case tags.intermediate:
      return intermediate(reader);
    case tags.searchDone: {
      const { code, message } = resultIn(reader);
      return { kind: 'done', code, message, controls: controlsIn(reader) };
    }
    default:
      throw new LdapError('protocolError', `a message 0x${tag.toString(16)} is no answer to a search`);
  }
}

function intermediate(reader: BerReader): StreamMessage {
  const end = reader.offset + reader.length;
  let oid = '';
  let value: Buffer = Buffer.alloc(0);
  while (reader.offset < end) {
    const tag = reader.peek();
    if (tag === 0x80) oid = reader.readString(0x80) ?? '';
    else value = reader.readString(tag ?? 0x81, true) ?? value;
  }
  return { kind: 'intermediate', oid, value };
}

function resultIn(reader: BerReader): { readonly code: ResultCodeName | number; readonly message: string } {
  const end = reader.offset + reader.length;
  const status = reader.readEnumeration() ?? -1;
  reader.readString();
  const message = reader.readString() ?? '';
  // References and what else a result may hold.
  reader.offset = end;
  const name = resultCodeName(status);
  return { code: name in resultCodes ? (name as ResultCodeName) : status, message };
}

/** Controls behind the operation: RFC 4511 §4.1.11. */
function controlsIn(reader: BerReader): SentControl[] {
  if (reader.remain === 0 || reader.peek() !== tags.controls) return [];
  reader.readSequence(tags.controls);
  const end = reader.offset + reader.length;
  const controls: SentControl[] = [];
  while (reader.offset < end) {
    reader.readSequence();
    const endOfOne = reader.offset + reader.length;
    const oid = reader.readString() ?? '';
    if (reader.offset < endOfOne && reader.peek() === 0x01) reader.readBoolean();
    const value = reader.offset < endOfOne ? (reader.readString(0x04, true) ?? Buffer.alloc(0)) : Buffer.alloc(0);
    reader.offset = endOfOne;
    controls.push({ oid, value });
  }
  return controls;
}
