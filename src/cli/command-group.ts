/** Commands that have commands of their own: `edge directory`, `edge sync`. */
import { type Command, Option } from 'commander';
import { defaultStateFolder } from '../processes/state/index.ts';
import { exitStatus, type Terminal } from './parts.ts';

/** Adds one command to a group, with the options that all have. */
export type AddCommand = (name: string, description: string, examples: readonly string[]) => Command;

/** A command that does nothing by itself: it shows its help and ends with the exit status of wrong usage. */
export function commandGroup(
  parent: Command,
  name: string,
  description: string,
  { terminal, finish }: { readonly terminal: Terminal; readonly finish: (status: number) => void },
): Command {
  const group = parent
    .command(name)
    .description(description)
    // `edge sync help` and `edge sync help init`: commander leaves the word out where a group acts by itself.
    .helpCommand(true)
    .action(() => {
      terminal.error(group.helpInformation());
      finish(exitStatus.usage);
    });
  return group;
}

/** Makes the commands of a group. */
export function commandsOf(group: Command): AddCommand {
  return (name, description, examples) =>
    group
      .command(name)
      .description(description)
      .addOption(new Option('--state <dir>', 'state directory').default(defaultStateFolder('use')))
      .option('--json', 'for programs', false)
      .addHelpText(
        'after',
        `\n${examples.length === 1 ? 'Example' : 'Examples'}:\n${examples.map((example) => `  ${example}`).join('\n')}`,
      );
}

/** `edge directory --state DIR export` is `edge directory export --state DIR`: the option may stand before any word of the command. */
export function stateBehindCommand(program: Command, args: readonly string[]): string[] {
  const [words, state]: [string[], string[]] = [[], []];
  let at = 0;
  for (let command: Command | undefined = program; at < args.length; at += 1) {
    const word: string = args[at] ?? '';
    if (word.startsWith('--state=')) state.push(word);
    else if (word === '--state') state.push(...args.slice(at, ++at + 1));
    else {
      command = command?.commands.find((one) => one.name() === word);
      if (command === undefined) break;
      words.push(word);
    }
  }
  return [...words, ...state, ...args.slice(at)];
}
