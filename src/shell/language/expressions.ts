import type { ArrayLiteral, Expression, UnaryOperator } from './ast.ts';
import { isDash } from './characters.ts';
import { readNumber } from './number.ts';
import { operatorName, precedence, unaryWords } from './operators.ts';
import { readPostfix, readPrimary } from './primary.ts';
import type { Scanner } from './scanner.ts';
import { readTypeName } from './type-name.ts';

/** Reads an expression. Without `comma`, as between the parentheses of a method, a comma ends it. */
export function readExpression(scanner: Scanner, comma = true): Expression {
  return scanner.nested(() => readBinary(scanner, 0, comma));
}

function readBinary(scanner: Scanner, level: number, comma: boolean): Expression {
  const row = precedence[level];
  if (row === undefined) return comma ? readArray(scanner) : readUnary(scanner);
  let left = readBinary(scanner, level + 1, comma);
  for (let length = 1; ; length += 1) {
    const found = peekOperator(scanner);
    if (found === undefined || !row.has(found.operator)) return left;
    scanner.chain(length);
    scanner.position += found.length;
    requireOperand(scanner, found.text);
    const right = readBinary(scanner, level + 1, comma);
    const extent = { start: left.extent.start, end: right.extent.end };
    left = { kind: 'binary', operator: found.operator, left, right, extent };
  }
}

function requireOperand(scanner: Scanner, operator: string): void {
  scanner.skipLines();
  if (!scanner.atEnd && !/[)}\];|]/.test(scanner.peek())) return;
  scanner.expected(
    'ExpectedValueExpression',
    `You must provide a value expression following the '${operator}' operator.`,
  );
}

const wordPattern = /[-\u2013-\u2015](\p{L}+)/uy;
const signPattern = /\.\.|[-\u2013-\u2015+*/%]/uy;

/** The binary operator behind the blanks at the cursor. Blanks are passed; the operator is not. */
function peekOperator(scanner: Scanner): { operator: string; text: string; length: number } | undefined {
  scanner.skipBlanks();
  const word = scanner.match(wordPattern);
  if (word !== undefined) {
    const [text, name = ''] = word;
    const operator = operatorName(name);
    if (operator === undefined) {
      const extent = { start: scanner.position, end: scanner.position + text.length };
      scanner.fail(
        'UnexpectedToken',
        `Unexpected token '${text}' in expression or statement: it is no operator.`,
        extent,
      );
    }
    return { operator, text, length: text.length };
  }
  const text = scanner.match(signPattern)?.[0];
  if (text === undefined || scanner.peek(text.length) === '=') return undefined;
  return { operator: isDash(text) ? '-' : text, text, length: text.length };
}

/** Reads `a, b, c`; a single operand stays itself. */
function readArray(scanner: Scanner): Expression {
  const items = [readUnary(scanner)];
  for (scanner.skipBlanks(); scanner.peek() === ','; scanner.skipBlanks()) {
    scanner.position += 1;
    scanner.skipLines();
    if (scanner.atEnd || /[)}\];|]/.test(scanner.peek())) {
      scanner.expected('MissingExpressionAfterToken', "Missing expression after ','.");
    }
    items.push(readUnary(scanner));
  }
  return arrayOf(items);
}

/** An array of items read in a row, or the only one. */
export function arrayOf(items: readonly Expression[]): Expression {
  const [first, ...rest] = items;
  const last = rest.at(-1);
  if (first === undefined) throw new RangeError('an array literal has items');
  if (last === undefined) return first;
  const array: ArrayLiteral = { kind: 'array', items, extent: { start: first.extent.start, end: last.extent.end } };
  return array;
}

