/**
 * Joins calls that come while the work is under way: they share one that begins behind it, so that nobody is told what was so
 * before he asked, and a thousand who ask at once cost as much as two.
 */
export function joined<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  let next: Promise<T> | undefined;
  const start = (): Promise<T> => {
    next = undefined;
    const started = work();
    running = started;
    const over = (): void => {
      if (running === started && next === undefined) running = undefined;
    };
    started.then(over, over);
    return started;
  };
  return () => {
    if (running === undefined) return start();
    next ??= running.then(start, start);
    return next;
  };
}
