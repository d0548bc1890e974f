import type { AcceptedDomain } from '../config/index.ts';

/** The accepted domains of one snapshot, for lookups by recipient and sender domain. */
export class AcceptedDomainTable {
  #exact = new Map<string, AcceptedDomain>();
  /** By the part behind '*.'; found by going up label by label. */
  #below = new Map<string, AcceptedDomain>();
  #all: AcceptedDomain | undefined;
  /** The organization's default domain: where mail for <Postmaster> goes. */
  readonly default: string | undefined;

  constructor(domains: readonly AcceptedDomain[]) {
    for (const domain of domains) {
      const name = domain.domainName.toLowerCase();
      if (name === '*') this.#all = domain;
      else if (name.startsWith('*.')) this.#below.set(name.slice(2), domain);
      else {
        this.#exact.set(name, domain);
        if (domain.matchSubDomains && !this.#below.has(name)) this.#below.set(name, domain);
      }
    }
    const plain = domains.filter((domain) => !domain.domainName.includes('*'));
    const chosen =
      plain.find((domain) => domain.default) ??
      plain.find((domain) => domain.domainType === 'Authoritative') ??
      plain[0];
    this.default = chosen?.domainName.toLowerCase();
  }

  /** The entry that covers a domain (lower case, A-labels): the exact one, else the nearest wildcard, else '*'. */
  find(domain: string): AcceptedDomain | undefined {
    const exact = this.#exact.get(domain);
    if (exact !== undefined) return exact;
    // '*' is all domains, not all hosts: an address literal is none.
    if (domain === '' || domain.startsWith('[')) return undefined;
    if (this.#below.size > 0) {
      for (let dot = domain.indexOf('.'); dot >= 0; dot = domain.indexOf('.', dot + 1)) {
        const entry = this.#below.get(domain.slice(dot + 1));
        if (entry !== undefined) return entry;
      }
    }
    return this.#all;
  }
}
