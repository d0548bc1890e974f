/**
 * Text that a stranger chose (a subject, a reply, a HELO name, a distinguished name), made fit for a terminal, a log and a
 * spreadsheet. Every output of `edge`, every log and every CSV file uses these functions and no others.
 */

/** Most characters of a stranger's text in one field of a log. */
export const longestLogged = 256;

/** Spaces of every width, and what ends a line or a paragraph or moves the cursor to another column: each becomes a space. */
const blanks = /[\p{Z}\t-\r\x85]/u;

/**
 * What a terminal may act on or what changes the order in which text is shown: C0 and C1 controls, bidirectional controls and the
 * other format characters, halves of surrogate pairs, non-characters. U+200C and U+200D stay: Persian, Indic scripts and emoji
 * are spelled with them, and they act on the neighbouring letters only.
 */
const acting = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]|[^\P{Cf}\u200c\u200d]/u;

const aboveSpace = /^[ -~]*$/;
const unfit = new RegExp(`${blanks.source}|${acting.source}`, 'gu');
const unfitButBreaks = new RegExp(`\\r\\n|(?![\\n\\t])(?:${unfit.source})`, 'gu');
const plainLines = /^[\n\t -~]*$/;

/**
 * One line of text without any effect on what shows it: blanks of any kind are spaces, characters that act are named, as in
 * `<U+202E>`. At most `most` characters, the last of them '…' when something was cut.
 */
export function printable(text: string, most = Number.POSITIVE_INFINITY): string {
  const head = text.length > most ? wholeStart(text, most) : text;
  const line = aboveSpace.test(head) ? head : head.replace(unfit, named);
  if (head === text && line.length <= most) return line;
  return `${wholeStart(line, Math.min(most, line.length + 1) - 1)}…`;
}

/** The same for text of several lines: LF and TAB stay, CRLF becomes LF. */
export function printableLines(text: string): string {
  return plainLines.test(text)
    ? text
    : text.replace(unfitButBreaks, (found) => (found === '\r\n' ? '\n' : named(found)));
}

/** JSON that is safe to show and has the same value: characters that act are escaped (RFC 8259 §7). */
export function printableJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, undefined, indent) as string | undefined;
  return escapedJson(json ?? 'null');
}

/** JSON with the same value: outside of strings it holds nothing but ASCII, and LF where it is indented or ends. */
export function escapedJson(json: string): string {
  if (plainJson.test(json)) return json;
  return json.replace(actingInJson, (found) =>
    found.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}

const plainJson = /^[\n -~]*$/;
const actingInJson = new RegExp(`(?!\\n)(?:${acting.source}|[\\u2028\\u2029])`, 'gu');

/** Spreadsheets take a cell that begins so for a formula, also behind blanks. An apostrophe says that it is text. */
const formula = /^'*[ \t\r\n]*[=+\-@＝＋－＠]./su;

/** Text for one cell of a CSV file. `cellText` gives it back as it was. */
export function spreadsheetCell(text: string): string {
  return formula.test(text) ? `'${text}` : text;
}

/** The text of a cell that `spreadsheetCell` made. */
export function cellText(cell: string): string {
  return cell.startsWith("'") && formula.test(cell.slice(1)) ? cell.slice(1) : cell;
}

function named(character: string): string {
  if (blanks.test(character)) return ' ';
  return `<U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`;
}

/** The first characters, without half of a surrogate pair at the end. */
function wholeStart(text: string, length: number): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
