/** Which receive connectors may stand beside each other on one server (Exchange: unique Bindings and RemoteIPRanges). */
import { formatEndpoint, type IpRange } from '../../base/index.ts';
import type { Binding } from '../properties/network-syntaxes.ts';
import type { ServerRole } from '../properties/property.ts';
import type { ReceiveConnector } from './receive-connector.ts';

type Endpoint = Pick<ReceiveConnector, 'name' | 'bindings' | 'remoteIPRanges' | 'transportRole'>;

/** Two connectors that cannot stand beside each other, and why. */
export interface ConnectorConflict {
  /** The one that is in the way. */
  readonly with: string;
  readonly kind: 'range' | 'role';
  readonly message: string;
}

/**
 * The conflict between one connector and those of the same server. On one endpoint, ranges may overlap only when one
 * lies wholly inside the other; two transport roles may not share an endpoint at all.
 */
export function connectorConflict(
  connector: Endpoint,
  others: readonly Endpoint[],
  role: ServerRole,
): ConnectorConflict | undefined {
  for (const other of others) {
    const binding = connector.bindings.find((one) => other.bindings.some((two) => sameBinding(one, two)));
    if (binding === undefined) continue;
    const start = `The values that you specified for the Bindings and RemoteIPRanges parameters conflict with the settings on Receive connector "${other.name}".`;
    if (role === 'Mailbox' && connector.transportRole !== other.transportRole) {
      const message = `${start} Receive connectors assigned to different Transport roles on a single server must listen on unique local IP address & port bindings.`;
      return { with: other.name, kind: 'role', message };
    }
    const clash = firstClash(connector.remoteIPRanges, other.remoteIPRanges);
    if (clash === undefined) continue;
    const [mine, theirs] = clash;
    const how = mine.first === theirs.first && mine.last === theirs.last ? 'is the same as' : 'overlaps';
    const message = `${start} On ${formatEndpoint(binding)} the range ${mine.text} ${how} ${theirs.text} there; a range must lie wholly inside or wholly outside the other, or use another binding.`;
    return { with: other.name, kind: 'range', message };
  }
  return undefined;
}

function sameBinding(one: Binding, two: Binding): boolean {
  return one.port === two.port && one.address === two.address;
}

function firstClash(
  mine: readonly IpRange[],
  theirs: readonly IpRange[],
): readonly [mine: IpRange, theirs: IpRange] | undefined {
  for (const one of mine) {
    const two = theirs.find((other) => clashes(one, other));
    if (two !== undefined) return [one, two];
  }
  return undefined;
}

/** Overlap without one lying strictly inside the other. */
function clashes(one: IpRange, two: IpRange): boolean {
  if (one.family !== two.family || one.last < two.first || two.last < one.first) return false;
  if (one.first === two.first && one.last === two.last) return true;
  const inside = (inner: IpRange, outer: IpRange): boolean => outer.first <= inner.first && inner.last <= outer.last;
  return !inside(one, two) && !inside(two, one);
}
