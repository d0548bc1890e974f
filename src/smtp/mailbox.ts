/** Mailbox addresses and paths: RFC 5321 §4.1.2, RFC 6531 §3.3. */
import { AddressError } from './address-error.ts';
import { keptDomain, parseDomain } from './domain.ts';

/** Exactly one mailbox, parsed and checked. */
export interface Mailbox {
  /** As meant, without quotes: 'a b' for `"a b"@example.com`. */
  readonly localPart: string;
  /** Lower case, A-labels, or an address literal; '' only for `Postmaster` without a domain. */
  readonly domain: string;
  /** The one spelling of it that goes on: quoted only where it must be. */
  readonly address: string;
  /** The local part needs SMTPUTF8. */
  readonly utf8: boolean;
}

/**
 * Exchange's limit (315 with 255 for the domain), octets. RFC 5321 §4.5.3.1.1 obliges to 64 and wishes for no limit; the
 * IMCEA addresses that Exchange itself gives to foreign systems are longer than 64.
 */
const longestLocalPart = 315;
/** Octets of a path with its brackets and source route. Bounds the work before anything is parsed. */
const longestPath = 2048;

/** Ordinary ASCII addresses, which are nearly all, in one step. No part can match in two ways: time is linear. */
const plainAddress =
  /^([a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*)@((?:[a-z0-9_-]+\.)+[a-z_][a-z0-9_-]*|\[[^[\]]+\])$/i;

/** Addresses that are spelled as they are kept: nothing is left to read in them. */
const keptAddress = new RegExp(
  `^(?=.{1,255}$)[A-Za-z0-9!#$%&'*+/=?^_\`{|}~-]+(?:\\.[A-Za-z0-9!#$%&'*+/=?^_\`{|}~-]+)*@${keptDomain}$`,
);

/** Dot-string of RFC 6531 §3.3: atoms of ASCII atext and whatever lies above ASCII. */
const dotString =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~\u0080-\u{10ffff}-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~\u0080-\u{10ffff}-]+)*$/iu;
const quotedString = /^"(?:[ !#-[\]-~\u0080-\u{10ffff}]|\\[ -~])*"$/u;
/** Above ASCII: controls, halves of surrogates, unassigned code points, spaces, line separators, the mark of failed decoding. */
const unfit = /[\p{Cc}\p{Cs}\p{Cn}\p{Z}\ufffd]/u;
const aboveAscii = /[^\0-\x7f]/;

/** Reads exactly one mailbox without angle brackets; `defaultDomain` is the domain of one that has none. Throws AddressError. */
export function parseMailbox(text: string, defaultDomain?: string): Mailbox {
  if (keptAddress.test(text)) {
    const end = text.indexOf('@');
    return { localPart: text.slice(0, end), domain: text.slice(end + 1), address: text, utf8: false };
  }
  const plain = plainAddress.exec(text);
  if (plain !== null) return mailbox(plain[1] ?? '', plain[1] ?? '', plain[2] ?? '');
  const at = endOfLocalPart(text);
  if (at === text.length && defaultDomain !== undefined) return parseMailbox(`${text}@${defaultDomain}`);
  if (text[at] !== '@')
    throw new AddressError(at === text.length ? "there is no '@'" : "'@' does not follow the local part");
  const spelled = text.slice(0, at);
  const localPart = readLocalPart(spelled);
  return mailbox(localPart, dotString.test(localPart) ? localPart : quote(localPart), text.slice(at + 1));
}

function mailbox(localPart: string, spelled: string, domainText: string): Mailbox {
  if (Buffer.byteLength(spelled) > longestLocalPart) {
    throw new AddressError(`the local part is longer than ${longestLocalPart} octets`);
  }
  const domain = parseDomain(domainText).name;
  return { localPart, domain, address: `${spelled}@${domain}`, utf8: aboveAscii.test(localPart) };
}

/** Index behind the local part: at the closing quote, or at the first '@'. Nothing later can belong to this mailbox. */
function endOfLocalPart(text: string): number {
  if (!text.startsWith('"')) {
    const at = text.indexOf('@');
    return at < 0 ? text.length : at;
  }
  const end = endOfQuotes(text, 0);
  if (end < 0) throw new AddressError('the quoted local part does not end');
  return end;
}

