/** The `edge` command in the test's own process: a process for each would take most of a test's time. */
import { type CommandParts, runCommand } from '../../src/cli/index.ts';
import type { CommandResult } from './appliance.ts';

/** `parts`: those that the command under test needs; most need none. */
export async function edgeHere(args: readonly string[], parts: Partial<CommandParts> = {}): Promise<CommandResult> {
  let [out, error] = ['', ''];
  const terminal = { out: (text: string) => void (out += text), error: (text: string) => void (error += text) };
  const status = await runCommand([...args], parts as CommandParts, terminal, '1.2.3');
  return { status, out, error };
}
