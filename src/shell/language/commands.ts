import type { Command, CommandElement, Expression, Redirection } from './ast.ts';
import { endsWord, isDash, isDoubleQuote, isNamePart, isNameStart, isSingleQuote } from './characters.ts';
import { arrayOf } from './expressions.ts';
import { readNumber } from './number.ts';
import { readEnclosed, readPostfix } from './primary.ts';
import type { Scanner } from './scanner.ts';
import { readWord } from './strings.ts';
import { readVariable } from './variable.ts';

/** Reads a command: its name, then parameters, arguments and redirections up to the end of the stage. */
export function readCommand(scanner: Scanner): Command {
  const start = scanner.position;
  const name = readName(scanner);
  const elements: CommandElement[] = [];
  const redirections: Redirection[] = [];
  let end = scanner.position;
  for (scanner.skipBlanks(); !endsStage(scanner); scanner.skipBlanks()) {
    const redirection = readRedirection(scanner);
    if (redirection !== undefined) redirections.push(redirection);
    else elements.push(readElement(scanner));
    end = scanner.position;
  }
  return { kind: 'command', name, elements, redirections, extent: { start, end } };
}

function readName(scanner: Scanner): Expression {
  if (scanner.peek() !== '&') return readWord(scanner, endsWord);
  scanner.position += 1;
  scanner.skipBlanks();
  if (endsStage(scanner)) {
    scanner.expected(
      'ExpectedExpression',
      "An expression was expected after '&': the name of a command or a script block.",
    );
  }
  const enclosed = readEnclosed(scanner);
  return enclosed === undefined ? readWord(scanner, endsWord) : readPostfix(scanner, enclosed);
}

/** True where a stage of a pipeline ends: at its end, a line's end, `;`, `|`, `&` or a closing bracket. */
export function endsStage(scanner: Scanner): boolean {
  return scanner.atEnd || /[\r\n;|&)}]/.test(scanner.peek());
}

const redirectionPattern = /([1-6*]?)(>>|>)(&[1-6])?/y;

/** Reads `> file`, `>> file`, `2> file`, `2>&1`. */
export function readRedirection(scanner: Scanner): Redirection | undefined {
  const match = scanner.match(redirectionPattern);
  if (match === undefined) {
    if (scanner.peek() === '<') scanner.fail('RedirectionNotSupported', "The '<' operator is reserved for future use.");
    return undefined;
  }
  const start = scanner.position;
  scanner.position += match[0].length;
  const stream = (match[1] || '1') as Redirection['stream'];
  const append = match[2] === '>>';
  if (match[3] !== undefined) {
    if (stream !== '1' && !append && match[3] === '&1')
      return { kind: 'redirection', stream, append, extent: scanner.from(start) };
    scanner.fail(
      'RedirectionNotSupported',
      `The redirection '${match[0]}' is outside the language of this shell: other streams go to the output, as in 2>&1.`,
      scanner.from(start),
    );
  }
  scanner.skipBlanks();
  if (endsStage(scanner)) {
    scanner.expected('MissingFileSpecification', 'Missing file specification after redirection operator.');
  }
  return { kind: 'redirection', stream, append, target: readArgument(scanner), extent: scanner.from(start) };
}

function readElement(scanner: Scanner): CommandElement {
  const start = scanner.position;
  const element = readParameter(scanner) ?? readSplat(scanner);
  if (element !== undefined) return element;
  return { kind: 'argument', value: readList(scanner), extent: scanner.from(start) };
}

const parameterPattern = /[-\u2013-\u2015]([\p{L}_?][^\s{}();,|&.[:<>'"\u2018-\u201E`]*)(:?)/uy;

function readParameter(scanner: Scanner): CommandElement | undefined {
  const match = scanner.match(parameterPattern);
  if (match === undefined) {
    if (isDash(scanner.peek()) && isDash(scanner.peek(1))) refuseDoubleDash(scanner);
    return undefined;
  }
  const next = scanner.peek(match[0].length);
  // A name that runs into a quote is one word with it, as in PowerShell: -a'b'.
  if (match[2] === '' && (isSingleQuote(next) || isDoubleQuote(next) || next === '`')) return undefined;
  const start = scanner.position;
  scanner.position += match[0].length;
  const name = match[1] ?? '';
  const extent = scanner.from(start);
  if (match[2] === '') return { kind: 'parameter', name, extent };
  scanner.skipBlanks();
  if (endsStage(scanner)) {
    scanner.expected('ParameterRequiresArgument', `The parameter '-${name}:' requires an argument.`, extent);
  }
  return { kind: 'parameter', name, value: readList(scanner), extent: scanner.from(start) };
}

function refuseDoubleDash(scanner: Scanner): void {
  const length = scanner.startsWith('--%') ? 3 : 2;
  if (!endsWord(scanner.peek(length))) return;
  const extent = { start: scanner.position, end: scanner.position + length };
  const token = scanner.text.slice(extent.start, extent.end);
  scanner.fail('UnexpectedToken', `The token '${token}' is outside the language of this shell.`, extent);
}

function readSplat(scanner: Scanner): CommandElement | undefined {
  if (scanner.peek() !== '@' || !isNameStart(scanner.peek(1))) return undefined;
  const start = scanner.position;
  scanner.position += 1;
  while (isNamePart(scanner.peek())) scanner.position += 1;
  return { kind: 'splat', name: scanner.text.slice(start + 1, scanner.position), extent: scanner.from(start) };
}

/** Reads one argument, or several with commas between them as an array. */
function readList(scanner: Scanner): Expression {
  const items = [readArgument(scanner)];
  for (;;) {
    const end = scanner.position;
    scanner.skipBlanks();
    if (!scanner.take(',')) {
      scanner.position = end;
      return arrayOf(items);
    }
    scanner.skipLines();
    if (endsStage(scanner)) scanner.expected('MissingExpressionAfterToken', "Missing expression after ','.");
    items.push(readArgument(scanner));
  }
}

/** Reads one argument without commas: something quoted or bracketed with its members, a number, or a bare word. */
function readArgument(scanner: Scanner): Expression {
  return scanner.nested(() => {
    if (scanner.peek() === ',') scanner.fail('MissingArgument', 'Missing an argument before the comma.');
    if (scanner.peek() === '$' && scanner.peek(1) !== '(') return readVariableArgument(scanner);
    const enclosed = readEnclosed(scanner);
    if (enclosed !== undefined) return readPostfix(scanner, enclosed);
    if (scanner.peek() === '@') {
      scanner.expected(
        'UnrecognizedToken',
        "The '@' here begins neither '@(' nor '@{'; put text with @ at its start in quotes.",
      );
    }
    return readNumber(scanner, { sign: true, whole: true }) ?? readWord(scanner, endsWord);
  });
}

/** `$x`, `$x.Member` and `$x[0]` are values; a variable that runs into other characters is part of a bare word. */
function readVariableArgument(scanner: Scanner): Expression {
  const start = scanner.position;
  const variable = readVariable(scanner);
  const next = scanner.peek();
  if (variable !== undefined && (endsWord(next) || next === '.' || next === '[')) return readPostfix(scanner, variable);
  scanner.position = start;
  return readWord(scanner, endsWord);
}
