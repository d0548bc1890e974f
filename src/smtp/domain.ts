/** Domains and address literals: RFC 5321 §2.3.5, §4.1.3; RFC 5890 for names in other scripts. */
import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII, domainToUnicode } from 'node:url';
import { AddressError } from './address-error.ts';

/** A domain as it stands after '@' or HELO: a name in A-labels, lower case, or an address literal. */
export interface DomainName {
  /** 'example.com' or '[192.0.2.1]', '[IPv6:2001:db8::1]'. */
  readonly name: string;
  readonly literal: boolean;
}

/** RFC 5321 §4.5.3.1.2, octets. */
const longestDomain = 255;
/** RFC 1035 §2.3.4, octets. */
const longestLabel = 63;

/** With underscores, which no host name has but mail domains do: Exchange and Postfix take them. */
const label = /^[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;
/** Letters, marks and digits of any script. Everything that IDNA would map to a dot, a slash or nothing stays out. */
const scriptName = /^[\p{L}\p{M}\p{N}\u00b7._-]+$/u;
/** Such a last label would be read as an IPv4 address by resolvers: '127.1', '0x7f000001'. */
const numericLabel = /^(?:\d+|0x[0-9a-f]*)$/;

/**
 * Names as they are kept, which are nearly all: labels of plain ASCII in lower case, and none of digits at the end. A part of a
 * regular expression; the length of the whole is the caller's affair.
 */
export const keptDomain = String.raw`(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z_](?:[a-z0-9_-]{0,61}[a-z0-9_])?`;
const kept = new RegExp(`^(?=.{1,${longestDomain}}$)${keptDomain}$`);

/** Reads a domain or address literal. Throws AddressError that says what is wrong. */
export function parseDomain(text: string): DomainName {
  if (kept.test(text)) return { name: text, literal: false };
  if (text.startsWith('[')) return { name: parseLiteral(text), literal: true };
  const name = isPlainAscii(text) ? text.toLowerCase() : toALabels(text);
  if (name.length > longestDomain) throw new AddressError(`the domain is longer than ${longestDomain} octets`);
  const labels = name.split('.');
  for (const part of labels) checkLabel(part);
  if (numericLabel.test(labels.at(-1) ?? ''))
    throw new AddressError('the domain ends in a number; address literals need brackets');
  return { name, literal: false };
}

function isPlainAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}

function checkLabel(part: string): void {
  if (part === '') throw new AddressError('the domain has an empty label');
  if (part.length > longestLabel) throw new AddressError(`a label of the domain is longer than ${longestLabel} octets`);
  if (!label.test(part)) throw new AddressError('the domain has a character that no domain name has');
}

/** Only real U-labels: what IDNA would silently turn into another name (full-width letters, say) is refused. */
function toALabels(text: string): string {
  const folded = text.normalize('NFC').toLowerCase();
  const name = scriptName.test(folded) ? domainToASCII(folded) : '';
  if (name === '' || domainToUnicode(name) !== folded)
    throw new AddressError('the domain is no valid internationalized name');
  return name;
}

function parseLiteral(text: string): string {
  const inner = /^\[([^[\]]+)\]$/.exec(text)?.[1] ?? '';
  if (isIPv4(inner)) return `[${inner}]`;
  const six = /^IPv6:(.+)$/i.exec(inner)?.[1] ?? '';
  // A scope ('%eth0') means something on this machine only.
  if (!isIPv6(six) || six.includes('%')) throw new AddressError('the address literal is neither [IPv4] nor [IPv6:…]');
  return `[IPv6:${new URL(`http://[${six}]/`).hostname.slice(1, -1)}]`;
}
