import type { Expression, TypeLiteral } from './ast.ts';
import { endsWord, isDoubleQuote, isNamePart, isNameStart, isSingleQuote } from './characters.ts';
import { readExpression } from './grammar.ts';
import { readArrayExpression, readHashLiteral, readParenthesis, readScriptBlock, readSubExpression } from './groups.ts';
import { readNumber } from './number.ts';
import type { Scanner } from './scanner.ts';
import { atHereString, readHereString, readQuoted } from './strings.ts';
import { readTypeName } from './type-name.ts';
import { readVariable } from './variable.ts';

/** Reads an operand without what may follow it: a literal, a variable, something in brackets. */
export function readPrimary(scanner: Scanner): Expression {
  const enclosed = readEnclosed(scanner);
  if (enclosed !== undefined) return enclosed;
  if (scanner.peek() === '[') return readType(scanner);
  const number = readNumber(scanner, { sign: false, whole: false });
  if (number !== undefined) return number;
  return unexpected(scanner);
}

/** Reads an operand that its first characters tell in arguments as well as in expressions. */
export function readEnclosed(scanner: Scanner): Expression | undefined {
  const [char, next] = [scanner.peek(), scanner.peek(1)];
  if (isSingleQuote(char) || isDoubleQuote(char)) return readQuoted(scanner);
  if (atHereString(scanner)) return readHereString(scanner);
  if (char === '(') return readParenthesis(scanner);
  if (char === '{') return readScriptBlock(scanner);
  if (char === '@' && next === '(') return readArrayExpression(scanner);
  if (char === '@' && next === '{') return readHashLiteral(scanner);
  if (char === '$') return next === '(' ? readSubExpression(scanner) : readVariable(scanner);
  return undefined;
}

function readType(scanner: Scanner): TypeLiteral {
  const start = scanner.position;
  const name = readTypeName(scanner);
  return { kind: 'type', name, extent: scanner.from(start) };
}

/** Fails at a token that no expression begins with, and says what it is. */
function unexpected(scanner: Scanner): never {
  if (scanner.atEnd) scanner.expected('ExpectedExpression', 'An expression was expected.');
  const start = scanner.position;
  let end = start + 1;
  while (!endsWord(scanner.text[end] ?? '')) end += 1;
  const token = scanner.text.slice(start, end);
  const hint = isNameStart(scanner.peek()) ? ` Text in an expression stands in quotes: '${token}'.` : '';
  return scanner.fail('UnexpectedToken', `Unexpected token '${token}' in expression or statement.${hint}`, {
    start,
    end,
  });
}

/** Reads the members, calls and indexes that follow an operand without white space. Numbers have none. */
export function readPostfix(scanner: Scanner, operand: Expression): Expression {
  let target = operand;
  if (target.kind === 'number') return target;
  for (let length = 1; ; length += 1) {
    scanner.chain(length);
    const char = scanner.peek();
    if (char === '[' && target.kind !== 'script-block') target = readIndex(scanner, target);
    else if (scanner.startsWith('::')) target = readMember(scanner, target, 2);
    else if (char === '.' && scanner.peek(1) !== '.' && atMemberName(scanner.peek(1)))
      target = readMember(scanner, target, 1);
    else return target;
  }
}

function atMemberName(char: string): boolean {
  return isNameStart(char) || isSingleQuote(char) || isDoubleQuote(char) || char === '$' || char === '(';
}

function readIndex(scanner: Scanner, target: Expression): Expression {
  scanner.position += 1;
  scanner.skipLines();
  if (scanner.peek() === ']') {
    scanner.fail('MissingArrayIndexExpression', 'Array index expression is missing or not valid.');
  }
  const index = readExpression(scanner);
  scanner.skipLines();
  if (!scanner.take(']')) scanner.expected('MissingEndSquareBracket', "Missing ']' after array index expression.");
  return { kind: 'index', target, index, extent: { start: target.extent.start, end: scanner.position } };
}

function readMember(scanner: Scanner, target: Expression, dots: number): Expression {
  scanner.position += dots;
  const member = readMemberName(scanner);
  const isStatic = dots === 2;
  const start = target.extent.start;
  const isBlock = scanner.peek() === '{' && !isStatic;
  if (scanner.peek() !== '(' && !isBlock)
    return { kind: 'member', target, member, isStatic, extent: scanner.from(start) };
  const args = isBlock ? [readScriptBlock(scanner)] : readArguments(scanner);
  return { kind: 'call', target, member, isStatic, args, extent: scanner.from(start) };
}

function readMemberName(scanner: Scanner): Expression {
  const start = scanner.position;
  if (!isNameStart(scanner.peek())) {
    const member = atMemberName(scanner.peek()) ? readEnclosed(scanner) : undefined;
    return member ?? scanner.expected('MissingPropertyName', 'Missing property name after reference operator.');
  }
  while (isNamePart(scanner.peek())) scanner.position += 1;
  const extent = scanner.from(start);
  return { kind: 'string', value: scanner.text.slice(start, extent.end), extent };
}

function readArguments(scanner: Scanner): readonly Expression[] {
  scanner.position += 1;
  scanner.skipLines();
  const args: Expression[] = [];
  if (scanner.take(')')) return args;
  for (;;) {
    args.push(readExpression(scanner, false));
    scanner.skipLines();
    if (scanner.take(')')) return args;
    if (!scanner.take(',')) {
      scanner.expected('MissingEndParenthesisInMethodCall', "Missing ')' in method call.");
    }
    scanner.skipLines();
    if (scanner.atEnd || scanner.peek() === ')') {
      scanner.expected('MissingExpressionAfterToken', "Missing expression after ','.");
    }
  }
}
