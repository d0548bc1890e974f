import { isNewline } from './characters.ts';
import type { Scanner } from './scanner.ts';

/** Goes on behind the line, or before the bracket that closes the statements around. */
export function passOver(scanner: Scanner, start: number, closer: string): void {
  if (scanner.position === start) scanner.position += 1;
  while (!scanner.atEnd && !isNewline(scanner.peek()) && scanner.peek() !== ';' && scanner.peek() !== closer) {
    scanner.position += 1;
  }
}

const brackets = /[([{)\]}]|'[^']*'|"[^"]*"|#[^\r\n]*|[^([{)\]}'"#\r\n]+|./sy;

/** Passes the brackets of what is left out, over several lines: their text is no other error. */
export function passConstruct(scanner: Scanner, start: number): void {
  scanner.position = start;
  let depth = 0;
  for (let token = scanner.match(brackets); token !== undefined; token = scanner.match(brackets)) {
    const [text] = token;
    if (depth === 0 && (isNewline(text) || ')]};'.includes(text))) return;
    if ('([{'.includes(text)) depth += 1;
    if (')]}'.includes(text)) depth -= 1;
    scanner.position += text.length;
  }
}
