/** The tree of a script. Every node knows its place; parentheses are kept, so that a tree prints back as it was read. */
import type { Extent } from './position.ts';

interface Node {
  readonly extent: Extent;
}

export interface Script extends Node {
  readonly kind: 'script';
  readonly statements: readonly Statement[];
}

export type Statement =
  | Pipeline
  | Assignment
  | IfStatement
  | ForeachStatement
  | WhileStatement
  | DoStatement
  | ForStatement
  | SwitchStatement
  | TryStatement
  | LeaveStatement;

export interface Pipeline extends Node {
  readonly kind: 'pipeline';
  readonly stages: readonly Stage[];
}

/** Only the first stage of a pipeline may be an expression. */
export type Stage = Command | ExpressionStage;

export interface ExpressionStage extends Node {
  readonly kind: 'expression';
  readonly expression: Expression;
  readonly redirections: readonly Redirection[];
}

export interface Command extends Node {
  readonly kind: 'command';
  /** A string for a bare or quoted name; anything else was called with `&`. */
  readonly name: Expression;
  readonly elements: readonly CommandElement[];
  readonly redirections: readonly Redirection[];
}

export type CommandElement = Parameter | Argument | Splat;

/** `-Name`, or `-Name:value`. Whether the next argument belongs to it is known only when it is bound. */
export interface Parameter extends Node {
  readonly kind: 'parameter';
  readonly name: string;
  readonly value?: Expression;
}

export interface Argument extends Node {
  readonly kind: 'argument';
  readonly value: Expression;
}

/** `@name`: parameters from a hashtable, arguments from an array. */
export interface Splat extends Node {
  readonly kind: 'splat';
  readonly name: string;
}

export interface Redirection extends Node {
  readonly kind: 'redirection';
  /** Stream that is taken: output (1), error (2), warning (3), verbose (4), debug (5), Write-Host (6) or all. */
  readonly stream: '1' | '2' | '3' | '4' | '5' | '6' | '*';
  readonly append: boolean;
  /** A file or `$null`; absent: the stream goes where the output goes (`2>&1`). */
  readonly target?: Expression;
}

export interface Assignment extends Node {
  readonly kind: 'assignment';
  readonly operator: '=' | '+=' | '-=' | '*=' | '/=' | '%=';
  readonly target: Expression;
  readonly value: Statement;
}

export interface IfStatement extends Node {
  readonly kind: 'if';
  readonly clauses: readonly { readonly condition: Statement; readonly body: Block }[];
  readonly otherwise?: Block;
}

/** What `break` and `continue` can name: `:outer foreach (…) { … }`. Labels are kept in lower case. */
interface Labelled extends Node {
  readonly label?: string;
}

export interface ForeachStatement extends Labelled {
  readonly kind: 'foreach';
  readonly variable: string;
  readonly source: Statement;
  readonly body: Block;
}

export interface WhileStatement extends Labelled {
  readonly kind: 'while';
  readonly condition: Statement;
  readonly body: Block;
}

/** `do { … } while (…)`, `do { … } until (…)`: the body runs once at least. */
export interface DoStatement extends Labelled {
  readonly kind: 'do';
  readonly body: Block;
  readonly condition: Statement;
  readonly until: boolean;
}

/** `for (initial; condition; step) { … }`; each part may be absent. */
export interface ForStatement extends Labelled {
  readonly kind: 'for';
  readonly initial?: Statement;
  readonly condition?: Statement;
  readonly step?: Statement;
  readonly body: Block;
}

export interface SwitchStatement extends Labelled {
  readonly kind: 'switch';
  /** How texts are compared; absent: as -eq does. */
  readonly mode?: 'wildcard' | 'regex';
  readonly caseSensitive: boolean;
  readonly subject: Statement;
  /** In order; a clause without a test is the default. */
  readonly clauses: readonly { readonly test?: Expression; readonly body: Block }[];
}

