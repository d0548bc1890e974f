/** Comma-separated fields as Exchange's logs write them (RFC 4180): quoted only when they must be. */
import { cellText, printable, spreadsheetCell } from '../base/index.ts';

/** Fields without any of these are written as they are. */
const plain = /^(?![=+\-@' ].)[ !#-+\--~]*$/;

/** One field. No text makes a line, a field, a terminal control or a formula of its own. */
function csvField(text: string): string {
  if (text === '' || plain.test(text)) return text;
  const cell = spreadsheetCell(printable(text));
  return /[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** One line of fields, without its end. */
export function csvLine(fields: readonly string[]): string {
  let line = '';
  for (let i = 0; i < fields.length; i++) {
    if (i > 0) line += ',';
    line += csvField(fields[i] ?? '');
  }
  return line;
}

const commas = ','.repeat(100);

/** The same with the fields that `row` has of these names. */
export function csvRow<F extends string>(names: readonly F[], row: Readonly<Partial<Record<F, string>>>): string {
  let line = '';
  // About half of the fields are empty: their separators go along with those of the next one.
  let separators = 0;
  for (const name of names) {
    const text = row[name];
    if (text !== undefined && text !== '') {
      if (separators > 0) line += commas.slice(0, separators);
      line += csvField(text);
      separators = 0;
    }
    separators += 1;
  }
  return line + commas.slice(0, separators - 1);
}

/** Splits a line written by csvLine. */
export function parseCsvLine(line: string): string[] {
  if (!line.includes('"')) return line.split(',').map(cellText);
  const fields: string[] = [];
  const pattern = /(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g;
  for (const match of line.matchAll(pattern)) fields.push(cellText(match[1]?.replaceAll('""', '"') ?? match[2] ?? ''));
  return fields;
}

/** Header lines of a log file in Exchange's form. */
export function logHeader(type: string, fields: readonly string[]): (nowMs: number) => string {
  return (nowMs) =>
    `#Software: Microsoft Exchange Server\r\n#Version: 15.01.0.0\r\n#Log-Type: ${type}\r\n#Date: ${new Date(nowMs).toISOString()}\r\n#Fields: ${fields.join(',')}\r\n`;
}

/** ISO dates for many events of the same millisecond are made once. */
export class Timestamps {
  #ms = -1;
  #text = '';

  of(ms: number): string {
    if (ms !== this.#ms) {
      this.#ms = ms;
      this.#text = new Date(ms).toISOString();
    }
    return this.#text;
  }
}