function readUnary(scanner: Scanner): Expression {
  return scanner.nested(() => {
    const start = scanner.position;
    const char = scanner.peek();
    if (char === '!') return readOperand(scanner, 'not', 1);
    if (char === ',') return readOperand(scanner, 'comma', 1);
    if (char === '[') return readCast(scanner);
    if (!isDash(char) && char !== '+') return readSuffixed(scanner, readPostfix(scanner, readPrimary(scanner)));
    if (scanner.peek(1) === char) return readPrefixed(scanner);
    const number = readNumber(scanner, { sign: true, whole: false });
    if (number !== undefined) return number;
    if (char === '+') return readOperand(scanner, 'plus', 1);
    const word = scanner.match(wordPattern);
    if (word === undefined) return readOperand(scanner, 'minus', 1);
    const name = (word[1] ?? '').toLowerCase();
    if (isUnaryWord(name)) return readOperand(scanner, unaryWords[name], word[0].length);
    return scanner.fail('UnexpectedToken', `Unexpected token '${word[0]}' in expression or statement.`, {
      start,
      end: start + word[0].length,
    });
  });
}

function isUnaryWord(name: string): name is keyof typeof unaryWords {
  return Object.hasOwn(unaryWords, name);
}

function readOperand(scanner: Scanner, operator: UnaryOperator, length: number): Expression {
  const start = scanner.position;
  scanner.position += length;
  scanner.skipBlanks();
  if (scanner.atEnd || /[)}\];|]/.test(scanner.peek())) {
    const text = scanner.text.slice(start, start + length);
    scanner.expected('MissingExpressionAfterOperator', `Missing expression after unary operator '${text}'.`);
  }
  const operand = readUnary(scanner);
  return { kind: 'unary', operator, operand, extent: scanner.from(start) };
}

/** Reads `[type]operand`, or a type that stands for itself: before `::`, or as an operand of `-is`. */
function readCast(scanner: Scanner): Expression {
  const start = scanner.position;
  const type = readTypeName(scanner);
  const literal: Expression = { kind: 'type', name: type, extent: scanner.from(start) };
  const end = scanner.position;
  if (scanner.startsWith('::')) return readSuffixed(scanner, readPostfix(scanner, literal));
  scanner.skipBlanks();
  if (!beginsOperand(scanner)) {
    scanner.position = end;
    return literal;
  }
  const operand = readUnary(scanner);
  return { kind: 'cast', type, operand, extent: scanner.from(start) };
}

const operandPattern =
  /(?:[-\u2013-\u2015+]\s*)*(?:["'\u2018-\u201E$({[!\d]|@[({"'\u2018-\u201E]|\.\d)|[-\u2013-\u2015](?:b?not(?!\p{L})|\s*[-\u2013-\u2015+,])|\+\s*[-\u2013-\u2015+,]/iuy;

function beginsOperand(scanner: Scanner): boolean {
  return scanner.match(operandPattern) !== undefined;
}

/** What `++` and `--` change. */
const countable: ReadonlySet<Expression['kind']> = new Set(['variable', 'member', 'index']);

function readPrefixed(scanner: Scanner): Expression {
  const start = scanner.position;
  const operator = scanner.peek() === '+' ? '++' : '--';
  scanner.position += 2;
  scanner.skipBlanks();
  const target = readPostfix(scanner, readPrimary(scanner));
  if (!countable.has(target.kind)) {
    scanner.fail(
      'OperatorRequiresVariableOrProperty',
      `The '${operator}' operator works only on variables or on properties.`,
      target.extent,
    );
  }
  return { kind: 'increment', operator, prefix: true, target, extent: scanner.from(start) };
}

function readSuffixed(scanner: Scanner, target: Expression): Expression {
  const [first, second] = [scanner.peek(), scanner.peek(1)];
  const doubled = (first === '+' && second === '+') || (isDash(first) && isDash(second));
  if (!doubled || !countable.has(target.kind)) return target;
  scanner.position += 2;
  const extent = { start: target.extent.start, end: scanner.position };
  return { kind: 'increment', operator: first === '+' ? '++' : '--', prefix: false, target, extent };
}
