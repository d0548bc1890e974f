import { availableParallelism } from 'node:os';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { fileFault, printableLines } from '../base/text/index.ts';
import { defaultStateFolder } from '../processes/state/index.ts';
import { stateBehindCommand } from './command-group.ts';
import { addDirectory } from './directory-program.ts';
import { type CommandParts, exitStatus, type StartOptions, type Terminal } from './parts.ts';
import { addSync } from './sync-program.ts';
import { addTls } from './tls-program.ts';

/**
 * Commands are loaded when they are asked for: the supervisor stays small, and a prompt comes at once.
 * Runs the `edge` command with its arguments (without program and script); resolves with the exit status.
 */
export async function runCommand(
  args: readonly string[],
  parts: CommandParts,
  given: Terminal,
  version: string,
): Promise<number> {
  let result: number = exitStatus.done;
  const terminal = printableTerminal(given);
  const program = new Command('edge')
    .description('Edge Transport appliance: an SMTP relay for the perimeter that explains itself')
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.error(text) });
  const finish = (value: number): void => {
    result = value;
  };
  addStart(program, parts, finish);
  addShell(program, parts, finish);
  addStatus(program, terminal, finish);
  addWhy(program, terminal, finish);
  addDirectory(program, parts, terminal, finish);
  addSync(program, terminal, finish);
  // It draws a line of progress over and over, and makes each text of a stranger printable itself.
  addTls(program, parts, given, finish);
  nameHelp(program, program.name());
  try {
    await program.parseAsync(stateBehindCommand(program, args), { from: 'user' });
    return result;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.done : exitStatus.usage;
    terminal.error(`edge: ${fileFault(error)}\n`);
    return exitStatus.failed;
  }
}

/** An error in the words of a command ends with the line that explains this command. */
function nameHelp(command: Command, line: string): void {
  command.showHelpAfterError(`(${line} --help tells more)`);
  for (const each of command.commands) nameHelp(each, `${line} ${each.name()}`);
}

/** A terminal that gets no control but line ends and tabs, whatever names and values a command shows. */
function printableTerminal(terminal: Terminal): Terminal {
  return {
    out: (text) => terminal.out(printableLines(text)),
    error: (text) => terminal.error(printableLines(text)),
  };
}

const roleOption = (): Option =>
  new Option('--role <role>', 'what this server is').choices(['EdgeTransport', 'Mailbox']).default('EdgeTransport');
const stateOption = (purpose: 'run' | 'use'): Option =>
  new Option('--state <dir>', 'state directory').default(defaultStateFolder(purpose));

function addStart(program: Command, parts: CommandParts, finish: (status: number) => void): void {
  program
    .command('start')
    .description('run the services of one role until SIGTERM; SIGHUP opens the logs anew')
    .addOption(stateOption('run'))
    .addOption(roleOption())
    .option('--workers <n>', 'transport workers', wholeNumber, availableParallelism())
    .option('--user <account>', "account that everything but the supervisor runs as (root only; default 'edge')")
    .option(
      '--admin-group <group>',
      "members of this group may use the management shell, besides root and the account of the services (default 'edge-admin' where it exists)",
    )
    .option(
      '--allow-port <port>',
      'port below 1024 that connectors may have besides 25, 465, 475, 587 and 717; may be given again',
      (text: string, ports: number[]) => [...ports, wholeNumber(text)],
      [],
    )
    .addHelpText(
      'after',
      '\nExamples:\n  edge start\n  edge start --state /srv/edge --workers 4 --user edge --admin-group mailadmins\n  edge start --state /srv/hub --role Mailbox',
    )
    .action(async (options: StartOptions) => {
      finish(await parts.start(options));
    });
}

function addShell(program: Command, parts: CommandParts, finish: (status: number) => void): void {
  program
    .command('shell')
    .description('the management shell; without lines or files it asks for them')
    .argument('[files...]', 'scripts to run, in order')
    .addOption(stateOption('use'))
    .addOption(roleOption())
    .option(
      '-c, --command <line>',
      'a line to run; may be given again',
      (line: string, lines: string[]) => [...lines, line],
      [],
    )
    .option('--check', 'only parse and resolve; tell every fault as file:line:column', false)
    .addHelpText(
      'after',
      "\nExamples:\n  edge shell\n  edge shell -c 'Get-ReceiveConnector | Format-List Name,Bindings'\n  edge shell --check setup.ps1",
    )
    .action(
      async (
        files: string[],
        options: { state: string; role: 'EdgeTransport' | 'Mailbox'; command: string[]; check: boolean },
      ) => {
        finish(
          await parts.shell({
            state: options.state,
            role: options.role,
            lines: options.command,
            files,
            check: options.check,
          }),
        );
      },
    );
}

function addStatus(program: Command, terminal: Terminal, finish: (status: number) => void): void {
  program
    .command('status')
    .description('what runs and how it does')
    .addOption(stateOption('use'))
    .option('--json', 'for programs', false)
    .addHelpText('after', '\nExamples:\n  edge status\n  edge status --json | jq .queues')
    .action(async (options: { state: string; json: boolean }) =>
      finish(await (await import('./status.ts')).status(options, terminal)),
    );
}

function addWhy(program: Command, terminal: Terminal, finish: (status: number) => void): void {
  program
    .command('why')
    .description('the decisions taken about a session, a message or an address')
    .argument('<about>', 'session id, message (GUID, number or <Message-ID>) or address')
    .addOption(stateOption('use'))
    .option('--json', 'for programs: one array of chains', false)
    .option('--most <n>', 'sessions and messages shown at the most', wholeNumber, 10)
    .addHelpText(
      'after',
      "\nExamples:\n  edge why user@example.com\n  edge why '<20260101.1@example.net>'\n  edge why 4F0E5A2B1C000001 --json",
    )
    .action(async (about: string, options: { state: string; json: boolean; most: number }) =>
      finish(await (await import('./why.ts')).why(about, options, terminal)),
    );
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1024)
    throw new InvalidArgumentError('a whole number from 1 to 1024 is needed');
  return value;
}
