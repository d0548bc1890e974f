/** The management shell in the process of its caller. It loads the language; what cmdlets there are it asks where they run. */

import type { CmdletDescriptions } from '../../cmdlets/calling/index.ts';
import { type CallerNow, identitiesOf, RemoteCmdletRunner } from '../../management/cmdlet-client/index.ts';
import type { FileAccess } from '../../shell/caller/index.ts';
import { Shell } from '../../shell/index.ts';

export interface OpenShellOptions {
  readonly files: FileAccess;
  readonly callerNow: CallerNow;
  readonly serverName: string;
  readonly cmdlets: CmdletDescriptions;
}

/** A session whose files are the caller's, and whose cmdlets run where `callerNow` leads. */
export function openShell({ files, callerNow, serverName, cmdlets }: OpenShellOptions): Shell {
  const runner = new RemoteCmdletRunner(callerNow, process.env['SUDO_USER']);
  return new Shell({
    cmdlets,
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
