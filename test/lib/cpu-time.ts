/** Work measured in processor time of this process: a busy machine makes a test wait, and work no more. */

/** Begins to measure; the result gives the milliseconds of work since then. */
export function cpuTime(): () => number {
  const start = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(start);
    return Math.round((user + system) / 1000);
  };
}
