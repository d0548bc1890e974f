import type { ShellCmdlet } from '../interpreter/state/contract.ts';
import { toText } from '../values/text.ts';
import { builtIn, listParameter, switchParameter, textParameter } from './builtin.ts';

/** The separator that a path is written with. */
function separatorOf(path: string): string {
  return path.includes('\\') && !path.includes('/') ? '\\' : '/';
}

function lastSeparator(path: string): number {
  return Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
}

/** Join-Path and Split-Path: text only, the files need not exist. */
export const pathCmdlets: readonly ShellCmdlet[] = [
  builtIn(
    {
      name: 'Join-Path',
      synopsis: 'Puts a folder and a name together.',
      parameters: {
        Path: { type: 'String[]', position: 0, mandatory: true, help: 'The folder.' },
        ChildPath: { type: 'String', position: 1, mandatory: true, help: 'What is in it.' },
      },
      examples: [{ line: 'Join-Path /tmp report.csv', text: 'Gives /tmp/report.csv.' }],
    },
    async function* (call) {
      const child = (textParameter(call, 'ChildPath') ?? '').replace(/^[/\\]+/, '');
      for (const path of listParameter(call, 'Path').map(toText)) {
        yield `${path.replace(/[/\\]+$/, '')}${separatorOf(path)}${child}`;
      }
    },
  ),
  builtIn(
    {
      name: 'Split-Path',
      synopsis: 'Gives the folder of a path, or its last part.',
      parameters: {
        Path: { type: 'String[]', position: 0, mandatory: true, help: 'The path.' },
        Parent: { type: 'SwitchParameter', help: 'The folder; this is the default.' },
        Leaf: { type: 'SwitchParameter', help: 'The last part.' },
      },
      examples: [{ line: 'Split-Path /tmp/report.csv -Leaf', text: 'Gives report.csv.' }],
    },
    async function* (call) {
      for (const path of listParameter(call, 'Path').map(toText)) {
        const at = lastSeparator(path);
        yield switchParameter(call, 'Leaf') ? path.slice(at + 1) : path.slice(0, Math.max(at, 0));
      }
    },
  ),
];
