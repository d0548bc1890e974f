import type { Clock, FaultReport } from '../../base/index.ts';
import { type DnsAsker, DnsFailure, isTrustedResolver } from '../../dns/index.ts';

/** A check is repeated after this time, in milliseconds. */
const repeatMs = 5 * 60_000;
const faultKey = 'DNSSEC';

export interface DnssecSettings {
  /** Resolvers in use. */
  readonly resolvers: readonly string[];
  /** Resolvers declared trusted: the way to them cannot be changed by others. */
  readonly trusted: readonly string[];
  /** A name that must be secure. */
  readonly goodName: string;
  /** A name whose signatures must not validate. */
  readonly badName: string;
}

/** Whether the resolver's word on DNSSEC may be believed: proved with a good and a bad name, at first use and every 5 minutes. */
export class DnssecCheck {
  readonly #dns: DnsAsker;
  readonly #settings: () => DnssecSettings;
  readonly #faults: FaultReport;
  readonly #clock: Clock;
  #fault = 'it has not been checked yet';
  #checkedAt = Number.NEGATIVE_INFINITY;
  #checking: Promise<void> | undefined;

  /** `dns` keeps nothing: an answer of an hour ago proves nothing. */
  constructor(dns: DnsAsker, settings: () => DnssecSettings, faults: FaultReport, clock: Clock) {
    this.#dns = dns;
    this.#settings = settings;
    this.#faults = faults;
    this.#clock = clock;
  }

  get believed(): boolean {
    return this.#fault === '';
  }

  /** Why DNSSEC cannot be used now; '' when it can. The first caller waits for the check, later ones for none. */
  async fault(): Promise<string> {
    const now = this.#clock.monotonic();
    if (now - this.#checkedAt >= repeatMs) {
      this.#checking ??= this.#check().finally(() => {
        this.#checking = undefined;
      });
    }
    if (this.#checkedAt === Number.NEGATIVE_INFINITY) await this.#checking;
    return this.#fault;
  }

  async #check(): Promise<void> {
    const fault = await this.#find();
    this.#checkedAt = this.#clock.monotonic();
    this.#fault = fault;
    if (fault === '') this.#faults.end(faultKey);
    else
      this.#faults.begin(
        faultKey,
        `DANE cannot be used: ${fault}. SmtpDaneMode Opportunistic is off, Mandatory defers mail.`,
      );
  }

  async #find(): Promise<string> {
    const { resolvers, trusted, goodName, badName } = this.#settings();
    const stranger = resolvers.find((resolver) => !isTrustedResolver(resolver, trusted));
    if (resolvers.length === 0) return 'there is no DNS resolver';
    if (stranger !== undefined) {
      return `the resolver ${stranger} is neither on this machine nor in DnssecTrustedServers`;
    }
    try {
      const good = await this.#dns.ask(goodName, 'A');
      if (!good.secure) return `the resolver does not validate: ${goodName} is signed and came without the AD bit`;
    } catch (error) {
      if (!(error instanceof DnsFailure)) throw error;
      return `the good test name was not answered (${error.message})`;
    }
    try {
      await this.#dns.ask(badName, 'A');
      return `the resolver does not validate: ${badName} has bad signatures and was answered`;
    } catch (error) {
      if (!(error instanceof DnsFailure)) throw error;
      return error.code === 'SERVFAIL' ? '' : `the bad test name got ${error.code}, not SERVFAIL`;
    }
  }
}
