import type { Clock, IpRange } from '../../base/index.ts';
import { type DnsAsker, DnsFailure, txtTexts } from '../../dns/index.ts';
import { parseStsRecord, type StsPolicy } from '../../tls/index.ts';
import { StsFetchError } from './sts-fetch.ts';
import type { PolicyStore, StoredPolicy } from './sts-file.ts';

/** A domain whose policy could not be fetched is asked again after this time, in milliseconds (RFC 8461 §3.3: 5 minutes and more). */
const fetchAgainMs = 5 * 60_000;
/** Policies kept at most; the oldest goes. */
const mostPolicies = 10_000;

/** Fetches a policy from a host of the Internet, or of the ranges that are allowed besides. Throws StsFetchError. */
export type StsFetch = (domain: string, allowed: readonly IpRange[], signal: AbortSignal) => Promise<StsPolicy>;

export interface StsFinding {
  /** Absent: the domain has no policy that is known. */
  readonly policy?: StsPolicy;
  /** What went wrong on the way to a newer policy; told in TLS reports. */
  readonly failure?: { readonly type: StsFetchError['failure']; readonly reason: string };
}

interface Kept {
  policy?: StsPolicy;
  id: string;
  /** Monotonic milliseconds. */
  until: number;
  /** Not fetched before. */
  again: number;
  failure?: StsFinding['failure'];
  fetching?: Promise<void> | undefined;
}

/** The MTA-STS policies of domains: a cached one costs no round trip and outlives its record in the DNS until max_age (RFC 8461 §5.1). */
export class StsPolicies {
  readonly #dns: DnsAsker;
  readonly #fetch: StsFetch;
  readonly #clock: Clock;
  readonly #store: PolicyStore | undefined;
  readonly #kept = new Map<string, Kept>();

  /** `dns` keeps answers for their time to live; `store`: where policies outlive the process. */
  constructor(dns: DnsAsker, fetch: StsFetch, clock: Clock, store?: PolicyStore) {
    this.#dns = dns;
    this.#fetch = fetch;
    this.#clock = clock;
    this.#store = store;
    for (const { domain, id, policy, until } of store?.read() ?? []) {
      const leftMs = until - clock.now();
      this.#kept.set(domain, { policy, id, until: clock.monotonic() + leftMs, again: 0 });
    }
  }

  /** `allowed`: TargetIPRanges of who asks. Never rejects for what the domain or the network does. */
  async find(domain: string, allowed: readonly IpRange[], signal: AbortSignal): Promise<StsFinding> {
    const id = await this.#idOf(domain, signal);
    const now = this.#clock.monotonic();
    const kept = this.#kept.get(domain);
    if (kept !== undefined && kept.until <= now) {
      delete kept.policy;
      kept.id = '';
    }
    // No record, or none that could be had: what is known holds (§5.1).
    if (id === undefined) return findingOf(kept);
    if (kept?.policy !== undefined && kept.id === id) return findingOf(kept);
    const entry = kept ?? this.#enter(domain);
    if (entry.again > now && entry.fetching === undefined) return findingOf(entry);
    entry.fetching ??= this.#renew(domain, id, entry, allowed, signal).finally(() => {
      entry.fetching = undefined;
    });
    await entry.fetching;
    return findingOf(entry);
  }

  /** Mail failed on the policy: it is fetched anew before anything becomes final (RFC 8461 §5.1). */
  doubt(domain: string): void {
    const kept = this.#kept.get(domain);
    if (kept !== undefined) kept.id = '';
  }

  #enter(domain: string): Kept {
    const entry: Kept = { id: '', until: Number.POSITIVE_INFINITY, again: 0 };
    this.#kept.set(domain, entry);
    const oldest = this.#kept.size > mostPolicies ? this.#kept.keys().next() : undefined;
    if (oldest?.done === false) this.#kept.delete(oldest.value);
    return entry;
  }

  async #renew(
    domain: string,
    id: string,
    entry: Kept,
    allowed: readonly IpRange[],
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const policy = await this.#fetch(domain, allowed, signal);
      entry.policy = policy;
      entry.id = id;
      entry.until = this.#clock.monotonic() + policy.maxAge * 1_000;
      delete entry.failure;
      this.#store?.write(() => this.#stored());
    } catch (error) {
      if (!(error instanceof StsFetchError)) throw error;
      entry.failure = { type: error.failure, reason: error.message };
    }
    entry.again = this.#clock.monotonic() + fetchAgainMs;
  }

  #stored(): readonly StoredPolicy[] {
    const ahead = this.#clock.now() - this.#clock.monotonic();
    return Array.from(this.#kept).flatMap(([domain, { policy, id, until }]) =>
      policy === undefined ? [] : [{ domain, id, policy, until: until + ahead }],
    );
  }

  /** Undefined: there is no record, or no answer. */
  async #idOf(domain: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      const answer = await this.#dns.ask(`_mta-sts.${domain}`, 'TXT', signal);
      return parseStsRecord(txtTexts(answer))?.id;
    } catch (error) {
      if (error instanceof DnsFailure || error instanceof RangeError || signal.aborted) return undefined;
      throw error;
    }
  }
}

function findingOf(kept: Kept | undefined): StsFinding {
  const { policy, failure } = kept ?? {};
  return {
    ...(policy !== undefined && policy.mode !== 'none' && { policy }),
    ...(failure !== undefined && { failure }),
  };
}
