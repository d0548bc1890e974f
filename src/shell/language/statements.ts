import type {
  Assignment,
  Block,
  Expression,
  ForeachStatement,
  IfStatement,
  Pipeline,
  Redirection,
  Stage,
  Statement,
} from './ast.ts';
import { endsWord, isDash, isDoubleQuote, isNewline, isSingleQuote } from './characters.ts';
import { endsStage, readCommand, readRedirection } from './commands.ts';
import { controlReader, readLabelled } from './control.ts';
import { readExpression } from './expressions.ts';
import { readBlock } from './groups.ts';
import { keywordAt, readCondition, takeKeyword, takeLater } from './keyword-parts.ts';
import { refusedKeywords } from './keywords.ts';
import { loopReader } from './loops.ts';
import { passConstruct, passOver } from './recovery.ts';
import type { Closer, Scanner } from './scanner.ts';
import { ShellSyntaxError } from './syntax-error.ts';
import { readVariable } from './variable.ts';

/** More errors than anyone reads; behind them nothing is read any more. */
const maxErrors = 100;

/**
 * Reads statements up to the closing bracket, which is left, or to the end of the text. A statement at fault is put on
 * record and passed over, so that one run finds the errors of all.
 */
export function readStatements(scanner: Scanner, closer: Closer): readonly Statement[] {
  const statements: Statement[] = [];
  for (scanner.skipSeparators(); !scanner.atEnd && scanner.peek() !== closer; scanner.skipSeparators()) {
    const start = scanner.position;
    try {
      const statement = readStatement(scanner);
      statements.push(statement);
      requireEnd(scanner, statement, closer);
    } catch (error) {
      if (!(error instanceof ShellSyntaxError) || error.incomplete || scanner.errors.length >= maxErrors) throw error;
      scanner.errors.push(error);
      if (error.id === 'NotSupportedInThisShell') passConstruct(scanner, start);
      passOver(scanner, start, closer);
    }
  }
  return statements;
}

/** Statements that end with their own closing bracket. */
const closed: ReadonlySet<Statement['kind']> = new Set(['if', 'foreach', 'while', 'for', 'switch', 'try']);

function requireEnd(scanner: Scanner, statement: Statement, closer: string): void {
  if (closed.has(statement.kind)) return;
  scanner.skipBlanks();
  const char = scanner.peek();
  if (scanner.atEnd || char === ';' || char === closer || isNewline(char)) return;
  if (char === '&') refuseAmpersand(scanner);
  const start = scanner.position;
  let end = start + 1;
  while (!endsWord(scanner.text[end] ?? '')) end += 1;
  scanner.fail('UnexpectedToken', `Unexpected token '${scanner.text.slice(start, end)}' in expression or statement.`, {
    start,
    end,
  });
}

function refuseAmpersand(scanner: Scanner): never {
  if (scanner.startsWith('&&')) refuseChain(scanner, '&&');
  return scanner.fail(
    'AmpersandNotAllowed',
    'The ampersand (&) character is not allowed here. To pass it as part of a string, put it in quotation marks: "&".',
  );
}

function refuseChain(scanner: Scanner, token: string): never {
  const extent = { start: scanner.position, end: scanner.position + 2 };
  return scanner.fail(
    'InvalidEndOfLine',
    `The token '${token}' is not a valid statement separator in this version.`,
    extent,
  );
}

/** Reads `if`, a loop, another statement with a keyword, an assignment or a pipeline. */
export function readStatement(scanner: Scanner): Statement {
  return scanner.nested(() => {
    const named = readLabelled(scanner);
    if (named !== undefined) return named;
    const word = keywordAt(scanner);
    if (word === 'if') return readIf(scanner);
    if (word === 'foreach') return readForeach(scanner);
    const known = word === undefined ? undefined : (loopReader(word) ?? controlReader(word));
    if (known !== undefined) return known(scanner);
    const refusal = word === undefined ? undefined : refusedKeywords.get(word);
    if (word !== undefined && refusal !== undefined) {
      const extent = { start: scanner.position, end: scanner.position + word.length };
      scanner.fail('NotSupportedInThisShell', refusal, extent);
    }
    return readPipeline(scanner);
  });
}

function readIf(scanner: Scanner): IfStatement {
  const start = scanner.position;
  const clauses: { condition: Statement; body: Block }[] = [];
  for (let word = takeKeyword(scanner, 'if'); word !== undefined; word = takeLater(scanner, 'elseif', 'else')) {
    if (word === 'else') {
      scanner.skipLines();
      const otherwise = readBlock(scanner, "the 'else' keyword");
      return { kind: 'if', clauses, otherwise, extent: scanner.from(start) };
    }
    const condition = readCondition(scanner, word);
    scanner.skipLines();
    clauses.push({ condition, body: readBlock(scanner, `the condition of '${word}'`) });
  }
  return { kind: 'if', clauses, extent: scanner.from(start) };
}

