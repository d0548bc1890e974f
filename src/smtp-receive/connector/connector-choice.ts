/** Which receive connector takes a connection: Exchange's rules as a pure function over one snapshot. */
import { formatEndpoint, type IpRange, parseIp, plainIpv4 } from '../../base/index.ts';
import type { Binding, ReceiveConnector } from '../../config/index.ts';
import type { PassedOver } from '../../logs/index.ts';
import { type RangeEntry, RangeIndex } from './range-index.ts';

/** The outcome, with what the event 'connector-chosen' tells. */
export type ConnectorChoice =
  | {
      readonly kind: 'chosen';
      readonly connector: ReceiveConnector;
      /** The binding that covers the local endpoint, 'address:port'. */
      readonly binding: string;
      readonly range: string;
      readonly passedOver: readonly PassedOver[];
    }
  | { readonly kind: 'none'; readonly reason: string };

/** A connector that may take connections on an endpoint, by one of its bindings. */
interface Candidate {
  readonly connector: ReceiveConnector;
  readonly binding: Binding;
  /** As events tell it. */
  readonly endpoint: string;
  /** What was answered for one of its ranges before. */
  choice: ConnectorChoice | undefined;
}

/** How many of the connectors that lost an event names. */
const noRange = "none of its RemoteIPRanges has the client's address";
const mostPassedOver = 20;

/** What was worked out for one local endpoint. */
interface Endpoint {
  readonly index: RangeIndex<Candidate>;
  /** Addresses of IPv6 that came lately: reading one costs more than all the rest. */
  readonly lately: Map<string, RangeEntry<Candidate> | undefined>;
  /** Why nobody takes an address that lies in no range. */
  none: string | undefined;
}

/** Bounds of the two memories; a peer can choose its address, hardly ours. */
const mostAddresses = 4096;
const mostEndpoints = 1024;

/**
 * The connectors of one snapshot, compiled: per local endpoint the ranges of all connectors whose bindings cover it.
 * Among those that hold the peer's address the smallest range wins; between equal ones the connector bound to that very
 * address before one bound to all, then the lower name.
 */
export class ConnectorTable {
  #connectors: readonly ReceiveConnector[];
  #endpoints = new Map<string, Endpoint>();
  #last: { readonly local: Binding; readonly endpoint: Endpoint } | undefined;
  /** The ranges of one connector each, for the reasons of those that lost. */
  readonly #own = new Map<ReceiveConnector, RangeIndex<undefined>>();

  constructor(connectors: readonly ReceiveConnector[]) {
    this.#connectors = connectors;
  }

  /** `local`: the endpoint that was connected to, with the port of the configured binding. */
  choose(local: Binding, remoteAddress: string): ConnectorChoice {
    const endpoint = this.#endpoint(local);
    const found = find(endpoint, remoteAddress);
    if (found === undefined) {
      endpoint.none ??= this.#whyNone(local);
      return { kind: 'none', reason: endpoint.none };
    }
    found.value.choice ??= this.#chosen(local, found);
    return found.value.choice;
  }

  #endpoint(local: Binding): Endpoint {
    const last = this.#last;
    if (last !== undefined && last.local.port === local.port && last.local.address === local.address)
      return last.endpoint;
    const endpoint = this.#endpointOf(local);
    this.#last = { local, endpoint };
    return endpoint;
  }

  #endpointOf(local: Binding): Endpoint {
    const key = formatEndpoint(local);
    let endpoint = this.#endpoints.get(key);
    if (endpoint === undefined) {
      endpoint = { index: this.#compile(local), lately: new Map(), none: undefined };
      if (this.#endpoints.size < mostEndpoints) this.#endpoints.set(key, endpoint);
    }
    return endpoint;
  }

  #compile(local: Binding): RangeIndex<Candidate> {
    const entries = this.#connectors.flatMap((connector) => {
      const binding = coveringBinding(connector, local);
      if (binding === undefined || !connector.enabled) return [];
      return connector.remoteIPRanges.map((range) => ({
        range,
        value: { connector, binding, endpoint: formatEndpoint(binding), choice: undefined },
      }));
    });
    return new RangeIndex(entries, (a, b) => preferCandidate(a, b, local));
  }

  #chosen(local: Binding, { range, value }: RangeEntry<Candidate>): ConnectorChoice {
    const { connector, endpoint: binding } = value;
    const passedOver = this.#connectors
      .filter((other) => other !== connector)
      .slice(0, mostPassedOver)
      .map((other) => ({ name: other.name, reason: this.#whyNot(other, local, range) }));
    return { kind: 'chosen', connector, binding, range: range.text, passedOver };
  }

  /** `winner` was chosen: a range of the connector inside it that had the address would have been the more specific one. */
  #whyNot(connector: ReceiveConnector, local: Binding, winner: IpRange): string {
    if (coveringBinding(connector, local) === undefined) return `not bound to ${formatEndpoint(local)}`;
    if (!connector.enabled) return 'disabled';
    let own = this.#own.get(connector);
    if (own === undefined) {
      own = new RangeIndex(
        connector.remoteIPRanges.map((range) => ({ range, value: undefined })),
        () => 0,
      );
      this.#own.set(connector, own);
    }
    const around = (range: IpRange): boolean =>
      range.family === winner.family && range.first <= winner.first && winner.last <= range.last;
    const smallest = own.find({ family: winner.family, value: winner.first })?.range;
    if (smallest === undefined) return noRange;
    // Another range of it may begin in there, and be smaller.
    const found = around(smallest) ? smallest : connector.remoteIPRanges.find(around);
    if (found === undefined) return noRange;
    return `its range ${found.text} is less specific than ${winner.text}`;
  }

  #whyNone(local: Binding): string {
    const bound = this.#connectors.filter((connector) => coveringBinding(connector, local) !== undefined);
    if (bound.length === 0) return `no receive connector is bound to ${formatEndpoint(local)}`;
    const enabled = bound.filter((connector) => connector.enabled);
    const names = bound.slice(0, 3).map((connector) => `'${connector.name}'`);
    if (enabled.length === 0)
      return `every receive connector bound to ${formatEndpoint(local)} is disabled: ${names.join(', ')}`;
    return `the address lies in RemoteIPRanges of no receive connector bound to ${formatEndpoint(local)}`;
  }
}

function find({ index, lately }: Endpoint, address: string): RangeEntry<Candidate> | undefined {
  const number = plainIpv4(address);
  if (number >= 0) return index.findIpv4(number);
  if (lately.has(address)) return lately.get(address);
  if (lately.size >= mostAddresses) lately.clear();
  const found = index.find(parseIp(address));
  lately.set(address, found);
  return found;
}

function preferCandidate(a: Candidate, b: Candidate, local: Binding): number {
  const exact = Number(b.binding.address === local.address) - Number(a.binding.address === local.address);
  return exact || (a.connector.name < b.connector.name ? -1 : 1);
}

/** The binding of a connector that covers an endpoint; the one for that very address before 0.0.0.0 and [::]. */
export function coveringBinding(connector: ReceiveConnector, local: Binding): Binding | undefined {
  const anyAddress = local.address.includes(':') ? '::' : '0.0.0.0';
  const onPort = connector.bindings.filter((binding) => binding.port === local.port);
  return (
    onPort.find((binding) => binding.address === local.address) ??
    onPort.find((binding) => binding.address === anyAddress)
  );
}
