/** `edge shell` in the test's own process, which loads the language once: a process for each call would take most of a test's time. */
import { scriptText } from '../../src/cli/shell/script-text.ts';
import { openRunner } from '../../src/cli/shell/shell-runner.ts';
import type { CommandResult } from './appliance.ts';

export interface ShellHere {
  readonly state: string;
  readonly role?: 'EdgeTransport' | 'Mailbox';
  readonly lines?: readonly string[];
  /** A script, which runs behind the lines. */
  readonly file?: string;
}

/** Runs lines as `edge shell -c` does: those behind one that failed run too, and the status is 1. */
export async function shellHere({
  state,
  role = 'EdgeTransport',
  lines = [],
  file,
}: ShellHere): Promise<CommandResult> {
  const texts = lines.map((text) => ({ text, place: {} }));
  if (file !== undefined) texts.push({ text: await scriptText(file), place: { file } });
  let [status, out, error] = [0, '', ''];
  await using runner = await openRunner({ state, role, atOnce: true });
  const { signal } = new AbortController();
  for (const { text, place } of texts) {
    for await (const piece of runner.run(text, { width: 120, colour: false, signal, ...place })) {
      if (piece.kind === 'end') status = piece.ok ? status : 1;
      else if (piece.kind === 'text') out += piece.text;
      else if (piece.kind !== 'progress') error += piece.text;
    }
  }
  return { status, out, error };
}
