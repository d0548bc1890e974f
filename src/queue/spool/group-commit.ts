import type { RootDatabase } from 'lmdb';
import { type Clock, commitReason, MovingLimit } from '../../base/index.ts';
import { SpoolError } from '../model/contract.ts';
import type { StoreRoom } from './store-room.ts';

/** A change to the store: puts and removes, made inside a transaction that others share. */
export type Change = () => void;

/** The file that transactions are written to, and the room kept for it. */
export interface CommitStore {
  readonly root: RootDatabase<Buffer, number>;
  readonly room: StoreRoom;
}

interface Waiting {
  readonly change: Change;
  readonly octets: number;
  readonly resolve: () => void;
  readonly reject: (error: SpoolError) => void;
}

/** Changes in one transaction at most. */
const mostInGroup = 256;
/** Pages of the trees that one change may touch, and what a transaction needs beside, in octets; both amply. */
const perChange = 32 * 1024;
const perGroup = 1024 ** 2;
/** New messages leave this much room, in octets: that something was delivered can be written down on a full disk. */
const forOutcomes = 3 * 1024 ** 2;

/** Octets that so many changes may need beside the messages themselves. */
const roomForTrees = (changes: number): number => perGroup + changes * perChange;

const octetsOf = (group: readonly Waiting[]): number => group.reduce((sum, { octets }) => sum + octets, 0);

/** Octets that the transaction of a group may need. */
function roomFor(group: readonly Waiting[]): number {
  const messages = octetsOf(group);
  return messages === 0 ? roomForTrees(group.length) : roomForTrees(group.length) + messages + forOutcomes;
}

/** A change that nobody waits for waits so long for company, in milliseconds: a delivery lost in it happens twice after a crash. */
const soonMs = 10;

/** A store that has not answered for so long will not answer any more, in milliseconds. */
const longestCommitMs = 60_000;

/**
 * Changes that come while one transaction is on its way to the disk share the next one: many sessions, one sync.
 * All or nothing of a transaction is done. lmdb's own batching by event turn is not used: when a commit fails, it leaves
 * behind rejected promises that nobody can catch, and they would end the process.
 */
export class GroupCommit implements AsyncDisposable {
  #store: CommitStore;
  readonly #silence: MovingLimit;
  /** Set while only such changes wait as nobody waits for. */
  readonly #company: MovingLimit;
  #waiting: Waiting[] = [];
  #scheduled = false;
  /** Refuses what the store is asked now. */
  #giveUp: ((error: SpoolError) => void) | undefined;
  #flying: Promise<void> | undefined;
  #broken: SpoolError | undefined;

  /** Transactions so far. */
  transactions = 0;

