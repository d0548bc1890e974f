import { StructuredValue } from '../../config/values/index.ts';
import { numberOf } from '../interpreter/expressions/arithmetic.ts';
import type { CmdletCall, ShellCmdlet } from '../interpreter/state/contract.ts';
import { compare } from '../values/compare.ts';
import { findProperty } from '../values/members.ts';
import { ShellError } from '../values/shell-error.ts';
import { customObject, ShellObject } from '../values/shell-object.ts';
import { toText } from '../values/text.ts';
import { builtIn, inputOf, listParameter, switchParameter } from './builtin.ts';
import { sameObject } from './select-object.ts';

async function* measure(call: CmdletCall): AsyncGenerator<unknown> {
  const properties = listParameter(call, 'Property').map(toText);
  const values = new Map<string, unknown[]>((properties.length === 0 ? [''] : properties).map((name) => [name, []]));
  for await (const object of inputOf(call)) {
    for (const [name, list] of values) {
      const value = name === '' ? object : findProperty(object, name);
      if (value !== undefined && value !== null) list.push(value);
    }
  }
  const counts = ['Line', 'Word', 'Character'].some((name) => switchParameter(call, name)) ? measuredText : measured;
  for (const [name, list] of values) yield counts(call, name, list);
}

function measuredText(call: CmdletCall, property: string, values: readonly unknown[]): ShellObject {
  const texts = values.map(toText);
  const total = (count: (text: string) => number): number => texts.reduce((sum, text) => sum + count(text), 0);
  const wanted = (name: string, count: (text: string) => number): number | null =>
    switchParameter(call, name) ? total(count) : null;
  return new ShellObject('TextMeasureInfo', [
    ['Lines', wanted('Line', (text) => (text === '' ? 0 : text.split('\n').length))],
    ['Words', wanted('Word', (text) => text.match(/\S+/g)?.length ?? 0)],
    ['Characters', wanted('Character', (text) => text.length)],
    ['Property', property === '' ? null : property],
  ]);
}

function measured(call: CmdletCall, property: string, values: readonly unknown[]): ShellObject {
  const wants = (name: string): boolean => switchParameter(call, name);
  const sum =
    wants('Sum') || wants('Average') ? values.reduce((total: number, value) => total + numberOf(value), 0) : null;
  const sorted = wants('Maximum') || wants('Minimum') ? values.toSorted((a, b) => compare(a, b) ?? 0) : [];
  return new ShellObject('Microsoft.PowerShell.Commands.GenericMeasureInfo', [
    ['Count', values.length],
    ['Average', wants('Average') && values.length > 0 && sum !== null ? sum / values.length : null],
    ['Sum', wants('Sum') ? sum : null],
    ['Maximum', wants('Maximum') ? (sorted.at(-1) ?? null) : null],
    ['Minimum', wants('Minimum') ? (sorted[0] ?? null) : null],
    ['Property', property === '' ? null : property],
  ]);
}

/** Measure-Object. */
export const measureObject: ShellCmdlet = builtIn(
  {
    name: 'Measure-Object',
    synopsis: 'Counts objects, and computes sums and extremes of a property.',
    parameters: {
      Property: { type: 'String[]', position: 0, help: 'Properties measured; without, the objects themselves.' },
      Sum: { type: 'SwitchParameter', help: 'Adds the values.' },
      Average: { type: 'SwitchParameter', help: 'Takes their mean.' },
      Maximum: { type: 'SwitchParameter', help: 'Finds the greatest.' },
      Minimum: { type: 'SwitchParameter', help: 'Finds the least.' },
      Line: { type: 'SwitchParameter', help: 'Counts lines of text.' },
      Word: { type: 'SwitchParameter', help: 'Counts words of text.' },
      Character: { type: 'SwitchParameter', help: 'Counts characters of text.' },
    },
    examples: [{ line: '1..10 | Measure-Object -Sum', text: 'Adds the numbers from 1 to 10.' }],
  },
  measure,
);

async function* compareObjects(call: CmdletCall): AsyncGenerator<unknown> {
  const difference = await all(inputOf(call));
  const right = difference.length > 0 ? difference : [...listParameter(call, 'DifferenceObject')];
  const left = [...listParameter(call, 'ReferenceObject')];
  const properties = listParameter(call, 'Property').map(toText);
  const key = (object: unknown): unknown => {
    if (properties.length === 0) return object;
    return new ShellObject(
      customObject,
      properties.map((name) => [name, findProperty(object, name) ?? null] as const),
    );
  };
  const result = (object: unknown, side: string): ShellObject => {
    const selected = key(object);
    const own =
      properties.length === 0 || !(selected instanceof ShellObject)
        ? [['InputObject', object] as const]
        : selected.entries();
    return new ShellObject(customObject, [...own, ['SideIndicator', side]]);
  };
  const equal = (a: unknown, b: unknown): boolean => sameObject(fold(key(a), call), fold(key(b), call));
  const both: unknown[] = [];
  const onlyRight = [...right];
  const onlyLeft = left.filter((object) => {
    const found = onlyRight.findIndex((other) => equal(object, other));
    if (found >= 0) both.push(...onlyRight.splice(found, 1));
    return found < 0;
  });
  if (switchParameter(call, 'IncludeEqual')) yield* both.map((object) => result(object, '=='));
  if (switchParameter(call, 'ExcludeDifferent')) return;
  yield* onlyRight.map((object) => result(object, '=>'));
  yield* onlyLeft.map((object) => result(object, '<='));
}

/** Text without its case, unless case counts. */
function fold(value: unknown, call: CmdletCall): unknown {
  const own = value instanceof StructuredValue ? value.toString() : value;
  return typeof own === 'string' && !switchParameter(call, 'CaseSensitive') ? own.toLowerCase() : own;
}

async function all(source: AsyncIterable<unknown>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of source) values.push(value);
  if (values.length > 20_000) {
    throw new ShellError('Compare-Object takes at most 20,000 objects.', {
      id: 'WorkLimitExceeded',
      category: 'LimitsExceeded',
    });
  }
  return values;
}

/** Compare-Object. */
export const compareObject: ShellCmdlet = builtIn(
  {
    name: 'Compare-Object',
    synopsis: 'Tells what two lists of objects do not have in common.',
    parameters: {
      ReferenceObject: { type: 'PSObject[]', position: 0, mandatory: true, help: 'The list compared with.' },
      DifferenceObject: { type: 'PSObject[]', position: 1, help: 'The other list.' },
      Property: { type: 'Object[]', position: 2, help: 'Properties compared; without, whole values.' },
      IncludeEqual: { type: 'SwitchParameter', help: 'Shows what both have, too.' },
      ExcludeDifferent: { type: 'SwitchParameter', help: 'Leaves differences out.' },
      CaseSensitive: { type: 'SwitchParameter', help: 'Case counts.' },
      PassThru: { type: 'SwitchParameter', help: 'Taken for compatibility.' },
    },
    examples: [{ line: "Compare-Object 'a','b' 'b','c'", text: 'Compares two lists of text.' }],
  },
  compareObjects,
);
