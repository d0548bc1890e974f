import { curves12, suiteName, type VersionName, versions } from '../../tls/wire/index.ts';
import { chunkSize, isFiniteField, suitesByRarity } from '../facts/suite-lists.ts';
import { Untested } from '../facts/untested.ts';
import type { Bracket } from './bracket.ts';
import type { HelloOffer } from './hello-exchange.ts';
import { hello12, hello13 } from './hellos.ts';
import { type Sorted, sortedAlike } from './suite-order.ts';

export interface SuiteFacts {
  /** Suites that are taken, as codes: as the server prefers them where it decides, else in the order found. */
  readonly accepted: readonly number[];
  /** Who decides: 'server', 'client', 'mixed' or 'one suite only'. */
  readonly order: string;
  /** Why the server's order is not known whole. */
  readonly unsorted?: string;
}

/**
 * Suites taken in one version, and who decides among them. `newest`: it is the newest version before TLS 1.3, and what it shows
 * of finite fields holds for the older ones. Throws Untested.
 */
export function probeSuites(
  bracket: Bracket,
  version: VersionName,
  host: string | undefined,
  newest: boolean,
): Promise<SuiteFacts> {
  const choose = async (suites: readonly number[], groups?: readonly number[]): Promise<number | undefined> => {
    const answer = await bracket.ask(offerOf(version, host, suites, groups));
    if (answer.kind === 'refused') return undefined;
    const chosen = answer.flight.hello?.suite ?? 0;
    if (!suites.includes(chosen))
      throw new Untested(`the server chose ${suiteName(chosen)}, which was not offered`, false);
    return chosen;
  };
  return bracket.between(async () => {
    const codes = suitesByRarity(versions[version]);
    const found = await new Removal(codes, choose).all();
    // RFC 7919 §4: with named fields in the hello, a server that has none of them takes no finite field at all.
    const usual = codes.filter(isFiniteField).slice(0, chunkSize);
    const unnamed = newest && usual.length > 0 && !found.some(({ suite }) => isFiniteField(suite));
    if (unnamed) found.push(...(await new Removal(usual, (suites) => choose(suites, curves12)).all()));
    // The hello that shows the order is taken, and so confirms the refusals before it.
    return inOrder(found, choose);
  });
}

/** The suite chosen of those offered; undefined for a refusal. */
type Choose = (suites: readonly number[]) => Promise<number | undefined>;

function offerOf(
  version: VersionName,
  host: string | undefined,
  suites: readonly number[],
  groups: readonly number[] | undefined,
): HelloOffer {
  const wishes = { host, suites, ...(groups === undefined ? {} : { groups }) };
  return version === 'tls1_3' ? hello13(wishes) : hello12(versions[version], wishes);
}

/** A suite, and among which it was chosen. */
interface Choice {
  readonly suite: number;
  readonly offered: readonly number[];
}

/**
 * Offers as many as fit, puts another in the place of what was chosen, and others in the place of all when none is. A server that
 * was given no finite field may choose a suite that needs one, and break off whatever stands beside it: where such suites were
 * refused and none was ever taken, the others are offered again without them.
 */
class Removal {
  readonly #choose: Choose;
  readonly #found: Choice[] = [];
  #waiting: readonly number[];
  #late: readonly number[] = [];

  constructor(codes: readonly number[], choose: Choose) {
    this.#waiting = codes;
    this.#choose = choose;
  }

  async all(): Promise<Choice[]> {
    let offered = this.#refilled([]);
    while (offered.length > 0) {
      const suite = await this.#choose(offered);
      if (suite === undefined) {
        this.#refused(offered);
        offered = this.#refilled([]);
      } else {
        this.#found.push({ suite, offered });
        offered = this.#refilled(offered.filter((code) => code !== suite));
      }
    }
    return this.#found;
  }

  #refilled(offered: readonly number[]): readonly number[] {
    if (offered.length === 0 && this.#waiting.length === 0) {
      this.#waiting = this.#late;
      this.#late = [];
    }
    const room = chunkSize - offered.length;
    const added = this.#waiting.slice(0, room);
    this.#waiting = this.#waiting.slice(room);
    return [...offered, ...added];
  }

  #refused(offered: readonly number[]): void {
    const again = offered.filter((code) => !isFiniteField(code));
    const mixed = again.length > 0 && again.length < offered.length;
    if (!mixed || this.#found.some(({ suite }) => isFiniteField(suite))) return;
    this.#late = [...this.#late, ...this.#waiting.filter(isFiniteField)];
    this.#waiting = [...again, ...this.#waiting.filter((code) => !isFiniteField(code))];
  }
}

/**
 * What was chosen of the first offer is known; its accepted suites are offered once more, the other way round. A server that
 * follows the client gives the first of each; removal alone would return the client's order.
 */
async function inOrder(found: readonly Choice[], choose: Choose): Promise<SuiteFacts> {
  const accepted = found.map(({ suite }) => suite);
  const [first] = found;
  if (first === undefined || accepted.length < 2) return { accepted, order: 'one suite only' };
  let forth = first.offered.filter((code) => accepted.includes(code));
  let one: number | undefined = first.suite;
  if (forth.length < 2) {
    forth = accepted.slice(0, chunkSize);
    one = await choose(forth);
  }
  const back = forth.toReversed();
  const two = await choose(back);
  if (one === undefined || two === undefined) throw new Untested('the accepted suites were refused together');
  if (one !== two) return { accepted, order: one === forth[0] && two === back[0] ? 'client' : 'mixed' };
  const { sorted, unsorted }: Sorted = await sortedAlike(listsOf(found), async (a, b) => (await choose([a, b])) === a);
  return { accepted: sorted, order: 'server', ...(unsorted === undefined ? {} : { unsorted }) };
}

/** Suites of which each was there when the one before was preferred to it. */
function listsOf(found: readonly Choice[]): number[][] {
  const lists: number[][] = [];
  for (const [i, { suite }] of found.entries()) {
    const list = lists.at(-1);
    if (list !== undefined && found[i - 1]?.offered.includes(suite) === true) list.push(suite);
    else lists.push([suite]);
  }
  return lists;
}
