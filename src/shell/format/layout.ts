import { printable } from '../../base/text/index.ts';

/** Columns that a text takes in a terminal: wide and combining characters counted as terminals show them. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7E]*$/.test(text)) return text.length;
  let width = 0;
  for (const char of characters(text)) width += charWidth(char);
  return width;
}

/**
 * What a person takes for one character: a sign with all that is drawn over it, emoji that are joined to one (U+200D), a flag of
 * two regional indicators (Unicode Standard Annex #29, in short).
 */
export function characters(text: string): readonly string[] {
  return text.match(character) ?? [];
}

const character = /\p{RI}\p{RI}|[^][\p{M}\p{EMod}]*(?:\u200D\p{ExtPict}[\p{M}\p{EMod}]*)*/gu;

function charWidth(char: string): number {
  // Combining marks, what has no shape, and the vowels that stand in a Korean syllable.
  if (/^[\p{M}\u200B-\u200F\u2060-\u2064\uFEFF\u1160-\u11FF]/u.test(char)) return 0;
  // Each half of a flag takes one column where flags are unknown; a skin tone behind its emoji is drawn by itself in most terminals.
  if (/^\p{RI}/u.test(char)) return char.length > 2 ? 2 : 1;
  return (wide.test(char) ? 2 : 1) + (/^.\p{EMod}/u.test(char) ? 2 : 0);
}

// East Asian Wide and Fullwidth (Unicode Standard Annex #11), and emoji.
const wide =
  /^(?:[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}|[\u{20000}-\u{3FFFD}])/u;

/** One line of a cell: no control characters, tabs and line breaks as spaces. */
export function oneLine(text: string): string {
  return printable(text.replace(/[\t\r\n]+/g, ' '));
}

/** Cuts a text to a width; dots at its end tell that there was more. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  const dots = width > 3 ? '...' : '';
  let cut = '';
  let used = 0;
  for (const char of characters(text)) {
    used += charWidth(char);
    if (used > width - dots.length) break;
    cut += char;
  }
  return cut + dots;
}

/** Fills a text with spaces up to a width. */
export function pad(text: string, width: number, right: boolean): string {
  const fill = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return right ? fill + text : text + fill;
}
