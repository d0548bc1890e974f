import { randomInt } from 'node:crypto';
import { newGuid } from '../../base/index.ts';
import { setProperty } from '../interpreter/expressions/indexing.ts';
import { newObject } from '../interpreter/expressions/new-object.ts';
import type { ShellCmdlet } from '../interpreter/state/contract.ts';
import { equals } from '../values/compare.ts';
import { Hashtable } from '../values/hashtable.ts';
import { ShellError } from '../values/shell-error.ts';
import { ShellObject } from '../values/shell-object.ts';
import { toText } from '../values/text.ts';
import { builtIn, inputOf, listParameter, numberParameter, switchParameter, textParameter } from './builtin.ts';

type Call = Parameters<ShellCmdlet['run']>[0];

async function* make(call: Call): AsyncGenerator<unknown> {
  const made = newObject(textParameter(call, 'TypeName') ?? '', listParameter(call, 'ArgumentList'));
  const properties = call.bound.get('Property');
  if (properties instanceof Hashtable) {
    for (const [name, value] of properties.entries()) {
      if (made instanceof ShellObject) made.set(toText(name), value);
      else setProperty(made, toText(name), value);
    }
  }
  yield made;
}

async function* addMember(call: Call): AsyncGenerator<unknown> {
  const type = textParameter(call, 'MemberType') ?? 'NoteProperty';
  if (type !== 'NoteProperty') {
    throw new ShellError(`Members of type ${type} are outside the language of this shell: add a NoteProperty.`, {
      id: 'NotSupportedInThisShell',
      category: 'NotImplemented',
      target: type,
    });
  }
  const table = call.bound.get('NotePropertyMembers');
  const named = textParameter(call, 'NotePropertyName') ?? textParameter(call, 'Name');
  const value = call.bound.get('NotePropertyValue') ?? call.bound.get('Value') ?? null;
  const members = table instanceof Hashtable ? table.entries() : named === undefined ? [] : [[named, value] as const];
  for await (const object of inputOf(call)) {
    if (object instanceof ShellObject) for (const [name, item] of members) add(call, object, [toText(name), item]);
    if (switchParameter(call, 'PassThru')) yield object;
  }
}

function add(call: Call, object: ShellObject, [name, value]: readonly [string, unknown]): void {
  if (object.has(name) && !switchParameter(call, 'Force')) {
    const message = `Cannot add a member with the name "${name}" because a member with that name already exists. To overwrite the member anyway, add the Force parameter to your command.`;
    call.host.error(
      new ShellError(message, { id: 'MemberAlreadyExists', category: 'InvalidOperation', target: object }),
    );
    return;
  }
  object.set(name, value);
}

async function* random(call: Call): AsyncGenerator<unknown> {
  const items: unknown[] = [];
  for await (const item of inputOf(call)) items.push(item);
  if (items.length > 0) {
    const count = Math.min(numberParameter(call, 'Count') ?? 1, items.length);
    for (let i = 0; i < count; i += 1) yield items.splice(randomInt(items.length), 1)[0];
    return;
  }
  const [low, high] = [numberParameter(call, 'Minimum') ?? 0, numberParameter(call, 'Maximum') ?? 2 ** 31 - 1];
  if (low >= high) {
    throw new ShellError('The Minimum value must be less than the Maximum value.', {
      id: 'MinGreaterThanOrEqualMax',
      category: 'InvalidArgument',
      exception: 'ArgumentException',
    });
  }
  yield randomInt(Math.trunc(low), Math.trunc(high));
}

/** New-Object, Add-Member, New-Guid, Get-Random and Get-Unique. */
export const objectCmdlets: readonly ShellCmdlet[] = [
  builtIn(
    {
      name: 'New-Object',
      synopsis: 'Makes an object: of properties of its own, a list, a date.',
      parameters: {
        TypeName: { type: 'String', position: 0, mandatory: true, help: 'PSObject, System.Collections.ArrayList …' },
        ArgumentList: { type: 'Object[]', position: 1, aliases: ['Args'], help: 'What it is made of.' },
        Property: { type: 'Hashtable', help: 'Names and values of properties.' },
      },
      examples: [
        { line: "New-Object PSObject -Property @{Name='a'; Size=1}", text: 'Makes an object of two properties.' },
      ],
    },
    make,
  ),
  builtIn(
    {
      name: 'Add-Member',
      synopsis: 'Adds a property to an object.',
      parameters: {
        NotePropertyMembers: { type: 'Hashtable', help: 'Several properties.' },
        NotePropertyName: { type: 'String', help: 'Name of the property.' },
        NotePropertyValue: { type: 'Object', help: 'Its value.' },
        MemberType: { type: 'String', position: 0, aliases: ['Type'], help: 'NoteProperty.' },
        Name: { type: 'String', position: 1, help: 'Name of the property.' },
        Value: { type: 'Object', position: 2, help: 'Its value.' },
        PassThru: { type: 'SwitchParameter', help: 'Gives the object.' },
        Force: { type: 'SwitchParameter', help: 'Replaces a property of the same name.' },
      },
      examples: [
        { line: '[pscustomobject]@{a=1} | Add-Member NoteProperty b 2 -PassThru', text: 'Adds a second property.' },
      ],
    },
    addMember,
  ),
  builtIn(
    {
      name: 'New-Guid',
      synopsis: 'Makes a new GUID.',
      examples: [{ line: 'New-Guid', text: 'A GUID that nothing else has.' }],
      parameters: {},
    },
    async function* () {
      yield newGuid();
    },
  ),
  builtIn(
    {
      name: 'Get-Random',
      synopsis: 'Gives a random number, or some of the objects.',
      parameters: {
        Maximum: { type: 'Double', position: 0, help: 'Above the greatest number.' },
        Minimum: { type: 'Double', help: 'The least number; default 0.' },
        Count: { type: 'Int32', min: 1, help: 'How many of the objects.' },
      },
      examples: [{ line: 'Get-Random -Minimum 3 -Maximum 4', text: 'Gives a number from a range.' }],
    },
    random,
  ),
  builtIn(
    {
      name: 'Get-Unique',
      synopsis: 'Leaves out objects that are as the one before.',
      parameters: { AsString: { type: 'SwitchParameter', help: 'Compares the texts.' } },
      examples: [{ line: '1, 1, 2 | Get-Unique', text: 'Of equal neighbours, the first.' }],
    },
    async function* (call) {
      let last: unknown;
      for await (const item of inputOf(call)) {
        if (last === undefined || !equals(last, item, true)) yield item;
        last = item;
      }
    },
  ),
];
