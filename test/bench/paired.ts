/** Statistics of paired measurements on a noisy machine. */

/** The middle value; NaN of nothing. */
export function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** The narrowest pair of order statistics that holds the true median with at least 95 %; of fewer than six values the range. */
export function interval(list: readonly number[]): [low: number, high: number] {
  const sorted = [...list].sort((a, b) => a - b);
  const n = sorted.length;
  let outside = 2 ** -n;
  let chance = outside;
  let rank = 0;
  // Binomial with one half: the chance that fewer than rank + 1 values lie below the median, on either side.
  for (let k = 1; k < n / 2; k++) {
    chance *= (n - k + 1) / k;
    if (2 * (outside + chance) > 0.05) break;
    outside += chance;
    rank = k;
  }
  return [sorted[rank] ?? Number.NaN, sorted[n - 1 - rank] ?? Number.NaN];
}
