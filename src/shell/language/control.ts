import {
  type Block,
  type Expression,
  type LeaveStatement,
  leaveWords,
  type Statement,
  type SwitchStatement,
  type TryStatement,
} from './ast.ts';
import { endsWord, isDash, isNameStart } from './characters.ts';
import { endsStage } from './commands.ts';
import { readStatement } from './grammar.ts';
import { readBlock } from './groups.ts';
import { keywordAt, readCondition, takeKeyword, takeLater } from './keyword-parts.ts';
import { readPostfix, readPrimary } from './primary.ts';
import type { Scanner } from './scanner.ts';
import { readWord } from './strings.ts';
import { readTypeName } from './type-name.ts';

/** Reads the statement that begins with this word: switch, try, or one that leaves a block; undefined for others. */
export function controlReader(word: string): ((scanner: Scanner) => Statement) | undefined {
  if (word === 'switch') return readSwitch;
  if (word === 'try') return readTry;
  const how = leaveWords.find((own) => own === word);
  return how === undefined ? undefined : (scanner) => readLeave(scanner, how);
}

const labelPattern = /[a-z_]\w*/iy;

/** Reads a loop or switch with its label, `:outer foreach (…) { … }`; undefined when none stands here. */
export function readLabelled(scanner: Scanner): Statement | undefined {
  if (scanner.peek() !== ':') return undefined;
  const start = scanner.position;
  scanner.position += 1;
  const label = scanner.match(labelPattern)?.[0];
  if (label !== undefined) {
    scanner.position += label.length;
    scanner.skipLines();
    const word = keywordAt(scanner);
    if (word !== undefined && labelled.has(word)) {
      const statement = readStatement(scanner);
      return { ...statement, label: label.toLowerCase(), extent: scanner.from(start) } as Statement;
    }
  }
  scanner.position = start;
  return undefined;
}

const labelled: ReadonlySet<string> = new Set(['foreach', 'while', 'do', 'for', 'switch']);

function readLeave(scanner: Scanner, how: LeaveStatement['how']): LeaveStatement {
  const start = scanner.position;
  scanner.position += how.length;
  const end = scanner.position;
  scanner.skipBlanks();
  if (endsStage(scanner) && scanner.peek() !== '&') return { kind: 'leave', how, extent: { start, end } };
  if (how === 'break' || how === 'continue') {
    const label = scanner.match(labelPattern)?.[0];
    if (label === undefined || !endsWord(scanner.peek(label.length))) {
      scanner.fail(
        'NotSupportedInThisShell',
        `Behind '${how}' stands the label of a loop, as in '${how} outer' for ':outer foreach (…)', or nothing.`,
      );
    }
    scanner.position += label.length;
    return { kind: 'leave', how, label: label.toLowerCase(), extent: scanner.from(start) };
  }
  const value = readStatement(scanner);
  return { kind: 'leave', how, value, extent: { start, end: value.extent.end } };
}

function readTry(scanner: Scanner): TryStatement {
  const start = scanner.position;
  takeKeyword(scanner, 'try');
  scanner.skipLines();
  const body = readBlock(scanner, "the 'try' keyword");
  const catches: { types: readonly string[]; body: Block }[] = [];
  while (takeLater(scanner, 'catch') !== undefined) {
    const types = readTypes(scanner);
    catches.push({ types, body: readBlock(scanner, "the 'catch' keyword") });
  }
  let last: Block | undefined;
  if (takeLater(scanner, 'finally') !== undefined) {
    scanner.skipLines();
    last = readBlock(scanner, "the 'finally' keyword");
  }
  if (catches.length === 0 && last === undefined) {
    scanner.skipLines();
    scanner.expected('MissingCatchOrFinally', 'The Try statement is missing its Catch or Finally block.');
  }
  return { kind: 'try', body, catches, ...(last === undefined ? {} : { last }), extent: scanner.from(start) };
}

/** `[A], [B]` behind catch. */
function readTypes(scanner: Scanner): readonly string[] {
  const types: string[] = [];
  scanner.skipLines();
  while (scanner.peek() === '[') {
    types.push(readTypeName(scanner));
    scanner.skipLines();
    if (scanner.take(',')) scanner.skipLines();
  }
  return types;
}

function readSwitch(scanner: Scanner): SwitchStatement {
  const start = scanner.position;
  takeKeyword(scanner, 'switch');
  const flags = readFlags(scanner);
  const subject = readCondition(scanner, 'switch');
  scanner.skipLines();
  if (!scanner.take('{')) scanner.expected('MissingCurlyBraceInSwitchStatement', "Missing '{' in switch statement.");
  const clauses: { test?: Expression; body: Block }[] = [];
  for (scanner.skipSeparators(); !scanner.take('}'); scanner.skipSeparators()) {
    if (scanner.atEnd) scanner.expected('MissingEndCurlyBrace', "Missing closing '}' in switch statement.");
    clauses.push(readClause(scanner));
  }
  const mode = flags.has('regex') ? 'regex' : flags.has('wildcard') ? 'wildcard' : undefined;
  return {
    kind: 'switch',
    ...(mode === undefined ? {} : { mode }),
    caseSensitive: flags.has('casesensitive'),
    subject,
    clauses,
    extent: scanner.from(start),
  };
}

const flagNames = ['wildcard', 'regex', 'exact', 'casesensitive'];

function readFlags(scanner: Scanner): ReadonlySet<string> {
  const flags = new Set<string>();
  for (scanner.skipBlanks(); isDash(scanner.peek()); scanner.skipBlanks()) {
    const start = scanner.position;
    scanner.position += 1;
    const word = keywordAt(scanner) ?? '';
    scanner.position += word.length;
    const found = flagNames.find((name) => word !== '' && name.startsWith(word));
    if (found === undefined) {
      scanner.fail(
        'InvalidSwitchFlag',
        `The switch statement takes -Wildcard, -Regex, -Exact and -CaseSensitive; '-${word}' is outside the language of this shell.`,
        scanner.from(start),
      );
    }
    flags.add(found);
  }
  return flags;
}

/** `value { … }`, `word { … }`, `{ test } { … }` or `default { … }`. */
function readClause(scanner: Scanner): { test?: Expression; body: Block } {
  const isDefault = keywordAt(scanner) === 'default';
  if (isDefault) scanner.position += 'default'.length;
  const test = isDefault ? undefined : readTest(scanner);
  scanner.skipLines();
  const body = readBlock(scanner, 'the condition of a switch clause');
  return test === undefined ? { body } : { test, body };
}

function readTest(scanner: Scanner): Expression {
  if (isNameStart(scanner.peek()) || /[*?]/.test(scanner.peek())) return readWord(scanner, endsWord);
  return readPostfix(scanner, readPrimary(scanner));
}
