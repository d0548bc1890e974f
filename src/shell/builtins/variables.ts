import type { ShellCmdlet } from '../interpreter/state/contract.ts';
import { collect } from '../interpreter/state/engine.ts';
import { ShellError } from '../values/shell-error.ts';
import { ShellObject } from '../values/shell-object.ts';
import { toText } from '../values/text.ts';
import { hasWildcard, wildcard } from '../values/wildcard.ts';
import { builtIn, listParameter, switchParameter } from './builtin.ts';

const name = { type: 'String[]', position: 0, mandatory: true, help: 'Names of variables, without the $.' } as const;
const ignored = { type: 'String', help: 'Taken for compatibility.' } as const;
const force = { type: 'SwitchParameter', help: 'Taken for compatibility.' } as const;

type Call = Parameters<ShellCmdlet['run']>[0];

/** Variables whose names fit -Name, in order; a name that is none's is an error. */
function named(call: Call): string[] {
  const patterns = listParameter(call, 'Name').map(toText);
  const known = call.host.variableNames().toSorted((a, b) => a.localeCompare(b, 'en'));
  if (patterns.length === 0) return known;
  return patterns.flatMap((pattern) => {
    const matches = wildcard(pattern);
    const found = known.filter((own) => matches(own));
    if (found.length === 0 && !hasWildcard(pattern)) call.host.error(notFound(pattern));
    return found;
  });
}

function notFound(variable: string): ShellError {
  return new ShellError(`Cannot find a variable with the name '${variable}'.`, {
    id: 'VariableNotFound',
    category: 'ObjectNotFound',
    exception: 'ItemNotFoundException',
    target: variable,
  });
}

function variable(call: Call, own: string): ShellObject {
  return new ShellObject('PSVariable', [
    ['Name', own],
    ['Value', call.host.getVariable(own)],
  ]);
}

async function* set(call: Call): AsyncGenerator<unknown> {
  const values: unknown[] = [];
  if (call.input !== undefined) for await (const item of call.input) values.push(item);
  const value = call.bound.has('Value') ? call.bound.get('Value') : collect(values);
  for (const own of listParameter(call, 'Name').map(toText)) {
    call.host.setVariable(own, value);
    if (switchParameter(call, 'PassThru')) yield variable(call, own);
  }
}

const written = {
  Name: name,
  Value: { type: 'Object', position: 1, help: 'What it holds.' },
  Scope: ignored,
  Option: ignored,
  Description: ignored,
  Force: force,
  PassThru: { type: 'SwitchParameter', help: 'Gives the variable.' },
} as const;

/** Get-, Set-, New-, Clear- and Remove-Variable. */
export const variableCmdlets: readonly ShellCmdlet[] = [
  builtIn(
    {
      name: 'Get-Variable',
      synopsis: 'Shows variables and what they hold.',
      parameters: {
        Name: { ...name, mandatory: false, help: 'Names, with wildcards.' },
        ValueOnly: { type: 'SwitchParameter', help: 'Gives the values alone.' },
        Scope: ignored,
      },
      examples: [{ line: '$limit = 10MB; Get-Variable limit', text: 'Shows one variable.' }],
    },
    async function* (call) {
      for (const own of named(call)) {
        yield switchParameter(call, 'ValueOnly') ? call.host.getVariable(own) : variable(call, own);
      }
    },
  ),
  builtIn(
    {
      name: 'Set-Variable',
      synopsis: 'Gives a variable its value.',
      parameters: written,
      examples: [{ line: 'Set-Variable limit 10MB; $limit', text: 'The same as $limit = 10MB.' }],
    },
    set,
  ),
  builtIn(
    {
      name: 'New-Variable',
      synopsis: 'Makes a variable.',
      examples: [{ line: 'New-Variable limit 10MB; $limit', text: 'Refuses a name that is taken.' }],
      parameters: written,
    },
    async function* (call) {
      const known = new Set(call.host.variableNames().map((own) => own.toLowerCase()));
      for (const own of listParameter(call, 'Name').map(toText)) {
        if (!known.has(own.toLowerCase())) continue;
        throw new ShellError(`A variable with name '${own}' already exists.`, {
          id: 'VariableAlreadyExists',
          category: 'ResourceExists',
          exception: 'SessionStateException',
          target: own,
        });
      }
      yield* set(call);
    },
  ),
  builtIn(
    {
      name: 'Clear-Variable',
      synopsis: 'Empties variables.',
      examples: [{ line: '$limit = 5; Clear-Variable limit', text: 'The variable holds nothing.' }],
      parameters: { Name: name, Scope: ignored, Force: force },
    },
    async function* (call) {
      for (const own of named(call)) call.host.setVariable(own, null);
      yield* [];
    },
  ),
  builtIn(
    {
      name: 'Remove-Variable',
      synopsis: 'Takes variables away.',
      examples: [{ line: '$limit = 5; Remove-Variable limit', text: 'The name is free again.' }],
      parameters: { Name: name, Scope: ignored, Force: force },
    },
    async function* (call) {
      for (const own of named(call)) call.host.removeVariable(own);
      yield* [];
    },
  ),
];
