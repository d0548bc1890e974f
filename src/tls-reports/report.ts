/** A TLS report as JSON, and the record that asks for one. RFC 8460 §3, §4.4. Pure. */
import type { DayCounts, PolicyCounts } from './day-counts.ts';

/** Where reports go, in the order of the record; at most so many are used. */
const mostDestinations = 5;

export interface ReportFacts {
  readonly organization: string;
  readonly contact: string;
  readonly id: string;
  readonly domain: string;
  /** UTC, 'YYYY-MM-DD'. */
  readonly day: string;
}

/**
 * Destinations in the TXT texts of `_smtp._tls.<domain>`, each joined from its strings: mailto: and https: alone. None: the
 * domain wants no reports; several records count as none (§3).
 */
export function reportDestinations(texts: readonly string[]): readonly string[] {
  const [record, ...others] = texts.filter((text) => /^v=TLSRPTv1\s*;/.test(text));
  if (record === undefined || others.length > 0) return [];
  const rua = record.split(';').flatMap((field) => /^\s*rua\s*=\s*(.*?)\s*$/s.exec(field)?.[1] ?? [])[0] ?? '';
  return rua
    .split(',')
    .map((uri) => uri.trim())
    .filter((uri) => /^(?:mailto:|https:\/\/)\S+$/i.test(uri) && uri.length <= 1_000)
    .slice(0, mostDestinations);
}

/** Address of a mailto: destination; undefined for one that is none. */
export function mailAddressOf(uri: string): string | undefined {
  if (!/^mailto:/i.test(uri)) return undefined;
  try {
    const address = decodeURIComponent(uri.slice('mailto:'.length).replace(/\?.*$/s, ''));
    return /^[^\s<>,"@\x00-\x1f]+@[^\s<>,"@\x00-\x1f]+$/.test(address) ? address : undefined;
  } catch {
    return undefined;
  }
}

/** The counts of one domain as JSON text. */
export function reportText(facts: ReportFacts, policies: readonly PolicyCounts[]): string {
  return JSON.stringify({
    'organization-name': facts.organization,
    'date-range': { 'start-datetime': `${facts.day}T00:00:00Z`, 'end-datetime': `${facts.day}T23:59:59Z` },
    'contact-info': facts.contact,
    'report-id': facts.id,
    policies: policies.map((counts) => policyObject(facts.domain, counts)),
  });
}

function policyObject(domain: string, { policy, successes, failures }: PolicyCounts): object {
  const { type, lines, mx } = policy;
  return {
    policy: {
      'policy-type': type,
      ...(lines.length > 0 && { 'policy-string': lines }),
      'policy-domain': domain,
      ...(mx.length > 0 && { 'mx-host': mx }),
    },
    summary: {
      'total-successful-session-count': successes,
      'total-failure-session-count': failures.reduce((sum, { count }) => sum + count, 0),
    },
    ...(failures.length > 0 && {
      'failure-details': failures.map(({ type: result, mxHost, ip, sendingIp = '', reason, count }) => ({
        'result-type': result,
        ...(sendingIp !== '' && { 'sending-mta-ip': sendingIp }),
        ...(mxHost !== '' && { 'receiving-mx-hostname': mxHost }),
        ...(ip !== '' && { 'receiving-ip': ip }),
        'failed-session-count': count,
        ...(reason !== '' && { 'failure-reason-code': reason }),
      })),
    }),
  };
}

/** The counts of several workers as one. */
export function mergeCounts(days: readonly DayCounts[]): ReadonlyMap<string, readonly PolicyCounts[]> {
  const merged = new Map<string, PolicyCounts[]>();
  for (const [domain, counts] of days.flatMap(({ domains }) => domains)) {
    const known = merged.get(domain) ?? [];
    merged.set(domain, known);
    for (const one of counts) {
      const same = known.findIndex(({ policy }) => JSON.stringify(policy) === JSON.stringify(one.policy));
      const before = known[same];
      if (before === undefined) known.push(one);
      else known[same] = joined(before, one);
    }
  }
  return merged;
}

function joined(a: PolicyCounts, b: PolicyCounts): PolicyCounts {
  const failures = a.failures.map((failure) => ({ ...failure }));
  for (const failure of b.failures) {
    const same = failures.find(
      ({ type, mxHost, ip }) => type === failure.type && mxHost === failure.mxHost && ip === failure.ip,
    );
    if (same === undefined) failures.push({ ...failure });
    else {
      same.count += failure.count;
      if (same.sendingIp !== failure.sendingIp) same.sendingIp = '';
    }
  }
  return { policy: a.policy, successes: a.successes + b.successes, failures };
}
