import { methodNames } from '../interpreter/expressions/methods.ts';
import type { ShellCmdlet } from '../interpreter/state/contract.ts';
import { propertiesOf } from '../values/members.ts';
import { ShellObject } from '../values/shell-object.ts';
import { toDisplay, toText } from '../values/text.ts';
import { typeNameOf } from '../values/types.ts';
import { wildcard } from '../values/wildcard.ts';
import { builtIn, inputOf, listParameter, textParameter } from './builtin.ts';

/** Get-Member: one row for each member of each type that came in. */
export const getMember: ShellCmdlet = builtIn(
  {
    name: 'Get-Member',
    synopsis: 'Shows the properties and methods of objects.',
    parameters: {
      Name: { type: 'String[]', position: 0, help: 'Names of members, with wildcards.' },
      MemberType: {
        type: 'String',
        allowed: ['Property', 'Method', 'Properties', 'Methods', 'NoteProperty', 'All'],
        help: 'Kind of members.',
      },
      Force: { type: 'SwitchParameter', help: 'Taken for compatibility.' },
    },
    examples: [{ line: "'text' | Get-Member L*", text: 'Shows the properties that begin with L.' }],
  },
  async function* (call) {
    const names = listParameter(call, 'Name').map((name) => wildcard(toText(name)));
    const kind = textParameter(call, 'MemberType') ?? 'All';
    const seen = new Set<string>();
    for await (const object of inputOf(call)) {
      const type = typeNameOf(object);
      if (seen.has(type)) continue;
      seen.add(type);
      for (const [name, memberType, definition] of membersOf(object)) {
        if (names.length > 0 && !names.some((matches) => matches(name))) continue;
        if (kind !== 'All' && !kind.startsWith(memberType.replace('Note', '').slice(0, 6)) && kind !== memberType)
          continue;
        yield new ShellObject('MemberDefinition', [
          ['TypeName', type],
          ['Name', name],
          ['MemberType', memberType],
          ['Definition', definition],
        ]);
      }
    }
  },
);

const definitions: Readonly<Record<string, string>> = {
  CompareTo: 'int CompareTo(System.Object value)',
  Equals: 'bool Equals(System.Object obj)',
  GetType: 'type GetType()',
  ToString: 'string ToString()',
};

function membersOf(object: unknown): (readonly [name: string, type: string, definition: string])[] {
  const methods = [...new Set(methodNames(object))]
    .filter((name) => name !== 'CompareTo' || !(object instanceof ShellObject))
    .map((name) => [name, 'Method', definitions[name] ?? `${name}(…)`] as const);
  const isCustom = object instanceof ShellObject && typeNameOf(object).endsWith('PSCustomObject');
  const kind = isCustom ? 'NoteProperty' : 'Property';
  const properties = propertiesOf(object).map(([name, value]) => {
    const type = typeNameOf(value)
      .replace(/^System\.(?=String|Boolean|Int32)/, '')
      .replace(/^(?:String|Boolean|Int32)$/, (word) =>
        word.toLowerCase().replace('boolean', 'bool').replace('int32', 'int'),
      );
    return [name, kind, isCustom ? `${type} ${name}=${toDisplay(value)}` : `${type} ${name} {get;}`] as const;
  });
  const byName = ([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]): number =>
    a.localeCompare(b, 'en');
  return [...methods.toSorted(byName), ...properties.toSorted(byName)];
}
