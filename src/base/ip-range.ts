import ipaddr from 'ipaddr.js';

/** A block of addresses of one family, both ends included. */
export interface IpRange {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
  /** As the administrator wrote it. */
  readonly text: string;
}

/** An address as a number, with its family; IPv4-mapped IPv6 counts as IPv4, a scope id is dropped. */
export interface IpNumber {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** Reads one address. Throws RangeError for text that is none. */
export function parseIp(text: string): IpNumber {
  const bare = text
    .trim()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/%.*$/, '');
  const strict = ipaddr.IPv4.isValidFourPartDecimal(bare) || ipaddr.IPv6.isValid(bare);
  if (!strict) throw new RangeError(`'${text}' is not an IP address`);
  const address = ipaddr.process(bare);
  const value = address.toByteArray().reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return { family: address.kind() === 'ipv4' ? 4 : 6, value };
}

/**
 * Reads an entry of RemoteIPRanges: a single address, `first-last`, or CIDR, of either family, or `address(mask)` of IPv4.
 * Throws RangeError that says what is wrong.
 */
export function parseIpRange(text: string): IpRange {
  const [start = '', end, ...rest] = text.trim().split('-');
  if (rest.length > 0) throw new RangeError(`'${text}' is not an address, a first-last range or CIDR`);
  if (end !== undefined) {
    const [first, last] = [parseIp(start), parseIp(end)];
    if (first.family !== last.family) throw new RangeError(`'${text}' mixes IPv4 and IPv6`);
    if (first.value > last.value) throw new RangeError(`'${text}' ends before it begins`);
    return { family: first.family, first: first.value, last: last.value, text };
  }
  const masked = /^(.+)\((.+)\)$/.exec(start);
  if (masked !== null) return maskedRange(text, masked[1] ?? '', masked[2] ?? '');
  const [address = '', prefix, ...more] = start.split('/');
  if (more.length > 0) throw new RangeError(`'${text}' is not an address, a first-last range or CIDR`);
  const { family, value } = parseIp(address);
  if (prefix === undefined) return { family, first: value, last: value, text };
  const width = family === 4 ? 32 : 128;
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > width)
    throw new RangeError(`'${text}': the prefix is above ${width}`);
  const host = (1n << BigInt(width - Number(prefix))) - 1n;
  return { family, first: value & ~host, last: value | host, text };
}

/** `192.168.9.0(255.255.255.0)`: the bits of the mask must stand together. */
function maskedRange(text: string, address: string, mask: string): IpRange {
  const [base, bits] = [parseIp(address), parseIp(mask)];
  const host = ~bits.value & 0xffff_ffffn;
  if (base.family !== 4 || bits.family !== 4 || (host & (host + 1n)) !== 0n) {
    throw new RangeError(`'${text}' is no IPv4 address with a mask such as 192.168.9.0(255.255.255.0)`);
  }
  return { family: 4, first: base.value & ~host, last: base.value | host, text };
}

/**
 * Whom limits count: an IPv4 address, or the /64 of an IPv6 address, which is one customer's (RFC 6177) with more addresses
 * than any limit. IPv4-mapped addresses are IPv4. What is no address comes back as it is.
 */
export function sourceNetwork(address: string): string {
  if (!address.includes(':')) return address;
  const { family, value } = parseIp(address);
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  return `${(value >> 64n).toString(16)}::/64`;
}

/** The number of an IPv4 address in plain dotted form; -1 for any other text, which parseIp() reads. */
export function plainIpv4(text: string): number {
  if (text.length > 15) return -1;
  let value = 0;
  let octet = -1;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit >= 0 && digit <= 9) {
      // A leading zero would be read as octal by some.
      if (octet === 0) return -1;
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return -1;
    } else if (digit === -2 && octet >= 0) {
      value = value * 256 + octet;
      octet = -1;
      dots += 1;
    } else return -1;
  }
  return dots === 3 && octet >= 0 ? value * 256 + octet : -1;
}

/** True when the address lies in the range. */
export function contains(range: IpRange, address: IpNumber): boolean {
  return range.family === address.family && range.first <= address.value && address.value <= range.last;
}

/** Number of addresses: the smaller, the more specific. */
export function extent(range: IpRange): bigint {
  return range.last - range.first + 1n;
}

/** An address as text: dotted IPv4, IPv6 as RFC 5952 has it. */
export function formatIp(family: 4 | 6, value: bigint): string {
  const octets = Array.from({ length: family === 4 ? 4 : 16 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
  return ipaddr.fromByteArray(octets.reverse()).toString();
}
