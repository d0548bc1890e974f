import type { Socket } from 'node:net';
import type { Peer } from './identity.ts';

/** The other end of an accepted socket before TLS. Addresses of IPv4 come without the IPv6 prefix. */
export function peerOf(socket: Socket): Peer {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined) return { transport: 'unix', address: '', port: 0, confidential: true, tls: false };
  const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
  return { transport: 'tcp', address, port: remotePort ?? 0, confidential: isLoopback(address), tls: false };
}

/** What counts as one source: the address, of IPv6 the network of 64 bits, which one machine has to itself. */
export function sourceOf(address: string): string {
  return prefixOf(address, 4);
}

/** What one customer of a provider has to himself: of IPv6 the network of 48 bits; of IPv4 no more than the address. */
export function networkOf(address: string): string {
  return prefixOf(address, 3);
}

/** Whether the other end is on this machine. */
export const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');

function prefixOf(address: string, groupCount: 3 | 4): string {
  if (!address.includes(':')) return address;
  const [left = '', right] = (address.split('%')[0] ?? '').toLowerCase().split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const zeros = right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...Array.from({ length: zeros }, () => '0'), ...tail];
  const prefix = groups.slice(0, groupCount).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${prefix.join(':')}::/${groupCount * 16}`;
}
