/** Where a host that a stranger named may be reached: never inside. */
import { isIP } from 'node:net';
import type { IpRange } from '../base/index.ts';
import type { DnsAsker } from './cached-dns.ts';
import { TargetCheck } from './target-address.ts';

/**
 * Addresses of a host that lie in the Internet, or in what an administrator allows. `host` may be an address itself, IPv6
 * also in brackets. Throws RangeError where there is none, DnsFailure where nobody answers.
 */
export async function strangerAddresses(
  dns: DnsAsker,
  { host, port, allowed }: { readonly host: string; readonly port: number; readonly allowed: readonly IpRange[] },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const guard = new TargetCheck({ names: new Set(), bindings: [], allowed, refusePrivate: true });
  const literal = host.replace(/^\[|\]$/g, '');
  const found = isIP(literal) === 0 ? await lookUp(dns, literal, signal) : [literal];
  const usable = found.filter((address) => guard.fault(address, port) === undefined);
  if (usable.length === 0) throw new RangeError(`${host} has no address of the Internet`);
  return usable;
}

async function lookUp(dns: DnsAsker, host: string, signal: AbortSignal): Promise<readonly string[]> {
  const answers = await Promise.allSettled([dns.ask(host, 'A', signal), dns.ask(host, 'AAAA', signal)]);
  const addresses = answers.flatMap((one) => (one.status === 'fulfilled' ? one.value.records : []));
  const failed = answers.find((one) => one.status === 'rejected');
  if (addresses.length === 0 && failed !== undefined) throw failed.reason;
  return addresses.map(({ data }) => String(data));
}
