/**
 * The parts of the grammar that stand inside each other: a statement holds expressions, which hold statements in brackets. They are
 * reached by way of the scanner, so that no file needs one that needs it.
 */
import type { Expression, Statement } from './ast.ts';
import type { Closer, Scanner } from './scanner.ts';

/** Reads statements up to a closing bracket, which is not taken, or to the end. */
export function readStatements(scanner: Scanner, closer: Closer): readonly Statement[] {
  return scanner.grammar.readStatements(scanner, closer);
}

/** Reads `if`, a loop, another statement with a keyword, an assignment or a pipeline. */
export function readStatement(scanner: Scanner): Statement {
  return scanner.grammar.readStatement(scanner);
}

/** Reads an expression. Without `comma`, as between the parentheses of a method, a comma ends it. */
export function readExpression(scanner: Scanner, comma = true): Expression {
  return scanner.grammar.readExpression(scanner, comma);
}

/** Reads a value that stands for itself: a variable, a literal, something in brackets. */
export function readPrimary(scanner: Scanner): Expression {
  return scanner.grammar.readPrimary(scanner);
}