  constructor(store: CommitStore, clock: Clock) {
    this.#store = store;
    this.#company = new MovingLimit(clock, () => this.#schedule());
    this.#silence = new MovingLimit(clock, () => {
      this.#broken = new SpoolError('the message store does not answer');
      this.#giveUp?.(this.#broken);
    });
  }

  /** Set once the store has stopped answering: only a new process can help. */
  get broken(): SpoolError | undefined {
    return this.#broken;
  }

  /**
   * Durable when resolved. Throws SpoolError: then nothing of the change is in the store. `octets` is the size of a new
   * message; 0 for whatever must go through on a full disk.
   */
  add(change: Change, octets = 0): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const promise = this.#enqueue(change, octets);
    this.#schedule();
    return promise;
  }

  /** The same for what nobody waits for: it goes along with the next change, and alone only when none comes soon. */
  addSoon(change: Change): Promise<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const promise = this.#enqueue(change, 0);
    if (this.#waiting.length === 1) this.#company.set(soonMs);
    return promise;
  }

  #enqueue(change: Change, octets: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ change, octets, resolve, reject });
    });
  }

  /** Resolves when nothing is under way. */
  async drain(): Promise<void> {
    if (this.#waiting.length > 0) this.#schedule();
    while (this.#broken === undefined && (this.#waiting.length > 0 || this.#flying !== undefined)) {
      await (this.#flying ?? new Promise<void>((resolve) => setImmediate(resolve)));
    }
  }

  /**
   * Has `work` put another store in the place of this one, between two transactions: what comes meanwhile waits for the new one.
   * Resolves with the store before. Rejects with what `work` throws, and then goes on with the store as it was.
   */
  async exchange(work: () => Promise<CommitStore>): Promise<CommitStore> {
    while (this.#flying !== undefined) await this.#flying;
    if (this.#broken !== undefined) throw this.#broken;
    const before = this.#store;
    const working = this.#unlessSilent(
      work().then((store) => {
        this.#store = store;
      }),
    );
    this.#flying = working.then(
      () => this.#landed(),
      () => this.#landed(),
    );
    await working;
    return before;
  }

  /** Closes what it keeps of the store. Nothing may be under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#company[Symbol.dispose]();
    this.#silence[Symbol.dispose]();
    await this.#store.room[Symbol.asyncDispose]();
  }

  #landed(): void {
    this.#flying = undefined;
    if (this.#waiting.length > 0) this.#schedule();
  }

  #schedule(): void {
    this.#company.clear();
    if (this.#scheduled || this.#flying !== undefined) return;
    this.#scheduled = true;
    // What the sessions of this turn of the event loop have to say goes along.
    setImmediate(() => {
      this.#scheduled = false;
      // The store is exchanged just now: then it goes on.
      if (this.#flying === undefined && this.#waiting.length > 0) this.#flying = this.#fly();
    });
  }

  /** Something waits. */
  async #fly(): Promise<void> {
    let group = this.#waiting.splice(0, mostInGroup);
    try {
      if (!this.#store.room.has(roomFor(group))) group = await this.#makeRoom(group);
      if (group.length > 0) await this.#unlessSilent(this.#transact(group));
      for (const { resolve } of group) resolve();
    } catch (error) {
      const refusal = new SpoolError('the message store could not be written', { cause: await commitReason(error) });
      for (const { reject } of group) reject(refusal);
    }
    this.#landed();
  }

  /** Refuses new messages for which there is no room; of the rest, as many go on as fit. */
  async #makeRoom(group: Waiting[]): Promise<Waiting[]> {
    const messages = octetsOf(group);
    const rest = roomForTrees(group.length);
    try {
      await this.#store.room.reserve(roomFor(group));
      return group;
    } catch (cause) {
      if (messages > 0 && this.#fitsInFreed(rest + messages)) return group;
      const error = new SpoolError('there is no room for the message on the disk', { cause });
      for (const { octets, reject } of group) if (octets > 0) reject(error);
      return this.#fewer(group.filter(({ octets }) => octets === 0));
    }
  }

  async #reserve(octets: number): Promise<void> {
    if (!this.#store.room.has(octets)) await this.#store.room.reserve(octets);
  }

  /**
   * On a full disk, what was delivered makes room for what comes: freed pages count as the room for outcomes, which need single
   * pages. The messages themselves must fit at the end, where LMDB puts a value that finds no run of free pages.
   */
  #fitsInFreed(octets: number): boolean {
    return this.#store.room.has(octets) && this.#store.room.hasWithFreed(octets + forOutcomes);
  }

  /** The first of these outcomes, as many as there is room for and one at least; the others wait for the next group. */
  async #fewer(outcomes: Waiting[]): Promise<Waiting[]> {
    let count = outcomes.length;
    while (count > 1 && !this.#store.room.has(roomForTrees(count))) count = Math.ceil(count / 2);
    if (count === 0) return [];
    await this.#reserve(roomForTrees(count));
    this.#waiting.unshift(...outcomes.slice(count));
    return outcomes.slice(0, count);
  }

  #transact(group: readonly Waiting[]): PromiseLike<unknown> {
    this.transactions += 1;
    return this.#store.root.batch(() => {
      for (const { change } of group) change();
    });
  }

  /** Rejects when the store does not answer. */
  #unlessSilent(answer: PromiseLike<unknown>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      this.#silence.set(longestCommitMs);
      answer.then(
        () => {
          this.#silence.clear();
          resolve();
        },
        (error: Error) => {
          this.#silence.clear();
          reject(error);
        },
      );
    });
  }
}
