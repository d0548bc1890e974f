import type { Command } from '../../language/ast.ts';
import type { Extent } from '../../language/position.ts';
import { Hashtable } from '../../values/hashtable.ts';
import { findProperty } from '../../values/members.ts';
import { ShellError } from '../../values/shell-error.ts';
import { toText } from '../../values/text.ts';
import { isCommon } from '../state/common-parameters.ts';
import { type Context, located } from '../state/context.ts';
import type { CmdletDescription, ParameterDescription } from '../state/contract.ts';
import { evaluate } from '../state/engine.ts';
import { readVariable } from '../state/variables.ts';
import { convertArgument, literalText } from './convert-argument.ts';
import { filterText } from './filter-text.ts';
import { type Assigned, bindingError, type Item, itemOf, planBinding, type Slot } from './plan.ts';

/** What a line gives to a cmdlet: values by the full names of parameters. */
export interface Binding {
  readonly own: ReadonlyMap<string, unknown>;
  readonly common: ReadonlyMap<string, unknown>;
}

/** Evaluates and converts what stands behind a cmdlet's name. Throws Failure with the place of the part at fault. */
export async function bindCommand(cmdlet: CmdletDescription, command: Command, context: Context): Promise<Binding> {
  const fail = (error: unknown, extent: Extent): never => {
    throw located(context, error, extent, cmdlet);
  };
  const items: Item[] = [];
  for (const element of command.elements) {
    if (element.kind === 'splat') items.push(...splatted(readVariable(context, element.name), element.extent));
    else items.push(itemOf(element));
  }
  const { assigned, problems } = planBinding(cmdlet, items);
  const [problem] = problems;
  if (problem !== undefined) return fail(problem.error, problem.extent);
  const own = new Map<string, unknown>();
  const common = new Map<string, unknown>();
  for (const entry of assigned) {
    try {
      const target = isCommon(entry.parameter.name) ? common : own;
      target.set(entry.parameter.name, await valueFor(entry, context));
    } catch (error) {
      fail(error, extentOf(entry));
    }
  }
  return { own, common };
}

/** The value that does not fit, or the parameter when it stands elsewhere. */
function extentOf({ slots: [slot], extent }: Assigned): Extent {
  return slot !== undefined && 'node' in slot ? slot.node.extent : extent;
}

function splatted(value: unknown, extent: Extent): Item[] {
  if (value instanceof Hashtable) {
    return value
      .entries()
      .map(([key, item]) => ({ kind: 'parameter', name: toText(key), slot: { value: item }, extent }));
  }
  const list = Array.isArray(value) ? (value as readonly unknown[]) : value === null ? [] : [value];
  return list.map((item) => ({ kind: 'argument', slot: { value: item }, extent }));
}

async function valueFor({ parameter, slots }: Assigned, context: Context): Promise<unknown> {
  if (slots.length === 0) return true;
  await parameter.ready?.();
  const values: unknown[] = [];
  for (const slot of slots) values.push(await slotValue(slot, parameter, context));
  return convertArgument(parameter, parameter.remaining === true ? values.flat() : values[0]);
}

async function slotValue(slot: Slot, parameter: ParameterDescription, context: Context): Promise<unknown> {
  if ('value' in slot) return slot.value;
  if (slot.node.kind === 'script-block' && /^String$/i.test(parameter.type)) return filterText(slot.node, context);
  return literalText(slot.node, parameter) ?? (await evaluate(slot.node, context));
}

/** Parameter sets that all bound parameters belong to; undefined when nothing names a set. Throws ShellError. */
export function remainingSets(
  cmdlet: CmdletDescription,
  bound: ReadonlyMap<string, unknown>,
): ReadonlySet<string> | undefined {
  let sets: ReadonlySet<string> | undefined;
  for (const parameter of cmdlet.parameters) {
    if (parameter.sets === undefined || !bound.has(parameter.name)) continue;
    const own = new Set(parameter.sets);
    sets = sets === undefined ? own : sets.intersection(own);
    if (sets.size === 0) {
      const names = [...bound.keys()].map((name) => `-${name}`).join(', ');
      throw bindingError(
        'AmbiguousParameterSet',
        `Parameter set cannot be resolved using the specified named parameters: ${names} do not go together.`,
      );
    }
  }
  return sets;
}

/** Mandatory parameters that nothing was given for. */
export function missingParameters(
  cmdlet: CmdletDescription,
  bound: ReadonlyMap<string, unknown>,
): readonly ParameterDescription[] {
  const sets = remainingSets(cmdlet, bound);
  const mustStand = (parameter: ParameterDescription): boolean => {
    if (parameter.mandatory !== true || bound.has(parameter.name)) return false;
    return parameter.sets === undefined || (sets !== undefined && !sets.isDisjointFrom(new Set(parameter.sets)));
  };
  return cmdlet.parameters.filter(mustStand);
}

/** The error for them. */
export function missingError(parameters: readonly ParameterDescription[]): ShellError {
  const names = parameters.map(({ name }) => name).join(' ');
  return new ShellError(`Cannot process command because of one or more missing mandatory parameters: ${names}.`, {
    id: 'MissingMandatoryParameter',
    category: 'InvalidArgument',
    exception: 'ParameterBindingException',
  });
}

/** The line's parameters with those that an object of the pipeline gives. Throws ShellError when it gives none. */
export function bindItem(
  cmdlet: CmdletDescription,
  own: ReadonlyMap<string, unknown>,
  item: unknown,
): ReadonlyMap<string, unknown> {
  const bound = new Map(own);
  const free = cmdlet.parameters.filter(({ name, fromPipeline }) => fromPipeline !== undefined && !own.has(name));
  const byValue = free.find((parameter) => parameter.fromPipeline !== 'property' && accepts(parameter, item));
  if (byValue !== undefined) bound.set(byValue.name, convertArgument(byValue, item));
  for (const parameter of free) {
    const value = parameter.fromPipeline === 'value' ? undefined : namedProperty(item, parameter);
    if (value === undefined || bound.has(parameter.name) || !fits(cmdlet, bound, parameter)) continue;
    bound.set(parameter.name, convertArgument(parameter, value));
  }
  if (bound.size > own.size) return bound;
  throw new ShellError(
    'The input object cannot be bound to any parameters for the command either because the command does not take pipeline input or the input and its properties do not match any of the parameters that take pipeline input.',
    { id: 'InputObjectNotBound', category: 'InvalidArgument', exception: 'ParameterBindingException', target: item },
  );
}

function accepts(parameter: ParameterDescription, item: unknown): boolean {
  try {
    convertArgument(parameter, item);
    return true;
  } catch (error) {
    if (error instanceof ShellError && parameter.fromPipeline === 'both') return false;
    throw error;
  }
}

function namedProperty(item: unknown, { name, aliases = [] }: ParameterDescription): unknown {
  if (typeof item !== 'object') return undefined;
  return [name, ...aliases]
    .map((own) => findProperty(item, own))
    .find((value) => value !== undefined && value !== null);
}

function fits(cmdlet: CmdletDescription, bound: ReadonlyMap<string, unknown>, { sets }: ParameterDescription): boolean {
  const remaining = remainingSets(cmdlet, bound);
  return sets === undefined || remaining === undefined || !remaining.isDisjointFrom(new Set(sets));
}
