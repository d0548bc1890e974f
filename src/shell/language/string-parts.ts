import type { ExpandableString, StringLiteral, SubExpression, Variable } from './ast.ts';
import type { Extent } from './position.ts';

/** Collects the pieces of a string while it is read. */
export class StringParts {
  readonly #parts: (string | Variable | SubExpression)[] = [];
  #text = '';
  #expandable = false;

  get isEmpty(): boolean {
    return this.#parts.length === 0 && this.#text === '';
  }

  text(text: string): void {
    this.#text += text;
  }

  node(node: Variable | SubExpression): void {
    this.#expandable = true;
    this.#flush();
    this.#parts.push(node);
  }

  /** Takes over another string's pieces. */
  append(string: StringLiteral | ExpandableString): void {
    if (string.kind === 'string') return this.text(string.value);
    for (const part of string.parts) {
      if (typeof part === 'string') this.text(part);
      else this.node(part);
    }
  }

  finish(extent: Extent): StringLiteral | ExpandableString {
    if (!this.#expandable) return { kind: 'string', value: this.#text, extent };
    this.#flush();
    return { kind: 'expandable', parts: this.#parts, extent };
  }

  #flush(): void {
    if (this.#text !== '') this.#parts.push(this.#text);
    this.#text = '';
  }
}
