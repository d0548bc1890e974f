/** Ports for the servers that tests start. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const lowest = 10_240;
/** Ports that a process of tests takes at a time, for itself alone. */
const blockSize = 64;
/** What is left of this process's blocks. */
const own: number[] = [];

/**
 * A port that nobody has on 127.0.0.1 or on all addresses, neither TCP nor UDP. It lies below the range from which the
 * kernel takes the ports of outgoing connections, so that none of those can take it before the server does. Nor does it
 * come twice, here or in another process of tests, however long the server takes to listen.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    if (own.length === 0) own.push(...(await freeBlock()));
    const port = own.shift();
    if (port !== undefined && (await tcpFree(port)) && (await udpFree(port))) return port;
  }
}

/** A block that no other process has: it is held by a name in the kernel, which is free again when this process has ended. */
async function freeBlock(): Promise<number[]> {
  const blocks = Math.floor((firstOutgoingPort() - lowest) / blockSize);
  for (;;) {
    const first = lowest + Math.floor(Math.random() * blocks) * blockSize;
    const holder = createServer().listen({ path: `\0edge-test-ports-${first}` });
    if (!(await opened(once(holder, 'listening')))) continue;
    holder.unref();
    return Array.from({ length: blockSize }, (_, i) => first + i);
  }
}

function firstOutgoingPort(): number {
  return Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/, 1)[0]);
}

async function tcpFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '0.0.0.0');
  if (!(await opened(once(server, 'listening')))) return false;
  server.close();
  await once(server, 'close');
  return true;
}

async function udpFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4').bind(port, '0.0.0.0');
  if (!(await opened(once(socket, 'listening')))) return false;
  socket.close();
  await once(socket, 'close');
  return true;
}

const opened = (event: Promise<unknown>): Promise<boolean> =>
  event.then(
    () => true,
    () => false,
  );
