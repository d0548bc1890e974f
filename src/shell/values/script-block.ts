import type { Block } from '../language/ast.ts';

/** `{ … }` as a value: its tree, and the text that errors in it are shown with. */
export class ScriptBlock {
  readonly body: Block;
  readonly source: Source;

  constructor(body: Block, source: Source) {
    this.body = body;
    this.source = source;
  }

  /** Without the braces, as it was written. */
  toString(): string {
    return this.source.text.slice(this.body.extent.start + 1, this.body.extent.end - 1);
  }
}

/** The text that a tree was read from. */
export interface Source {
  readonly text: string;
  /** Name of the script; absent at the prompt. */
  readonly file?: string;
}

/** `[type]` as a value. */
export class TypeValue {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  toString(): string {
    return this.name;
  }
}
