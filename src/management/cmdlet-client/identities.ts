/** Identities for completion, live: what the Get- cmdlet of a noun gives at this moment. */
import type { CmdletObject, CmdletRunner } from '../../cmdlets/calling/index.ts';

/** Most that are offered. */
const most = 500;
/** Completion that takes longer than this, in milliseconds, helps nobody. */
const limitMs = 2000;

/** Names, or identities where those fit better, that begin with a text. None when the directory or service fails. */
export async function identitiesOf(runner: CmdletRunner, noun: string, prefix: string): Promise<readonly string[]> {
  const silent = (): undefined => undefined;
  const host = {
    warning: silent,
    verbose: silent,
    shouldProcess: () => Promise.resolve(false),
    signal: AbortSignal.timeout(limitMs),
  };
  const found: string[] = [];
  try {
    for await (const object of runner.run({ cmdlet: `Get-${noun}`, parameters: new Map(), line: '' }, host)) {
      const name = namesOf(object).find((one) => one.toLowerCase().startsWith(prefix.toLowerCase()));
      if (name !== undefined) found.push(name);
      if (found.length >= most) break;
    }
  } catch {
    // The line itself will say what is wrong when it runs.
  }
  return found;
}

function namesOf(object: CmdletObject): string[] {
  return ['Name', 'Identity'].map((property) => object.get(property)).filter((name) => typeof name === 'string');
}
