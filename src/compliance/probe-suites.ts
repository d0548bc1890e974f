import { suiteName, suitesOfVersion, type VersionName, versions } from '../tls/wire/index.ts';
import type { Bracket } from './bracket.ts';
import { chunkSize, inTurn } from './chunks.ts';
import type { HelloOffer } from './hello-exchange.ts';
import { hello12, hello13 } from './hellos.ts';
import { Untested } from './untested.ts';

export interface SuiteFacts {
  /** Suites that are taken, as codes, in the order in which the server chose them. */
  readonly accepted: readonly number[];
  /** Who decides: 'server', 'client', 'mixed' or 'one suite only'. */
  readonly order: string;
}

/** Suites taken in one version, and who decides among them. Throws Untested. */
export function probeSuites(bracket: Bracket, version: VersionName, host: string | undefined): Promise<SuiteFacts> {
  const choose: Choose = async (suites) => {
    const answer = await bracket.ask(offerOf(version, suites, host));
    if (answer.kind === 'refused') return undefined;
    const chosen = answer.flight.hello?.suite ?? 0;
    if (!suites.includes(chosen))
      throw new Untested(`the server chose ${suiteName(chosen)}, which was not offered`, false);
    return chosen;
  };
  const codes = inTurn(suitesOfVersion(versions[version]).map(({ code }) => code));
  return bracket.between(async () => {
    const accepted = await byRemoval(codes, choose);
    // The hello that shows the order is taken, and so confirms the refusals before it.
    return { accepted, order: await orderOf(accepted, codes.slice(0, chunkSize), choose) };
  });
}

/** The suite chosen of those offered; undefined for a refusal. */
type Choose = (suites: readonly number[]) => Promise<number | undefined>;

function offerOf(version: VersionName, suites: readonly number[], host: string | undefined): HelloOffer {
  return version === 'tls1_3' ? hello13({ host, suites }) : hello12(versions[version], { host, suites });
}

/** Offers as many as fit, puts another in the place of what was chosen, and others in the place of all when none is. */
async function byRemoval(codes: readonly number[], choose: Choose): Promise<number[]> {
  const found: number[] = [];
  const waiting = [...codes];
  let offered = waiting.splice(0, chunkSize);
  while (offered.length > 0) {
    const chosen = await choose(offered);
    if (chosen !== undefined) found.push(chosen);
    offered = chosen === undefined ? [] : offered.filter((code) => code !== chosen);
    offered.push(...waiting.splice(0, chunkSize - offered.length));
  }
  return found;
}

/**
 * What was chosen of the first offer is known; its accepted suites are offered once more, the other way round. A server that
 * follows the client gives the first of each; removal alone would return the client's order.
 */
async function orderOf(accepted: readonly number[], first: readonly number[], choose: Choose): Promise<string> {
  if (accepted.length < 2) return 'one suite only';
  let forth = first.filter((code) => accepted.includes(code));
  let one = accepted[0];
  if (forth.length < 2) {
    forth = accepted.slice(0, chunkSize);
    one = await choose(forth);
  }
  const back = forth.toReversed();
  const two = await choose(back);
  if (one === undefined || two === undefined) throw new Untested('the accepted suites were refused together');
  if (one === two) return 'server';
  return one === forth[0] && two === back[0] ? 'client' : 'mixed';
}
