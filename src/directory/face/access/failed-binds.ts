/**
 * Failed binds, counted where guessing shows: for an account from one source, for a source whatever the account, and for an
 * account wherever it comes from. Kept in memory: a write for each guess would let strangers write.
 */
import type { Clock } from '../../../base/index.ts';
import { LdapError } from '../../../ldap/index.ts';

export interface LockoutPolicy {
  /** Failures after which an account takes no bind from that source. */
  readonly maxFailures: number;
  /** Failures after which a source binds as nobody: trying one password on many accounts counts as well. */
  readonly maxFailuresOfSource: number;
  /** Failures after which an account takes binds only from sources it has bound from before. */
  readonly maxFailuresOfAccount: number;
  /** How long a lock lasts, in milliseconds; also how long failures are remembered. */
  readonly lockMs: number;
  /** Wait before the answer to a failure; doubles with each one up to sixteen times this. */
  readonly delayMs: number;
}

export const defaultLockout: LockoutPolicy = {
  maxFailures: 10,
  maxFailuresOfSource: 100,
  maxFailuresOfAccount: 100,
  lockMs: 15 * 60_000,
  delayMs: 100,
};

/** Who tries: the key of the account's name, and the source (see `sourceOf`). */
export interface Attempt {
  readonly account: string;
  readonly source: string;
}

export type Lock = 'account from this source' | 'source' | 'account';

/** Most attempts of one account from one source that wait for each other; more are refused. */
const maxWaiting = 16;
const maxKnownSources = 16;
/** Most counts of each kind; the oldest go first. */
const maxRemembered = 10_000;
/** Keys of names hold octets only, so this stands in none. */
const separator = '\u0100';

export class FailedBinds {
  readonly #policy: LockoutPolicy;
  readonly #clock: Clock;
  readonly #pairs: Counts;
  readonly #sources: Counts;
  readonly #accounts: Counts;
  /** Sources that an account has bound from. */
  readonly #known = new Map<string, Set<string>>();
  readonly #turns = new Map<string, { waiting: number; last: Promise<unknown> }>();

  constructor(policy: LockoutPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
    this.#pairs = new Counts(policy.maxFailures, policy.lockMs);
    this.#sources = new Counts(policy.maxFailuresOfSource, policy.lockMs);
    this.#accounts = new Counts(policy.maxFailuresOfAccount, policy.lockMs);
  }

  /**
   * Runs the attempts of one account from one source one after the other: many at once would all see the count as it was before
   * any of them failed. Throws LdapError busy when too many wait.
   */
  async inTurn<T>(attempt: Attempt, run: () => Promise<T>): Promise<T> {
    const key = pairOf(attempt);
    const turn = this.#turns.get(key) ?? { waiting: 0, last: Promise.resolve() };
    if (turn.waiting >= maxWaiting) throw new LdapError('busy', 'too many binds as this account are under way');
    turn.waiting += 1;
    this.#turns.set(key, turn);
    const mine = turn.last.then(run);
    turn.last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      turn.waiting -= 1;
      if (turn.waiting === 0) this.#turns.delete(key);
    }
  }

  /** Why this attempt is hopeless; undefined when it may be made. It counts for its source from now on. */
  begin(attempt: Attempt): Lock | undefined {
    const now = this.#clock.now();
    const lock = this.#lockOf(attempt, now);
    this.#sources.add(attempt.source, now);
    return lock;
  }

  /** Counts a failure; milliseconds to wait before it is answered. What met a lock was no guess, and counts for the pair only. */
  failed(attempt: Attempt, lock?: Lock): number {
    const now = this.#clock.now();
    if (lock === undefined) this.#accounts.add(attempt.account, now);
    const failures = this.#pairs.add(pairOf(attempt), now);
    return this.#policy.delayMs * 2 ** Math.min(failures - 1, 4);
  }

  succeeded(attempt: Attempt): void {
    const { account, source } = attempt;
    this.#pairs.clear(pairOf(attempt));
    this.#sources.takeBack(source, this.#clock.now());
    const known = this.#known.get(account) ?? new Set();
    if (known.size < maxKnownSources) known.add(source);
    this.#known.delete(account);
    this.#known.set(account, known);
    dropOldest(this.#known);
  }

  /** Lifts the locks of an account, as when its password was changed. */
  forget(account: string): void {
    this.#accounts.clear(account);
    this.#pairs.clearAll(`${account}${separator}`);
  }

  #lockOf(attempt: Attempt, now: number): Lock | undefined {
    const { account, source } = attempt;
    if (this.#pairs.isFull(pairOf(attempt), now)) return 'account from this source';
    if (this.#sources.isFull(source, now)) return 'source';
    const known = this.#known.get(account)?.has(source) === true;
    return !known && this.#accounts.isFull(account, now) ? 'account' : undefined;
  }
}

const pairOf = ({ account, source }: Attempt): string => `${account}${separator}${source}`;

interface Count {
  readonly failures: number;
  /** Milliseconds since 1970 at which they are forgotten. */
  readonly until: number;
}

class Counts {
  readonly #limit: number;
  readonly #lockMs: number;
  readonly #counts = new Map<string, Count>();

  constructor(limit: number, lockMs: number) {
    this.#limit = limit;
    this.#lockMs = lockMs;
  }

  isFull(key: string, now: number): boolean {
    return this.#current(key, now).failures >= this.#limit;
  }

  add(key: string, now: number): number {
    const { failures, until } = this.#current(key, now);
    // A lock runs out in its time, whatever comes meanwhile: else a stranger could hold it for ever.
    const next = failures >= this.#limit ? { failures, until } : { failures: failures + 1, until: now + this.#lockMs };
    this.#counts.delete(key);
    this.#counts.set(key, next);
    dropOldest(this.#counts);
    return next.failures;
  }

  takeBack(key: string, now: number): void {
    const { failures, until } = this.#current(key, now);
    if (failures <= 1) this.#counts.delete(key);
    else this.#counts.set(key, { failures: failures - 1, until });
  }

  clear(key: string): void {
    this.#counts.delete(key);
  }

  clearAll(prefix: string): void {
    for (const key of this.#counts.keys()) if (key.startsWith(prefix)) this.#counts.delete(key);
  }

  #current(key: string, now: number): Count {
    const found = this.#counts.get(key);
    return found !== undefined && found.until > now ? found : { failures: 0, until: 0 };
  }
}

function dropOldest(map: Map<string, unknown>): void {
  const [oldest] = map.keys();
  if (map.size > maxRemembered && oldest !== undefined) map.delete(oldest);
}
