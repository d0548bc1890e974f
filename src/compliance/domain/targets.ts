/** What a person names, and the endpoints that it stands for. */
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { type DnsAnswer, DnsFailure, type DnsType } from '../../dns/index.ts';
import type { Endpoint } from '../probe/endpoint.ts';

/** A target as it was written, taken apart. */
export type Target =
  | { readonly kind: 'domain'; readonly asked: string; readonly domain: string }
  | {
      readonly kind: 'host';
      readonly asked: string;
      readonly host: string;
      readonly port: number;
      readonly protocol: Protocol;
    }
  /** Found already, by whoever knows what the name stands for. */
  | {
      readonly kind: 'endpoint';
      readonly asked: string;
      readonly endpoint: Endpoint;
      /** Name of the receive connector. */
      readonly connector: string;
      /** What its certificate is set to be: see `ChainJudge`. */
      readonly demanded?: ((leafDer: Buffer) => string) | undefined;
    };

export type Protocol = Endpoint['protocol'];

/** Ports whose protocol is known. */
const protocols: Readonly<Record<number, Protocol>> = {
  25: 'smtp',
  587: 'smtp',
  2525: 'smtp',
  465: 'smtps',
  24: 'lmtp',
  389: 'ldap',
  50389: 'ldap',
  636: 'tls',
  50636: 'tls',
  443: 'tls',
};

/**
 * 'example.com' is a domain, whose MX hosts are followed; 'mx.example.com:25', '192.0.2.1' and '[2001:db8::1]:465' are
 * hosts. Throws RangeError for what is none of them.
 */
export function parseTarget(text: string, protocol?: Protocol): Exclude<Target, { readonly kind: 'endpoint' }> {
  const asked = text.trim();
  const [, bracketed, plain, port] =
    /^(?:\[([^\]]+)\]|([^:\s[\]]+|[0-9a-fA-F:]*:[0-9a-fA-F:.]*))(?::(\d{1,5}))?$/.exec(asked) ?? [];
  const [host, portText] = isIP(asked) !== 0 ? [asked, undefined] : [bracketed ?? plain, port];
  if (host === undefined || (bracketed !== undefined && isIP(bracketed) === 0)) {
    throw new RangeError(`'${asked}' is no domain, host, host:port or [address]:port`);
  }
  const name = isIP(host) === 0 ? nameOf(host, asked) : host.toLowerCase();
  if (portText === undefined && isIP(host) === 0 && protocol === undefined)
    return { kind: 'domain', asked, domain: name };
  const number = Number(portText ?? (protocol === undefined ? 25 : usualPort[protocol]));
  if (number < 1 || number > 65_535) throw new RangeError(`'${asked}' names no port from 1 to 65535`);
  return {
    kind: 'host',
    asked,
    host: name,
    port: number,
    protocol: protocol ?? protocols[number] ?? 'smtp',
  };
}

/** A-labels, without the dot of the root: as DNS, SNI and certificates have it. Throws RangeError. */
function nameOf(host: string, asked: string): string {
  const name = domainToASCII(host.replace(/\.$/, ''));
  if (name === '' || !/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name))
    throw new RangeError(`'${asked}' is no domain, host, host:port or [address]:port`);
  return name;
}

const usualPort: Readonly<Record<Protocol, number>> = { smtp: 25, lmtp: 24, smtps: 465, ldap: 389, tls: 443 };

/** What looking a target up asks of DNS. DnsClient has this shape. */
export interface Lookup {
  ask(name: string, type: DnsType, signal?: AbortSignal): Promise<DnsAnswer>;
}

/** Endpoints of a target, and what the way to them showed. */
export interface Resolved {
  readonly endpoints: readonly Endpoint[];
  /** MX hosts of a domain, best first; empty for a host. */
  readonly mxHosts: readonly string[];
  /** Hosts of which some address or all are not known, and why: each is told, since a sender may try it. */
  readonly unknown: readonly { readonly host: string; readonly reason: string }[];
  /** The MX answer was DNSSEC-secure. */
  readonly mxSecure: boolean;
  /** The domain declares that it takes no mail (RFC 7505). */
  readonly nullMx: boolean;
}

const nothing: Resolved = { endpoints: [], mxHosts: [], unknown: [], mxSecure: false, nullMx: false };

/** Follows MX and address records. Throws DnsFailure where DNS does not answer. */
export async function resolveTarget(target: Target, lookup: Lookup, signal: AbortSignal): Promise<Resolved> {
  if (target.kind === 'endpoint') return { ...nothing, endpoints: [target.endpoint] };
  if (target.kind === 'host') {
    const { host, port, protocol } = target;
    const { addresses, unknown } = await addressesOf(host, lookup, signal);
    const endpoints = addresses.map((address) => ({ host: isIP(host) === 0 ? host : '', address, port, protocol }));
    return { ...nothing, endpoints, unknown };
  }
  const mx = await lookup.ask(target.domain, 'MX', signal);
  const listed = mx.records
    .map(({ data }) => data as { preference: number; exchange: string })
    .toSorted((a, b) => a.preference - b.preference)
    .map(({ exchange }) => exchange.toLowerCase().replace(/\.$/, ''));
  const nullMx = listed.length === 1 && listed[0] === '';
  // RFC 5321 §5.1: without MX records the domain itself is the host.
  const hosts = listed.length > 0 ? listed.filter((host) => host !== '') : [target.domain];
  const found = await Promise.all(hosts.map(async (host) => ({ host, ...(await addressesOf(host, lookup, signal)) })));
  const endpoints = found.flatMap(({ host, addresses }) =>
    addresses.map((address): Endpoint => ({ host, address, port: 25, protocol: 'smtp' })),
  );
  const unknown = nullMx ? [] : found.flatMap((host) => host.unknown);
  return { endpoints, mxHosts: listed.filter((host) => host !== ''), unknown, mxSecure: mx.secure, nullMx };
}

/** What one family does not answer takes nothing from the other one. */
async function addressesOf(
  host: string,
  lookup: Lookup,
  signal: AbortSignal,
): Promise<{ readonly addresses: readonly string[]; readonly unknown: Resolved['unknown'] }> {
  if (isIP(host) !== 0) return { addresses: [host], unknown: [] };
  if (host === 'localhost') return { addresses: ['127.0.0.1'], unknown: [] };
  const addresses: string[] = [];
  const unknown: { host: string; reason: string }[] = [];
  for (const type of ['A', 'AAAA'] as const) {
    try {
      addresses.push(...(await lookup.ask(host, type, signal)).records.map(({ data }) => String(data)));
    } catch (error) {
      if (!(error instanceof DnsFailure)) throw error;
      unknown.push({ host, reason: `DNS: ${error.message}` });
    }
  }
  if (addresses.length === 0 && unknown.length === 0) unknown.push({ host, reason: `${host} has no address` });
  return { addresses, unknown: unknown.slice(0, 1) };
}
