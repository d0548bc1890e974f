import { printableLines } from '../../base/text/index.ts';
import { paint } from '../format/colour.ts';
import type { ShellCmdlet } from '../interpreter/state/contract.ts';
import { enumerate } from '../interpreter/state/engine.ts';
import { type ErrorCategory, ShellError } from '../values/shell-error.ts';
import { toText } from '../values/text.ts';
import { builtIn, listParameter, switchParameter, textParameter } from './builtin.ts';

const colours =
  'Black DarkBlue DarkGreen DarkCyan DarkRed DarkMagenta DarkYellow Gray DarkGray Blue Green Cyan Red Magenta Yellow White'.split(
    ' ',
  );
const painted = {
  red: 'red',
  darkred: 'red',
  yellow: 'yellow',
  darkyellow: 'yellow',
  green: 'green',
  darkgreen: 'green',
  cyan: 'cyan',
  darkcyan: 'cyan',
  blue: 'blue',
  darkblue: 'blue',
  magenta: 'magenta',
  darkmagenta: 'magenta',
  white: 'white',
  gray: 'grey',
  darkgray: 'grey',
} as const;
const message = { type: 'Object', position: 0, fromPipeline: 'value', aliases: ['Msg'], help: 'The text.' } as const;

/** A cmdlet that says something for its -Message, or for each object that comes in. */
function says(
  name: string,
  synopsis: string,
  say: (text: string, call: Parameters<ShellCmdlet['run']>[0]) => void,
  more = {},
): ShellCmdlet {
  const examples = name === 'Write-Error' ? [] : [{ line: `${name} 'The queue is long.'`, text: 'Says a text.' }];
  return builtIn(
    { name, synopsis, examples, parameters: { Message: { ...message }, ...more } },
    async function* (call) {
      if (call.bound.has('Message')) say(toText(call.bound.get('Message')), call);
      else if (call.input !== undefined) for await (const item of call.input) say(toText(item), call);
      yield* [];
    },
  );
}

function colourOf(name: string | undefined): (typeof painted)[keyof typeof painted] | undefined {
  const folded = name?.toLowerCase() ?? '';
  return Object.hasOwn(painted, folded) ? painted[folded as keyof typeof painted] : undefined;
}

/** Write-Output, Write-Host, Write-Warning, Write-Error, Write-Verbose. */
export const writeCmdlets: readonly ShellCmdlet[] = [
  builtIn(
    {
      name: 'Write-Output',
      synopsis: 'Sends values down the pipeline.',
      examples: [{ line: 'Write-Output 1, 2 | Measure-Object -Sum', text: 'Sends two numbers.' }],
      parameters: {
        Values: { type: 'PSObject[]', position: 0, remaining: true, parse: (value) => value, help: 'The values.' },
        NoEnumerate: { type: 'SwitchParameter', help: 'Sends a list as one value.' },
      },
    },
    async function* (call) {
      const values = listParameter(call, 'Values');
      if (switchParameter(call, 'NoEnumerate')) yield values.length === 1 ? values[0] : values;
      else yield* values;
      if (call.input !== undefined) yield* call.input;
      yield* enumerate(call.bound.get('InputObject'));
    },
  ),
  builtIn(
    {
      name: 'Write-Host',
      synopsis: 'Shows text to the person, past the pipeline.',
      examples: [{ line: "Write-Host 'Done.' -ForegroundColor Green", text: 'A line in green.' }],
      parameters: {
        Object: { type: 'Object', position: 0, remaining: true, parse: (value) => value, help: 'What is shown.' },
        NoNewline: { type: 'SwitchParameter', help: 'Does not end the line.' },
        Separator: { type: 'Object', help: 'Stands between the values; default a space.' },
        ForegroundColor: { type: 'ConsoleColor', allowed: colours, help: 'Colour of the text.' },
        BackgroundColor: { type: 'ConsoleColor', allowed: colours, help: 'Taken for compatibility.' },
      },
    },
    async function* (call) {
      const values = [...listParameter(call, 'Object')];
      if (call.input !== undefined) for await (const item of call.input) values.push(item);
      const text = printableLines(values.map(toText).join(textParameter(call, 'Separator') ?? ' '));
      const colour = colourOf(textParameter(call, 'ForegroundColor'));
      call.host.print(
        `${colour === undefined ? text : paint(colour, text, call.host.render.colour)}${switchParameter(call, 'NoNewline') ? '' : '\n'}`,
      );
      yield* [];
    },
  ),
  says('Write-Warning', 'Shows a warning.', (text, { host }) => host.warning(text)),
  says('Write-Debug', 'Taken for compatibility: debug messages are not shown.', () => undefined),
  builtIn(
    {
      name: 'Write-Information',
      synopsis: 'Shows a text when $InformationPreference or -InformationAction says Continue.',
      examples: [{ line: "Write-Information 'Started.' -InformationAction Continue", text: 'Shows the text.' }],
      parameters: {
        MessageData: { type: 'Object', position: 0, mandatory: true, aliases: ['Msg'], help: 'The text.' },
        Tags: { type: 'String[]', position: 1, help: 'Taken for compatibility.' },
      },
    },
    async function* (call) {
      call.host.information(toText(call.bound.get('MessageData')));
      yield* [];
    },
  ),
  says('Write-Verbose', 'Shows a text when -Verbose is given.', (text, { host }) => host.verbose(text)),
  says(
    'Write-Error',
    'Writes an error.',
    (text, call) => {
      const category = (textParameter(call, 'Category') ?? 'NotSpecified') as ErrorCategory;
      const id = textParameter(call, 'ErrorId') ?? 'Microsoft.PowerShell.Commands.WriteErrorException';
      call.host.error(new ShellError(text, { id, category, exception: 'WriteErrorException', ownId: true }));
    },
    {
      ErrorId: { type: 'String', help: 'Id of the error.' },
      Category: {
        type: 'String',
        allowed: [
          'NotSpecified',
          'InvalidArgument',
          'InvalidData',
          'InvalidOperation',
          'ObjectNotFound',
          'PermissionDenied',
          'ResourceUnavailable',
        ],
        help: 'Category of the error.',
      },
    },
  ),
];
