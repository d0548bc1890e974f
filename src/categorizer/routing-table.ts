/** The routing decision: pure, from accepted domains and send connectors (Exchange's order, see `choose`). */
import { type AcceptedDomain, AcceptedDomainTable, type SendConnector } from '../config/index.ts';
import type { PassedOver } from '../logs/index.ts';
import type { NextHop } from '../queue/index.ts';
import { fit } from './domain-match.ts';

/** What this server is: an Edge hands accepted domains inwards, a Mailbox server keeps authoritative ones. */
export type ServerRole = 'EdgeTransport' | 'Mailbox';

/** What routing looks at. */
export interface RoutingFacts {
  readonly acceptedDomains: readonly AcceptedDomain[];
  readonly sendConnectors: readonly SendConnector[];
}

/** Where mail for a domain goes, or why it goes nowhere. */
export interface Choice {
  readonly hop: NextHop;
  readonly because: string;
  readonly passedOver: readonly PassedOver[];
  /** The message can never go: every fitting connector is too small for it. */
  readonly reply?: string;
}

/** A connector that serves a domain, with the address space that fits it best. */
interface Candidate {
  readonly connector: SendConnector;
  readonly hop: NextHop;
  readonly space: string;
  readonly fit: number;
  readonly cost: number;
}

interface DomainRoute {
  readonly candidates: readonly Candidate[];
  readonly because: string;
  readonly disabled: readonly PassedOver[];
  /** Choice for every message that is not larger than the best candidate allows. */
  readonly usual: Choice;
  readonly usualLimit: number;
}

/** Domains remembered at most: a sender that may relay can name as many as it likes. */
const mostDomains = 20_000;

/** Fits better than any other address space: the connector for mail to the organization. */
const internalFit = Number.POSITIVE_INFINITY;

const unreachable: NextHop = { key: 'Unreachable', type: 'Unreachable', domain: 'Unreachable Domain', connector: '' };

/** One for each snapshot: what it has decided for a domain holds as long as the configuration. */
export class RoutingTable {
  readonly #domains: AcceptedDomainTable;
  readonly #connectors: readonly SendConnector[];
  readonly #role: ServerRole;
  readonly #routes = new Map<string, DomainRoute>();

  constructor({ acceptedDomains, sendConnectors }: RoutingFacts, role: ServerRole) {
    this.#domains = new AcceptedDomainTable(acceptedDomains);
    this.#connectors = sendConnectors;
    this.#role = role;
  }

  /**
   * Connectors that are enabled, whose address space fits and that take messages of `size` octets; of these the one with the
   * most specific address space, then the lowest cost, then the lowest name.
   */
  choose(domain: string, size: number): Choice {
    const route = this.#route(domain);
    return size <= route.usualLimit ? route.usual : choiceOf(route, size);
  }

  /** Octets of the largest message that some way to the domain takes; 0 without any. */
  largest(domain: string): number {
    const { usualLimit, candidates } = this.#route(domain);
    return Math.max(...candidates.map(({ connector }) => connector.maxMessageSize), usualLimit);
  }

  #route(domain: string): DomainRoute {
    let route = this.#routes.get(domain);
    if (route === undefined) {
      if (this.#routes.size >= mostDomains) this.#routes.clear();
      route = this.#routeOf(domain);
      this.#routes.set(domain, route);
    }
    return route;
  }

  #routeOf(domain: string): DomainRoute {
    const accepted = this.#domains.find(domain);
    const because = reasonFor(domain, accepted);
    if (this.#role === 'Mailbox' && accepted?.domainType === 'Authoritative') {
      const hop = hopOf('SmtpDeliveryToMailbox', domain, '');
      const usual = { hop, because: `${because}: its mailboxes are here`, passedOver: [] };
      return { candidates: [], because, disabled: [], usual, usualLimit: Number.POSITIVE_INFINITY };
    }
    const internal = accepted !== undefined && accepted.domainType !== 'ExternalRelay';
    const fitting = this.#connectors
      .map((connector) => candidateOf(connector, domain, internal))
      .filter((candidate) => candidate !== undefined);
    const candidates = fitting.filter(({ connector }) => connector.enabled).sort(byRank);
    const disabled = fitting
      .filter(({ connector }) => !connector.enabled)
      .map(({ connector }) => ({ name: connector.name, reason: 'it is disabled' }));
    const route = { candidates, because, disabled };
    const usualLimit = candidates[0]?.connector.maxMessageSize ?? Number.POSITIVE_INFINITY;
    return { ...route, usual: choiceOf(route, 0), usualLimit };
  }
}

