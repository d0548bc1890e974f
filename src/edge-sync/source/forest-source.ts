/** Several domains of a forest as one source: each is read in its own way, by the same account. */
import {
  type Reading,
  type ReadingEnd,
  type RecipientSource,
  readCookie,
  type SourceItem,
  writeCookie,
} from './contract.ts';

/** One domain. */
export interface ForestPart {
  readonly base: string;
  readonly source: RecipientSource;
}

export class ForestSource implements RecipientSource {
  readonly way: string;
  readonly exchangeSchema: boolean;
  readonly #parts: readonly ForestPart[];

  constructor(parts: readonly ForestPart[]) {
    this.#parts = parts;
    this.way = `${[...new Set(parts.map(({ source }) => source.way))].join(' and ')} of ${parts.length} domains`;
    this.exchangeSchema = parts.some(({ source }) => source.exchangeSchema);
  }

  async *read(cookie: string, signal: AbortSignal): Reading {
    const known = readCookie(this.way, cookie);
    const before = new Set<string>();
    const ends: { readonly base: string; readonly end: ReadingEnd }[] = [];
    for (const { base, source } of this.#parts) {
      const from = known?.[base];
      ends.push({ base, end: yield* ofOne(source.read(typeof from === 'string' ? from : '', signal), before) });
    }
    const complete = ends.every(({ end }) => end.complete);
    return {
      complete,
      reasons: ends.flatMap(({ base, end }) => end.reasons.map((reason) => `${base}: ${reason}`)),
      suspicious: !complete && ends.every(({ end }) => end.complete || end.suspicious),
      exhaustive: ends.every(({ end }) => end.exhaustive),
      parts: ends.map(({ base, end }) => ({ base, exhaustive: end.exhaustive })),
      cookie: writeCookie(this.way, Object.fromEntries(ends.map(({ base, end }) => [base, end.cookie]))),
    };
  }
}

/** What one domain gives. An object that moved to a domain read before is gone here, and there all the same. */
async function* ofOne(reading: Reading, before: Set<string>): AsyncGenerator<SourceItem, ReadingEnd, undefined> {
  const here: string[] = [];
  let step = await reading.next();
  while (step.done !== true) {
    const item = step.value;
    if (item.kind !== 'gone') here.push(item.id);
    if (item.kind !== 'gone' || !before.has(item.id)) yield item;
    step = await reading.next();
  }
  for (const id of here) before.add(id);
  return step.value;
}
