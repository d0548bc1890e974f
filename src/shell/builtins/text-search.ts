import { regularExpression } from '../interpreter/expressions/regular-expressions.ts';
import type { FileAccess } from '../interpreter/state/context.ts';
import type { ShellCmdlet } from '../interpreter/state/contract.ts';
import { encodings } from '../interpreter/state/encodings.ts';
import { fileError } from '../values/file-error.ts';
import { ShellObject } from '../values/shell-object.ts';
import { toText } from '../values/text.ts';
import { builtIn, inputOf, listParameter, switchParameter } from './builtin.ts';

type Call = Parameters<ShellCmdlet['run']>[0];

/** A line that matches: shown as `file:number:line`, or the line alone when it came through the pipeline. */
class Match extends ShellObject {
  readonly #text: string;

  constructor(line: string, number: number, path: string | undefined) {
    super('Microsoft.PowerShell.Commands.MatchInfo', [
      ['LineNumber', number],
      ['Line', line],
      ['Path', path ?? 'InputStream'],
      ['Filename', path?.replace(/^.*[/\\]/, '') ?? 'InputStream'],
    ]);
    this.#text = path === undefined ? line : `${path}:${number}:${line}`;
  }

  override toString(): string {
    return this.#text;
  }
}

function tests(call: Call): (line: string) => boolean {
  const caseSensitive = switchParameter(call, 'CaseSensitive');
  const simple = switchParameter(call, 'SimpleMatch');
  const patterns = listParameter(call, 'Pattern').map((pattern) => {
    const text = toText(pattern);
    return regularExpression(simple ? text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&') : text, caseSensitive);
  });
  const wanted = !switchParameter(call, 'NotMatch');
  return (line) => patterns.some((pattern) => pattern.test(line)) === wanted;
}

async function* lines(
  call: Call,
  files: FileAccess,
): AsyncGenerator<readonly [line: string, number: number, path?: string]> {
  for (const path of listParameter(call, 'Path').map(toText)) {
    const content = await files.read(path).catch((cause: unknown) => {
      throw fileError(path, cause, 'ReadError');
    });
    const text = encodings.UTF8.decode(content).replace(/\r?\n$/, '');
    for (const [i, line] of text.split(/\r?\n/).entries()) yield [line, i + 1, path];
  }
  if (call.bound.has('Path')) return;
  let number = 0;
  for await (const item of inputOf(call)) yield [toText(item), ++number];
}

/** Select-String. */
export function selectString(files: FileAccess): ShellCmdlet {
  return builtIn(
    {
      name: 'Select-String',
      synopsis: 'Finds lines of text that match a pattern.',
      parameters: {
        Pattern: { type: 'String[]', position: 0, mandatory: true, help: 'Regular expressions.' },
        Path: {
          type: 'String[]',
          position: 1,
          aliases: ['LiteralPath'],
          help: 'Files; without, the pipeline is read.',
        },
        SimpleMatch: { type: 'SwitchParameter', help: 'The pattern is plain text.' },
        CaseSensitive: { type: 'SwitchParameter', help: 'Case counts.' },
        NotMatch: { type: 'SwitchParameter', help: 'Finds lines that do not match.' },
        Quiet: { type: 'SwitchParameter', help: 'Tells only whether there is one.' },
        AllMatches: { type: 'SwitchParameter', help: 'Taken for compatibility.' },
      },
      examples: [
        { line: "'a1', 'b2' | Select-String '\\d$' | Select-Object LineNumber", text: 'Numbers of matching lines.' },
      ],
    },
    async function* (call) {
      const matches = tests(call);
      const quiet = switchParameter(call, 'Quiet');
      for await (const [line, number, path] of lines(call, files)) {
        if (!matches(line)) continue;
        if (quiet) {
          yield true;
          return;
        }
        yield new Match(line, number, path);
      }
      if (quiet) yield false;
    },
  );
}
