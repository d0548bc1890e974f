import { aliases } from './builtins/aliases.ts';
import type { CmdletDescription, ShellCmdlet } from './interpreter/state/contract.ts';

/** The cmdlets of a session, found by name or alias without regard to case. */
export class Catalogue {
  readonly #byName: ReadonlyMap<string, ShellCmdlet>;

  constructor(cmdlets: readonly ShellCmdlet[]) {
    this.#byName = new Map(cmdlets.map((cmdlet) => [cmdlet.name.toLowerCase(), cmdlet]));
  }

  find(name: string): ShellCmdlet | undefined {
    // Exchange's scripts are called from their folder: ./ExportEdgeConfig.ps1.
    const folded = name.toLowerCase().replace(/^\.[\\/](?=[\w-]+\.ps1$)/, '');
    return this.#byName.get(folded) ?? this.#byName.get(aliases.get(folded)?.toLowerCase() ?? '');
  }

  /** In order of name. */
  get cmdlets(): readonly ShellCmdlet[] {
    return [...this.#byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Names of cmdlets and aliases. */
  names(): string[] {
    return [...this.cmdlets.map(({ name }) => name), ...aliases.keys()];
  }
}

/** What checks, completion and help ask of a catalogue. */
export interface CommandFinder {
  find(name: string): CmdletDescription | undefined;
  readonly cmdlets: readonly CmdletDescription[];
  names(): Iterable<string>;
}