export interface TryStatement extends Node {
  readonly kind: 'try';
  readonly body: Block;
  /** A catch without types takes every error. */
  readonly catches: readonly { readonly types: readonly string[]; readonly body: Block }[];
  readonly last?: Block;
}

export const leaveWords = ['break', 'continue', 'return', 'exit', 'throw'] as const;

/** Ends a loop, a block or the script, or throws. */
export interface LeaveStatement extends Node {
  readonly kind: 'leave';
  readonly how: (typeof leaveWords)[number];
  readonly value?: Statement;
  /** The loop that break or continue is for; absent: the innermost one. */
  readonly label?: string;
}

export interface Block extends Node {
  readonly kind: 'block';
  readonly statements: readonly Statement[];
}

export type Expression =
  | NumberLiteral
  | StringLiteral
  | ExpandableString
  | Variable
  | TypeLiteral
  | ArrayLiteral
  | ArrayExpression
  | SubExpression
  | Parenthesis
  | HashLiteral
  | ScriptBlockLiteral
  | Unary
  | Binary
  | Cast
  | Increment
  | MemberAccess
  | MethodCall
  | Index;

export type ExpressionKind = Expression['kind'];

export interface NumberLiteral extends Node {
  readonly kind: 'number';
  readonly value: number;
  /** As written: `10MB` for a parameter that reads sizes itself, `007` for one that takes text. */
  readonly text: string;
}

export interface StringLiteral extends Node {
  readonly kind: 'string';
  readonly value: string;
}

/** A string with variables or sub-expressions in it. Neighbouring texts are one part. */
export interface ExpandableString extends Node {
  readonly kind: 'expandable';
  readonly parts: readonly (string | Variable | SubExpression)[];
}

export interface Variable extends Node {
  readonly kind: 'variable';
  /** With its scope or drive, as in `env:COMPUTERNAME`. */
  readonly name: string;
}

export interface TypeLiteral extends Node {
  readonly kind: 'type';
  readonly name: string;
}

export interface ArrayLiteral extends Node {
  readonly kind: 'array';
  readonly items: readonly Expression[];
}

/** `@( … )`: always an array. */
export interface ArrayExpression extends Node {
  readonly kind: 'array-expression';
  readonly statements: readonly Statement[];
}

/** `$( … )`: one value alone, several as an array. */
export interface SubExpression extends Node {
  readonly kind: 'sub-expression';
  readonly statements: readonly Statement[];
}

export interface Parenthesis extends Node {
  readonly kind: 'parenthesis';
  readonly statement: Statement;
}

export interface HashLiteral extends Node {
  readonly kind: 'hashtable';
  readonly entries: readonly { readonly key: Expression; readonly value: Statement }[];
}

export interface ScriptBlockLiteral extends Node {
  readonly kind: 'script-block';
  readonly body: Block;
}

export type UnaryOperator = 'not' | 'minus' | 'plus' | 'comma' | 'join' | 'split' | 'bnot';

export interface Unary extends Node {
  readonly kind: 'unary';
  readonly operator: UnaryOperator;
  readonly operand: Expression;
}

export interface Binary extends Node {
  readonly kind: 'binary';
  /** `+`, `..`, or the name after the dash in lower case: `eq`, `clike`. */
  readonly operator: string;
  readonly left: Expression;
  readonly right: Expression;
}

export interface Cast extends Node {
  readonly kind: 'cast';
  readonly type: string;
  readonly operand: Expression;
}

export interface Increment extends Node {
  readonly kind: 'increment';
  readonly operator: '++' | '--';
  readonly prefix: boolean;
  readonly target: Expression;
}

export interface MemberAccess extends Node {
  readonly kind: 'member';
  readonly target: Expression;
  readonly member: Expression;
  readonly isStatic: boolean;
}

export interface MethodCall extends Node {
  readonly kind: 'call';
  readonly target: Expression;
  readonly member: Expression;
  readonly isStatic: boolean;
  readonly args: readonly Expression[];
}

export interface Index extends Node {
  readonly kind: 'index';
  readonly target: Expression;
  readonly index: Expression;
}
