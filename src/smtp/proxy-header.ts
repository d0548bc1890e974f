/** The header that a balancer puts before a connection: HAProxy's PROXY protocol, versions 1 and 2. Pure. */
import { isIPv4, isIPv6 } from 'node:net';

/** Who is behind the balancer, and where it connected to. */
export interface ProxiedEndpoints {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

export type ProxyHeader =
  | { readonly kind: 'more' }
  | { readonly kind: 'bad'; readonly reason: string }
  /** `size`: octets of the header. No endpoints: the balancer speaks for itself (LOCAL, UNKNOWN). */
  | { readonly kind: 'done'; readonly size: number; readonly endpoints?: ProxiedEndpoints };

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Octets of the longest line of version 1, with its end. */
const longestLine = 107;
/** Octets behind the first 16 of version 2 that are read: addresses and what else balancers tell. */
const longestBody = 2_048;

/** Reads what came so far. */
export function readProxyHeader(octets: Buffer): ProxyHeader {
  const compared = Math.min(octets.length, signature.length);
  if (octets.subarray(0, compared).equals(signature.subarray(0, compared)))
    return octets.length < 16 ? { kind: 'more' } : readBinary(octets);
  return readLine(octets);
}

function readLine(octets: Buffer): ProxyHeader {
  const start = octets.toString('latin1', 0, longestLine);
  if (!'PROXY '.startsWith(start.slice(0, 6))) return { kind: 'bad', reason: 'there is no PROXY header' };
  const end = start.indexOf('\r\n');
  if (end < 0) return start.length < longestLine ? { kind: 'more' } : { kind: 'bad', reason: 'its line is too long' };
  const size = end + 2;
  const [, family = '', remoteAddress = '', localAddress = '', remotePort = '', localPort = '', ...rest] = start
    .slice(0, end)
    .split(' ');
  if (family === 'UNKNOWN') return { kind: 'done', size };
  const valid = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : () => false;
  const ports = [remotePort, localPort].every((port) => /^\d{1,5}$/.test(port) && Number(port) <= 65_535);
  if (!valid(remoteAddress) || !valid(localAddress) || !ports || rest.length > 0)
    return { kind: 'bad', reason: 'its line cannot be read' };
  const endpoints = { remoteAddress, localAddress, remotePort: Number(remotePort), localPort: Number(localPort) };
  return { kind: 'done', size, endpoints };
}

function readBinary(octets: Buffer): ProxyHeader {
  const command = octets.readUInt8(12);
  const family = octets.readUInt8(13);
  const length = octets.readUInt16BE(14);
  if (command >> 4 !== 2 || (command & 15) > 1) return { kind: 'bad', reason: 'its version or command is not known' };
  if (length > longestBody) return { kind: 'bad', reason: 'it is too long' };
  const size = 16 + length;
  if (octets.length < size) return { kind: 'more' };
  // LOCAL: a check of the balancer itself.
  if ((command & 15) === 0) return { kind: 'done', size };
  const body = octets.subarray(16, size);
  const octetsOfAddress = { 0x11: 4, 0x21: 16 }[family];
  if (octetsOfAddress === undefined) return { kind: 'bad', reason: 'it is about no TCP connection' };
  if (length < 2 * octetsOfAddress + 4) return { kind: 'bad', reason: 'its addresses are cut off' };
  return {
    kind: 'done',
    size,
    endpoints: {
      remoteAddress: addressOf(body.subarray(0, octetsOfAddress)),
      localAddress: addressOf(body.subarray(octetsOfAddress, 2 * octetsOfAddress)),
      remotePort: body.readUInt16BE(2 * octetsOfAddress),
      localPort: body.readUInt16BE(2 * octetsOfAddress + 2),
    },
  };
}

function addressOf(octets: Buffer): string {
  if (octets.length === 4) return octets.join('.');
  return Array.from({ length: 8 }, (_, i) => octets.readUInt16BE(2 * i).toString(16)).join(':');
}
