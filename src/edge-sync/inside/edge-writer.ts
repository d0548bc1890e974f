/** Plans and writes what an edge is to change. */
import { LdapError } from '../../ldap/index.ts';
import { type EdgeState, wantedState } from '../recipient.ts';
import type { RecipientHasher } from '../recipient-hash.ts';
import {
  additionsOf,
  braked,
  changeOf,
  counted,
  nothingPlanned,
  type PlanCounts,
  type RecipientChange,
} from '../recipient-plan.ts';
import type { EdgeMirror, EdgeRecord } from './edge-mirror.ts';
import type { EdgeTarget } from './edge-target.ts';
import type { Mirror } from './mirror.ts';
import type { Progress } from './source-reader.ts';

/** What would be done, or was. */
export interface PlanReport extends PlanCounts {
  /** Why only additions may be written; undefined: everything may. */
  readonly held: string | undefined;
  /** An incomplete reading is no matter of asking: `force` does not lift it. */
  readonly incomplete: boolean;
}

export interface WriteReport extends PlanReport {
  /** Objects written. */
  readonly written: number;
  /** Objects that the edge refused, with its reason; at most 100. */
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

export interface WriteOptions {
  /** Lost addresses are meant, however many. */
  readonly force?: boolean;
  /** Write what takes nothing away even while the brake holds. */
  readonly additions?: boolean;
  readonly signal: AbortSignal;
}

const batchSize = 1000;
/** Requests that are under way at once: the edge commits them together. */
const window = 240;
const mostRefusals = 100;
/** States that can be undone. */
const mostRuns = 10;

export class EdgeWriter {
  readonly #mirror: Mirror;
  readonly #edge: EdgeMirror;
  readonly #progress: Progress;

  constructor(mirror: Mirror, edge: EdgeMirror, progress: Progress = () => undefined) {
    this.#mirror = mirror;
    this.#edge = edge;
    this.#progress = progress;
  }

