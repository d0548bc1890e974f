/** Builds what sending asks of the DNS beyond addresses: a resolver that knows what is secure, and the policies of targets. */
import type { SecureContext } from 'node:tls';
import type { Clock, FaultReport, IpRange } from '../../base/index.ts';
import { CachedDns, type DnsAsker, TargetCheck } from '../../dns/index.ts';
import type { MailResolver } from '../dns/resolver.ts';
import { SecureResolver } from '../dns/secure-resolver.ts';
import { DnssecCheck, type DnssecSettings } from './dnssec-check.ts';
import { PolicySource } from './policy-source.ts';
import { fetchStsPolicy } from './sts-fetch.ts';
import type { PolicyStore } from './sts-file.ts';
import { StsPolicies } from './sts-policies.ts';

export interface SendingDnsOptions {
  /** Asks each time: what is kept is kept here. */
  readonly asker: DnsAsker;
  readonly settings: () => DnssecSettings;
  readonly faults: FaultReport;
  readonly clock: Clock;
  readonly sts?: {
    /** Authorities that policy hosts are judged by, asked for each fetch; default: those of Node. */
    readonly secureContext?: () => SecureContext;
    /** Default 443. */
    readonly port?: number;
    /** Where policies outlive the process. */
    readonly store?: PolicyStore;
  };
}

export interface SendingDns {
  readonly resolver: MailResolver;
  /** Addresses of a stranger's web server that may be asked. Rejects when there is none. */
  readonly webAddresses: (host: string, signal: AbortSignal) => Promise<readonly string[]>;
  readonly policies: PolicySource;
}

export function sendingDns({ asker, settings, faults, clock, sts = {} }: SendingDnsOptions): SendingDns {
  const dns = new CachedDns(asker, clock);
  const check = new DnssecCheck(asker, settings, faults, clock);
  const resolver = new SecureResolver(dns, async () => (await check.fault()) === '');
  const port = sts.port ?? 443;
  /** A stranger's host must not lead into this machine or its networks, but for what an administrator allows. */
  const addresses = async (
    host: string,
    signal: AbortSignal,
    allowed: readonly IpRange[] = [],
  ): Promise<readonly string[]> => {
    const guard = new TargetCheck({ names: new Set(), bindings: [], allowed, refusePrivate: true });
    const answer = await resolver.addresses(host, signal);
    const usable = answer.addresses.filter((address) => guard.fault(address, port) === undefined);
    if (usable.length === 0) throw new RangeError(`${host} has no address of the Internet`);
    return usable;
  };
  const policies = new StsPolicies(
    dns,
    (domain, allowed, signal) =>
      fetchStsPolicy(
        domain,
        {
          addresses: (host, ended) => addresses(host, ended, allowed),
          port,
          ...(sts.secureContext && { secureContext: sts.secureContext() }),
        },
        signal,
      ),
    clock,
    sts.store,
  );
  return {
    resolver,
    webAddresses: (host, signal) => addresses(host, signal),
    policies: new PolicySource({ dns, check, sts: policies }),
  };
}
