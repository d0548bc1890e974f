import type {
  ArrayExpression,
  Block,
  Expression,
  HashLiteral,
  Parenthesis,
  ScriptBlockLiteral,
  Statement,
  SubExpression,
} from './ast.ts';
import { isNamePart, isNameStart } from './characters.ts';
import { readPrimary, readStatement, readStatements } from './grammar.ts';
import type { Scanner } from './scanner.ts';

/** Reads `( … )`: one statement. */
export function readParenthesis(scanner: Scanner): Parenthesis {
  return scanner.nested(() => {
    const start = scanner.position;
    scanner.position += 1;
    scanner.skipLines();
    if (scanner.peek() === ')') scanner.fail('ExpectedExpression', "An expression was expected after '('.");
    const statement = readStatement(scanner);
    scanner.skipLines();
    if (!scanner.take(')')) missingParenthesis(scanner);
    return { kind: 'parenthesis', statement, extent: scanner.from(start) };
  });
}

/** Reads `$( … )`. */
export function readSubExpression(scanner: Scanner): SubExpression {
  return scanner.nested(() => {
    const start = scanner.position;
    const statements = readEnclosed(scanner);
    return { kind: 'sub-expression', statements, extent: scanner.from(start) };
  });
}

/** Reads `@( … )`. */
export function readArrayExpression(scanner: Scanner): ArrayExpression {
  return scanner.nested(() => {
    const start = scanner.position;
    const statements = readEnclosed(scanner);
    return { kind: 'array-expression', statements, extent: scanner.from(start) };
  });
}

function readEnclosed(scanner: Scanner): readonly Statement[] {
  scanner.position += 2;
  const statements = readStatements(scanner, ')');
  if (!scanner.take(')')) missingParenthesis(scanner);
  return statements;
}

function missingParenthesis(scanner: Scanner): never {
  scanner.expected('MissingEndParenthesisInExpression', "Missing closing ')' in expression.");
}

/** Reads `{ … }` as the body of a statement. */
export function readBlock(scanner: Scanner, after: string): Block {
  return scanner.nested(() => {
    const start = scanner.position;
    if (!scanner.take('{')) scanner.expected('MissingOpenBrace', `Missing '{' after ${after}.`);
    const statements = readStatements(scanner, '}');
    if (!scanner.take('}')) {
      scanner.expected('MissingEndCurlyBrace', "Missing closing '}' in statement block or type definition.");
    }
    return { kind: 'block', statements, extent: scanner.from(start) };
  });
}

/** Reads `{ … }` as a value. */
export function readScriptBlock(scanner: Scanner): ScriptBlockLiteral {
  const body = readBlock(scanner, 'the command');
  return { kind: 'script-block', body, extent: body.extent };
}

/** Reads `@{ key = value; … }`. */
export function readHashLiteral(scanner: Scanner): HashLiteral {
  return scanner.nested(() => {
    const start = scanner.position;
    scanner.position += 2;
    const entries: { key: Expression; value: Statement }[] = [];
    for (scanner.skipSeparators(); scanner.peek() !== '}'; scanner.skipSeparators()) {
      if (scanner.atEnd) {
        scanner.expected('MissingEndCurlyBrace', 'The hash literal was incomplete.', { start, end: start + 2 });
      }
      entries.push(readEntry(scanner));
      scanner.skipBlanks();
      if (!/[;}\r\n]/.test(scanner.peek()) && !scanner.atEnd) {
        scanner.fail(
          'UnexpectedToken',
          `Unexpected token '${scanner.peek()}' in the hash literal; expected ';', a new line or '}'.`,
        );
      }
    }
    scanner.position += 1;
    return { kind: 'hashtable', entries, extent: scanner.from(start) };
  });
}

function readEntry(scanner: Scanner): { key: Expression; value: Statement } {
  const key = readKey(scanner);
  scanner.skipBlanks();
  if (!scanner.take('=')) {
    scanner.expected('MissingEqualsInHashLiteral', "Missing '=' operator after key in hash literal.");
  }
  scanner.skipLines();
  if (scanner.atEnd || scanner.peek() === '}' || scanner.peek() === ';') {
    scanner.expected('MissingStatementInHashLiteral', "Missing statement after '=' in hash literal.");
  }
  return { key, value: readStatement(scanner) };
}

/** A bare name is the key itself; anything else is evaluated. */
function readKey(scanner: Scanner): Expression {
  const start = scanner.position;
  if (!isNameStart(scanner.peek())) return readPrimary(scanner);
  while (isNamePart(scanner.peek()) || /[-.]/.test(scanner.peek())) scanner.position += 1;
  const extent = scanner.from(start);
  return { kind: 'string', value: scanner.text.slice(extent.start, extent.end), extent };
}
