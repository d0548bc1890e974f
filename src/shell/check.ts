import type { CommandFinder } from './catalogue.ts';
import { missingError, missingParameters, remainingSets } from './interpreter/commands/binding.ts';
import { convertArgument, literalText } from './interpreter/commands/convert-argument.ts';
import { type Assigned, itemOf, planBinding } from './interpreter/commands/plan.ts';
import { canMake } from './interpreter/expressions/new-object.ts';
import { regularExpression } from './interpreter/expressions/regular-expressions.ts';
import { knowsStatic } from './interpreter/expressions/statics.ts';
import { commandNotFound } from './interpreter/state/command-not-found.ts';
import { isCommon } from './interpreter/state/common-parameters.ts';
import type { CmdletDescription } from './interpreter/state/contract.ts';
import type { Binary, Command, Expression, Pipeline, Statement } from './language/ast.ts';
import { plainDashes } from './language/characters.ts';
import { parse } from './language/parser.ts';
import type { Extent } from './language/position.ts';
import { convertTo, findType } from './values/convert.ts';
import { Hashtable } from './values/hashtable.ts';
import { ShellError } from './values/shell-error.ts';

/** Something in a script that cannot run. */
export interface CheckProblem {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly id: string;
  readonly message: string;
}

/** Everything that is wrong with a script and can be known without running it, in order of place. */
export function checkScript(text: string, finder: CommandFinder): readonly CheckProblem[] {
  const { script, errors } = parse(text);
  const found: { extent: Extent; id: string; message: string }[] = [...errors];
  new Checker(finder, (extent, error) => found.push({ extent, id: error.details.id, message: error.message })).node(
    script,
  );
  const lines = lineStarts(text);
  return found
    .toSorted((a, b) => a.extent.start - b.extent.start)
    .map(({ extent, id, message }) => ({ ...placeIn(lines, extent.start), id, message }));
}

/** Where each line begins: thousands of places are looked up in one text. */
function lineStarts(text: string): readonly number[] {
  return [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map((found) => found.index + found[0].length)];
}

function placeIn(lines: readonly number[], offset: number): { line: number; column: number } {
  const last = lines.findLastIndex((start) => start <= offset);
  return { line: last + 1, column: offset - (lines[last] ?? 0) + 1 };
}

/** `file:line:column: message`. */
export function problemLine(file: string, { line, column, message }: CheckProblem): string {
  return `${file}:${line}:${column}: ${message}`;
}

class Checker {
  readonly #finder: CommandFinder;
  readonly #report: (extent: Extent, error: ShellError) => void;
  /** Blocks that are text to their cmdlet: `-Filter {…}`. */
  readonly #texts = new Set<unknown>();

  constructor(finder: CommandFinder, report: (extent: Extent, error: ShellError) => void) {
    this.#finder = finder;
    this.#report = report;
  }

  /** Checks a node and all below it. */
  node(value: unknown): void {
    if (Array.isArray(value)) {
      for (const item of value) this.node(item);
      return;
    }
    if (value === null || typeof value !== 'object' || this.#texts.has(value)) return;
    if ('kind' in value) this.#own(value as Statement | Command | Expression);
    for (const [name, child] of Object.entries(value)) if (name !== 'extent') this.node(child);
  }

  #own(node: Statement | Command | Expression): void {
    if (node.kind === 'pipeline') this.#pipeline(node);
    else if (node.kind === 'cast') this.#cast(node.type, node.operand, node.extent);
    else if (node.kind === 'type') this.#typeAlone(node.name, node.extent);
    else if (node.kind === 'member' || node.kind === 'call') this.#static(node);
    else if (node.kind === 'binary') this.#binary(node);
  }

