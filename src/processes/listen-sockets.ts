import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';
import { type Endpoint, formatEndpoint } from '../base/index.ts';
import { inodeOf, listenersAt } from './listening-ports.ts';

/** A local endpoint to listen on, and for what: mail, or our own MTA-STS policy. */
export interface Binding extends Endpoint {
  readonly use: 'smtp' | 'https';
}

/** A bound socket of the runtime that nobody reads yet; it is handed to a worker as it is. */
export interface SocketHandle {
  readonly fd: number;
  listen(backlog: number): number;
  close(): void;
}

type CreateServerHandle = (
  address: string,
  port: number,
  addressType: 4 | 6,
  fd: undefined,
  flags: number,
) => SocketHandle | number;

// What the runtime's own `cluster` uses to bind without accepting: a listening net.Server here would take connections.
const { _createServerHandle } = createRequire(import.meta.url)('node:net') as {
  _createServerHandle: CreateServerHandle;
};

const ipv6Only = 1;
const reusePort = 2;

/** The binding cannot be had; `code` is the system's (EADDRINUSE, EACCES, EADDRNOTAVAIL). */
export class BindError extends Error {
  override readonly name = 'BindError';
  readonly code: string;

  constructor(binding: Endpoint, code: string) {
    super(`${formatEndpoint(binding)} cannot be bound: ${reasons[code] ?? code}`);
    this.code = code;
  }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EACCES: 'ports below 1024 need root or CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'the address is not on this machine',
  'not-allowed': 'the service may not bind this port; edge start --allow-port permits it',
};

/**
 * Binds one socket for one worker. Every worker has its own on the same port (SO_REUSEPORT): the kernel spreads
 * connections over them, and those that wait for a dead worker are served when it is back.
 */
export function bindSocket(binding: Endpoint): SocketHandle {
  return create(binding, reusePort);
}

/**
 * Throws BindError when another program has the port: with SO_REUSEPORT alone both would silently get half of the mail. `own`:
 * sockets of this process, which do not stand in the way: one on an address and one on all addresses of a port live side by
 * side, and the kernel gives a connection to the more specific one.
 */
export function probeBinding(binding: Endpoint, own: Iterable<SocketHandle> = []): void {
  const inodes = new Set(Array.from(own, ({ fd }) => inodeOf(fd)));
  const others = listenersAt(binding).filter((inode) => !inodes.has(inode));
  if (others.length > 0) throw new BindError(binding, 'EADDRINUSE');
  const handle = create(binding, reusePort);
  const result = handle.listen(1);
  handle.close();
  if (result !== 0) throw new BindError(binding, getSystemErrorName(result));
}

function create(binding: Endpoint, flags: number): SocketHandle {
  const v6 = binding.address.includes(':');
  const result = _createServerHandle(binding.address, binding.port, v6 ? 6 : 4, undefined, flags | (v6 ? ipv6Only : 0));
  if (typeof result === 'number') throw new BindError(binding, getSystemErrorName(result));
  return result;
}
