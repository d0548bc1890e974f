import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';

/** A local endpoint to listen on. */
export interface Binding {
  readonly address: string;
  readonly port: number;
}

/** A bound socket of the runtime that nobody reads yet; it is handed to a worker as it is. */
export interface SocketHandle {
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

/** Connections that may wait before a worker takes them. */
export const backlog = 4096;

/** 'address:port', IPv6 in brackets. */
export function bindingText({ address, port }: Binding): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The binding cannot be had; `code` is the system's (EADDRINUSE, EACCES, EADDRNOTAVAIL). */
export class BindError extends Error {
  override readonly name = 'BindError';
  readonly code: string;

  constructor(binding: Binding, code: string) {
    super(`${bindingText(binding)} cannot be bound: ${reasons[code] ?? code}`);
    this.code = code;
  }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EACCES: 'ports below 1024 need root or CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'the address is not on this machine',
};

/**
 * Binds one socket for one worker. Every worker has its own on the same port (SO_REUSEPORT): the kernel spreads
 * connections over them, and those that wait for a dead worker are served when it is back.
 */
export function bindSocket(binding: Binding): SocketHandle {
  return create(binding, reusePort);
}

/** Throws BindError when another program has the port: with SO_REUSEPORT alone both would silently get half of the mail. */
export function probeBinding(binding: Binding): void {
  const handle = create(binding, 0);
  const result = handle.listen(1);
  handle.close();
  if (result !== 0) throw new BindError(binding, getSystemErrorName(result));
}

function create(binding: Binding, flags: number): SocketHandle {
  const v6 = binding.address.includes(':');
  const result = _createServerHandle(binding.address, binding.port, v6 ? 6 : 4, undefined, flags | (v6 ? ipv6Only : 0));
  if (typeof result === 'number') throw new BindError(binding, getSystemErrorName(result));
  return result;
}
