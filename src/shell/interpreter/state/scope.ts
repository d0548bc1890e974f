import { convertTo } from '../../values/convert.ts';
import { ShellError } from '../../values/shell-error.ts';

/** Variables, found without regard to case. An inner scope reads its outer ones and writes its own. */
export class Scope {
  readonly #variables = new Map<string, [name: string, value: unknown]>();
  /** Types that variables were declared with: what is stored is converted. */
  readonly #types = new Map<string, string>();
  readonly #outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  /** undefined when no scope has it. */
  get(name: string): unknown {
    const folded = name.toLowerCase();
    const own = this.#variables.get(folded);
    return own === undefined ? this.#outer?.get(folded) : own[1];
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
    const type = this.#types.get(folded);
    const stored = type === undefined ? value : convertTo(type, value);
    this.#variables.set(folded, [this.#variables.get(folded)?.[0] ?? name, stored]);
  }

  /** `[int]$x = …`: the variable holds this type from now on. */
  declare(name: string, type: string): void {
    this.#types.set(name.toLowerCase(), type);
  }

  /** Takes a variable away from the innermost scope that has it. */
  remove(name: string): void {
    this.#types.delete(name.toLowerCase());
    if (!this.#variables.delete(name.toLowerCase())) this.#outer?.remove(name);
  }

  /** The scope of the session itself. */
  get global(): Scope {
    return this.#outer?.global ?? this;
  }

  /** As they were first written. */
  names(): string[] {
    const outer = this.#outer?.names().filter((name) => !this.#variables.has(name.toLowerCase())) ?? [];
    return [...[...this.#variables.values()].map(([name]) => name), ...outer];
  }
}

/** Variables that hold one value for ever. */
export const constants: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
]);
