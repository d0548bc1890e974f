import { ShellError } from '../values/shell-error.ts';

/** Variables, found without regard to case. An inner scope reads its outer ones and writes its own. */
export class Scope {
  readonly #variables = new Map<string, unknown>();
  readonly #outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  /** undefined when no scope has it. */
  get(name: string): unknown {
    const folded = name.toLowerCase();
    return this.#variables.has(folded) ? this.#variables.get(folded) : this.#outer?.get(folded);
  }

  set(name: string, value: unknown): void {
    const folded = name.toLowerCase();
    if (constants.has(folded)) {
      throw new ShellError(`Cannot overwrite variable ${name} because it is read-only or constant.`, {
        id: 'VariableNotWritable',
        category: 'WriteError',
        exception: 'SessionStateUnauthorizedAccessException',
        target: name,
      });
    }
    this.#variables.set(folded, value);
  }

  /** The scope of the session itself. */
  get global(): Scope {
    return this.#outer?.global ?? this;
  }

  names(): string[] {
    return [...new Set([...this.#variables.keys(), ...(this.#outer?.names() ?? [])])];
  }
}

/** Variables that hold one value for ever. */
export const constants: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
]);
