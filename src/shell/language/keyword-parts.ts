/** Keywords of statements, and the condition in brackets behind some of them. */
import type { Statement } from './ast.ts';
import { endsWord } from './characters.ts';
import { readStatement } from './grammar.ts';
import type { Scanner } from './scanner.ts';

const keywordPattern = /[a-z]+/iy;

/** The word at the cursor in lower case, when it stands alone. */
export function keywordAt(scanner: Scanner): string | undefined {
  const word = scanner.match(keywordPattern)?.[0];
  return word !== undefined && endsWord(scanner.peek(word.length)) ? word.toLowerCase() : undefined;
}

/** Takes one of these words; undefined when none stands here. */
export function takeKeyword(scanner: Scanner, ...words: readonly string[]): string | undefined {
  const word = keywordAt(scanner);
  if (word === undefined || !words.includes(word)) return undefined;
  scanner.position += word.length;
  return word;
}

/** Takes a keyword on this or a later line; otherwise the cursor stays. */
export function takeLater(scanner: Scanner, ...words: readonly string[]): string | undefined {
  const start = scanner.position;
  scanner.skipLines();
  const word = takeKeyword(scanner, ...words);
  if (word === undefined) scanner.position = start;
  return word;
}

/** Reads `( … )` behind `if`, `while` and their kin. */
export function readCondition(scanner: Scanner, word: string): Statement {
  scanner.skipLines();
  if (!scanner.take('(')) {
    const id = /if$/.test(word) ? 'MissingOpenParenthesisInIfStatement' : 'MissingOpenParenthesisAfterKeyword';
    scanner.expected(id, `Missing '(' after '${word}' in ${/if$/.test(word) ? 'if' : word} statement.`);
  }
  scanner.skipLines();
  if (scanner.atEnd || scanner.peek() === ')') {
    const id = /if$/.test(word) ? 'IfStatementMissingCondition' : 'MissingExpressionAfterKeyword';
    scanner.expected(id, `Missing condition in ${/if$/.test(word) ? 'if' : word} statement after '${word} ('.`);
  }
  const condition = readStatement(scanner);
  scanner.skipLines();
  if (!scanner.take(')')) {
    scanner.expected(
      'MissingEndParenthesisAfterStatement',
      `Missing closing ')' after expression in '${word}' statement.`,
    );
  }
  return condition;
}
