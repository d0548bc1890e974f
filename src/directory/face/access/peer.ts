import type { Socket } from 'node:net';
import type { Peer } from './identity.ts';

/** The other end of an accepted socket before TLS. Addresses of IPv4 come without the IPv6 prefix. */
export function peerOf(socket: Socket): Peer {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined) return { transport: 'unix', address: '', port: 0, confidential: true, tls: false };
  const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
  const loopback = address === '::1' || address.startsWith('127.');
  return { transport: 'tcp', address, port: remotePort ?? 0, confidential: loopback, tls: false };
}

/** What counts as one source: the address, of IPv6 the network of 64 bits, which one machine has to itself. */
export function sourceOf(address: string): string {
  if (!address.includes(':')) return address;
  const [left = '', right] = (address.split('%')[0] ?? '').toLowerCase().split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const zeros = right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...Array.from({ length: zeros }, () => '0'), ...tail];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
