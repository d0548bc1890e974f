import type { CmdletCall, ShellCmdlet } from '../interpreter/state/contract.ts';
import { ShellError } from '../values/shell-error.ts';
import { ShellObject } from '../values/shell-object.ts';
import { toText } from '../values/text.ts';
import { wildcard } from '../values/wildcard.ts';
import { aliases } from './aliases.ts';
import { builtIn, listParameter } from './builtin.ts';

/** Names under which scripts load Exchange's cmdlets. */
const exchange = /^(?:Microsoft\.Exchange\.Management\..*|.*[/\\])?(?:RemoteExchange\.ps1|.*Exchange.*)$/i;

const ignored = { type: 'SwitchParameter', help: 'Taken for compatibility.' } as const;

function loads(name: string, synopsis: string): ShellCmdlet {
  return builtIn(
    {
      name,
      synopsis,
      parameters: {
        Name: { type: 'String[]', position: 0, mandatory: true, help: 'Its name.' },
        Force: ignored,
        PassThru: ignored,
      },
    },
    async function* (call) {
      for (const wanted of listParameter(call, 'Name').map(toText)) {
        if (!exchange.test(wanted)) call.host.error(notHere(name, wanted));
      }
      yield* [];
    },
  );
}

function notHere(cmdlet: string, wanted: string): ShellError {
  return new ShellError(
    `${cmdlet} cannot load '${wanted}': this shell has the cmdlets of Exchange and of the language, and no others.`,
    {
      id: 'NotSupportedInThisShell',
      category: 'ResourceUnavailable',
      target: wanted,
    },
  );
}

async function* restart(call: CmdletCall): AsyncGenerator<unknown> {
  for (const name of listParameter(call, 'Name').map(toText)) {
    if (/^(?:MSExchangeTransport|MSExchangeFrontEndTransport|ADAM_MSExchange)$/i.test(name)) {
      call.host.warning(`${name} was not restarted: changes are in force within a second, without a restart.`);
      continue;
    }
    call.host.error(
      new ShellError(`Cannot find any service with service name '${name}'.`, {
        id: 'NoServiceFoundForGivenName',
        category: 'ObjectNotFound',
        exception: 'ServiceCommandException',
        target: name,
      }),
    );
  }
  yield* [];
}

/** What scripts ask of the shell around them: snap-ins, aliases, strictness. */
export const compatibilityCmdlets: readonly ShellCmdlet[] = [
  loads('Add-PSSnapin', 'Taken for compatibility: the cmdlets of Exchange are always there.'),
  loads('Import-Module', 'Taken for compatibility: the cmdlets of Exchange are always there.'),
  builtIn(
    {
      name: 'Restart-Service',
      synopsis: 'Says that the transport service needs no restart.',
      examples: [{ line: 'Restart-Service MSExchangeTransport', text: 'Says that none is needed.' }],
      parameters: {
        Name: { type: 'String[]', position: 0, mandatory: true, help: 'MSExchangeTransport.' },
        Force: ignored,
      },
    },
    restart,
  ),
  builtIn(
    {
      name: 'Set-StrictMode',
      synopsis: 'Taken for compatibility: names that are not there give nothing.',
      examples: [{ line: 'Set-StrictMode -Version Latest', text: 'Taken, and changes nothing.' }],
      parameters: { Version: { type: 'String' }, Off: ignored },
    },
    async function* () {},
  ),
  builtIn(
    {
      name: 'Get-Alias',
      synopsis: 'Lists short names of cmdlets.',
      parameters: {
        Name: { type: 'String[]', position: 0, help: 'Short names, with wildcards.' },
        Definition: { type: 'String[]', help: 'Names of cmdlets, with wildcards.' },
      },
      examples: [{ line: 'Get-Alias -Definition Select-Object', text: 'Short names of one cmdlet.' }],
    },
    async function* (call) {
      const fits = (parameter: string, text: string): boolean => {
        const patterns = listParameter(call, parameter).map(toText);
        return patterns.length === 0 || patterns.some((pattern) => wildcard(pattern)(text));
      };
      for (const [name, definition] of aliases) {
        if (!fits('Name', name) || !fits('Definition', definition)) continue;
        yield new ShellObject('AliasInfo', [
          ['CommandType', 'Alias'],
          ['Name', name],
          ['Definition', definition],
        ]);
      }
    },
  ),
];
