/**
 * The form in which logs are searched: what is asked for and what was logged are both brought to it. NFC and lower case;
 * domains of addresses and Message-IDs as A-labels (RFC 5890), without the dot at their end.
 */
import { domainToASCII, domainToUnicode } from 'node:url';

/** Text without regard to case and composition. */
export function folded(text: string): string {
  return ascii.test(text) ? text.toLowerCase() : text.normalize('NFC').toLowerCase();
}

const ascii = /^[\0-\x7f]*$/;

/** An address, or a Message-ID without its brackets, in the form that is compared. Anything else is folded. */
export function canonicalAddress(text: string): string {
  const term = folded(text);
  const at = term.lastIndexOf('@');
  if (at < 0) return term;
  return `${term.slice(0, at + 1)}${asciiDomain(term.slice(at + 1))}`;
}

function asciiDomain(domain: string): string {
  const plain = domain.replace(/\.$/, '');
  if (ascii.test(plain)) return plain;
  const converted = domainToASCII(plain);
  return converted === '' ? plain : converted;
}

/** All spellings of a folded term that a line may hold: its domain as A-labels and as U-labels. */
export function spellings(term: string): readonly string[] {
  const canonical = canonicalAddress(term);
  const at = canonical.lastIndexOf('@');
  if (at < 0) return [canonical];
  const unicode = `${canonical.slice(0, at + 1)}${domainToUnicode(canonical.slice(at + 1)) || canonical.slice(at + 1)}`;
  return [...new Set([canonical, folded(unicode), folded(term)])];
}

/** Characters that end an address or a Message-ID in a log line. All are ASCII. */
const boundary = new Set(' \t\r\n"<>,;:()[]\\');
/** The same, and '@', by character code. */
const endsTerm: readonly boolean[] = Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  return character === '@' || boundary.has(character);
});

/** Everything in a folded text that looks like an address or a Message-ID, in canonical form. Linear in the text. */
export function* addressTerms(text: string): Generator<string, void> {
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    let start = at;
    while (start > 0 && at - start < longestTerm && endsTerm[text.charCodeAt(start - 1)] !== true) start -= 1;
    let end = at + 1;
    while (end < text.length && end - at < longestTerm && endsTerm[text.charCodeAt(end)] !== true) end += 1;
    if (start === at || end === at + 1) continue;
    const term = text.slice(start, end);
    // Nearly all are ASCII, and folded already.
    const isPlain = plainTerm.test(term);
    yield isPlain ? term : canonicalAddress(term);
    if (isPlain) continue;
    const inQuotes = term.replace(/^'+|['.]+$/g, '');
    if (inQuotes !== term) yield canonicalAddress(inQuotes);
  }
}

/** ASCII without anything around it that may be none of it, and without the dot at the end of a domain. */
const plainTerm = /^[!-&(-~](?:[!-~]*[!-&(\-/-~])?$/;

/** RFC 5321 §4.5.3.1: 64 and 255 octets; what is longer is no address, and cut in the log. */
const longestTerm = 256;

/** True when `term` stands in the text as a whole: `b@example.com` is not found in `bob@example.com`. Both are folded. */
export function holdsTerm(text: string, term: string): boolean {
  for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + 1)) {
    if (beginsThere(text, at) && endsThere(text, at + term.length)) return true;
  }
  return false;
}

/** A quote before an address is none of it when something ends before the quote. */
function beginsThere(text: string, at: number): boolean {
  const before = text[at - 1] === "'" ? at - 1 : at;
  return before === 0 || boundary.has(text[before - 1] ?? ' ');
}

/** A dot or a quote behind an address is the end of a sentence when nothing of an address follows. */
function endsThere(text: string, end: number): boolean {
  const next = text[end];
  if (next === undefined || boundary.has(next)) return true;
  return (next === '.' || next === "'") && (end + 1 >= text.length || boundary.has(text[end + 1] ?? ' '));
}

/** The term by which an archived file is asked for this; undefined: its summary does not tell. */
export function summaryTerm(term: string): string | undefined {
  if (/^[0-9a-f-]{1,40}$/.test(folded(term))) return folded(term);
  const found = [...addressTerms(folded(term))];
  const [only] = found;
  return only !== undefined && found.length === 1 && only.length === canonicalAddress(bare(term)).length
    ? only
    : undefined;
}

/** Without the angle brackets of a Message-ID. */
export function bare(term: string): string {
  return folded(term).replace(/^<|>$/g, '');
}
