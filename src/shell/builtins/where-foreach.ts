import { callMethod } from '../interpreter/expressions/methods.ts';
import { applyOperator } from '../interpreter/expressions/operators.ts';
import type { CmdletCall, ParameterDescription, ShellCmdlet } from '../interpreter/state/contract.ts';
import { enumerate } from '../interpreter/state/engine.ts';
import { toBoolean } from '../values/convert.ts';
import { findProperty, getProperty } from '../values/members.ts';
import { ScriptBlock } from '../values/script-block.ts';
import { ShellError } from '../values/shell-error.ts';
import { toText } from '../values/text.ts';
import { builtIn, inputOf, listParameter, textParameter } from './builtin.ts';

/** Comparisons of the form `Where-Object Name -Like 'x*'`. */
const comparisons = [
  'EQ', 'NE', 'GT', 'GE', 'LT', 'LE', 'Like', 'NotLike', 'Match', 'NotMatch', 'Contains', 'NotContains', 'In', 'NotIn', 'Is', 'IsNot',
  'CEQ', 'CNE', 'CGT', 'CGE', 'CLT', 'CLE', 'CLike', 'CNotLike', 'CMatch', 'CNotMatch', 'CContains', 'CNotContains', 'CIn', 'CNotIn', 'Not',
]; // biome-ignore format: a table of words

const aliases: Readonly<Record<string, readonly string[]>> = {
  EQ: ['IEQ'],
  NE: ['INE'],
  Like: ['ILike'],
  Match: ['IMatch'],
};

const comparisonParameters: Readonly<Record<string, Omit<ParameterDescription, 'name'>>> = Object.fromEntries(
  comparisons.map((name) => [
    name,
    {
      type: 'SwitchParameter',
      help: `Compares as -${name.toLowerCase()} does.`,
      ...(aliases[name] === undefined ? {} : { aliases: aliases[name] }),
    },
  ]),
);

async function* where(call: CmdletCall): AsyncGenerator<unknown> {
  const first = call.bound.get('Property');
  if (first === undefined) throw missing('FilterScript');
  const test = first instanceof ScriptBlock ? byBlock(call, first) : byComparison(call, toText(first));
  for await (const object of inputOf(call)) if (await test(object)) yield object;
}

function missing(name: string): ShellError {
  return new ShellError(`Cannot process command because of one or more missing mandatory parameters: ${name}.`, {
    id: 'MissingMandatoryParameter',
    category: 'InvalidArgument',
    exception: 'ParameterBindingException',
  });
}

function byBlock({ host }: CmdletCall, block: ScriptBlock) {
  return async (object: unknown): Promise<boolean> => toBoolean(await host.invoke(block, object));
}

function byComparison(call: CmdletCall, property: string) {
  const chosen = comparisons.filter((name) => call.bound.get(name) === true);
  const [name = ''] = chosen;
  if (chosen.length > 1)
    throw new ShellError(`Only one comparison can stand here, not ${chosen.map((one) => `-${one}`).join(' and ')}.`, {
      id: 'AmbiguousParameterSet',
      category: 'InvalidArgument',
    });
  const value = call.bound.get('Value');
  if (name === '' && value !== undefined) {
    throw new ShellError(
      `The operator is missing between '${property}' and '${toText(value)}': write -EQ, -Like, -Match or another.`,
      {
        id: 'OperatorNotSpecified',
        category: 'InvalidArgument',
        exception: 'PSArgumentException',
      },
    );
  }
  return async (object: unknown): Promise<boolean> => {
    const own = findProperty(object, property) ?? null;
    if (name === '') return toBoolean(own);
    return name === 'Not' ? !toBoolean(own) : toBoolean(applyOperator(name.toLowerCase(), own, value ?? null));
  };
}

/** Where-Object: a script block, or a property with a comparison. */
export const whereObject: ShellCmdlet = builtIn(
  {
    name: 'Where-Object',
    synopsis: 'Takes the objects for which a condition holds.',
    parameters: {
      Property: {
        type: 'Object',
        position: 0,
        aliases: ['FilterScript'],
        help: 'A script block with $_, or the name of a property.',
      },
      Value: { type: 'Object', position: 1, help: 'What the property is compared with.' },
      ...comparisonParameters,
    },
    examples: [
      { line: '1..5 | Where-Object {$_ -gt 3}', text: 'Takes numbers above 3.' },
      { line: "'a', 'bcd' | Where-Object Length -gt 2", text: 'Compares a property.' },
    ],
  },
  where,
);

async function* forEach(call: CmdletCall): AsyncGenerator<unknown> {
  const { host } = call;
  const process = listParameter(call, 'Process');
  const member = textParameter(call, 'MemberName');
  const blocks = process.filter((block) => block instanceof ScriptBlock);
  // As in PowerShell, of several blocks the first runs before and the last after all objects.
  const begin = blocks.length > 1 ? blocks.slice(0, 1) : [];
  const end = blocks.length > 2 ? blocks.slice(-1) : [];
  const body = blocks.slice(begin.length, blocks.length - end.length);
  for (const block of [...listParameter(call, 'Begin'), ...begin])
    if (block instanceof ScriptBlock) yield* await host.invoke(block, null);
  const name = member ?? process.find((value) => !(value instanceof ScriptBlock));
  for await (const object of inputOf(call)) {
    if (name !== undefined) yield* enumerate(readMember(object, toText(name), listParameter(call, 'ArgumentList')));
    for (const block of body) yield* await host.invoke(block, object);
  }
  for (const block of [...end, ...listParameter(call, 'End')])
    if (block instanceof ScriptBlock) yield* await host.invoke(block, null);
}

function readMember(object: unknown, name: string, args: readonly unknown[]): unknown {
  const property = findProperty(object, name);
  if (property !== undefined) return getProperty(object, name);
  return object === null ? null : callMethod(object, name, args);
}

/** ForEach-Object: script blocks, or the name of a member. */
export const forEachObject: ShellCmdlet = builtIn(
  {
    name: 'ForEach-Object',
    synopsis: 'Does something for each object.',
    parameters: {
      Process: {
        type: 'ScriptBlock[]',
        position: 0,
        remaining: true,
        parse: (value) => value,
        help: 'Runs for each object, with $_; or the name of a property or method.',
      },
      Begin: { type: 'ScriptBlock', help: 'Runs before the first object.' },
      End: { type: 'ScriptBlock', help: 'Runs after the last object.' },
      MemberName: { type: 'String', help: 'A property that is read, or a method that is called.' },
      ArgumentList: { type: 'Object[]', aliases: ['Args'], help: 'Arguments of the method.' },
    },
    examples: [{ line: '1..3 | ForEach-Object {$_ * 10}', text: 'Computes a value from each.' }],
  },
  forEach,
);
