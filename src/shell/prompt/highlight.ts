import type { Piece, Style } from './frame.ts';

/** Kinds of token, tried in order. Made for lines that are still being written: nothing needs its end. */
const tokens: readonly (readonly [style: Style | 'word' | undefined, pattern: string])[] = [
  ['comment', '<#[^]*?(?:#>|$)'],
  ['comment', '(?<=^|[\\s;(){}|])#[^\\n]*'],
  ['string', '@["\u201C-\u201E]\\n[^]*?(?:\\n["\u201C-\u201E]@|$)'],
  ['string', "@['\u2018-\u201B]\\n[^]*?(?:\\n['\u2018-\u201B]@|$)"],
  ['string', '["\u201C-\u201E](?:`[^]|[^"\u201C-\u201E`])*(?:["\u201C-\u201E]|`?$)'],
  ['string', "['\u2018-\u201B][^'\u2018-\u201B]*(?:['\u2018-\u201B]|$)"],
  ['variable', '\\$\\{[^}]*\\}?|[$@](?:[\\w?^$]+(?::\\w+)?)'],
  [
    'operator',
    '(?<=[\\s)}\\]])[-\u2013-\u2015][ci]?(?:eq|ne|gt|ge|lt|le|(?:not)?(?:like|match|contains|in)|replace|split|join|and|or|xor|not|is|isnot|as|f)(?![\\w-])',
  ],
  ['parameter', '(?<=^|[\\s(){};|,])[-\u2013-\u2015][A-Za-z_]\\w*:?'],
  ['number', '(?<=^|[\\s(){};|,=])\\d[\\d.]*(?:[KMGTP]B)?(?=$|[\\s(){};|,])'],
  ['word', '[^\\s"\'`$@(){};|,=&<>\u2018-\u201E#][^\\s"\'`$(){};|,=&<>\u2018-\u201E]*'],
  [undefined, '`[^]?|\\s+|[^]'],
];
const pattern = new RegExp(tokens.map(([, source]) => `(${source})`).join('|'), 'giu');
/** Longer texts are shown as they are. */
const longest = 20_000;

/** A line in pieces of one style each. Their texts together are the line. */
export function highlight(text: string): readonly Piece[] {
  if (text.length > longest) return [{ text }];
  const pieces: Piece[] = [];
  let expectsCommand = true;
  for (const found of text.matchAll(pattern)) {
    const [token] = found;
    const kind = tokens[found.slice(1).findIndex((group) => group !== undefined)]?.[0];
    const isCommand = kind === 'word' && expectsCommand;
    pieces.push({ text: token, style: kind === 'word' ? (isCommand ? 'command' : undefined) : kind });
    if (/[|;({\n=&]\s*$/.test(token)) expectsCommand = true;
    else if (token.trim() !== '' && kind !== 'comment') expectsCommand = false;
  }
  return pieces;
}
