import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { Clock } from '../base/index.ts';
import { ConnectionLost } from './connection-lost.ts';

/** What failed connections are called; anything else keeps the system's name. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  EADDRNOTAVAIL: 'the source address is not one of this machine',
  ETIMEDOUT: 'no answer in time',
  ENOENT: 'nobody listens there',
  EACCES: 'not allowed',
};

/** Opens a connection. Rejects with ConnectionLost. */
export function openSocket(
  where: NetConnectOpts,
  limits: { readonly timeoutMs: number; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (limits.signal.aborted) return reject(new ConnectionLost('aborted', 'the service is stopping'));
    const socket = connect({ ...where, noDelay: true });
    const end = (loss?: ConnectionLost): void => {
      timer.cancel();
      limits.signal.removeEventListener('abort', abort);
      socket.removeListener('error', failed);
      if (loss === undefined) return resolve(socket);
      socket.on('error', () => undefined);
      socket.destroy();
      reject(loss);
    };
    const failed = (error: NodeJS.ErrnoException): void => {
      end(new ConnectionLost('closed', reasons[error.code ?? ''] ?? error.message, undefined, { cause: error }));
    };
    const abort = (): void => end(new ConnectionLost('aborted', 'the service is stopping'));
    const timer = limits.clock.after(limits.timeoutMs, () => end(new ConnectionLost('timeout', 'no answer in time')));
    limits.signal.addEventListener('abort', abort);
    socket.once('error', failed);
    socket.once('connect', () => end());
  });
}
