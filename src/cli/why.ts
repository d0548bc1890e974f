import { join } from 'node:path';
import { type Chain, findChains, parseQuestion, sentenceOf } from '../logs/records/index.ts';
import { ManagementClient, managementSocket, NotRunningError, statePaths } from '../supervisor/client/index.ts';
import { exitStatus, type Terminal } from './parts.ts';

/** `edge why`: the decisions about a session, a message or an address. Works on a stopped service too. */
export async function why(
  about: string,
  options: { state: string; json: boolean; most: number },
  terminal: Terminal,
): Promise<number> {
  let question: ReturnType<typeof parseQuestion>;
  try {
    question = parseQuestion(about);
  } catch (error) {
    terminal.error(`edge why: ${(error as Error).message}\n`);
    return exitStatus.usage;
  }
  await flushLogs(options.state);
  const chains = await findChains(join(statePaths(options.state).logs, 'Decisions'), question, options.most);
  if (options.json) terminal.out(`${JSON.stringify(chains, undefined, 2)}\n`);
  else for (const chain of chains) terminal.out(renderChain(chain));
  if (chains.length > 0) return exitStatus.done;
  terminal.error(
    `Nothing is known about ${about}: it was not seen here, or its decisions have been pruned (7 days, 256 MB).\n`,
  );
  return exitStatus.finding;
}

/** What the last moments decided is still in the memory of the workers. */
async function flushLogs(state: string): Promise<void> {
  try {
    using client = await ManagementClient.connect(managementSocket(statePaths(state)));
    await client.call('flush-logs', undefined);
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
  }
}

/** A chain for a person: the time of each step after the first, then what was decided. */
export function renderChain(chain: Chain): string {
  const first = chain.events[0]?.at ?? 0;
  const lines = chain.events.map((event) => `  ${offset(event.at - first).padStart(9)}  ${sentenceOf(event)}`);
  return `${chain.title}  ${new Date(first).toISOString()}\n${lines.join('\n')}\n\n`;
}

function offset(ms: number): string {
  if (ms < 10_000) return `+${ms} ms`;
  return ms < 600_000 ? `+${Math.round(ms / 1000)} s` : `+${Math.round(ms / 60_000)} min`;
}
