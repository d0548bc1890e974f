/** `edge shell --check`: every fault of scripts and lines, without a service and without running anything. */

import { printable } from '../../base/text/index.ts';
import { cmdletCatalogue } from '../../cmdlets/index.ts';
import { checkScript, knownCommands, problemLine } from '../../shell/index.ts';
import { exitStatus, type ShellOptions } from '../parts.ts';
import { scriptText } from './script-text.ts';

/** Writes `file:line:column: message` for each fault; resolves with 1 when there was one, 2 for a file that is not there. */
export async function check({ lines, files }: ShellOptions): Promise<number> {
  const finder = knownCommands(cmdletCatalogue());
  let status: number = exitStatus.done;
  const look = (name: string, text: string): void => {
    const problems = checkScript(text, finder);
    if (problems.length === 0) return;
    status = Math.max(status, exitStatus.finding);
    process.stdout.write(problems.map((problem) => `${printable(problemLine(name, problem))}\n`).join(''));
  };
  for (const [i, line] of lines.entries()) look(lines.length === 1 ? 'line' : `line ${i + 1}`, line);
  for (const file of files) {
    try {
      look(file, await scriptText(file));
    } catch (error) {
      process.stderr.write(`edge: ${printable((error as Error).message)}\n`);
      status = exitStatus.failed;
    }
  }
  if (lines.length + files.length === 0) {
    const chunks = await process.stdin.toArray();
    look('stdin', Buffer.concat(chunks as Buffer[]).toString('utf8'));
  }
  return status;
}
