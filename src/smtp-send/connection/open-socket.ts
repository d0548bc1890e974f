import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { Clock } from '../../base/index.ts';
import { ConnectionLost } from './connection-lost.ts';
import { socketFault } from './socket-fault.ts';

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
    const failed = (error: Error): void => {
      end(new ConnectionLost('closed', socketFault(error), undefined, { cause: error }));
    };
    const abort = (): void => end(new ConnectionLost('aborted', 'the service is stopping'));
    const timer = limits.clock.after(limits.timeoutMs, () => end(new ConnectionLost('timeout', 'no answer in time')));
    limits.signal.addEventListener('abort', abort);
    socket.once('error', failed);
    socket.once('connect', () => end());
  });
}
