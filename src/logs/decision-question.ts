import { cut } from './bounded-event.ts';
import { bare, canonicalAddress, folded, holdsTerm, spellings, summaryTerm } from './files/search-terms.ts';

/** What was asked about. */
export type Question =
  | { readonly kind: 'session'; readonly session: string }
  /** A GUID, an internal id or a Message-ID. */
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'address'; readonly address: string };

const guidPattern = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

/**
 * A session id, a message (GUID, internal id or Message-ID), an address, or a line that holds one, as the reply to a message does.
 * Throws RangeError for anything else.
 */
export function parseQuestion(text: string): Question {
  const trimmed = text.trim();
  if (/^[0-9A-F]{16}$/i.test(trimmed)) return { kind: 'session', session: trimmed.toUpperCase() };
  if (/^\d{1,16}$/.test(trimmed)) return { kind: 'message', text: trimmed };
  // Our own 250 names the internal id: no other message has it.
  const replied = /\bInternalId=(\d{1,16})\b/i.exec(trimmed)?.[1];
  if (replied !== undefined) return { kind: 'message', text: replied };
  if (new RegExp(`^${guidPattern.source}$`, 'i').test(trimmed)) return { kind: 'message', text: trimmed.toLowerCase() };
  if (/^<[^<>]+>$/.test(trimmed)) return { kind: 'message', text: trimmed };
  if (/^\S+@\S+$/.test(trimmed)) return { kind: 'address', address: canonicalAddress(trimmed) };
  throw new RangeError(
    `'${text}' is none of: a session id (16 hexadecimal digits), a message (GUID, number or <Message-ID>), an address`,
  );
}

/** Whether a decision answers the question: its line, and the session and message at its head. */
export type LineMatcher = (line: string, session: string, message: string) => boolean;

export function questionMatcher(question: Question): LineMatcher {
  if (question.kind === 'session') return (_line, session) => session === question.session;
  if (question.kind === 'address') {
    const terms = spellings(question.address).map(escaped);
    return (line) => {
      const text = folded(line);
      return terms.some((term) => holdsTerm(text, term));
    };
  }
  const { text } = question;
  if (/^\d+$/.test(text)) return (_line, _session, message) => message === text;
  const names = namesOf(text).flatMap((name) => [`"guid":"${name}"`, `"messageid":"${name}"`]);
  return (line) => {
    const text = folded(line);
    return names.some((name) => text.includes(name));
  };
}

/** The message may have been named by its GUID for want of a Message-ID: `<guid@host>`. */
function namesOf(text: string): string[] {
  const names = spellings(cut(text)).map(escaped);
  const guid = new RegExp(`^<(${guidPattern.source})@`, 'i').exec(text)?.[1];
  return guid === undefined ? names : [...names, guid.toLowerCase()];
}

/** As JSON writes it. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/**
 * Texts of which a line that answers holds one, folded; terms of which a file that answers holds one, by its summary. Undefined: any
 * line or file may.
 */
export function termsOfQuestion(question: Question): {
  readonly texts: readonly string[] | undefined;
  readonly terms: readonly string[] | undefined;
} {
  const text =
    question.kind === 'session' ? question.session : question.kind === 'message' ? question.text : question.address;
  const names = question.kind === 'message' ? namesOf(text) : spellings(text).map(escaped);
  const terms = names.flatMap((name) => summaryTerm(bare(name)) ?? []);
  return { texts: names.map(folded), terms: terms.length === names.length ? terms : undefined };
}
