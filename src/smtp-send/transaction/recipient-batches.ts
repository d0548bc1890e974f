/** Recipients of one message in as many transactions as the next hop's limits ask for: RFC 9422 §4.1 and §4.3. Pure. */
import type { DeliveryItem } from '../../queue/index.ts';
import type { Capabilities } from '../connection/capabilities.ts';

/** Positions of the recipients, a list for each transaction; undefined: one transaction takes all. */
export function recipientBatches(
  { message, recipients }: Pick<DeliveryItem, 'message' | 'recipients'>,
  { rcptMax, rcptDomainMax }: Pick<Capabilities, 'rcptMax' | 'rcptDomainMax'>,
): readonly (readonly number[])[] | undefined {
  if (recipients.length <= Math.min(rcptMax, rcptDomainMax)) return undefined;
  const domains = recipients.map((index) => message.envelope.recipients[index]?.domain ?? '');
  const byDomain = domains.map((_, position) => position).toSorted((a, b) => compare(domains[a], domains[b]));
  const batches: number[][] = [];
  let seen = new Set<string | undefined>();
  for (const position of byDomain) {
    const last = batches.at(-1);
    const another = !seen.has(domains[position]) && seen.size >= rcptDomainMax;
    if (last === undefined || last.length >= rcptMax || another) {
      batches.push([position]);
      seen = new Set([domains[position]]);
    } else {
      last.push(position);
      seen.add(domains[position]);
    }
  }
  return batches.length > 1 ? batches : undefined;
}

function compare(a = '', b = ''): number {
  return a < b ? -1 : Number(a > b);
}
