import { isNamePart, isNameStart } from './characters.ts';
import type { Scanner } from './scanner.ts';

/** Reads `[System.Byte[]]` at the cursor and returns the name without blanks and without its outer brackets. */
export function readTypeName(scanner: Scanner): string {
  const start = scanner.position;
  scanner.position += 1;
  const name = scanner.nested(() => readName(scanner));
  scanner.skipBlanks();
  if (scanner.peek() === '(') {
    scanner.fail(
      'NotSupportedInThisShell',
      `Attributes such as [${name}()] belong to functions and their parameters, which are outside the language of this shell.`,
      scanner.from(start),
    );
  }
  if (!scanner.take(']')) {
    scanner.expected('EndSquareBracketExpectedAtEndOfType', 'Missing ] at end of type token.', scanner.from(start));
  }
  return name;
}

function readName(scanner: Scanner): string {
  scanner.skipBlanks();
  if (!isNameStart(scanner.peek())) scanner.expected('MissingTypename', 'Missing type name after [.');
  let name = '';
  while (isNamePart(scanner.peek()) || scanner.peek() === '.') {
    name += scanner.peek();
    scanner.position += 1;
  }
  while (scanner.peek() === '[') name += readArguments(scanner);
  return name;
}

/** Reads `[]` of an array or `[type, type]` of a generic. */
function readArguments(scanner: Scanner): string {
  scanner.position += 1;
  scanner.skipBlanks();
  const names: string[] = [];
  while (scanner.peek() !== ']') {
    names.push(scanner.nested(() => readName(scanner)));
    scanner.skipBlanks();
    if (!scanner.take(',') && scanner.peek() !== ']')
      scanner.expected('MissingTypename', 'Missing ] at end of type token.');
  }
  scanner.position += 1;
  return `[${names.join(',')}]`;
}
