import type { DoStatement, ForStatement, Statement, WhileStatement } from './ast.ts';
import { readStatement } from './grammar.ts';
import { readBlock } from './groups.ts';
import { readCondition, takeKeyword, takeLater } from './keyword-parts.ts';
import type { Scanner } from './scanner.ts';

const readers: Readonly<Record<string, (scanner: Scanner) => Statement>> = {
  while: readWhile,
  do: readDo,
  for: readFor,
};

/** Reads the loop that begins with this word; undefined for words that begin none. */
export function loopReader(word: string): ((scanner: Scanner) => Statement) | undefined {
  return Object.hasOwn(readers, word) ? readers[word] : undefined;
}

function readWhile(scanner: Scanner): WhileStatement {
  const start = scanner.position;
  takeKeyword(scanner, 'while');
  const condition = readCondition(scanner, 'while');
  scanner.skipLines();
  const body = readBlock(scanner, "the 'while' loop");
  return { kind: 'while', condition, body, extent: scanner.from(start) };
}

function readDo(scanner: Scanner): DoStatement {
  const start = scanner.position;
  takeKeyword(scanner, 'do');
  scanner.skipLines();
  const body = readBlock(scanner, "the 'do' keyword");
  scanner.skipLines();
  const word = takeLater(scanner, 'while', 'until');
  if (word === undefined) {
    scanner.expected('MissingWhileOrUntilInDoWhile', "The 'while' or 'until' keyword is missing behind the 'do' loop.");
  }
  const condition = readCondition(scanner, word);
  return { kind: 'do', body, condition, until: word === 'until', extent: scanner.from(start) };
}

function readFor(scanner: Scanner): ForStatement {
  const start = scanner.position;
  takeKeyword(scanner, 'for');
  scanner.skipLines();
  if (!scanner.take('(')) {
    scanner.expected('MissingOpenParenthesisAfterKeyword', "Missing opening '(' after keyword 'for'.");
  }
  const initial = readPart(scanner, ';');
  const condition = readPart(scanner, ';');
  const step = readPart(scanner, ')');
  scanner.skipLines();
  if (!scanner.take(')')) {
    scanner.expected('MissingEndParenthesisAfterStatement', "Missing closing ')' after expression in 'for' statement.");
  }
  scanner.skipLines();
  const body = readBlock(scanner, "the 'for' loop");
  return {
    kind: 'for',
    ...(initial === undefined ? {} : { initial }),
    ...(condition === undefined ? {} : { condition }),
    ...(step === undefined ? {} : { step }),
    body,
    extent: scanner.from(start),
  };
}

/** One of the three parts, which may be empty. Its `;` is taken, the closing bracket is not. */
function readPart(scanner: Scanner, end: ';' | ')'): Statement | undefined {
  scanner.skipLines();
  if (end === ';' && scanner.take(';')) return undefined;
  if (scanner.peek() === ')') return undefined;
  const statement = readStatement(scanner);
  scanner.skipLines();
  if (end === ';') scanner.take(';');
  return statement;
}
