/** The management shell in the process of its caller. It loads the language and the cmdlets' descriptions. */
import { cmdletCatalogue } from '../../cmdlets/index.ts';
import { type CallerNow, identitiesOf, RemoteCmdletRunner } from '../../management/cmdlet-client/index.ts';
import type { FileAccess } from '../../shell/caller/index.ts';
import { Shell } from '../../shell/index.ts';

export interface OpenShellOptions {
  readonly files: FileAccess;
  readonly callerNow: CallerNow;
  readonly serverName: string;
}

/** A session whose files are the caller's, and whose cmdlets run where `callerNow` leads. */
export function openShell({ files, callerNow, serverName }: OpenShellOptions): Shell {
  const runner = new RemoteCmdletRunner(callerNow, process.env['SUDO_USER']);
  return new Shell({
    cmdlets: cmdletCatalogue(),
    runner,
    files,
    now: () => Date.now(),
    variables: environmentVariables(serverName),
    identities: (noun, prefix) => identitiesOf(runner, noun, prefix),
  });
}

/** `$env:…` as Windows has it: names without regard to case, and the computer's name. */
function environmentVariables(serverName: string): ReadonlyMap<string, string> {
  const own = Object.entries(process.env).flatMap(([name, value = '']) => [[name.toUpperCase(), value] as const]);
  return new Map([...own, ['COMPUTERNAME', serverName]]);
}
