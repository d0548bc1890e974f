/**
 * Failed binds, counted where guessing shows: for an account from one source, for a source whatever the account, for the
 * network that a source is one of many in. Locks are for those who guess; an account that is guessed at from everywhere is
 * never locked, only slow for sources that it has not bound from. Kept in memory: a write for each guess would let strangers write.
 */
import type { Clock } from '../../../base/index.ts';
import { LdapError } from '../../../ldap/index.ts';

export interface LockoutPolicy {
  /** Failures after which an account takes no bind from that source. */
  readonly maxFailures: number;
  /** Failures after which a source binds as nobody: trying one password on many accounts counts as well. */
  readonly maxFailuresOfSource: number;
  /** Failures after which a network of IPv6 (48 bits) binds as nobody. */
  readonly maxFailuresOfNetwork: number;
  /** Failures of unknown sources after which each further bind of such a source as that account is slow. */
  readonly maxFailuresOfAccount: number;
  /** How long a lock lasts, in milliseconds; also how long failures are remembered. */
  readonly lockMs: number;
  /** Wait before the answer to a failure; doubles with each one up to sixteen times this. */
  readonly delayMs: number;
  /** Wait before a bind of an unknown source as an account that is being guessed at, in milliseconds. */
  readonly slowMs: number;
}

export const defaultLockout: LockoutPolicy = {
  maxFailures: 10,
  maxFailuresOfSource: 100,
  maxFailuresOfNetwork: 400,
  maxFailuresOfAccount: 100,
  lockMs: 15 * 60_000,
  delayMs: 100,
  slowMs: 2000,
};

/** Who tries. All three are short, whatever the client sent: digests and addresses. */
export interface Attempt {
  readonly account: string;
  /** See `sourceOf`. */
  readonly source: string;
  /** See `networkOf`; the source itself for IPv4. */
  readonly network: string;
  /** Whether the account has bound from this source before. */
  readonly known: boolean;
}

export type Lock = 'account from this source' | 'source' | 'network';

/** Most attempts of one account from one source that wait for each other; more are refused. */
const maxWaiting = 16;
/** Most counts of each kind; the oldest go first. */
const maxRemembered = 10_000;

export class FailedBinds {
  readonly #policy: LockoutPolicy;
  readonly #clock: Clock;
  readonly #pairs: Counts;
  readonly #sources: Counts;
  readonly #networks: Counts;
  readonly #accounts: Counts;
  readonly #turns = new Map<string, { waiting: number; last: Promise<unknown> }>();

  constructor(policy: LockoutPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
    this.#pairs = new Counts(policy.maxFailures, policy.lockMs);
    this.#sources = new Counts(policy.maxFailuresOfSource, policy.lockMs);
    this.#networks = new Counts(policy.maxFailuresOfNetwork, policy.lockMs);
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
    const now = this.#clock.monotonic();
    const lock = this.#lockOf(attempt, now);
    this.#sources.add(attempt.source, now);
    this.#networks.add(attempt.network, now);
    return lock;
  }

  /** Milliseconds to wait before the password is looked at. The same whether it is right, and whether the account exists. */
  slowness({ account, known }: Attempt): number {
    return !known && this.#accounts.isFull(account, this.#clock.monotonic()) ? this.#policy.slowMs : 0;
  }

  /** Counts a failure; milliseconds to wait before it is answered. What met a lock was no guess, and counts for the pair only. */
  failed(attempt: Attempt, lock?: Lock): number {
    const now = this.#clock.monotonic();
    if (lock === undefined && !attempt.known) this.#accounts.add(attempt.account, now);
    const failures = this.#pairs.add(pairOf(attempt), now);
    return this.#policy.delayMs * 2 ** Math.min(failures - 1, 4);
  }

  succeeded(attempt: Attempt): void {
    const now = this.#clock.monotonic();
    this.#pairs.clear(pairOf(attempt));
    this.#takeBack(attempt, now);
  }

  /** Nobody could say whether it was right. */
  undecided(attempt: Attempt): void {
    this.#takeBack(attempt, this.#clock.monotonic());
  }

  #takeBack({ source, network }: Attempt, now: number): void {
    this.#sources.takeBack(source, now);
    this.#networks.takeBack(network, now);
  }

  /** Lifts the locks of an account, as when its password was changed. */
  forget(account: string): void {
    this.#accounts.clear(account);
    this.#pairs.clearAll(`${account} `);
  }

  /** Names, sources and networks remembered now. */
  get remembered(): number {
    return this.#pairs.size + this.#sources.size + this.#networks.size + this.#accounts.size;
  }

  #lockOf(attempt: Attempt, now: number): Lock | undefined {
    if (this.#pairs.isFull(pairOf(attempt), now)) return 'account from this source';
    if (this.#sources.isFull(attempt.source, now)) return 'source';
    return this.#networks.isFull(attempt.network, now) ? 'network' : undefined;
  }
}

const pairOf = ({ account, source }: Attempt): string => `${account} ${source}`;

interface Count {
  readonly failures: number;
  /** When they are forgotten, on the monotonic clock. */
  readonly until: number;
}

class Counts {
  readonly #limit: number;
  readonly #lockMs: number;
  /** Those that were counted last at the end. */
  readonly #counts = new Map<string, Count>();

  constructor(limit: number, lockMs: number) {
    this.#limit = limit;
    this.#lockMs = lockMs;
  }

  get size(): number {
    return this.#counts.size;
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
    this.#forgetOld(now);
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

  /** What is over, and what is too much. */
  #forgetOld(now: number): void {
    for (const [key, { until }] of this.#counts) {
      if (until > now && this.#counts.size <= maxRemembered) return;
      this.#counts.delete(key);
    }
  }
}
