import type { AcceptedDomain } from './accepted-domain.ts';

/** What the table looks at. */
type Names = Pick<AcceptedDomain, 'domainName' | 'domainType' | 'matchSubDomains' | 'default'>;

/**
 * The accepted domains of one snapshot, for lookups by domain. Receiving, routing and reports use this one table, so that a
 * domain is the same thing to all of them. The most specific entry wins: the domain itself, then the nearest domain above it
 * that covers its subdomains (`*.example.com` before `example.com` with MatchSubDomains), then `*`.
 */
export class AcceptedDomainTable<D extends Names = AcceptedDomain> {
  readonly #exact = new Map<string, D>();
  /** Entries that cover subdomains, by the domain above these; found by going up label by label. */
  readonly #below = new Map<string, D>();
  readonly #all: D | undefined;
  /** The organization's default domain, lower case; undefined when there is none but `*`. */
  readonly default: string | undefined;

  constructor(domains: readonly D[]) {
    const wildcards = domains.filter(({ domainName }) => domainName.startsWith('*.'));
    const plain = domains.filter(({ domainName }) => !domainName.startsWith('*'));
    for (const domain of plain) {
      const name = domain.domainName.toLowerCase();
      this.#exact.set(name, domain);
      if (domain.matchSubDomains) this.#below.set(name, domain);
    }
    for (const domain of wildcards) {
      const name = domain.domainName.slice(2).toLowerCase();
      this.#below.set(name, domain);
      // In Exchange an accepted domain *.example.com includes example.com.
      if (!this.#exact.has(name)) this.#exact.set(name, domain);
    }
    this.#all = domains.find(({ domainName }) => domainName === '*');
    this.default = defaultDomain(domains);
  }

  /** The entry that covers a domain (lower case, A-labels). No entry covers an address literal. */
  find(domain: string): D | undefined {
    const exact = this.#exact.get(domain);
    if (exact !== undefined) return exact;
    // '*' is all domains, not all hosts.
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

/**
 * Where mail for <Postmaster> goes and what reports come from: the domain marked as default, else the first Authoritative one,
 * else the first. `*` names no domain.
 */
export function defaultDomain(domains: readonly Names[]): string | undefined {
  const named = domains.filter(({ domainName }) => domainName !== '*');
  const chosen =
    named.find((domain) => domain.default) ??
    named.find(({ domainType }) => domainType === 'Authoritative') ??
    named[0];
  return chosen?.domainName.replace(/^\*\./, '').toLowerCase();
}
