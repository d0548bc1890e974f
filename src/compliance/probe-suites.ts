import { suiteName, suitesOfVersion, type VersionName, versions } from '../tls/wire/index.ts';
import type { Bracket } from './bracket.ts';
import { inChunks } from './chunks.ts';
import type { HelloOffer } from './hello-exchange.ts';
import { hello12, hello13 } from './hellos.ts';
import { Untested } from './untested.ts';

/** Suites taken in one version, as codes, in the order in which the server chose them. Throws Untested. */
export function probeSuites(bracket: Bracket, version: VersionName, host: string | undefined): Promise<number[]> {
  return bracket.between(async () => {
    const found: number[] = [];
    for (const chunk of inChunks(suitesOfVersion(versions[version]).map(({ code }) => code))) {
      found.push(...(await byRemoval(bracket, chunk, (suites) => offerOf(version, suites, host))));
    }
    return found;
  });
}

function offerOf(version: VersionName, suites: readonly number[], host: string | undefined): HelloOffer {
  return version === 'tls1_3' ? hello13({ host, suites }) : hello12(versions[version], { host, suites });
}

/** Offers all, drops what was chosen, and offers the rest, until nothing of it is taken. */
async function byRemoval(
  bracket: Bracket,
  offered: readonly number[],
  offerOfRest: (rest: readonly number[]) => HelloOffer,
): Promise<number[]> {
  const found: number[] = [];
  let rest = offered;
  while (rest.length > 0) {
    const answer = await bracket.ask(offerOfRest(rest));
    if (answer.kind === 'refused') break;
    const chosen = answer.flight.hello?.suite ?? 0;
    if (!rest.includes(chosen))
      throw new Untested(`the server chose ${suiteName(chosen)}, which was not offered`, false);
    found.push(chosen);
    rest = rest.filter((code) => code !== chosen);
  }
  return found;
}

/**
 * Who decides on the suite: both orders of the accepted suites are offered. A server that follows the client gives the
 * first of each; removal alone would return the client's order.
 */
export async function probeOrder(
  bracket: Bracket,
  version: VersionName,
  accepted: readonly number[],
  host: string | undefined,
): Promise<string> {
  if (accepted.length < 2) return 'one suite only';
  const choose = async (suites: readonly number[]): Promise<number | undefined> => {
    const answer = await bracket.ask(offerOf(version, suites, host));
    return answer.kind === 'accepted' ? answer.flight.hello?.suite : undefined;
  };
  const [forth, back] = [accepted.slice(0, 64), accepted.slice(0, 64).toReversed()];
  // All suites of TLS 1.3 stood in one hello: what was chosen first is known.
  const one = version === 'tls1_3' ? accepted[0] : await choose(forth);
  const two = await choose(back);
  if (one === undefined || two === undefined) throw new Untested('the accepted suites were refused together');
  if (one === two) return 'server';
  return one === forth[0] && two === back[0] ? 'client' : 'mixed';
}
