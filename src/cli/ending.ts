/**
 * Resolves with the first SIGINT or SIGTERM. To be called before the command says that it runs: whoever reads that may end it at
 * once, and a signal that nobody waits for ends the process without a word.
 */
export function ending(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}
