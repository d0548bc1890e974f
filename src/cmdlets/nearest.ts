/** Steps (insert, delete, replace, swap of neighbours) from one word to another; above `limit` it does not matter. */
function distance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) > limit) return limit + 1;
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
    before = row;
    row = next;
  }
  return row[to.length] ?? limit + 1;
}

/** The name that was probably meant: few steps away, or one that contains the word; undefined when none is near. */
export function nearest(word: string, names: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase().slice(0, 200);
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  let best: { readonly name: string; readonly steps: number } | undefined;
  for (const name of names) {
    const steps = distance(wanted, name.toLowerCase().slice(0, 200), limit);
    if (steps <= limit && (best === undefined || steps < best.steps)) best = { name, steps };
  }
  if (best !== undefined) return best.name;
  return wanted.length < 3 ? undefined : [...names].find((name) => name.toLowerCase().includes(wanted));
}

/** ` Did you mean 'X'?`, or nothing. */
export function hint(word: string, names: Iterable<string>): string {
  const found = nearest(word, names);
  return found === undefined ? '' : ` Did you mean '${found}'?`;
}