function readForeach(scanner: Scanner): ForeachStatement {
  const start = scanner.position;
  takeKeyword(scanner, 'foreach');
  scanner.skipLines();
  if (!scanner.take('(')) {
    scanner.expected('MissingOpenParenthesisAfterKeyword', "Missing opening '(' after keyword 'foreach'.");
  }
  scanner.skipLines();
  const variable = scanner.peek() === '$' ? readVariable(scanner) : undefined;
  if (variable === undefined) {
    scanner.expected('MissingVariableNameAfterForeach', 'Missing variable name after foreach.');
  }
  scanner.skipLines();
  if (takeKeyword(scanner, 'in') === undefined) {
    scanner.expected('MissingInInForeach', "Missing 'in' after variable in foreach loop.");
  }
  scanner.skipLines();
  if (scanner.atEnd || scanner.peek() === ')') {
    scanner.expected('MissingForeachExpression', "Missing expression after 'in' in foreach loop.");
  }
  const source = readStatement(scanner);
  scanner.skipLines();
  if (!scanner.take(')')) {
    scanner.expected('MissingEndParenthesisAfterForeach', "Missing closing ')' after expression in foreach loop.");
  }
  scanner.skipLines();
  const body = readBlock(scanner, "the 'foreach' loop");
  return { kind: 'foreach', variable: variable.name, source, body, extent: scanner.from(start) };
}

function readPipeline(scanner: Scanner): Pipeline | Assignment {
  const start = scanner.position;
  const first = readFirstStage(scanner);
  if (first.kind === 'assignment') return first;
  const stages: Stage[] = [first];
  for (scanner.skipBlanks(); scanner.peek() === '|'; scanner.skipBlanks()) {
    if (scanner.startsWith('||')) refuseChain(scanner, '||');
    scanner.position += 1;
    scanner.skipLines();
    if (endsStage(scanner) && scanner.peek() !== '&') {
      scanner.expected('EmptyPipeElement', 'An empty pipe element is not allowed.');
    }
    if (beginsExpression(scanner)) {
      scanner.fail(
        'ExpressionsMustBeFirstInPipeline',
        'Expressions are only allowed as the first element of a pipeline.',
      );
    }
    stages.push(readCommand(scanner));
  }
  return { kind: 'pipeline', stages, extent: { start, end: stages.at(-1)?.extent.end ?? start } };
}

function readFirstStage(scanner: Scanner): Stage | Assignment {
  refuseDotSourcing(scanner);
  if (scanner.peek() === '|') scanner.fail('EmptyPipeElement', 'An empty pipe element is not allowed.');
  if (!beginsExpression(scanner)) return readCommand(scanner);
  const start = scanner.position;
  const expression = readExpression(scanner);
  const assignment = readAssignment(scanner, expression);
  if (assignment !== undefined) return assignment;
  const redirections: Redirection[] = [];
  let end = expression.extent.end;
  for (;;) {
    scanner.skipBlanks();
    const redirection = readRedirection(scanner);
    if (redirection === undefined) break;
    redirections.push(redirection);
    end = scanner.position;
  }
  return { kind: 'expression', expression, redirections, extent: { start, end } };
}

function refuseDotSourcing(scanner: Scanner): void {
  if (scanner.peek() !== '.' || !/[\s'"$(]/.test(scanner.peek(1))) return;
  scanner.fail('NotSupportedInThisShell', "Dot-sourcing ('. file') is outside the language of this shell.");
}

const numberStart =
  /[-\u2013-\u2015+]?(?:0x[0-9a-f]+|\.?\d[\d.]*(?:e[+-]?\d+)?)[ld]?(?:[kmgtp]b)?(?=$|[\s,;|)}\]*/%+<>=\u2013-\u2015-])/iuy;

/** True where a statement begins with a value and not with the name of a command. */
function beginsExpression(scanner: Scanner): boolean {
  const [char, next] = [scanner.peek(), scanner.peek(1)];
  if (isSingleQuote(char) || isDoubleQuote(char) || '$({[!,'.includes(char)) return true;
  if (char === '@') return '({'.includes(next) || isSingleQuote(next) || isDoubleQuote(next);
  if ((char === '+' || isDash(char)) && !/[\d.]/.test(next)) return true;
  const number = scanner.match(numberStart)?.[0];
  return number !== undefined && !/\d\.\d+\./.test(number);
}

const assignmentPattern = /[-\u2013-\u2015+*/%]?=/uy;

function readAssignment(scanner: Scanner, target: Expression): Assignment | undefined {
  scanner.skipBlanks();
  const text = scanner.match(assignmentPattern)?.[0];
  if (text === undefined) return undefined;
  if (!isAssignable(target)) {
    scanner.fail(
      'InvalidLeftHandSide',
      'The assignment expression is not valid. The input to an assignment operator must be an object that is able to accept assignments, such as a variable or a property.',
      target.extent,
    );
  }
  scanner.position += text.length;
  const operator = text.replace(/[\u2013-\u2015]/, '-') as Assignment['operator'];
  if (scanner.peek() === '=') scanner.fail('UnexpectedToken', "Unexpected token '=': values are compared with -eq.");
  scanner.skipLines();
  if (endsStage(scanner) && scanner.peek() !== '&') {
    scanner.expected(
      'ExpectedValueExpression',
      `You must provide a value expression following the '${operator}' operator.`,
    );
  }
  const value = readStatement(scanner);
  return { kind: 'assignment', operator, target, value, extent: { start: target.extent.start, end: value.extent.end } };
}

function isAssignable(target: Expression): boolean {
  if (target.kind === 'array') return target.items.every(isAssignable);
  if (target.kind === 'cast') return target.operand.kind === 'variable';
  return target.kind === 'variable' || target.kind === 'index' || (target.kind === 'member' && !target.isStatic);
}
