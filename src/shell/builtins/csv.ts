import { cellText, printable, printableLines, spreadsheetCell } from '../../base/text/index.ts';
import type { FileAccess } from '../interpreter/state/context.ts';
import type { CmdletCall, ShellCmdlet } from '../interpreter/state/contract.ts';
import { encodings } from '../interpreter/state/encodings.ts';
import { formatDate } from '../values/dates.ts';
import { propertiesOf } from '../values/members.ts';
import { ShellError } from '../values/shell-error.ts';
import { customObject, ShellObject } from '../values/shell-object.ts';
import { isNumeric, toText } from '../values/text.ts';
import { typeNameOf } from '../values/types.ts';
import { builtIn, inputOf, listParameter, switchParameter, textParameter } from './builtin.ts';
import { encodingParameter, readFile, writeText } from './files.ts';

const csvParameters = {
  Delimiter: { type: 'Char', help: 'Stands between the values; default a comma.' },
  NoTypeInformation: { type: 'SwitchParameter', aliases: ['NTI'], help: 'Leaves out the line that names the type.' },
  UseCulture: { type: 'SwitchParameter', help: 'Taken for compatibility.' },
};

/** A value in a cell, never a formula of a spreadsheet: lists by the name of their type, as PowerShell writes them. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return 'Microsoft.Exchange.Data.MultiValuedProperty`1[System.String]';
  // A number is no text that somebody chose: a spreadsheet may take -1 for one.
  if (isNumeric(value)) return toText(value);
  return spreadsheetCell(printableLines(value instanceof Date ? formatDate(value) : toText(value)));
}

/** A name of a column: those of imported objects are what a file's first line said. */
function heading(name: string): string {
  return quoted(spreadsheetCell(printable(name)));
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

async function* csvLines(call: CmdletCall, hasHeader = false): AsyncGenerator<string> {
  const delimiter = textParameter(call, 'Delimiter') ?? ',';
  let names: readonly string[] | undefined;
  for await (const object of inputOf(call)) {
    const properties = new Map(propertiesOf(object));
    if (names === undefined) {
      names = [...properties.keys()];
      if (!hasHeader && !switchParameter(call, 'NoTypeInformation')) yield `#TYPE ${typeNameOf(object)}`;
      if (!hasHeader) yield names.map(heading).join(delimiter);
    }
    yield names
      .map((name) => (properties.get(name) === null ? '' : quoted(cell(properties.get(name)))))
      .join(delimiter);
  }
}

/** Rows of a CSV text (RFC 4180): quoted cells may hold delimiters, quotes and line breaks. The mark of a text that looks like a formula goes. */
function parseCsv(text: string, delimiter = ','): string[][] {
  const rows: string[][] = [[]];
  let value = '';
  let inQuotes = false;
  const endCell = (): void => {
    rows.at(-1)?.push(cellText(value));
    value = '';
  };
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charAt(i);
    if (inQuotes && char === '"' && text[i + 1] === '"') {
      value += char;
      i += 1;
    } else if (char === '"') inQuotes = !inQuotes;
    else if (!inQuotes && char === delimiter) endCell();
    else if (!inQuotes && char === '\n') {
      endCell();
      rows.push([]);
    } else if (inQuotes || char !== '\r') value += char;
  }
  endCell();
  return rows.filter((row) => row.length > 1 || row[0] !== '');
}

function* objectsOf(text: string, call: CmdletCall): Generator<ShellObject> {
  const rows = parseCsv(text.replace(/^#TYPE[^\n]*\n/, ''), textParameter(call, 'Delimiter') ?? ',');
  const given = listParameter(call, 'Header').map(toText);
  const names = given.length > 0 ? given : (rows.shift() ?? []);
  for (const row of rows)
    yield new ShellObject(
      customObject,
      names.map((name, i) => [name, row[i] ?? null] as const),
    );
}

/** ConvertTo-Csv, ConvertFrom-Csv, Export-Csv, Import-Csv. */
export function csvCmdlets(files: FileAccess): readonly ShellCmdlet[] {
  return [
    builtIn(
      {
        name: 'ConvertTo-Csv',
        synopsis: 'Turns objects into lines of comma-separated values.',
        parameters: csvParameters,
        examples: [
          { line: 'Get-Date | Select-Object Year | ConvertTo-Csv -NoTypeInformation', text: 'Writes one column.' },
        ],
      },
      (call) => csvLines(call),
    ),
    builtIn(
      {
        name: 'ConvertFrom-Csv',
        synopsis: 'Turns lines of comma-separated values into objects.',
        parameters: {
          Delimiter: csvParameters.Delimiter,
          Header: { type: 'String[]', help: 'Names of the columns, when the text has none.' },
        },
        examples: [{ line: "'a,b', '1,2' | ConvertFrom-Csv", text: 'Reads one object.' }],
      },
      async function* (call) {
        const lines: string[] = [];
        for await (const line of inputOf(call)) lines.push(toText(line));
        yield* objectsOf(lines.join('\n'), call);
      },
    ),
    builtIn(
      {
        name: 'Export-Csv',
        synopsis: 'Writes objects into a file of comma-separated values.',
        examples: [
          { line: 'Get-Queue | Export-Csv queues.csv -NoTypeInformation', text: 'A table for other programs.' },
        ],
        parameters: {
          Path: { type: 'String', position: 0, mandatory: true, aliases: ['PSPath', 'LiteralPath'], help: 'The file.' },
          ...csvParameters,
          Encoding: encodingParameter,
          Append: { type: 'SwitchParameter', help: 'Adds to the end of the file.' },
          NoClobber: { type: 'SwitchParameter', help: 'Does not replace a file.' },
          Force: { type: 'SwitchParameter', help: 'Taken for compatibility.' },
        },
      },
      async function* (call) {
        let text = '';
        // What is added stands under the header that the file has.
        const continues = switchParameter(call, 'Append') && (await files.exists(textParameter(call, 'Path') ?? ''));
        for await (const line of csvLines(call, continues)) text += `${line}\r\n`;
        await writeText(call, files, text);
        yield* [];
      },
    ),
    builtIn(
      {
        name: 'Import-Csv',
        synopsis: 'Reads objects from a file of comma-separated values.',
        examples: [
          {
            line: "'Name,Domain', 'Corp,corp.example' | Set-Content domains.csv; Import-Csv domains.csv",
            text: 'One object for each line.',
          },
        ],
        parameters: {
          Path: { type: 'String', position: 0, mandatory: true, aliases: ['PSPath', 'LiteralPath'], help: 'The file.' },
          Delimiter: csvParameters.Delimiter,
          Header: { type: 'String[]', help: 'Names of the columns, when the file has none.' },
          Encoding: encodingParameter,
        },
      },
      async function* (call) {
        const content = await readFile(call, files);
        if (content.includes(0))
          throw new ShellError('The file is not text in UTF-8.', { id: 'InvalidEncoding', category: 'InvalidData' });
        yield* objectsOf(encodings.UTF8.decode(content), call);
      },
    ),
  ];
}