  /** What would change; yields each change, returns the counts. */
  *plan(): Generator<RecipientChange, PlanReport, undefined> {
    let counts = nothingPlanned;
    for (const id of this.#edge.dirtyIds()) {
      const change = this.#changeOf(id);
      if (change === undefined) continue;
      counts = counted(counts, change, (address) => this.#mirror.isHeld(address, this.#edge.name));
      yield change;
    }
    return this.#judge(counts);
  }

  /** Ids of the first changes. */
  *first(most: number): Generator<string, void, undefined> {
    let given = 0;
    for (const { id } of this.plan()) {
      if (given >= most) return;
      given += 1;
      yield id;
    }
  }

  /** The counts alone. */
  get counts(): PlanReport {
    const plan = this.plan();
    for (;;) {
      const step = plan.next();
      if (step.done === true) return step.value;
    }
  }

  #judge(counts: PlanCounts): PlanReport {
    const incomplete = this.#mirror.meta('incomplete');
    const held =
      incomplete === undefined
        ? braked(counts, this.#edge.addressCount)
        : `the source could not be read completely: ${String(incomplete)}`;
    return { ...counts, held, incomplete: incomplete !== undefined };
  }

  #changeOf(id: string): RecipientChange | undefined {
    const record = this.#edge.record(id);
    return changeOf(
      id,
      stateOf(record),
      wantedState(this.#mirror.recipient(id), this.#edge.name),
      record?.unsure === true,
    );
  }

  /** Writes what the plan says. Throws LdapError when the edge is lost in the middle: the next run goes on. */
  async write(target: EdgeTarget, { force = false, additions = false, signal }: WriteOptions): Promise<WriteReport> {
    const plan = this.counts;
    const stopped = plan.held !== undefined && (plan.incomplete || !force);
    if (stopped && !additions && !plan.incomplete) return { ...plan, written: 0, refused: [] };
    const batches = this.#batches(stopped);
    const done = await this.#send(target, batches, plan.added + plan.updated + plan.deleted, signal);
    return { ...plan, ...done, held: stopped ? plan.held : undefined };
  }

  /** Brings back the state before the last `count` runs. */
  async undo(target: EdgeTarget, count: number, signal: AbortSignal): Promise<WriteReport> {
    const runs = this.#edge.runs.slice(0, count);
    const earliest = new Map<string, EdgeRecord | undefined>();
    for (const run of runs) for (const [id, before] of this.#edge.before(run)) earliest.set(id, before);
    const changes = [...earliest].map(([id, before]) => {
      const record = this.#edge.record(id);
      return { id, before: stateOf(record), after: stateOf(before), unsure: record?.unsure === true, keep: true };
    });
    const batches = Array.from({ length: Math.ceil(changes.length / batchSize) }, (_, i) =>
      changes.slice(i * batchSize, (i + 1) * batchSize),
    );
    const counts = changes.reduce((sum, change) => counted(sum, change, () => false), nothingPlanned);
    const done = await this.#send(target, batches, changes.length, signal);
    return { ...counts, ...done, held: undefined, incomplete: false };
  }

  /**
   * Compares with all that stands on the edge; what differs is written by the next `write`. Returns how many differ.
   * With `otherKey` what stands there and is not known was hashed with a key that is not in force any more.
   */
  async compare(
    target: EdgeTarget,
    hasher: RecipientHasher,
    otherKey = false,
  ): Promise<{ scanned: number; differing: number }> {
    const seen = new Set<string>();
    let differing: (readonly [string, EdgeRecord | undefined])[] = [];
    let count = 0;
    for await (const { id, hashes } of target.objects()) {
      seen.add(id);
      const record = this.#edge.record(id);
      if (record !== undefined && record.unsure !== true && sameHashes(record.addresses, hashes, hasher)) continue;
      // Addresses that nobody inside knows: each counts as one that would be lost.
      const unknown = otherKey ? [] : hashes.map((octets) => `#${octets.toString('hex')}`);
      differing.push([id, { addresses: record?.addresses ?? unknown, extras: record?.extras ?? {}, unsure: true }]);
      count += 1;
      if (differing.length >= batchSize) {
        await this.#edge.found(differing);
        differing = [];
      }
    }
    for (const [id] of this.#edge.records()) {
      if (seen.has(id)) continue;
      differing.push([id, undefined]);
      count += 1;
    }
    await this.#edge.found(differing);
    return { scanned: seen.size, differing: count };
  }

  /** Changes in batches; while only additions may be written the rest stays to be looked at. */
  *#batches(additionsOnly: boolean): Generator<(RecipientChange & { keep: boolean })[]> {
    let batch: (RecipientChange & { keep: boolean })[] = [];
    const idle: string[] = [];
    // Taken once: what is written stays in the list while additions only are allowed.
    for (const id of [...this.#edge.dirtyIds()]) {
      const change = this.#changeOf(id);
      if (change === undefined) {
        idle.push(id);
        continue;
      }
      const written = additionsOnly ? additionsOf(change) : change;
      if (written === undefined) continue;
      batch.push({ ...written, keep: additionsOnly && written !== change });
      if (batch.length < batchSize) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
    void this.#edge.clean(idle);
  }

  /** Takes the next batch and marks it as begun. */
  #beginNext(
    rest: Iterator<readonly (RecipientChange & { keep: boolean })[]>,
    run: number,
  ): [readonly (RecipientChange & { keep: boolean })[] | undefined, Promise<void>] {
    const next = rest.next();
    return next.done === true ? [undefined, Promise.resolve()] : [next.value, this.#edge.begin(run, next.value)];
  }

  async #send(
    target: EdgeTarget,
    batches: Iterable<readonly (RecipientChange & { keep: boolean })[]>,
    total: number,
    signal: AbortSignal,
  ): Promise<Pick<WriteReport, 'written' | 'refused'>> {
    const run = Number(this.#mirror.meta(`run ${this.#edge.name}`) ?? 0) + 1;
    const refused: { id: string; reason: string }[] = [];
    let written = 0;
    const rest = batches[Symbol.iterator]();
    let [batch, begun] = this.#beginNext(rest, run);
    while (batch !== undefined) {
      await begun;
      signal.throwIfAborted();
      await target.lease();
      if (written === 0) await this.#mirror.setMeta({ [`run ${this.#edge.name}`]: run });
      // While this one is on its way the next one is marked on disk.
      const following = this.#beginNext(rest, run);
      const [failed] = await bothOf(writeAll(target, batch, signal), following[1]);
      const good = batch.filter(({ id }) => !failed.has(id));
      await this.#edge.confirm(good);
      for (const [id, reason] of failed) if (refused.length < mostRefusals) refused.push({ id, reason });
      written += good.length;
      if (total > batchSize) this.#progress(`${written} of ${total} recipients written to ${this.#edge.name}`);
      [batch, begun] = following;
    }
    if (written > 0) await this.#edge.keepRuns(mostRuns);
    return { written, refused };
  }
}

/** Both, or the first failure once neither goes on. */
async function bothOf<A, B>(one: Promise<A>, two: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, two]);
  return [await one, await two];
}

function stateOf(record: EdgeRecord | undefined): EdgeState | undefined {
  return record === undefined ? undefined : { addresses: record.addresses, extras: record.extras };
}

/** Writes a batch, several at once. Resolves with what the edge refused; throws when the edge is lost. */
async function writeAll(
  target: EdgeTarget,
  batch: readonly RecipientChange[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const failed = new Map<string, string>();
  const queue = batch.values();
  const worker = async (): Promise<void> => {
    for (const change of queue) {
      signal.throwIfAborted();
      try {
        await target.write(change);
      } catch (error) {
        if (!(error instanceof LdapError) || lostCodes.has(error.code)) throw error;
        failed.set(change.id, error.message);
      }
    }
  };
  // All have ended before anything is thrown: nothing of them goes on behind the caller's back.
  const ends = await Promise.allSettled(Array.from({ length: Math.min(window, batch.length) }, worker));
  const lost = ends.find((end) => end.status === 'rejected');
  if (lost !== undefined) throw lost.reason;
  return failed;
}

/** The edge as a whole is no good: not a matter of one object. */
const lostCodes: ReadonlySet<string> = new Set([
  'unavailable',
  'busy',
  'strongerAuthRequired',
  'insufficientAccessRights',
  'other',
]);

function sameHashes(addresses: readonly string[], hashes: readonly Buffer[], hasher: RecipientHasher): boolean {
  if (addresses.length !== hashes.length) return false;
  const have = new Set(hashes.map((octets) => octets.toString('latin1')));
  return addresses.every((address) => have.has(hasher.hash(address).toString('latin1')));
}
