/**
 * Why a commit of lmdb failed: the error itself, or what it tells in a second promise, which must not stay without a handler, and
 * which may never settle.
 */
export async function commitReason(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error) || !(error.commitError instanceof Promise)) return error;
  const reason = error.commitError.then(
    () => error,
    (why: unknown) => why,
  );
  return Promise.race([reason, new Promise((resolve) => setImmediate(() => resolve(error)))]);
}
