/** TLSA records of one host: RFC 7672 §2.2 and §3.1. */
import { type DnsAnswer, type DnsAsker, DnsFailure } from '../../dns/index.ts';
import { type TlsaRecord, unusableReason } from '../../tls/index.ts';
import type { Target } from '../dns/target-finder.ts';

export type TlsaFinding =
  /** DANE does not apply to the host. */
  | { readonly kind: 'none'; readonly reason: string }
  /** At least one record can be used. */
  | { readonly kind: 'records'; readonly base: string; readonly records: readonly TlsaRecord[] }
  /** Records are there, none can be used: encryption is due, authentication is not possible (§2.2). */
  | { readonly kind: 'unusable'; readonly base: string; readonly reason: string }
  /** Nothing is known for sure: the host must be passed over (§2.1.2). */
  | { readonly kind: 'failed'; readonly reason: string };

/** Never rejects for what the DNS says. */
export async function findTlsa(dns: DnsAsker, target: Target, signal: AbortSignal): Promise<TlsaFinding> {
  const { serverName, dns: way, port } = target;
  if (serverName === undefined || way === undefined) return { kind: 'none', reason: 'an address has no TLSA records' };
  // §2.2.2: without secure address records the host is in no signed zone, and the question could only fail.
  if (!way.secure) return { kind: 'none', reason: 'its MX or address records are not signed' };
  // §2.2.3: the name behind secure aliases comes first, the name as it was given second.
  const bases = [...way.aliases.slice(-1), serverName];
  try {
    for (const base of bases) {
      const answer = await dns.ask(`_${port}._tcp.${base}`, 'TLSA', signal);
      if (answer.records.length > 0 && answer.secure) return judge(base, answer);
    }
    return { kind: 'none', reason: 'it has no secure TLSA records' };
  } catch (error) {
    if (!(error instanceof DnsFailure) && !signal.aborted) throw error;
    const code = error instanceof DnsFailure ? error.code : 'no answer in time';
    return { kind: 'failed', reason: `its TLSA records could not be asked for (${code})` };
  }
}

function judge(base: string, { records }: DnsAnswer): TlsaFinding {
  const all = records.map(({ data }) => recordOf(data));
  const usable = all.filter((record) => unusableReason(record) === undefined);
  if (usable.length > 0) return { kind: 'records', base, records: usable };
  const [first] = all;
  return { kind: 'unusable', base, reason: (first && unusableReason(first)) ?? 'none can be used' };
}

interface TlsaData {
  readonly usage: number;
  readonly selector: number;
  readonly matchingType: number;
  readonly certificate: Buffer;
}

function recordOf(data: unknown): TlsaRecord {
  const { usage, selector, matchingType, certificate } = data as TlsaData;
  return { usage, selector, matchingType, certificate };
}
