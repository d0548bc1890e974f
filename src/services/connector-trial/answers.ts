import { connect } from 'node:net';

/** How long a local socket may take to be connected, in milliseconds. */
const connectMs = 3000;

/** Whether somebody listens there. */
export function answers(address: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: address, port, timeout: connectMs });
  const end = (yes: boolean): void => {
    socket.destroy();
    resolve(yes);
  };
  socket.once('connect', () => end(true));
  socket.once('timeout', () => end(false));
  socket.once('error', () => end(false));
  return promise;
}
