/** Who signed a report that came by mail: RFC 8460 §3 asks for a DKIM signature (RFC 6376) of the domain that reports. */
import type { DKIMResult } from 'mailauth';
import { type DnsAsker, txtTexts } from '../dns/index.ts';
import { HeaderBlock } from '../mail/index.ts';

export interface ReportSignature {
  /** `valid`: a signature of the domain of From, or of one above it. `unknown`: the DNS did not tell the key. */
  readonly verdict: 'valid' | 'invalid' | 'missing' | 'unknown';
  /** Domain that signed, '' when none did. */
  readonly domain: string;
  /** Why it is not valid, for a person; '' when it is. */
  readonly reason: string;
}

/** Signatures that are looked at: each may cost a question to the DNS of a stranger and a hash of the mail. */
const mostSignatures = 5;
/** The longest that the keys may take, in milliseconds. */
const mostMs = 10_000;
/** RFC 8301 §3.2. */
const fewestBits = 1024;

/** Never throws for what a stranger wrote, nor for a DNS that fails. */
export async function judgeSignature(mail: Buffer, dns: DnsAsker): Promise<ReportSignature> {
  const count = new HeaderBlock(mail).count('DKIM-Signature');
  if (count === 0) return { verdict: 'missing', domain: '', reason: 'it is not signed' };
  if (count > mostSignatures)
    return invalid('', `of ${count} signatures none is looked at, ${mostSignatures} would be`);
  // Loaded by the first report that is signed.
  const { dkimVerify } = await import('mailauth/lib/dkim/verify.js');
  const limit = AbortSignal.timeout(mostMs);
  const resolver = async (name: string): Promise<string[][]> =>
    txtTexts(await dns.ask(name, 'TXT', limit)).map((text) => [keyForReports(text)]);
  const options = { resolver, strict: true, minBitLength: fewestBits };
  const { results, headerFrom, fromFields } = await dkimVerify(mail, options);
  const [author = ''] = headerFrom;
  if (fromFields !== 1 || headerFrom.length !== 1) return invalid('', 'it has not one author in From');
  const judged = results.map((result) => verdictOf(result, author.slice(author.lastIndexOf('@') + 1).toLowerCase()));
  const [best] = judged.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  return best ?? invalid('', 'its signatures cannot be read');
}

const order: readonly ReportSignature['verdict'][] = ['valid', 'unknown', 'invalid'];

function verdictOf({ signingDomain = '', status, canonBodyLengthLimited }: DKIMResult, from: string): ReportSignature {
  const domain = signingDomain.toLowerCase();
  const { result, comment } = status;
  if (result === 'temperror') return { verdict: 'unknown', domain, reason: `the key of ${domain} cannot be read now` };
  if (result !== 'pass') return invalid(domain, comment || result);
  // RFC 8460 §3: what is behind the length that it covers is of anybody.
  if (canonBodyLengthLimited === true) return invalid(domain, 'it signs a part of the body only (l=)');
  if (from !== domain && !from.endsWith(`.${domain}`)) return invalid(domain, `${domain} signed for ${from}`);
  return { verdict: 'valid', domain, reason: '' };
}

function invalid(domain: string, reason: string): ReportSignature {
  return { verdict: 'invalid', domain, reason };
}

/** A key for the service `tlsrpt` alone (RFC 8460 §3) serves here; the library takes it for one that is not for mail. */
function keyForReports(record: string): string {
  return record.replace(/(^|;)\s*s\s*=[^;]*/g, (tag) => (/[=:]\s*tlsrpt\s*(?::|$)/i.test(tag) ? '' : tag));
}
