import type { CmdletCall, ShellCmdlet } from '../interpreter/state/contract.ts';
import { enumerate } from '../interpreter/state/engine.ts';
import { compare } from '../values/compare.ts';
import { findProperty, propertiesOf } from '../values/members.ts';
import { ShellError } from '../values/shell-error.ts';
import { customObject, ShellObject } from '../values/shell-object.ts';
import { toText } from '../values/text.ts';
import { wildcard } from '../values/wildcard.ts';
import { builtIn, inputOf, listParameter, numberParameter, switchParameter, textParameter } from './builtin.ts';
import { selectProperties } from './property-selection.ts';

/** The objects that -First, -Last, -Skip and -Index leave. Reads no further than it must. */
async function* window(call: CmdletCall): AsyncGenerator<unknown> {
  const [first, last, skip = 0] = ['First', 'Last', 'Skip'].map((name) => numberParameter(call, name));
  const indexes = call.bound.has('Index') ? new Set(listParameter(call, 'Index')) : undefined;
  const tail: unknown[] = [];
  const wanted = indexes === undefined ? undefined : Math.max(...[...indexes].map(Number));
  let position = -1;
  let given = 0;
  if (first === 0 && last === undefined) return;
  for await (const object of inputOf(call)) {
    position += 1;
    if (indexes !== undefined) {
      if (indexes.has(position)) yield object;
      if (position >= (wanted ?? 0)) return;
    } else if (last !== undefined) {
      tail.push(object);
      if (tail.length > last + skip) tail.shift();
    } else if (position >= skip) {
      yield object;
      given += 1;
      if (given === first) return;
    }
  }
  yield* tail.slice(0, Math.max(0, tail.length - skip));
}

async function* withoutLast(objects: AsyncIterable<unknown>, count: number): AsyncGenerator<unknown> {
  const held: unknown[] = [];
  for await (const object of objects) {
    held.push(object);
    if (held.length > count) yield held.shift();
  }
}

async function* select(call: CmdletCall): AsyncGenerator<unknown> {
  const seen: unknown[] = [];
  const unique = switchParameter(call, 'Unique');
  for await (const object of withoutLast(window(call), numberParameter(call, 'SkipLast') ?? 0)) {
    for (const value of await project(call, object)) {
      if (unique && seen.some((other) => sameObject(other, value))) continue;
      if (unique) seen.push(value);
      yield value;
    }
  }
}

async function project(call: CmdletCall, object: unknown): Promise<readonly unknown[]> {
  const expand = textParameter(call, 'ExpandProperty');
  if (expand !== undefined) return expanded(object, expand);
  const specs = listParameter(call, 'Property');
  const excluded = listParameter(call, 'ExcludeProperty').map((pattern) => wildcard(toText(pattern)));
  if (specs.length === 0 && excluded.length === 0) return [object];
  const result = new ShellObject(customObject);
  for (const { label, read } of selectProperties(specs.length === 0 ? ['*'] : specs, object, call.host)) {
    if (!excluded.some((matches) => matches(label))) result.set(label, await read(object));
  }
  return [result];
}

function expanded(object: unknown, name: string): readonly unknown[] {
  const value = findProperty(object, name);
  if (value !== undefined) return enumerate(value);
  throw new ShellError(`Property "${name}" cannot be found.`, {
    id: 'ExpandPropertyNotFound',
    category: 'InvalidArgument',
    exception: 'PSArgumentException',
    target: object,
  });
}

/** True for two values, or two objects of which all properties are equal. */
export function sameObject(a: unknown, b: unknown): boolean {
  if (!(a instanceof ShellObject) || !(b instanceof ShellObject))
    return compare(a, b, true) === 0 && typeof a === typeof b;
  const [left, right] = [propertiesOf(a), propertiesOf(b)];
  return left.length === right.length && left.every(([name, value]) => toText(b.get(name)) === toText(value));
}

export const selectObject: ShellCmdlet = builtIn(
  {
    name: 'Select-Object',
    synopsis: 'Takes some objects, or some of their properties.',
    parameters: {
      Property: {
        type: 'Object[]',
        position: 0,
        help: 'Properties taken: names, wildcards, or @{Name=…; Expression={…}}.',
      },
      ExcludeProperty: { type: 'String[]', help: 'Properties left out.' },
      ExpandProperty: { type: 'String', help: 'Gives the values of this property instead of objects.' },
      First: { type: 'Int32', min: 0, help: 'How many objects from the beginning.' },
      Last: { type: 'Int32', min: 0, help: 'How many objects from the end.' },
      Skip: { type: 'Int32', min: 0, help: 'How many objects are passed over.' },
      SkipLast: { type: 'Int32', min: 0, help: 'How many objects at the end are left out.' },
      Index: { type: 'Int32[]', help: 'Places of the objects, from 0.' },
      Unique: { type: 'SwitchParameter', help: 'Leaves out what came before.' },
      Wait: { type: 'SwitchParameter', help: 'Taken for compatibility.' },
    },
    examples: [{ line: '1..10 | Select-Object -First 3', text: 'Takes the first three.' }],
  },
  select,
);
