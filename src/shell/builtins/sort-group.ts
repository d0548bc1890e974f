import type { CmdletCall, ShellCmdlet } from '../interpreter/state/contract.ts';
import { compare, equals } from '../values/compare.ts';
import { Hashtable } from '../values/hashtable.ts';
import { ShellObject } from '../values/shell-object.ts';
import { toText } from '../values/text.ts';
import { builtIn, inputOf, listParameter, switchParameter } from './builtin.ts';
import { selectProperties } from './property-selection.ts';

interface Keyed {
  readonly object: unknown;
  readonly keys: readonly { readonly value: unknown; readonly descending: boolean }[];
}

async function keyed(call: CmdletCall): Promise<Keyed[]> {
  const specs = listParameter(call, 'Property');
  const all: Keyed[] = [];
  for await (const object of inputOf(call)) {
    const selected = specs.length === 0 ? [] : selectProperties(specs, object, call.host);
    const keys: { value: unknown; descending: boolean }[] = [];
    for (const { read, descending } of selected) {
      keys.push({ value: await read(object), descending: descending ?? switchParameter(call, 'Descending') });
    }
    if (specs.length === 0) keys.push({ value: object, descending: switchParameter(call, 'Descending') });
    all.push({ object, keys });
  }
  return all;
}

function order(a: Keyed, b: Keyed, caseSensitive: boolean): number {
  for (const [i, { value, descending }] of a.keys.entries()) {
    const other = b.keys[i]?.value;
    const result = compare(value, other, caseSensitive) ?? compare(toText(value), toText(other), caseSensitive) ?? 0;
    if (result !== 0) return descending ? -result : result;
  }
  return 0;
}

/** Sort-Object: stable. */
export const sortObject: ShellCmdlet = builtIn(
  {
    name: 'Sort-Object',
    synopsis: 'Puts objects in order.',
    parameters: {
      Property: {
        type: 'Object[]',
        position: 0,
        help: 'Properties compared: names, or @{Expression={…}; Descending=$true}.',
      },
      Descending: { type: 'SwitchParameter', help: 'From the greatest to the least.' },
      Unique: { type: 'SwitchParameter', help: 'One object of those that are equal.' },
      CaseSensitive: { type: 'SwitchParameter', help: 'Case counts.' },
    },
    examples: [{ line: '3, 1, 2 | Sort-Object -Descending', text: 'Sorts numbers downwards.' }],
  },
  async function* (call) {
    const caseSensitive = switchParameter(call, 'CaseSensitive');
    const sorted = (await keyed(call)).toSorted((a, b) => order(a, b, caseSensitive));
    for (const [i, item] of sorted.entries()) {
      const before = sorted[i - 1];
      if (switchParameter(call, 'Unique') && before !== undefined && order(before, item, caseSensitive) === 0) continue;
      yield item.object;
    }
  },
);

/** Group-Object: groups in the order of their first objects. */
export const groupObject: ShellCmdlet = builtIn(
  {
    name: 'Group-Object',
    synopsis: 'Puts objects with the same values together.',
    parameters: {
      Property: { type: 'Object[]', position: 0, help: 'Properties that must be equal.' },
      NoElement: { type: 'SwitchParameter', help: 'Leaves the objects out of the result.' },
      AsHashTable: { type: 'SwitchParameter', aliases: ['AHT'], help: 'Gives a hash table of the groups.' },
      AsString: { type: 'SwitchParameter', help: 'Taken for compatibility.' },
      CaseSensitive: { type: 'SwitchParameter', help: 'Case counts.' },
    },
    examples: [{ line: "'a', 'b', 'a' | Group-Object -NoElement", text: 'Counts equal values.' }],
  },
  async function* (call) {
    const caseSensitive = switchParameter(call, 'CaseSensitive');
    const groups: { keys: readonly unknown[]; objects: unknown[] }[] = [];
    for (const { object, keys } of await keyed(call)) {
      const values = keys.map(({ value }) => value);
      const group = groups.find((one) => one.keys.every((key, i) => equals(key, values[i], caseSensitive)));
      if (group === undefined) groups.push({ keys: values, objects: [object] });
      else group.objects.push(object);
    }
    if (switchParameter(call, 'AsHashTable')) {
      yield new Hashtable(groups.map(({ keys, objects }) => [keys[0] ?? '', objects] as const));
      return;
    }
    for (const { keys, objects } of groups) {
      const group: [string, unknown][] = [
        ['Count', objects.length],
        ['Name', keys.map(toText).join(', ')],
      ];
      if (!switchParameter(call, 'NoElement')) group.push(['Group', objects]);
      yield new ShellObject(switchParameter(call, 'NoElement') ? 'GroupInfoNoElement' : 'GroupInfo', group);
    }
  },
);
