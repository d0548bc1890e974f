import type { ExpandableString, StringLiteral } from './ast.ts';
import { escaped, isBlank, isDoubleQuote, isNewline, isSingleQuote } from './characters.ts';
import { readSubExpression } from './groups.ts';
import type { Scanner } from './scanner.ts';
import { StringParts } from './string-parts.ts';
import { readVariable } from './variable.ts';

/** Reads a quoted string at the cursor: `'…'` as it stands, `"…"` with variables, sub-expressions and escapes. */
export function readQuoted(scanner: Scanner): StringLiteral | ExpandableString {
  return isSingleQuote(scanner.peek()) ? readSingleQuoted(scanner) : readDoubleQuoted(scanner);
}

function readSingleQuoted(scanner: Scanner): StringLiteral {
  const start = scanner.position;
  scanner.position += 1;
  let value = '';
  for (;;) {
    const char = scanner.peek();
    if (char === '') unterminated(scanner, start, "'");
    scanner.position += 1;
    if (isSingleQuote(char)) {
      if (!isSingleQuote(scanner.peek())) return { kind: 'string', value, extent: scanner.from(start) };
      scanner.position += 1;
    }
    value += char;
  }
}

function readDoubleQuoted(scanner: Scanner): StringLiteral | ExpandableString {
  const start = scanner.position;
  scanner.position += 1;
  const parts = new StringParts();
  for (;;) {
    const char = scanner.peek();
    if (char === '') unterminated(scanner, start, '"');
    if (isDoubleQuote(char)) {
      scanner.position += 1;
      if (!isDoubleQuote(scanner.peek())) return parts.finish(scanner.from(start));
      parts.text(char);
      scanner.position += 1;
    } else {
      readExpanded(scanner, parts);
    }
  }
}

/** Takes one character, escape, variable or sub-expression of an expandable string. */
function readExpanded(scanner: Scanner, parts: StringParts): void {
  const char = scanner.peek();
  if (char === '`' && scanner.peek(1) !== '') {
    const next = scanner.peek(1);
    if (scanner.startsWith('`\r\n')) scanner.position += 1;
    parts.text(isNewline(next) ? '\n' : escaped(next));
    scanner.position += 2;
    return;
  }
  if (char === '$') {
    const node = scanner.peek(1) === '(' ? readSubExpression(scanner) : readVariable(scanner);
    if (node !== undefined) return parts.node(node);
  }
  parts.text(char);
  scanner.position += 1;
}

function unterminated(scanner: Scanner, start: number, quote: string): never {
  scanner.expected('TerminatorExpectedAtEndOfString', `The string is missing the terminator: ${quote}.`, {
    start,
    end: Math.min(start + 1, scanner.text.length),
  });
}

/** True at `@'` or `@"`. */
export function atHereString(scanner: Scanner): boolean {
  return scanner.peek() === '@' && (isSingleQuote(scanner.peek(1)) || isDoubleQuote(scanner.peek(1)));
}

/** Reads a here-string: from the line after `@'` or `@"` to the line that begins with `'@` or `"@`. */
export function readHereString(scanner: Scanner): StringLiteral | ExpandableString {
  const start = scanner.position;
  const isQuote = isSingleQuote(scanner.peek(1)) ? isSingleQuote : isDoubleQuote;
  const terminator = isQuote === isSingleQuote ? "'@" : '"@';
  scanner.position += 2;
  while (isBlank(scanner.peek())) scanner.position += 1;
  if (scanner.atEnd) missingTerminator(scanner, start, terminator);
  if (!isNewline(scanner.peek())) {
    scanner.fail(
      'UnexpectedCharactersAfterHereStringHeader',
      'No characters are allowed after a here-string header but before the end of the line.',
    );
  }
  const parts = new StringParts();
  let first = true;
  for (;;) {
    const lineBreak = takeNewline(scanner);
    if (lineBreak !== '') {
      if (isQuote(scanner.peek()) && scanner.peek(1) === '@') break;
      if (!first) parts.text(lineBreak);
      first = false;
    } else if (scanner.atEnd) missingTerminator(scanner, start, terminator);
    else if (isQuote === isDoubleQuote) readExpanded(scanner, parts);
    else {
      parts.text(scanner.peek());
      scanner.position += 1;
    }
  }
  scanner.position += 2;
  return parts.finish(scanner.from(start));
}

/** Passes CR, LF or CRLF and returns what it was. */
function takeNewline(scanner: Scanner): string {
  for (const lineBreak of ['\r\n', '\n', '\r']) if (scanner.take(lineBreak)) return lineBreak;
  return '';
}

function missingTerminator(scanner: Scanner, start: number, terminator: string): never {
  scanner.expected('TerminatorExpectedAtEndOfString', `The string is missing the terminator: ${terminator}.`, {
    start,
    end: start + 2,
  });
}

/** Reads a bare word of a command: up to white space or a character that ends words; may hold quotes and variables. */
export function readWord(scanner: Scanner, endsAt: (char: string) => boolean): StringLiteral | ExpandableString {
  const start = scanner.position;
  const parts = new StringParts();
  for (let char = scanner.peek(); !endsAt(char); char = scanner.peek()) {
    if (char === '`' && (isNewline(scanner.peek(1)) || scanner.peek(1) === '')) break;
    if (isSingleQuote(char) || isDoubleQuote(char)) parts.append(readQuoted(scanner));
    else readExpanded(scanner, parts);
  }
  if (scanner.position === start) {
    const char = scanner.peek();
    scanner.expected('UnexpectedToken', `Unexpected token '${char}' in expression or statement.`);
  }
  return parts.finish(scanner.from(start));
}
