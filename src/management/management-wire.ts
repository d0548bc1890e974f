/**
 * What passes over the management endpoint, JSON lines both ways. The service speaks first: `{"prove":"…"}`; the caller shows
 * who it is (`caller-proof.ts`) and answers `{"proved":true}`, which the service answers as request 0. From then on a request
 * `{"id":1,"method":"…","params":…}` is answered by any number of `{"id":1,"part":…}` and one `{"id":1,"end":…}` or
 * `{"id":1,"error":"…"}`; `{"cancel":1}` asks for an early end of request 1, and is answered by that request's own end.
 */
import type { Socket } from 'node:net';
import { LineCutter } from '../base/text/index.ts';

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

/**
 * Hands over line by line. A line longer than `most()` octets is not one of ours: the connection ends. `hold` hears of the octets
 * of memory that the line takes which has begun.
 */
export function readLines(
  socket: Socket,
  most: () => number,
  take: (line: string) => void,
  hold: (octets: number) => void = () => undefined,
): void {
  const cutter = new LineCutter();
  socket.on('close', () => cutter.clear());
  socket.on('data', (octets: Buffer) => {
    if (socket.destroyed) return;
    try {
      for (const line of cutter.lines(octets, most)) if (line !== '' && !socket.destroyed) take(line);
      hold(cutter.held);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      socket.destroy();
    }
  });
}
