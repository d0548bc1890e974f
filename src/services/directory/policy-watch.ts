/** Looks every hour, and after a change, whether senders can find, believe and obey our own MTA-STS policy: what is wrong stands in `edge status`. */
import { type Clock, type FaultReport, FoundFaults } from '../../base/index.ts';
import type { CertificateStore } from '../../certificates/index.ts';
import type { Snapshot } from '../../config/index.ts';
import type { DnsAsker } from '../../dns/index.ts';
import { checkDomain, ownPolicy, policyDomains } from '../../mta-sts/index.ts';
import { chooseReceiveCertificate } from '../../tls/index.ts';

export interface PolicyWatchParts {
  readonly clock: Clock;
  readonly certificates: Pick<CertificateStore, 'list'>;
  readonly dns: DnsAsker;
  readonly configuration: () => Pick<Snapshot, 'acceptedDomains' | 'server'>;
  readonly faults: FaultReport;
}

const everyMs = 3_600_000;
/** A change comes as a few lines; the DNS is asked once. */
const afterChangeMs = 5_000;
/** For one look, in milliseconds. */
const lookMs = 60_000;
/** Domains that are looked at: the DNS of thousands is not asked every hour. */
const mostDomains = 100;

export class PolicyWatch implements Disposable {
  readonly #parts: PolicyWatchParts;
  readonly #stopped = new AbortController();
  readonly #found: FoundFaults;
  #timer: { cancel(): void } | undefined;

  constructor(parts: PolicyWatchParts) {
    this.#parts = parts;
    this.#found = new FoundFaults(parts.faults);
  }

  /** Configuration or certificates changed. */
  changed(): void {
    this.#wait(afterChangeMs);
  }

  /** Never rejects. */
  async look(): Promise<void> {
    const { clock, configuration, certificates, dns } = this.#parts;
    const { acceptedDomains, server } = configuration();
    const found: string[] = [];
    if (server.mtaStsPolicyBindings.length > 0) {
      const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(lookMs)]);
      const entries = certificates.list();
      const choose = (host: string) =>
        chooseReceiveCertificate(entries, { fqdn: host, serverFqdn: host, now: clock.now() });
      for (const domain of policyDomains(acceptedDomains).slice(0, mostDomains)) {
        try {
          found.push(...(await checkDomain(domain, ownPolicy(server), { dns, choose }, signal)).faults);
        } catch (error) {
          if (this.#stopped.signal.aborted) return;
          found.push(`${domain}: ${signal.aborted ? 'the DNS did not answer in time' : (error as Error).message}`);
        }
      }
    }
    this.#found.set(new Map(found.map((text) => [`MTA-STS ${text}`, `MTA-STS: ${text}`])));
  }

  #wait(delayMs: number): void {
    this.#timer?.cancel();
    if (this.#stopped.signal.aborted) return;
    this.#timer = this.#parts.clock.after(delayMs, () => void this.look().finally(() => this.#wait(everyMs)));
  }

  [Symbol.dispose](): void {
    this.#stopped.abort();
    this.#timer?.cancel();
  }
}