/** Index behind the quote that closes the one at `start`; -1 when none does. */
function endOfQuotes(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i + 1;
  }
  return -1;
}

function readLocalPart(text: string): string {
  if (text === '') throw new AddressError('the local part is empty');
  if (aboveAscii.test(text) && unfit.test(text.replace(/[\0-\x7f]+/g, ''))) {
    throw new AddressError('the local part has a character that no address has');
  }
  if (dotString.test(text)) return text;
  if (quotedString.test(text)) return text.slice(1, -1).replace(/\\(.)/g, '$1');
  throw new AddressError('the local part is neither atoms joined by dots nor a quoted string');
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

export interface ParsedPath {
  /** Null for `<>`. */
  readonly mailbox: Mailbox | null;
  /** What stands behind the closing bracket. */
  readonly rest: string;
}

/**
 * Reads `<…>` at the start of a text: empty, a mailbox, or `Postmaster` alone (RFC 5321 §4.1.1.3). A source route is
 * accepted and dropped (§4.1.1.3, appendix C). Throws AddressError.
 */
export function parsePath(text: string, defaultDomain?: string): ParsedPath {
  if (!text.startsWith('<')) throw new AddressError("the path does not begin with '<'");
  const end = endOfPath(text);
  const inner = text.slice(1, end);
  const rest = text.slice(end + 1);
  if (inner === '') return { mailbox: null, rest };
  return { mailbox: alone(inner, defaultDomain) ?? parseMailbox(withoutRoute(inner), defaultDomain), rest };
}

/** `Postmaster` without a domain; with a default one it is an address like any other. */
function alone(text: string, defaultDomain: string | undefined): Mailbox | undefined {
  return defaultDomain === undefined && /^postmaster$/i.test(text)
    ? { localPart: text, domain: '', address: text, utf8: false }
    : undefined;
}

/**
 * Reads an address without angle brackets, as Exchange's telnet instructions and many devices send it: all up to the first
 * space outside quotes must be exactly one mailbox, or `Postmaster`. Throws AddressError.
 */
export function parseBarePath(text: string, defaultDomain?: string): ParsedPath {
  if (text.length > longestPath) throw new AddressError('the path is too long');
  const end = text.indexOf(' ', text.startsWith('"') ? endOfLocalPart(text) : 0);
  const path = end < 0 ? text : text.slice(0, end);
  return { mailbox: alone(path, defaultDomain) ?? parseMailbox(path, defaultDomain), rest: text.slice(path.length) };
}

function endOfPath(text: string): number {
  const limit = Math.min(text.length, longestPath);
  for (let i = 1; i < limit; i++) {
    if (text[i] === '>') return i;
    if (text[i] === '"') {
      i = endOfQuotes(text, i) - 1;
      if (i < 0) break;
    }
  }
  throw new AddressError(text.length > longestPath ? 'the path is too long' : "the path does not end with '>'");
}

/** `@a.example,@b.example:user@c.example`: the route must be well-formed, and is not followed. */
function withoutRoute(inner: string): string {
  if (!inner.startsWith('@')) return inner;
  let rest = inner;
  for (;;) {
    const end = /^@(?:\[[^[\]]*\]|[^,:[\]@"])+/.exec(rest)?.[0].length ?? 0;
    parseDomain(rest.slice(1, end));
    const next = rest[end];
    rest = rest.slice(end + 1);
    if (next === ':') return rest;
    if (next !== ',' || !rest.startsWith('@')) throw new AddressError('the source route is not well-formed');
  }
}

/**
 * The path on the wire: `<address>`, `<>` for ''. Throws AddressError for anything but one mailbox, whoever hands it in:
 * this is the last gate before a command line.
 */
export function renderPath(address: string): string {
  if (address === '') return '<>';
  if (keptAddress.test(address)) return `<${address}>`;
  const { mailbox: only, rest } = parsePath(`<${address}>`);
  if (only === null || rest !== '') throw new AddressError('this is not exactly one mailbox');
  return `<${only.address}>`;
}
