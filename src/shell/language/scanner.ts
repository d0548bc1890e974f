import type { Expression, Statement } from './ast.ts';
import { isBlank, isNewline } from './characters.ts';
import type { Extent } from './position.ts';
import { ShellSyntaxError } from './syntax-error.ts';

/** Bounds of what is read, so that a hostile text cannot exhaust the stack: far above anything written by hand. */
const maxDepth = 100;
const maxChain = 1000;

/** What ends a row of statements: the end of the text, or a bracket. */
export type Closer = '' | ')' | '}';

/** Readers of the parts that stand inside each other (`grammar.ts`). */
export interface Grammar {
  readStatements(scanner: Scanner, closer: Closer): readonly Statement[];
  readStatement(scanner: Scanner): Statement;
  readExpression(scanner: Scanner, comma: boolean): Expression;
  readPrimary(scanner: Scanner): Expression;
}

/** A cursor over the text. It knows white space, comments and line continuation; the grammar it only carries. */
export class Scanner {
  readonly text: string;
  readonly grammar: Grammar;
  /** Errors met so far; reading goes on behind each. */
  readonly errors: ShellSyntaxError[] = [];
  position = 0;
  #depth = 0;

  constructor(text: string, grammar: Grammar) {
    this.text = text;
    this.grammar = grammar;
  }

  get atEnd(): boolean {
    return this.position >= this.text.length;
  }

  /** The character at the cursor or behind it; '' past the end. */
  peek(offset = 0): string {
    return this.text[this.position + offset] ?? '';
  }

  startsWith(text: string): boolean {
    return this.text.startsWith(text, this.position);
  }

  /** Takes a text that stands at the cursor. */
  take(text: string): boolean {
    if (!this.startsWith(text)) return false;
    this.position += text.length;
    return true;
  }

  /** What a sticky pattern matches at the cursor, which stays where it is. */
  match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.position;
    return pattern.exec(this.text) ?? undefined;
  }

  from(start: number): Extent {
    return { start, end: this.position };
  }

  fail(id: string, message: string, extent: Extent = this.here()): never {
    throw new ShellSyntaxError(id, message, extent);
  }

  /** Fails; when the text is at its end, further lines may mend it. */
  expected(id: string, message: string, extent: Extent = this.here()): never {
    throw new ShellSyntaxError(id, message, extent, this.atEnd);
  }

  /** One character at the cursor. */
  here(): Extent {
    return { start: this.position, end: Math.min(this.position + 1, this.text.length) };
  }

  /** Runs a part that may hold itself, to a bounded depth. */
  nested<T>(read: () => T): T {
    if (this.#depth >= maxDepth)
      this.fail('NestingTooDeep', `More than ${maxDepth} constructs stand inside each other.`);
    this.#depth += 1;
    try {
      return read();
    } finally {
      this.#depth -= 1;
    }
  }

  /** Fails when a row of operators or members grows beyond what an evaluator can walk. */
  chain(length: number): void {
    if (length > maxChain) this.fail('ExpressionTooLong', `An expression has more than ${maxChain} operators.`);
  }

  /** Passes white space, comments and continued lines. */
  skipBlanks(): void {
    for (;;) {
      const char = this.peek();
      if (isBlank(char)) this.position += 1;
      else if (char === '`' && isNewline(this.peek(1)))
        this.position += this.text.startsWith('\r\n', this.position + 1) ? 3 : 2;
      else if (char === '#') this.#skipLineComment();
      else if (char === '<' && this.peek(1) === '#') this.#skipBlockComment();
      else return;
    }
  }

  /** Passes blanks and line breaks. */
  skipLines(): void {
    this.skipBlanks();
    while (isNewline(this.peek())) {
      this.position += 1;
      this.skipBlanks();
    }
  }

  /** Passes everything that may stand between two statements. */
  skipSeparators(): void {
    this.skipLines();
    while (this.take(';')) this.skipLines();
  }

  #skipLineComment(): void {
    while (!this.atEnd && !isNewline(this.peek())) this.position += 1;
  }

  #skipBlockComment(): void {
    const start = this.position;
    const end = this.text.indexOf('#>', start + 2);
    this.position = end < 0 ? this.text.length : end + 2;
    if (end < 0) {
      this.expected('MissingTerminatorMultiLineComment', 'The terminator #> is missing from the multiline comment.', {
        start,
        end: start + 2,
      });
    }
  }
}
