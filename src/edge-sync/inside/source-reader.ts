/** Brings what the source says into the mirror. */
import type { RecipientMapping } from '../recipient-mapping.ts';
import type { ReadingEnd, RecipientSource, SourceItem } from '../source/contract.ts';
import type { Mirror, SourceUpdate } from './mirror.ts';

export interface ReadingReport extends Omit<ReadingEnd, 'cookie' | 'parts'> {
  /** Items that came. */
  readonly scanned: number;
  /** Recipients that differ from what was known. */
  readonly changed: number;
}

/** Updates of one transaction. */
const batchSize = 2000;

/** Says how far a long reading is. */
export type Progress = (text: string) => void;

export class SourceReader {
  readonly #mirror: Mirror;
  readonly #mapping: Pick<RecipientMapping, 'recipient'>;
  readonly #progress: Progress;

  constructor(mirror: Mirror, mapping: Pick<RecipientMapping, 'recipient'>, progress: Progress = () => undefined) {
    this.#mirror = mirror;
    this.#mapping = mapping;
    this.#progress = progress;
  }

  /**
   * Reads what changed; `full`: everything; `accept`: also what is only suspicious counts. Nothing is taken away, and the next
   * reading begins where this one did, unless the reading was complete.
   */
  async read(
    source: RecipientSource,
    { full = false, accept = false, signal }: { full?: boolean; accept?: boolean; signal: AbortSignal },
  ): Promise<ReadingReport> {
    const from = full ? '' : String(this.#mirror.meta('cookie') ?? '');
    const state = new ReadingState();
    const reading = source.read(from, signal);
    let step = await reading.next();
    while (step.done !== true) {
      await this.#take(step.value, state);
      step = await reading.next();
    }
    await this.#flush(state);
    return this.#finish(step.value, state, accept);
  }

  async #take(item: SourceItem, state: ReadingState): Promise<void> {
    state.scanned += 1;
    if (state.scanned % 10_000 === 0) this.#progress(`${state.scanned} objects read`);
    if (item.kind === 'gone') {
      state.gone.add(item.id);
      return;
    }
    state.seen.add(item.id);
    // Deleted and made again, or moved, in the same reading.
    state.gone.delete(item.id);
    if (item.kind !== 'entry') return;
    const recipient = this.#mapping.recipient(item.entry, item.id);
    // An object without any address is none of ours; one that had some takes its leave like one that is gone.
    const views = [recipient, ...Object.values(recipient.own ?? {})];
    if (views.some(({ addresses }) => addresses.length > 0)) state.updates.push({ id: item.id, recipient });
    else if (this.#mirror.recipient(item.id) !== undefined) state.gone.add(item.id);
    if (state.updates.length >= batchSize) await this.#flush(state);
  }

  async #flush(state: ReadingState): Promise<void> {
    if (state.updates.length === 0) return;
    state.changed += await this.#mirror.update(state.updates);
    state.updates = [];
  }

  /** Ids that a reading would have named. */
  *#unseen({ exhaustive, parts = [] }: Omit<ReadingEnd, 'cookie'>, { seen }: ReadingState): Generator<string> {
    const some = parts.some((part) => part.exhaustive);
    if (!exhaustive && !some) return;
    for (const id of this.#mirror.ids()) {
      if (seen.has(id)) continue;
      if (exhaustive || partOf(this.#mirror.recipient(id)?.dn ?? '', parts)?.exhaustive === true) yield id;
    }
  }

  async #finish({ cookie, ...end }: ReadingEnd, state: ReadingState, accept: boolean): Promise<ReadingReport> {
    const complete = end.complete || (accept && end.suspicious);
    if (complete) {
      const unseen = [...this.#unseen(end, state)];
      const updates: SourceUpdate[] = [...new Set([...state.gone, ...unseen])].map((id) => ({
        id,
        recipient: undefined,
      }));
      // With the cookie in one transaction: killed before, all of it is read again.
      state.changed += await this.#mirror.update(updates, { cookie, incomplete: undefined });
    } else await this.#mirror.setMeta({ incomplete: end.reasons.join('; ') || 'the reading was not complete' });
    const { parts: _, ...said } = end;
    return { ...said, complete, scanned: state.scanned, changed: state.changed };
  }
}

type Part = NonNullable<ReadingEnd['parts']>[number];

/** The domain that an object lies in: the one with the longest name, for domains lie below each other. */
function partOf(dn: string, parts: readonly Part[]): Part | undefined {
  const name = dn.toLowerCase();
  return parts
    .filter(({ base }) => name.endsWith(`,${base.toLowerCase()}`))
    .reduce<Part | undefined>(
      (best, part) => (best !== undefined && best.base.length >= part.base.length ? best : part),
      undefined,
    );
}

class ReadingState {
  scanned = 0;
  changed = 0;
  updates: SourceUpdate[] = [];
  readonly seen = new Set<string>();
  readonly gone = new Set<string>();
}
