/** XCLIENT: what a balancer says of the client behind it (Postfix's XCLIENT_README). Pure. */
import { isIPv4, isIPv6 } from 'node:net';
import type { ProxiedEndpoints } from './proxy-header.ts';
import { decodeXtext } from './xtext.ts';

/** Attributes that are understood, as the EHLO line names them. Of the rest nothing is taken from anybody's word: names, HELO, LOGIN. */
export const xClientAttributes = ['ADDR', 'PORT', 'DESTADDR', 'DESTPORT', 'NAME', 'HELO', 'PROTO', 'LOGIN'] as const;

/** What is not known to the balancer either. */
const unknown = /^\[(?:UNAVAILABLE|TEMPUNAVAIL)\]$/i;

/** The endpoints with what `argument` says of them. Throws RangeError that says what is wrong. */
export function withXClient(argument: string, endpoints: ProxiedEndpoints): ProxiedEndpoints {
  const told = attributesOf(argument);
  const address = (name: string): string | undefined => mapped(told.get(name), addressOf);
  const port = (name: string): number | undefined => mapped(told.get(name), portOf);
  return {
    remoteAddress: address('ADDR') ?? endpoints.remoteAddress,
    remotePort: port('PORT') ?? endpoints.remotePort,
    localAddress: address('DESTADDR') ?? endpoints.localAddress,
    localPort: port('DESTPORT') ?? endpoints.localPort,
  };
}

function attributesOf(argument: string): ReadonlyMap<string, string> {
  const told = new Map<string, string>();
  for (const part of argument.split(/ +/)) {
    const [, name = '', value = ''] = /^([A-Za-z]+)=(.*)$/.exec(part) ?? [];
    const known = xClientAttributes.find((one) => one === name.toUpperCase());
    if (known === undefined || told.has(known)) throw new RangeError(`'${part}' is no attribute of XCLIENT`);
    const text = decodeXtext(value);
    told.set(known, unknown.test(text) ? '' : text);
  }
  return told;
}

function mapped<T>(text: string | undefined, map: (text: string) => T): T | undefined {
  return text === undefined || text === '' ? undefined : map(text);
}

function addressOf(text: string): string {
  const address = text.replace(/^IPV6:/i, '');
  if (isIPv4(address) || isIPv6(address)) return address.toLowerCase();
  throw new RangeError(`'${text}' is no address`);
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new RangeError(`'${text}' is no port`);
}
