/** Some servers ignore suites beyond the 64th of a hello. */
export const chunkSize = 64;

/**
 * Deals a list into equal chunks of at most 64, in turn: neighbours of the registry, which servers take or leave
 * together, come into different chunks, so that the first chunk already finds what is usual.
 */
export function inChunks(codes: readonly number[]): number[][] {
  const count = Math.max(1, Math.ceil(codes.length / chunkSize));
  const chunks = Array.from({ length: count }, (): number[] => []);
  for (const [i, code] of codes.entries()) chunks[i % count]?.push(code);
  return chunks;
}

/** The chunks one behind the other. */
export function inTurn(codes: readonly number[]): number[] {
  return inChunks(codes).flat();
}
