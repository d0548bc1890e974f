/** Syntaxes of names and places in the network: local endpoints, ranges, domains, hosts, address spaces. */
import { domainToASCII } from 'node:url';
import { type Endpoint, formatEndpoint, type IpRange, parseIp, parseIpRange } from '../../base/index.ts';
import { AddressError, parseDomain as parseMailDomain } from '../../smtp/address/index.ts';
import { parseSenderCertificateName, parseTlsCertificateName } from '../../tls/names/index.ts';
import type { StructuredValue } from '../values/structured-value.ts';
import {
  addressSpaceValue,
  bindingValue,
  certificateNameValue,
  domainPatternValue,
  domainValue,
  ipRangeValue,
  smtpAddressValue,
} from './network-values.ts';
import type { Syntax } from './property.ts';
import { list, oneOf, requiredText, text } from './syntaxes.ts';

/** A local endpoint to listen on. */
export type Binding = Endpoint;

/** RFC 1035 §2.3.4: characters of a name that DNS can hold. */
const longestDomain = 253;

/** What a send connector serves: `SMTP:*.example.com;10`. */
export interface AddressSpace {
  /** 'SMTP' or another address type. */
  readonly type: string;
  /** Domain, '*.domain', '*', or '--' for all accepted domains of the organization. */
  readonly address: string;
  /** 1 (best) to 100. */
  readonly cost: number;
}

/** Host or domain name, lower case, A-labels: no other than mail can be addressed to. Throws RangeError. */
export function parseDomain(value: string): string {
  const ascii = domainToASCII(value.trim().replace(/\.$/, ''));
  try {
    const { name, literal } = parseMailDomain(ascii);
    if (!literal && name.length <= longestDomain) return name;
  } catch (error) {
    if (!(error instanceof AddressError)) throw error;
  }
  throw new RangeError(`'${value}' is not a domain name such as example.com`);
}

/** 'example.com', '*.example.com' or '*'. Throws RangeError. */
function parseDomainPattern(value: string): string {
  if (value === '*') return value;
  return value.startsWith('*.') ? `*.${parseDomain(value.slice(2))}` : parseDomain(value);
}

/** A host, or '*.example.com'. Throws RangeError. */
function parseMxPattern(value: string): string {
  const name = value.trim();
  if (name === '*') throw new RangeError("'*' is no host name or pattern such as *.example.com");
  return parseDomainPattern(name);
}

function parsePort(value: string | undefined, what: string): number {
  const port = /^\d{1,5}$/.test(value ?? '') ? Number(value) : -1;
  if (port < 0 || port > 65_535) throw new RangeError(`'${what}' has no port from 0 to 65535`);
  return port;
}

/** '0.0.0.0:25' or '[::]:25'. Throws RangeError. */
export function parseBinding(value: string): Binding {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(value);
  if (match === null) throw new RangeError(`'${value}' is not an endpoint such as 0.0.0.0:25 or [::]:25`);
  const address = match[1] ?? match[2] ?? '';
  const { family } = parseIp(address);
  if ((family === 6) !== (match[1] !== undefined) && !address.includes(':')) {
    throw new RangeError(`'${value}' is not an endpoint such as 0.0.0.0:25 or [::]:25`);
  }
  const port = parsePort(match[3], value);
  if (port === 0) throw new RangeError(`'${value}' has no port from 1 to 65535`);
  return { address: address.toLowerCase(), port };
}

/** 'SMTP:*;1', '*.example.com', 'example.com;10', '--'. Throws RangeError. */
function parseAddressSpace(value: string): AddressSpace {
  const match = /^(?:([A-Za-z0-9]{1,8}):)?(.+?)(?:;(\d{1,3}))?$/.exec(value.trim());
  if (match === null) throw new RangeError(`'${value}' is not an address space such as SMTP:*;1 or example.com`);
  const [, type = 'SMTP', address = '', cost = '1'] = match;
  if (Number(cost) < 1 || Number(cost) > 100) throw new RangeError(`'${value}': the cost is not from 1 to 100`);
  const isSmtp = type.toUpperCase() === 'SMTP';
  const parsed = isSmtp && address.trim() !== '--' ? parseDomainPattern(address.trim()) : address.trim();
  return { type: isSmtp ? 'SMTP' : type, address: parsed, cost: Number(cost) };
}

