/**
 * Direct trust between an edge and the servers of the organization: a next hop that is one of them shows a key which the
 * directory pins, or gets nothing. The receiving side of it is in smtp-receive.
 */
import type { TlsDemand } from '../../tls/index.ts';
import type { SendRoute } from '../connection/send-route.ts';
import type { Target } from '../dns/target-finder.ts';
import type { PolicyFinding, TargetPolicies } from './policy-source.ts';

type TrustRoute = Pick<SendRoute, 'connector' | 'directTrust' | 'internalServers' | 'tls'>;

/** Puts direct trust before what DNS and messages demand. */
export class DirectTrust implements TargetPolicies {
  readonly #others: TargetPolicies;

  constructor(others: TargetPolicies) {
    this.#others = others;
  }

  async policyOf(target: Target, route: SendRoute, signal: AbortSignal): Promise<PolicyFinding> {
    return pinnedPolicy(target, route) ?? this.#others.policyOf(target, route, signal);
  }

  doubt(target: Target): void {
    this.#others.doubt(target);
  }
}

/**
 * Undefined: the target is no server of the organization. A connector with SmartHostAuthMechanism ExchangeServer sends to
 * nobody else; on others the name of the host decides, unless IgnoreSTARTTLS says that there is no TLS on this way.
 */
function pinnedPolicy({ serverName }: Pick<Target, 'serverName'>, route: TrustRoute): PolicyFinding | undefined {
  const { directTrust, internalServers, tls } = route;
  const name = serverName?.toLowerCase();
  const itself = internalServers.filter((server) => server.name === name && server.keys.length > 0);
  if (!directTrust && (itself.length === 0 || tls.policy.level === 'none')) return undefined;
  const keys = (itself.length > 0 ? itself : internalServers).flatMap((server) => server.keys);
  const owner = `SmartHostAuthMechanism ExchangeServer of the send connector ${route.connector}`;
  if (keys.length === 0) {
    const reason = `${owner}: the directory has the key of no internal server`;
    return { kind: 'pass-over', failure: 'validation-failure', reason, by: 'direct trust' };
  }
  const because = itself.length > 0 ? `direct trust in the internal server ${name ?? ''}` : owner;
  const demand: TlsDemand = { by: 'direct trust', policy: { level: 'pinned', keys }, because };
  // IgnoreSTARTTLS and direct trust exclude each other: trust wins, as the stricter.
  return { kind: 'policy', policy: { demands: [tls, demand] } };
}
