/** The part of ldapjs 3.0.7 that the LDAP face uses. The package has no types of its own for a server. */
declare module 'ldapjs' {
  import type { EventEmitter } from 'node:events';
  import type { Socket } from 'node:net';

  /** What ldapjs logs to. */
  export interface Logger {
    trace(...parts: unknown[]): void;
    debug(...parts: unknown[]): void;
    info(...parts: unknown[]): void;
    warn(...parts: unknown[]): void;
    error(...parts: unknown[]): void;
  }

  /** Response object made for a request; `end` encodes it and writes it to `connection`. */
  export interface Response {
    status: number;
    matchedDN: string;
    diagnosticMessage: string;
    connection: { readonly ldap: { readonly id: string }; write(bytes: Buffer): void };
    addReferral(uri: string): void;
    end(status?: number): void;
  }

  export interface DN {
    toString(): string;
  }

  type Handler<R> = (request: R, response: Response) => void;

  /** `routes` are chosen by the request's `dn` and `protocolOp`, extended operations by `requestName`. */
  export interface Server<R> extends EventEmitter {
    bind(dn: string, handler: Handler<R>): this;
    search(dn: string, handler: Handler<R>): this;
    add(dn: string, handler: Handler<R>): this;
    modify(dn: string, handler: Handler<R>): this;
    del(dn: string, handler: Handler<R>): this;
    modifyDN(dn: string, handler: Handler<R>): this;
    compare(dn: string, handler: Handler<R>): this;
    exop(name: string, handler: Handler<R>): this;
    /** Makes an accepted socket a connection: sets `ldap` and `parser` on it and listens to it. */
    newConnection(socket: Socket): void;
  }

  const ldapjs: {
    createServer<R>(options: { log: Logger }): Server<R>;
    parseDN(text: string): DN;
  };
  export default ldapjs;
}
