/** An LDAP server that answers what a script says: for what no real server can be brought to do. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { element, integer, octets, sequence } from '../../src/directory/face/ber/ber-writer.ts';
import { decodeEnvelope } from '../../src/directory/face/ber/decode-request.ts';
import { Framer } from '../../src/directory/face/ber/framer.ts';
import { type RawControl, responseTags, type SearchCall } from '../../src/directory/face/ber/request.ts';
import { encodeEntry, encodeIntermediate, encodeResult, type Result } from '../../src/directory/face/ber/result.ts';
import { defaultLimits } from '../../src/directory/face/limits.ts';

export interface ScriptedSearch extends SearchCall {
  /** Values of the controls, by OID. */
  readonly controls: ReadonlyMap<string, Buffer>;
}

export type Values = Readonly<Record<string, readonly (string | Buffer)[]>>;

/** What is sent, in order. Without a `result` the search ends with success. */
export type ScriptedReply =
  | { readonly entry: string; readonly values: Values; readonly controls?: readonly RawControl[] }
  | { readonly reference: readonly string[] }
  | { readonly intermediate: string; readonly value: Buffer }
  | { readonly result: Result['code']; readonly message?: string; readonly controls?: readonly RawControl[] }
  | 'hang up';

export type Script = (search: ScriptedSearch) => Iterable<ScriptedReply>;

export const control = (oid: string, value: Buffer): RawControl => ({ oid, critical: false, value });

export class ScriptedLdap implements AsyncDisposable {
  script: Script;
  /** What a bind is answered. */
  bind: Result = { code: 'success' };
  binds = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(script: Script) {
    this.script = script;
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  }

  static async listen(script: Script): Promise<ScriptedLdap> {
    const scripted = new ScriptedLdap(script);
    scripted.#server.listen(0, '127.0.0.1');
    await once(scripted.#server, 'listening');
    return scripted;
  }

  get url(): string {
    return `ldap://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Octets written to all connections that are still open, those that wait in this process left out. */
  get sentOctets(): number {
    return [...this.#sockets].reduce((sum, socket) => sum + socket.bytesWritten - socket.writableLength, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    const framer = new Framer(defaultLimits.maxMessageBytes);
    socket.on('data', (chunk) => {
      framer.push(chunk);
      for (let message = framer.next(); message !== undefined; message = framer.next()) this.#answer(socket, message);
    });
  }

  #answer(socket: Socket, message: Buffer): void {
    const { messageId, controls, call } = decodeEnvelope(message, defaultLimits.filter);
    const operation = call();
    if (operation.kind === 'bind') {
      this.binds += 1;
      socket.write(encodeResult(messageId, responseTags.bind, this.bind));
    } else if (operation.kind === 'search') {
      const search = {
        ...operation,
        controls: new Map(controls.map(({ oid, value = Buffer.alloc(0) }) => [oid, value])),
      };
      this.#send(socket, messageId, this.script(search));
    } else socket.end();
  }

  #send(socket: Socket, messageId: number, replies: Iterable<ScriptedReply>): void {
    let result: Result = { code: 'success' };
    for (const reply of replies) {
      if (reply === 'hang up') return void socket.destroySoon();
      if ('result' in reply) {
        const { result: code, message = '', controls } = reply;
        result = { code, message, ...(controls && { controls }) };
      } else socket.write(octetsOf(messageId, reply));
    }
    socket.write(encodeResult(messageId, responseTags.search, result));
  }
}

function octetsOf(messageId: number, reply: Exclude<ScriptedReply, 'hang up' | { result: unknown }>): Buffer {
  if ('reference' in reply) {
    const uris = reply.reference.map((uri) => octets(uri));
    return sequence(integer(messageId), element(responseTags.reference, ...uris));
  }
  if ('intermediate' in reply) return encodeIntermediate(messageId, reply.intermediate, reply.value);
  const list = Object.entries(reply.values).map(([name, values]) => ({
    name,
    values: values.map((value) => Buffer.from(value)),
  }));
  return encodeEntry(messageId, reply.entry, list, reply.controls);
}
