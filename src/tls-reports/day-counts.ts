/** How TLS went on one UTC day, counted by one worker and kept in its file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, printable, replaceFile } from '../base/index.ts';
import type { PublishedPolicy, TlsFailure, TlsOutcome, TlsOutcomes } from '../tls/index.ts';

export interface FailureCount {
  readonly type: TlsFailure;
  /** '' where there are too many hosts to be told apart. */
  readonly mxHost: string;
  readonly ip: string;
  /** Our own address; '' where there was no connection, or several addresses. Absent in files of before. */
  sendingIp?: string;
  /** Of the first one. */
  readonly reason: string;
  count: number;
}

export interface PolicyCounts {
  readonly policy: PublishedPolicy;
  successes: number;
  readonly failures: FailureCount[];
}

export interface DayCounts {
  /** 'YYYY-MM-DD'. */
  readonly day: string;
  readonly domains: readonly (readonly [domain: string, counts: readonly PolicyCounts[]])[];
}

/** What strangers can make this remember: domains of a day, policies of a domain (a new one with each change), failures told apart. */
const [mostDomains, mostPolicies, mostFailures] = [10_000, 10, 50];
/** A crash loses the counts of so long, in milliseconds. */
const betweenWritesMs = 60_000;
const longestReason = 200;

/** The UTC day of a moment. */
export function utcDay(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function countsFile(folder: string, day: string, worker: number): string {
  return join(folder, `counts-${day}-${worker}.json`);
}

/** The counts in a file; undefined when it is missing or holds something else. */
export function readCounts(path: string): DayCounts | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const { day, domains } = (value ?? {}) as Partial<DayCounts>;
    return typeof day === 'string' && Array.isArray(domains) ? { day, domains } : undefined;
  } catch {
    // Missing, or half of a file of a machine that lost its power: the day goes on from nothing.
    return undefined;
  }
}

/** Counts in memory, and writes behind: nothing waits for the disk. */
export class DayCounter implements TlsOutcomes {
  readonly #folder: string;
  readonly #worker: number;
  readonly #wanted: () => boolean;
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;
  #day: string;
  #domains: Map<string, PolicyCounts[]>;
  #writing: { cancel(): void } | undefined;

  /** `wanted`: whether reports are made; `failed` hears of a write that did not succeed. */
  constructor(
    place: { readonly folder: string; readonly worker: number },
    wanted: () => boolean,
    clock: Clock,
    failed: (error: unknown) => void,
  ) {
    this.#folder = place.folder;
    this.#worker = place.worker;
    this.#wanted = wanted;
    this.#clock = clock;
    this.#failed = failed;
    this.#day = utcDay(clock.now());
    const kept = readCounts(countsFile(this.#folder, this.#day, this.#worker));
    this.#domains = new Map((kept?.domains ?? []).map(([domain, counts]) => [domain, [...counts]]));
  }

  get wanted(): boolean {
    return this.#wanted();
  }

  count({ domain, policy, mxHost, ip, sendingIp = '', failure }: TlsOutcome): void {
    const day = utcDay(this.#clock.now());
    if (day !== this.#day) {
      void this.flush();
      this.#day = day;
      this.#domains = new Map();
    }
    const counts = this.#countsOf(domain.toLowerCase(), policy);
    if (counts === undefined) return;
    if (failure === undefined) counts.successes += 1;
    else {
      const same = failureOf(counts, failure.type, { mxHost, ip, sendingIp, reason: failure.reason });
      same.count += 1;
      if (same.sendingIp !== sendingIp) same.sendingIp = '';
    }
    this.#writing ??= this.#clock.after(betweenWritesMs, () => void this.flush());
  }

  /** Writes what is not written yet. Never rejects. */
  async flush(): Promise<void> {
    if (this.#writing === undefined) return;
    this.#writing.cancel();
    this.#writing = undefined;
    const counts: DayCounts = { day: this.#day, domains: [...this.#domains] };
    try {
      await replaceFile(countsFile(this.#folder, counts.day, this.#worker), JSON.stringify(counts));
    } catch (error) {
      this.#failed(error);
    }
  }

  #countsOf(domain: string, policy: PublishedPolicy): PolicyCounts | undefined {
    let policies = this.#domains.get(domain);
    if (policies === undefined) {
      if (this.#domains.size >= mostDomains) return undefined;
      policies = [];
      this.#domains.set(domain, policies);
    }
    const known = policies.find((counts) => isSame(counts.policy, policy));
    if (known !== undefined || policies.length >= mostPolicies) return known ?? policies.at(-1);
    const counts: PolicyCounts = { policy, successes: 0, failures: [] };
    policies.push(counts);
    return counts;
  }
}

function isSame(a: PublishedPolicy, b: PublishedPolicy): boolean {
  return a.type === b.type && a.lines.length === b.lines.length && a.lines.every((line, i) => line === b.lines[i]);
}

function failureOf(
  { failures }: PolicyCounts,
  type: TlsFailure,
  { mxHost, ip, sendingIp = '', reason }: Pick<FailureCount, 'mxHost' | 'ip' | 'sendingIp' | 'reason'>,
): FailureCount {
  const find = (host: string, address: string): FailureCount | undefined =>
    failures.find((one) => one.type === type && one.mxHost === host && one.ip === address);
  const known = find(mxHost, ip) ?? (failures.length >= mostFailures ? find('', '') : undefined);
  if (known !== undefined) return known;
  const apart = failures.length < mostFailures;
  const failure: FailureCount = {
    type,
    mxHost: apart ? mxHost : '',
    ip: apart ? ip : '',
    sendingIp: apart ? sendingIp : '',
    reason: printable(reason, longestReason),
    count: 0,
  };
  failures.push(failure);
  return failure;
}
