/** The order of preference of one who is asked about two at a time. */

/** Whether the first is preferred to the second. */
type Before = (a: number, b: number) => Promise<boolean>;

export interface Sorted {
  readonly sorted: readonly number[];
  /** Why the order between some of them is not known. */
  readonly unsorted?: string;
}

/** Questions at the most: each is a connection. */
const mostQuestions = 24;

/** One list of several that are in order by themselves. Runs that stay together cost few questions. */
export async function sortedAlike(lists: readonly (readonly number[])[], before: Before): Promise<Sorted> {
  const [longest = [], ...others] = lists.toSorted((a, b) => b.length - a.length);
  let left = mostQuestions;
  const ask: Before = (a, b) => {
    if (left-- <= 0) throw new TooMany();
    return before(a, b);
  };
  let sorted: readonly number[] = longest;
  for (const [i, list] of others.entries()) {
    try {
      sorted = await merged(sorted, list, ask);
    } catch (error) {
      if (!(error instanceof TooMany)) throw error;
      return {
        sorted: [...sorted, ...others.slice(i).flat()],
        unsorted: `more than ${mostQuestions} pairs of suites would have to be compared`,
      };
    }
  }
  return { sorted };
}

class TooMany extends Error {}

async function merged(a: readonly number[], b: readonly number[], before: Before): Promise<readonly number[]> {
  const [first, ...rest] = b;
  const last = rest.at(-1);
  if (first === undefined) return a;
  const at = await placeOf(first, a, before);
  const [ahead, behind] = [a.slice(0, at), a.slice(at)];
  const [next] = behind;
  // Most lists lie between two neighbours of the other.
  if (next === undefined || last === undefined || (await before(last, next))) return [...ahead, ...b, ...behind];
  return [...ahead, first, ...(await merged(behind, rest, before))];
}

/** How many stand before it. */
async function placeOf(one: number, list: readonly number[], before: Before): Promise<number> {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = list[middle];
    if (other !== undefined && (await before(one, other))) high = middle;
    else low = middle + 1;
  }
  return low;
}
