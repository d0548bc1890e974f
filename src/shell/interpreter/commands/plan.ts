import { nearestNameHint } from '../../../base/index.ts';
import type { CommandElement, Expression } from '../../language/ast.ts';
import { plainDashes } from '../../language/characters.ts';
import type { Extent } from '../../language/position.ts';
import { printExpression } from '../../language/printer.ts';
import { ShellError } from '../../values/shell-error.ts';
import { toText } from '../../values/text.ts';
import { allParameters } from '../state/common-parameters.ts';
import type { CmdletDescription, ParameterDescription } from '../state/contract.ts';

/** A value that is still to be evaluated, or one that came from a splatted table. */
export type Slot = { readonly node: Expression } | { readonly value: unknown };

/** What stands behind a cmdlet's name, splatted tables unfolded. */
export type Item =
  | { readonly kind: 'parameter'; readonly name: string; readonly slot?: Slot; readonly extent: Extent }
  | { readonly kind: 'argument'; readonly slot: Slot; readonly extent: Extent };

/** A parameter and what was written for it. No slots: a switch by its name alone. */
export interface Assigned {
  readonly parameter: ParameterDescription;
  readonly slots: readonly Slot[];
  readonly extent: Extent;
}

export interface Problem {
  readonly error: ShellError;
  readonly extent: Extent;
}

/** Which parameter takes what. Made without evaluating anything, for running and for checking alike. */
export interface Plan {
  readonly assigned: readonly Assigned[];
  readonly problems: readonly Problem[];
}

/** An error of parameter binding. */
export function bindingError(id: string, message: string, target?: unknown): ShellError {
  return new ShellError(message, { id, category: 'InvalidArgument', exception: 'ParameterBindingException', target });
}

/** The items of a command without splatted ones. */
export function itemOf(element: Exclude<CommandElement, { kind: 'splat' }>): Item {
  const { extent } = element;
  if (element.kind === 'argument') return { kind: 'argument', slot: { node: element.value }, extent };
  const slot = element.value === undefined ? {} : { slot: { node: element.value } };
  return { kind: 'parameter', name: plainDashes(element.name), extent, ...slot };
}

/** Finds a parameter by its name, an alias, or the beginning of one. Throws ShellError. */
export function findParameter(name: string, parameters: readonly ParameterDescription[]): ParameterDescription {
  const folded = name.toLowerCase();
  const namesOf = (parameter: ParameterDescription): string[] =>
    [parameter.name, ...(parameter.aliases ?? [])].map((own) => own.toLowerCase());
  const exact = parameters.find((parameter) => namesOf(parameter).includes(folded));
  if (exact !== undefined) return exact;
  const found = parameters.filter((parameter) => namesOf(parameter).some((own) => own.startsWith(folded)));
  const [first, second] = found;
  if (first === undefined) {
    const hint = nearestNameHint(
      `-${name}`,
      parameters.map((parameter) => `-${parameter.name}`),
    );
    throw bindingError(
      'NamedParameterNotFound',
      `A parameter cannot be found that matches parameter name '${name}'.${hint}`,
    );
  }
  if (second === undefined) return first;
  const matches = found.map((parameter) => `-${parameter.name}`).join(' ');
  throw bindingError(
    'AmbiguousParameter',
    `Parameter cannot be processed because the parameter name '${name}' is ambiguous. Possible matches include: ${matches}.`,
  );
}

/** Gives each item to its parameter. */
export function planBinding(cmdlet: CmdletDescription, items: readonly Item[]): Plan {
  const parameters = allParameters(cmdlet);
  const assigned = new Map<ParameterDescription, { slots: Slot[]; extent: Extent }>();
  const problems: Problem[] = [];
  const positional: (Item & { kind: 'argument' })[] = [];
  const queue = [...items];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
    if (item.kind === 'argument') {
      positional.push(item);
      continue;
    }
    try {
      const parameter = findParameter(item.name, parameters);
      if (assigned.has(parameter)) throw alreadyBound(parameter);
      const slot = item.slot ?? (isSwitch(parameter) ? undefined : followingArgument(parameter, queue));
      assigned.set(parameter, { slots: slot === undefined ? [] : [slot], extent: item.extent });
    } catch (error) {
      if (!(error instanceof ShellError)) throw error;
      problems.push({ error, extent: item.extent });
      // The value of an unknown parameter is most likely the argument behind it.
      if (error.details.id === 'NamedParameterNotFound' && queue[0]?.kind === 'argument') queue.shift();
    }
  }
  assignPositional(parameters, positional, assigned, problems);
  return { assigned: [...assigned].map(([parameter, rest]) => ({ parameter, ...rest })), problems };
}

function isSwitch(parameter: ParameterDescription): boolean {
  return parameter.type === 'SwitchParameter';
}

function alreadyBound({ name }: ParameterDescription): ShellError {
  return bindingError(
    'ParameterAlreadyBound',
    `Cannot bind parameter because parameter '${name}' is specified more than once. To provide multiple values to parameters that can accept multiple values, use the array syntax. For example, "-parameter value1,value2,value3".`,
  );
}

function followingArgument(parameter: ParameterDescription, queue: Item[]): Slot {
  const [next] = queue;
  if (next?.kind === 'argument') {
    queue.shift();
    return next.slot;
  }
  const values = parameter.allowed === undefined ? '' : ` Allowed values: ${parameter.allowed.join(', ')}.`;
  throw bindingError(
    'MissingArgument',
    `Missing an argument for parameter '${parameter.name}'. Specify a parameter of type '${parameter.type}' and try again.${values}`,
  );
}

function assignPositional(
  parameters: readonly ParameterDescription[],
  items: readonly (Item & { kind: 'argument' })[],
  assigned: Map<ParameterDescription, { slots: Slot[]; extent: Extent }>,
  problems: Problem[],
): void {
  const free = parameters
    .filter(
      (parameter) => (parameter.position !== undefined || parameter.remaining === true) && !assigned.has(parameter),
    )
    .toSorted((a, b) => (a.position ?? Infinity) - (b.position ?? Infinity));
  for (const { slot, extent } of items) {
    const [parameter] = free;
    if (parameter === undefined) {
      const error = bindingError(
        'PositionalParameterNotFound',
        `A positional parameter cannot be found that accepts argument '${slotText(slot)}'.`,
      );
      problems.push({ error, extent });
      continue;
    }
    const entry = assigned.get(parameter) ?? { slots: [], extent };
    entry.slots.push(slot);
    assigned.set(parameter, entry);
    if (parameter.remaining !== true) free.shift();
  }
}

function slotText(slot: Slot): string {
  if (!('node' in slot)) return toText(slot.value);
  const { node } = slot;
  if (node.kind === 'string') return node.value;
  return printExpression(node);
}
