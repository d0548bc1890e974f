import type { DnsAnswer } from './dns-client.ts';

/** The texts of TXT records, each joined from its strings (RFC 7208 §3.3 and its kin): dns-packet gives them apart. */
export function txtTexts({ records }: Pick<DnsAnswer, 'records'>): string[] {
  return records.map(({ data }) =>
    (Array.isArray(data) ? Buffer.concat(data as Buffer[]) : Buffer.from(String(data))).toString('utf8'),
  );
}