function choiceOf({ candidates, because, disabled }: Omit<DomainRoute, 'usual' | 'usualLimit'>, size: number): Choice {
  const best = candidates.find(({ connector }) => connector.maxMessageSize >= size);
  if (best === undefined) return deadEnd(candidates, because, disabled, size);
  const passedOver = candidates
    .filter((candidate) => candidate !== best)
    .map((candidate) => ({ name: candidate.connector.name, reason: lossOf(candidate, best, size) }));
  const space = best.space === '--' ? '-- (all internal domains)' : best.space;
  return {
    hop: best.hop,
    because: `${because}; address space ${space} fits best`,
    passedOver: [...passedOver, ...disabled],
  };
}

/** No connector: the message waits as Unreachable, unless it is its size alone that keeps it. */
function deadEnd(
  candidates: readonly Candidate[],
  because: string,
  disabled: readonly PassedOver[],
  size: number,
): Choice {
  const tooSmall = candidates.map(({ connector }) => ({
    name: connector.name,
    reason: `its MaxMessageSize of ${connector.maxMessageSize} octets is too small for ${size}`,
  }));
  const passedOver = [...tooSmall, ...disabled];
  if (candidates.length === 0)
    return { hop: unreachable, because: `${because}; no send connector serves it`, passedOver };
  const reply = `550 5.3.4 ROUTING.SizeLimit; the message has ${size} octets, more than any route to the recipient takes`;
  return { hop: unreachable, because: `${because}; every connector is too small`, passedOver, reply };
}

function lossOf({ connector, fit: mine, cost, space }: Candidate, best: Candidate, size: number): string {
  if (connector.maxMessageSize < size) {
    return `its MaxMessageSize of ${connector.maxMessageSize} octets is too small for ${size}`;
  }
  if (mine < best.fit) return `its address space ${space} is less specific than ${best.space}`;
  if (cost > best.cost) return `its cost ${cost} is higher than ${best.cost}`;
  return 'its name comes later in the alphabet';
}

function candidateOf(connector: SendConnector, domain: string, internal: boolean): Candidate | undefined {
  let best: { space: string; fit: number; cost: number } | undefined;
  for (const { type, address, cost } of connector.addressSpaces) {
    if (type.toUpperCase() !== 'SMTP') continue;
    const quality = address === '--' ? (internal ? internalFit : 0) : fit(address, domain);
    const better = best === undefined || quality > best.fit || (quality === best.fit && cost < best.cost);
    if (quality > 0 && better) best = { space: address, fit: quality, cost };
  }
  if (best === undefined) return undefined;
  const hop =
    connector.dnsRoutingEnabled || connector.smartHosts.length === 0
      ? hopOf('DnsConnectorDelivery', domain, connector.name)
      : hopOf('SmartHostConnectorDelivery', connector.smartHosts.join(','), connector.name);
  return { connector, hop, ...best };
}

function byRank(a: Candidate, b: Candidate): number {
  if (a.fit !== b.fit) return a.fit > b.fit ? -1 : 1;
  if (a.cost !== b.cost) return a.cost - b.cost;
  const [first, second] = [a.connector.name.toLowerCase(), b.connector.name.toLowerCase()];
  return first < second ? -1 : first > second ? 1 : 0;
}

function hopOf(type: NextHop['type'], domain: string, connector: string): NextHop {
  return { key: `${type}:${domain}:${connector}`, type, domain, connector };
}

function reasonFor(domain: string, accepted: AcceptedDomain | undefined): string {
  if (accepted === undefined) return `${domain} is no accepted domain`;
  return `${domain} is ${accepted.domainType} by the accepted domain ${accepted.domainName}`;
}
