import { join } from 'node:path';
import { printable, printableJson } from '../base/text/index.ts';
import { type Chain, findChains, parseQuestion, type Question, sentenceOf } from '../logs/records/index.ts';
import { ManagementClient, NotPermittedError, NotRunningError } from '../management/client/index.ts';
import { becomeOwner, mayUse, statePaths } from '../processes/state/index.ts';
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
  let chains: Chain[];
  try {
    chains = await chainsOf(options.state, about, question, options.most);
  } catch (error) {
    if (!(error instanceof NotPermittedError)) throw error;
    terminal.error(`edge why: ${error.message}\n`);
    return exitStatus.failed;
  }
  if (options.json) terminal.out(`${printableJson(chains, 2)}\n`);
  else for (const chain of chains) terminal.out(renderChain(chain));
  if (chains.length > 0) return exitStatus.done;
  terminal.error(
    `Nothing is known about ${about}: it was not seen here, or its decisions have been pruned (7 days, 2 GB).\n`,
  );
  return exitStatus.finding;
}

/** Reads the decisions where this account may, and asks the service where only that may. Throws NotPermittedError. */
async function chainsOf(state: string, about: string, question: Question, most: number): Promise<Chain[]> {
  const paths = statePaths(state);
  const folder = join(paths.logs, 'Decisions');
  try {
    using client = await ManagementClient.connect(paths);
    // What the last moments decided is still in the memory of the workers.
    await client.call('flush-logs', undefined);
    if (!mayUse(paths.logs, 'read')) return (await client.call('why', { about, most } satisfies WhyRequest)) as Chain[];
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
    if (!mayUse(paths.logs, 'read')) {
      throw new NotPermittedError(`the service does not run, and only root and its account may read ${paths.logs}`);
    }
  }
  becomeOwner(paths.root);
  return findChains(folder, question, most);
}

/** What the service is asked where the caller may not read for itself. */
export interface WhyRequest {
  readonly about: string;
  readonly most: number;
}

/** A chain for a person: the time of each step after the first, then what was decided. */
export function renderChain(chain: Chain): string {
  const first = chain.events[0]?.at ?? 0;
  const lines = chain.events.map(
    (event) => `  ${offset(event.at - first).padStart(9)}  ${printable(sentenceOf(event))}`,
  );
  return `${printable(chain.title)}  ${new Date(first).toISOString()}\n${lines.join('\n')}\n\n`;
}

function offset(ms: number): string {
  if (ms < 10_000) return `+${ms} ms`;
  return ms < 600_000 ? `+${Math.round(ms / 1000)} s` : `+${Math.round(ms / 60_000)} min`;
}
