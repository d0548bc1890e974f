/**
 * What passes over the management endpoint, JSON lines both ways. The service speaks first: `{"prove":"…"}`; the caller shows
 * who it is (`caller-proof.ts`) and answers `{"proved":true}`, which the service answers as request 0. From then on a request
 * `{"id":1,"method":"…","params":…}` is answered by any number of `{"id":1,"part":…}` and one `{"id":1,"end":…}` or
 * `{"id":1,"error":"…"}`; `{"cancel":1}` asks for an early end of request 1, and is answered by that request's own end.
 */
import type { Socket } from 'node:net';

/** Name of the socket in the folder of the endpoint. */
export const socketName = 'socket';

/** What a caller sends. */
export interface Request {
  readonly proved?: boolean;
  readonly cancel?: number;
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
}

/** What the service sends. */
export interface Answer {
  readonly prove?: string;
  readonly id?: number;
  readonly part?: unknown;
  readonly end?: unknown;
  readonly error?: string;
}

/** Hands over line by line. A line longer than `most()` characters is not one of ours: the connection ends. */
export function readLines(socket: Socket, most: () => number, take: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    rest += chunk;
    if (rest.length > most() && !rest.includes('\n')) return void socket.destroy();
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '' && !socket.destroyed) take(line);
  });
}
