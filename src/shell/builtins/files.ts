import { renderText } from '../format/output.ts';
import type { View } from '../format/views.ts';
import type { FileAccess } from '../interpreter/state/context.ts';
import type { CmdletCall, ShellCmdlet } from '../interpreter/state/contract.ts';
import { encodings, findEncoding } from '../interpreter/state/encodings.ts';
import { convertTo } from '../values/convert.ts';
import { fileError } from '../values/file-error.ts';
import { ShellError } from '../values/shell-error.ts';
import { toText } from '../values/text.ts';
import { builtIn, inputOf, listParameter, numberParameter, switchParameter, textParameter } from './builtin.ts';

export const encodingParameter = {
  type: 'String',
  allowed: [...Object.keys(encodings), 'UTF7', 'UTF32', 'BigEndianUnicode', 'OEM', 'String', 'Unknown', 'Byte'],
  help: 'How text is kept; default UTF-8.',
};

const path = {
  type: 'String',
  position: 0,
  mandatory: true,
  aliases: ['FilePath', 'PSPath', 'LiteralPath'],
  help: 'The file.',
};

function pathOf(call: CmdletCall): string {
  return textParameter(call, 'Path') ?? textParameter(call, 'FilePath') ?? '';
}

/** Reads the file of -Path. Throws ShellError. */
export async function readFile(call: CmdletCall, files: FileAccess): Promise<Uint8Array> {
  try {
    return await files.read(pathOf(call));
  } catch (cause) {
    throw fileError(pathOf(call), cause, 'ReadError');
  }
}

/** Writes the file of -Path as -Append, -NoClobber and -Encoding say. Throws ShellError. */
export async function writeText(
  call: CmdletCall,
  files: FileAccess,
  text: string,
  append = switchParameter(call, 'Append'),
): Promise<void> {
  const name = textParameter(call, 'Encoding');
  const encoding = name === undefined ? encodings.UTF8 : findEncoding(name);
  if (encoding === undefined) {
    throw new ShellError(
      `The encoding ${name ?? ''} is outside this shell. Known here: ${Object.keys(encodings).join(', ')}.`,
      {
        id: 'NotSupportedInThisShell',
        category: 'NotImplemented',
      },
    );
  }
  await writeBytes(call, files, encoding.encode(text), append);
}

async function writeBytes(call: CmdletCall, files: FileAccess, content: Uint8Array, append = false): Promise<void> {
  const target = pathOf(call);
  try {
    if (switchParameter(call, 'NoClobber') && (await files.exists(target)))
      throw new Error(`The file '${target}' already exists.`);
    await files.write(target, content, append);
  } catch (cause) {
    throw fileError(target, cause, 'WriteError');
  }
}

async function* getContent(call: CmdletCall, files: FileAccess): AsyncGenerator<unknown> {
  const content = await readFile(call, files);
  const name = textParameter(call, 'Encoding');
  if (name === 'Byte') {
    yield* content;
    return;
  }
  const text = (findEncoding(name ?? 'UTF8') ?? encodings.UTF8).decode(content);
  if (switchParameter(call, 'Raw')) {
    yield text;
    return;
  }
  const lines = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const [head, tail] = [numberParameter(call, 'TotalCount'), numberParameter(call, 'Tail')];
  yield* text === '' ? [] : lines.slice(tail === undefined ? 0 : Math.max(0, lines.length - tail), head);
}

