import { type Socket } from 'node:net';
import { type Peer } from './identity.ts';

/** The other end of an accepted socket before TLS. Addresses of IPv4 come without the IPv6 prefix. */
export function peerOf(socket: Socket): Peer {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress === undefined) return { transport: 'unix', address: '', port: 0, confidential: true, tls: false };
  const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
  const loopback = address === '::1' || address.startsWith('127.');
  return { transport: 'tcp', address, port: remotePort ?? 0, confidential: loopback, tls: false };
}
