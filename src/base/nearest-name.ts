/** Longest part of a name that is compared, in characters: what was typed comes from anybody. */
const mostCompared = 200;

/** Steps (insert, delete, replace, swap of neighbours: Damerau–Levenshtein) from one word to another. */
function distance(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let steps = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) steps = Math.min(steps, (before[j - 2] ?? 0) + 1);
      next.push(steps);
    }
    [before, row] = [row, next];
  }
  return row[to.length] ?? 0;
}

/**
 * The name that a mistyped word most likely meant: at most a third of its letters differ, or else it holds the word.
 * undefined when there is none.
 */
export function nearestName(word: string, names: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase().slice(0, mostCompared);
  let least = Math.floor(wanted.length / 3) + 1;
  let best: string | undefined;
  const all = [...names];
  for (const name of all) {
    if (Math.abs(name.length - wanted.length) >= least) continue;
    const steps = distance(wanted, name.toLowerCase().slice(0, mostCompared));
    if (steps < least) [best, least] = [name, steps];
  }
  if (best !== undefined || wanted.length < 3) return best;
  return all.find((name) => name.toLowerCase().includes(wanted));
}

/** ` Did you mean 'X'?`, or nothing. */
export function nearestNameHint(word: string, names: Iterable<string>): string {
  const found = nearestName(word, names);
  return found === undefined ? '' : ` Did you mean '${found}'?`;
}