/** Get-, Set-, Add- and Clear-Content, Test-Path, Out-File. */
export function fileCmdlets(
  files: FileAccess,
  findView: (typeName: string) => View | undefined,
): readonly ShellCmdlet[] {
  return [
    builtIn(
      {
        name: 'Get-Content',
        synopsis: 'Reads a file: its lines, or its bytes.',
        examples: [{ line: "'a', 'b' | Set-Content list.txt; (Get-Content list.txt).Count", text: 'Lines of a file.' }],
        parameters: {
          Path: path,
          Encoding: encodingParameter,
          Raw: { type: 'SwitchParameter', help: 'Gives one text, not lines.' },
          TotalCount: { type: 'Int32', aliases: ['First', 'Head'], min: 0, help: 'How many lines from the beginning.' },
          Tail: { type: 'Int32', aliases: ['Last'], min: 0, help: 'How many lines from the end.' },
          ReadCount: { type: 'Int64', help: 'Taken for compatibility.' },
        },
      },
      (call) => getContent(call, files),
    ),
    builtIn(
      {
        name: 'Set-Content',
        synopsis: 'Writes a file: lines of text, or bytes.',
        examples: [{ line: "'10.0.0.5', '10.0.0.6' | Set-Content ips.txt", text: 'Writes two lines.' }],
        parameters: {
          Path: path,
          Value: { type: 'Object[]', position: 1, help: 'What is written.' },
          Encoding: encodingParameter,
          Force: { type: 'SwitchParameter', help: 'Taken for compatibility.' },
        },
      },
      async function* (call) {
        const values: unknown[] = call.bound.has('Value') ? [...listParameter(call, 'Value')] : [];
        if (!call.bound.has('Value')) for await (const value of inputOf(call)) values.push(value);
        if (textParameter(call, 'Encoding') === 'Byte') {
          const bytes = convertTo('byte[]', values);
          await writeBytes(call, files, bytes instanceof Uint8Array ? bytes : new Uint8Array());
        } else {
          await writeText(call, files, values.map((value) => `${toText(value)}\n`).join(''));
        }
        yield* [];
      },
    ),
    builtIn(
      {
        name: 'Add-Content',
        synopsis: 'Adds lines of text to the end of a file.',
        examples: [{ line: "'10.0.0.5' | Add-Content ips.txt; Get-Content ips.txt", text: 'Adds a line.' }],
        parameters: {
          Path: path,
          Value: { type: 'Object[]', position: 1, help: 'What is added.' },
          Encoding: encodingParameter,
          Force: { type: 'SwitchParameter', help: 'Taken for compatibility.' },
        },
      },
      async function* (call) {
        const values: unknown[] = call.bound.has('Value') ? [...listParameter(call, 'Value')] : [];
        if (!call.bound.has('Value')) for await (const value of inputOf(call)) values.push(value);
        await writeText(call, files, values.map((value) => `${toText(value)}\n`).join(''), true);
        yield* [];
      },
    ),
    builtIn(
      {
        name: 'Clear-Content',
        synopsis: 'Empties a file.',
        examples: [{ line: "'x' | Set-Content notes.txt; Clear-Content notes.txt", text: 'Leaves an empty file.' }],
        parameters: { Path: path },
      },
      async function* (call) {
        await writeText(call, files, '');
        yield* [];
      },
    ),
    builtIn(
      {
        name: 'Test-Path',
        synopsis: 'Tells whether a file exists.',
        examples: [{ line: 'Test-Path queues.csv', text: 'True or False.' }],
        parameters: { Path: path },
      },
      async function* (call) {
        yield await files.exists(pathOf(call));
      },
    ),
    builtIn(
      {
        name: 'Out-File',
        synopsis: 'Writes objects into a file, as they would be shown.',
        examples: [
          {
            line: 'Get-Queue | Format-Table Identity, Status | Out-File queues.txt',
            text: 'Writes what would be shown.',
          },
        ],
        parameters: {
          FilePath: { ...path, aliases: ['Path', 'LiteralPath'] },
          Encoding: { ...encodingParameter, position: 1 },
          Append: { type: 'SwitchParameter', help: 'Adds to the end of the file.' },
          NoClobber: { type: 'SwitchParameter', help: 'Does not replace a file.' },
          Width: { type: 'Int32', min: 2, help: 'Columns of a line.' },
          Force: { type: 'SwitchParameter', help: 'Taken for compatibility.' },
        },
      },
      async function* (call) {
        const { render } = call.host;
        const options = { ...render, width: numberParameter(call, 'Width') ?? render.width, colour: false };
        let text = '';
        for await (const chunk of renderText(inputOf(call), options, findView)) text += chunk;
        await writeText(call, files, text);
        yield* [];
      },
    ),
  ];
}
