/** Commands that open the directory itself are lines of the admin audit log, as cmdlets are. */
import { hostname } from 'node:os';
import type { Command } from 'commander';
import type { DirectoryStore, StoreOptions } from '../directory/index.ts';
import { auditWriter, openAdminAudit, ownAccount } from '../management/audit/index.ts';
import { statePaths } from '../processes/state/index.ts';
import { placeIn } from '../server-state/directory/index.ts';
import { type DirectoryAccess, exitStatus, type Terminal } from './parts.ts';

/** A command as it was typed. */
interface Typed {
  /** `edge directory export`. */
  readonly name: string;
  readonly parameters: readonly { readonly name: string; readonly value: string }[];
  readonly line: string;
}

/**
 * The directory as one command opens it. The account is the one that typed it: root becomes the owner of the state later. What it
 * opens is recorded before it is read or changed, and once more when the command fails.
 */
export class AuditedAccess implements DirectoryAccess {
  readonly #inner: DirectoryAccess;
  readonly #typed: Typed;
  readonly #terminal: Terminal;
  readonly #who = ownAccount();
  #record: ((error: string) => void) | undefined;

  constructor(inner: DirectoryAccess, command: Command, terminal: Terminal) {
    this.#inner = inner;
    this.#typed = typed(command);
    this.#terminal = terminal;
  }

  async open(
    state: string,
    options: Pick<StoreOptions, 'readOnly' | 'alongside' | 'checked'>,
  ): Promise<DirectoryStore> {
    const store = await this.#inner.open(state, options);
    if (this.#record === undefined) {
      this.#record = this.#recorderFor(state, store);
      this.#record('');
    }
    return store;
  }

  ready(): Promise<unknown> {
    return this.#inner.ready();
  }

  openBackup(folder: string): Promise<DirectoryStore> {
    return this.#inner.openBackup(folder);
  }

  openScratch(folder: string): Promise<DirectoryStore> {
    return this.#inner.openScratch(folder);
  }

  /** How it ended. Commands that opened nothing leave no line. */
  ended(status: number): void {
    if (status !== exitStatus.done) this.#record?.(`it ended with exit status ${status}`);
  }

  #recorderFor(state: string, store: DirectoryStore): (error: string) => void {
    const write = auditWriter(openAdminAudit(statePaths(state)), {
      server: serverName(store),
      via: 'store',
      who: this.#who,
    });
    const { name, parameters, line } = this.#typed;
    const entry = { cmdlet: name, object: '', dn: '', parameters, line, properties: [] };
    return (error) => {
      try {
        write({ ...entry, succeeded: error === '', error }, this.#who);
      } catch (fault) {
        this.#terminal.error(`${name}: it could not be written to the admin audit log: ${(fault as Error).message}\n`);
      }
    };
  }
}

/** An empty directory, as before an import, has no server yet. */
function serverName(store: DirectoryStore): string {
  try {
    return placeIn(store).serverName;
  } catch {
    // What is wrong with it, the command itself will say.
    return hostname();
  }
}

/** No option of these commands holds a secret: passwords are asked for or stand in files. */
function typed(command: Command): Typed {
  const names: string[] = [];
  for (let one: Command | null = command; one !== null; one = one.parent) names.unshift(one.name());
  const given = Object.entries<unknown>(command.opts()).filter(
    ([name]) => command.getOptionValueSource(name) === 'cli',
  );
  const parameters = [
    ...command.args.map((value) => ({ name: 'argument', value })),
    ...given.map(([name, value]) => ({ name, value: String(value) })),
  ];
  const options = given.flatMap(([name, value]) => [`--${hyphened(name)}`, ...(value === true ? [] : [String(value)])]);
  const name = names.join(' ');
  return { name, parameters, line: [name, ...options, ...command.args].join(' ') };
}

/** `dryRun` as it is typed: `dry-run`. */
function hyphened(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