  #attempt(extent: Extent, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof ShellError)) throw error;
      this.#report(extent, error);
    }
  }

  #pipeline({ stages }: Pipeline): void {
    for (const [i, stage] of stages.entries()) if (stage.kind === 'command') this.#command(stage, i > 0);
  }

  #command(command: Command, fed: boolean): void {
    if (command.name.kind !== 'string') return;
    const { value: name } = command.name;
    const cmdlet = this.#finder.find(plainDashes(name));
    if (cmdlet === undefined) {
      this.#report(command.name.extent, commandNotFound(name, this.#finder.names()));
      return;
    }
    const items = command.elements.flatMap((element) => (element.kind === 'splat' ? [] : [itemOf(element)]));
    const { assigned, problems } = planBinding(cmdlet, items);
    for (const { error, extent } of problems) this.#report(extent, error);
    for (const entry of assigned) this.#argument(entry);
    if (items.length === command.elements.length && problems.length === 0)
      this.#completeness(cmdlet, command, { assigned, fed });
  }

  #argument({ parameter, slots }: Assigned): void {
    const [slot] = slots;
    if (slot !== undefined && 'node' in slot && /^String$/i.test(parameter.type)) this.#texts.add(slot.node);
    if (slot === undefined || !('node' in slot) || parameter.remaining === true) return;
    const { node } = slot;
    const known = constantOf(node);
    if (known === undefined) return;
    const value = literalText(node, parameter) ?? known.value;
    this.#attempt(node.extent, () => void convertArgument(parameter, value));
  }

  #completeness(
    cmdlet: CmdletDescription,
    command: Command,
    { assigned, fed }: { assigned: readonly Assigned[]; fed: boolean },
  ): void {
    const own = assigned.filter(({ parameter }) => !isCommon(parameter.name));
    const bound = new Map(own.map(({ parameter }) => [parameter.name, true] as const));
    this.#attempt(command.extent, () => {
      remainingSets(cmdlet, bound);
      const missing = missingParameters(cmdlet, bound).filter(({ fromPipeline }) => !fed || fromPipeline === undefined);
      if (missing.length > 0) throw missingError(missing);
    });
  }

  #cast(type: string, operand: Expression, extent: Extent): void {
    const known = constantOf(operand);
    this.#attempt(extent, () => {
      if (known !== undefined || findType(type) === undefined) convertTo(type, known?.value ?? null);
    });
  }

  /** A type that stands alone may be one that only static members are known of: those are checked with their member. */
  #typeAlone(name: string, extent: Extent): void {
    if (
      findType(name) === undefined &&
      !/\.|^(?:math|convert|environment|regex|stringsplitoptions|stringcomparison)$/i.test(name)
    )
      this.#attempt(extent, () => void convertTo(name, null));
  }

  #static(node: Extract<Expression, { kind: 'member' | 'call' }>): void {
    const { target, member, isStatic, extent } = node;
    if (!isStatic || target.kind !== 'type' || member.kind !== 'string') return;
    const isNew = node.kind === 'call' && member.value.toLowerCase() === 'new';
    if ((isNew && canMake(target.name)) || knowsStatic(target.name, member.value, node.kind === 'call')) return;
    const message = `[${target.name}]::${member.value} is outside the language of this shell.`;
    this.#report(extent, new ShellError(message, { id: 'NotSupportedInThisShell', category: 'NotImplemented' }));
  }

  #binary({ operator, right }: Binary): void {
    if (!/^c?(?:not)?match$/.test(operator) || right.kind !== 'string') return;
    this.#attempt(right.extent, () => void regularExpression(right.value, false));
  }
}

/** The value of a literal; undefined for anything that must be run. */
function constantOf(node: Expression): { readonly value: unknown } | undefined {
  switch (node.kind) {
    case 'number':
    case 'string':
      return { value: node.value };
    case 'variable': {
      const constants: Readonly<Record<string, unknown>> = { true: true, false: false, null: null };
      const name = node.name.toLowerCase();
      return Object.hasOwn(constants, name) ? { value: constants[name] } : undefined;
    }
    case 'parenthesis':
      return constantStatement(node.statement);
    case 'array':
      return constantList(node.items.map(constantOf));
    case 'array-expression': {
      const [statement] = node.statements;
      const only = node.statements.length === 1 && statement !== undefined ? constantStatement(statement) : undefined;
      return only === undefined ? undefined : { value: [only.value].flat() };
    }
    case 'hashtable': {
      const entries = node.entries.map(({ key, value }) => [constantOf(key), constantStatement(value)] as const);
      const known = entries.flatMap(([key, value]) =>
        key === undefined || value === undefined ? [] : [[key.value, value.value] as const],
      );
      return known.length === entries.length ? { value: new Hashtable(known) } : undefined;
    }
    default:
      return undefined;
  }
}

function constantStatement(statement: Statement): { readonly value: unknown } | undefined {
  const [stage] = statement.kind === 'pipeline' && statement.stages.length === 1 ? statement.stages : [];
  return stage?.kind === 'expression' ? constantOf(stage.expression) : undefined;
}

function constantList(
  items: readonly ({ readonly value: unknown } | undefined)[],
): { readonly value: unknown } | undefined {
  const known = items.flatMap((item) => (item === undefined ? [] : [item.value]));
  return known.length === items.length ? { value: known } : undefined;
}
