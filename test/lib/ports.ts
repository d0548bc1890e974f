/** Ports for the servers that tests start. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const lowest = 10_240;

/**
 * A port that nobody has on 127.0.0.1 or on all addresses, neither TCP nor UDP. It lies below the range from which the
 * kernel takes the ports of outgoing connections, so that none of those can take it before the server does.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (firstOutgoingPort() - lowest));
    if ((await tcpFree(port)) && (await udpFree(port))) return port;
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
