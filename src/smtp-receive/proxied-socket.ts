/** Connections of balancers: who is behind them is what their PROXY header says, which comes before anything else. */
import type { Socket } from 'node:net';
import { type Clock, contains, parseIp } from '../base/index.ts';
import type { Binding, Snapshot } from '../config/index.ts';
import { type ProxiedEndpoints, readProxyHeader } from '../smtp/index.ts';

/** A balancer sends its header with the connection; so long it may take, in milliseconds. */
const headerMs = 5_000;

/** Whether a peer is one of these balancers on this binding. */
export function isBalancer(
  all: Snapshot['server']['proxyProtocolBalancers'],
  { address, port }: Binding,
  remoteAddress: string,
): boolean {
  if (all.length === 0) return false;
  const peer = parseIp(remoteAddress);
  return all.some(
    ({ binding, range }) => binding.port === port && binding.address === address && contains(range, peer),
  );
}

/** Reads the header; then one of the two is called, once. What follows the header is left in the socket. */
export function readProxied(
  socket: Socket,
  clock: Clock,
  { done, failed }: { done(endpoints: ProxiedEndpoints | undefined): void; failed(reason: string): void },
): void {
  let octets = Buffer.alloc(0);
  const timer = clock.after(headerMs, () => end(() => failed('no PROXY header came in time')));
  const end = (then: () => void): void => {
    timer.cancel();
    socket.off('data', take).off('error', lost).off('end', lost).pause();
    then();
  };
  const lost = (): void => end(() => failed('the connection ended before its PROXY header'));
  const take = (chunk: Buffer): void => {
    octets = Buffer.concat([octets, chunk]);
    const header = readProxyHeader(octets);
    if (header.kind === 'more') return;
    if (header.kind === 'bad') return end(() => failed(header.reason));
    end(() => {
      if (octets.length > header.size) socket.unshift(octets.subarray(header.size));
      done(header.endpoints);
      socket.resume();
    });
  };
  socket.on('data', take).on('error', lost).on('end', lost);
}
