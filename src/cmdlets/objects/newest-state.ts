/** Changes that are made on what another administrator wrote in between, and not over it. */
import { LdapError } from '../../ldap/index.ts';
import { type CmdletContext, CmdletError } from '../runtime.ts';

/** How often a change is made anew. */
const mostAttempts = 5;

/**
 * Reads, judges and writes by `attempt`, which writes only onto what it read (RFC 4528); again on the newer state when another one
 * wrote in between. Who is asked whether to go on is asked once for each thing; what is told in vain is not told.
 */
export async function onNewestState<T>(
  context: CmdletContext,
  attempt: (context: CmdletContext) => Promise<T>,
): Promise<T> {
  const agreed = new Map<string, boolean>();
  const shouldProcess: CmdletContext['shouldProcess'] = async (operation) => {
    const key = `${operation.action}\n${operation.target}`;
    const answer = agreed.get(key) ?? (await context.shouldProcess(operation));
    agreed.set(key, answer);
    return answer;
  };
  for (let tries = 1; ; tries += 1) {
    const warnings: string[] = [];
    const once = { ...context, shouldProcess, warning: (text: string) => void warnings.push(text) };
    try {
      const result = await attempt(once);
      for (const text of warnings) context.warning(text);
      return result;
    } catch (error) {
      if (tries < mostAttempts && isOvertaken(error)) continue;
      for (const text of warnings) context.warning(text);
      throw error;
    }
  }
}

/** Another one wrote between reading and writing. */
function isOvertaken(error: unknown): boolean {
  const cause = error instanceof CmdletError ? error.cause : error;
  return cause instanceof LdapError && cause.code === 'assertionFailed';
}