/** As Exchange prints an address space. */
function formatAddressSpace({ type, address, cost }: AddressSpace): string {
  return `${type}:${address};${cost}`;
}

/** A text that is an object in the shell. */
function shownAs<T extends string | null>(syntax: Syntax<T>, value: (text: string) => StructuredValue): Syntax<T> {
  return { ...syntax, show: (text) => (text === null ? null : value(text)) };
}

/** Local endpoints. */
export const bindings: Syntax<readonly Binding[]> = list(parseBinding, formatEndpoint, {
  shown: (value) => bindingValue(value, formatEndpoint(value)),
});
/** Addresses of clients. */
export const ipRanges: Syntax<readonly IpRange[]> = list(parseIpRange, (range) => range.text, { shown: ipRangeValue });
/** Address spaces of a send connector. */
export const addressSpaces: Syntax<readonly AddressSpace[]> = list(parseAddressSpace, formatAddressSpace, {
  shown: (value) => addressSpaceValue(value, formatAddressSpace(value)),
});
/** Domains without wildcard. */
export const domainList: Syntax<readonly string[]> = list(parseDomain, String, { shown: (text) => domainValue(text) });
/** MX hosts of an MTA-STS policy: names, or `*.` for one label. */
export const mxPatterns: Syntax<readonly string[]> = list(parseMxPattern, String);
/** A host name, or nothing. */
export const fqdn = shownAs(text('Fqdn', parseDomain, 255), (name) => domainValue(name, 'Fqdn'));
/** A domain without wildcard, or nothing. */
export const domain = shownAs(text('SmtpDomain', parseDomain, 255), (name) => domainValue(name));
/** A domain, '*.domain' or '*'. */
export const domainPattern = shownAs(
  requiredText('SmtpDomainWithSubdomains', parseDomainPattern, 255),
  domainPatternValue,
);
/** The same, or nothing. */
export const domainPatternOrNull = shownAs(
  text('SmtpDomainWithSubdomains', parseDomainPattern, 255),
  domainPatternValue,
);

function checkedAddress(value: string): string {
  parseIp(value);
  return value.toLowerCase();
}

/** One IP address, or nothing. */
export const ipAddress = text('IPAddress', checkedAddress, 64);
/** IP addresses. */
export const ipAddresses: Syntax<readonly string[]> = list(checkedAddress, String);

/** A mail address with a domain, or nothing. */
export const smtpAddress = shownAs(
  text(
    'SmtpAddress',
    (value) => {
      const at = value.lastIndexOf('@');
      if (at < 1 || at === value.length - 1 || /[\s<>]/.test(value)) {
        throw new RangeError(`'${value}' is not an address such as user@example.com`);
      }
      parseDomain(value.slice(at + 1));
      return value;
    },
    571,
  ),
  smtpAddressValue,
);

/** `<I>issuer<S>subject` of a certificate, or nothing. */
export const certificateName = shownAs(
  text('SmtpX509Identifier', (value) => {
    parseTlsCertificateName(value);
    return value.trim();
  }),
  certificateNameValue,
);

/** A domain, `*.domain` or `<I>issuer<S>subject` that a client's certificate must have, or nothing. */
export const senderCertificateName = text('TlsSenderCertificateName', (value) => {
  parseSenderCertificateName(value);
  return value.trim();
});

/** Whether issuers are asked for revocation, and what no answer means. */
export const tlsRevocation = { ...oneOf(['None', 'Check', 'Require']), type: 'TlsRevocation' };

/** SHA-1 thumbprints of certificates, as Get-ExchangeCertificate shows them. */
export const thumbprints = list((value) => {
  const digits = value.replace(/[\s:]/g, '').toUpperCase();
  if (!/^[0-9A-F]{40}$/.test(digits)) throw new RangeError(`'${value}' is no thumbprint of 40 hexadecimal digits`);
  return digits;
}, String);
