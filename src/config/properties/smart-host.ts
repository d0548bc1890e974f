import { isIP } from 'node:net';
import { parseIp } from '../../base/index.ts';
import { parseDomain } from './network-syntaxes.ts';
import { smartHostValue } from './network-values.ts';
import type { Syntax } from './property.ts';
import { list } from './syntaxes.ts';

/** A smart host as an administrator names it. */
export interface SmartHost {
  /** Name, or address without brackets, lower case. */
  readonly host: string;
  readonly isAddress: boolean;
  /** Undefined: the port of the connector. One of its own is our extension. */
  readonly port?: number;
}

const form = /^(?:\[(?:IPv6:)?([^\]]+)\]|([^:[\]\s]+))(?::(\d{1,6}))?$/i;

/** Reads `hub.example.com`, `[10.0.0.1]`, `10.0.0.1`, `2001:db8::1`, `[2001:db8::1]:2525`. Throws RangeError. */
export function readSmartHost(text: string): SmartHost {
  const trimmed = text.trim();
  const [, literal, name, port] = isIP(trimmed) === 6 ? [trimmed, trimmed] : (form.exec(trimmed) ?? []);
  const host = literal ?? name;
  if (host === undefined) {
    throw new RangeError(
      `'${text}' is not a domain name such as hub.example.com, nor an address such as [192.0.2.1] or [192.0.2.1]:2525`,
    );
  }
  const own = port === undefined ? {} : { port: readPort(port, text) };
  if (/^[\d.]+$/.test(host) || host.includes(':')) {
    parseIp(host);
    return { host: host.toLowerCase(), isAddress: true, ...own };
  }
  if (literal !== undefined) throw new RangeError(`'${text}' has no IP address between the brackets`);
  return { host: parseDomain(host), isAddress: false, ...own };
}

/** As it is kept and shown; an address stands in brackets, as Exchange does. '--': the Mailbox servers of the subscribed site. */
export function parseSmartHost(text: string): string {
  if (text === '--') return text;
  const { host, isAddress, port } = readSmartHost(text);
  return `${isAddress ? `[${host}]` : host}${port === undefined ? '' : `:${port}`}`;
}

function readPort(digits: string, text: string): number {
  const port = Number(digits);
  if (port < 1 || port > 65_535) throw new RangeError(`'${text}' has no port from 1 to 65535`);
  return port;
}

/** Smart hosts: one attribute value with all of them in order, since the values of an LDAP attribute have none. */
export const smartHosts: Syntax<readonly string[]> = {
  ...list(parseSmartHost, String, {
    shown: (text) => (text === '--' ? text : smartHostValue(text, readSmartHost(text))),
  }),
  read: (values) => values.flatMap((value) => value.split(',')).map((value) => parseSmartHost(value.trim())),
  write: (hosts) => (hosts.length === 0 ? [] : [hosts.join(',')]),
};
