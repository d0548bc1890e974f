/**
 * ldapjs behind our own socket, framer, decoder and encoder: it takes the accepted socket and routes each decoded request to its
 * handler. It never sees an octet of the network: its parser loses binary values, drops the
 * connection on many valid requests, and can be made to end the process (`30 84 ff ff ff ff 02 01 01`).
 */
import type { Socket } from 'node:net';
import ldapjs, { type DN, type Logger, type Server } from 'ldapjs';
import { type AnsweredKind, requestTags } from './ber/request.ts';

/** What goes through ldapjs for one request: only what it routes by. */
interface RoutedRequest {
  readonly protocolOp: number;
  readonly messageId: number;
  readonly dn: DN;
  /** Names that ldapjs parses again before it routes; always the empty name, ours is judged by the schema. */
  readonly name: string;
  readonly entry: string;
  readonly object: string;
  /** Not empty: ldapjs answers an anonymous bind by itself. */
  readonly credentials: string;
  readonly requestName: string;
  readonly handle: () => void;
  readonly log: Logger;
}

/** A socket after ldapjs took it. */
interface TakenSocket extends Socket {
  readonly parser?: { emit(event: 'message', request: RoutedRequest): boolean };
}

const extendedRoute = 'extended';

export class LdapjsRouter {
  readonly #server: Server<RoutedRequest>;
  readonly #root: DN = ldapjs.parseDN('');

  constructor() {
    const handle = (request: RoutedRequest): void => request.handle();
    this.#server = ldapjs.createServer<RoutedRequest>({ log: silent });
    this.#server.bind('', handle).search('', handle).add('', handle).modify('', handle).del('', handle);
    this.#server.modifyDN('', handle).compare('', handle).exop(extendedRoute, handle);
    this.#server.on('error', () => undefined);
  }

  /** Makes a socket an LDAP connection. The caller reads from it and watches its idle time. */
  take(socket: Socket): void {
    this.#server.newConnection(socket);
    socket.removeAllListeners('data');
    socket.removeAllListeners('timeout');
  }

  /** Hands a request to its route; `handle` is called before this returns. */
  route(socket: Socket, kind: AnsweredKind, messageId: number, handle: () => void): void {
    (socket as TakenSocket).parser?.emit('message', {
      protocolOp: requestTags[kind],
      messageId,
      dn: this.#root,
      name: '',
      entry: '',
      object: '',
      credentials: 'held back',
      requestName: extendedRoute,
      handle,
      log: silent,
    });
  }
}

const ignore = (): void => undefined;
/** ldapjs would log requests with their passwords. */
const silent: Logger = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };
