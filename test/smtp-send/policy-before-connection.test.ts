/** What SmtpDaneMode, the message and the DNS come to before there is a connection: a complete table, in a file. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseIpRange } from '../../src/base/index.ts';
import { type DnsAnswer, DnsFailure } from '../../src/dns/index.ts';
import type { SendRoute } from '../../src/smtp-send/connection/send-route.ts';
import { type PolicyParts, PolicySource } from '../../src/smtp-send/policies/policy-source.ts';
import { startTlsOf } from '../../src/tls/index.ts';

const host = 'mx.a.test';
const tlsa = (usage: number) => ({ usage, selector: 1, matchingType: 1, certificate: Buffer.alloc(32) });

/** What the DNS says of TLSA records, and whether the way to the host is secure. */
const answers: Readonly<Record<string, { secure: boolean; records?: readonly object[]; fails?: string }>> = {
  insecure: { secure: false },
  'no-records': { secure: true, records: [] },
  unusable: { secure: true, records: [tlsa(0)] },
  records: { secure: true, records: [tlsa(3)] },
  bogus: { secure: true, fails: 'SERVFAIL' },
  'self-test-failed': { secure: false, fails: 'never asked' },
};
const modes = ['None', 'Opportunistic', 'Mandatory'] as const;
const messages = { plain: undefined, 'TLS-Required: No': 'optional', REQUIRETLS: 'required' } as const;

const rows = readFileSync(new URL('policy-before-connection.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .filter((line) => !line.startsWith('#'));

async function found(mode: (typeof modes)[number], message: keyof typeof messages, dns: string): Promise<string> {
  const { secure, records = [], fails } = answers[dns] ?? { secure: false };
  const parts = {
    dns: {
      ask: (name: string): Promise<DnsAnswer> => {
        if (fails !== undefined) return Promise.reject(new DnsFailure(fails, name));
        const all = records.map((data) => ({ name, type: 'TLSA', ttl: 1, data }));
        return Promise.resolve({ code: 'NOERROR', secure: true, records: all, aliases: [], ttl: 1 });
      },
    },
    check: { fault: () => Promise.resolve(dns === 'self-test-failed' ? 'the resolver does not validate' : '') },
    sts: { find: () => Promise.resolve({}), doubt: () => undefined },
  } as unknown as PolicyParts;
  const route = {
    connector: 'Out',
    tls: { by: 'connector', policy: { level: 'opportunistic' }, because: 'opportunistic TLS' },
    daneMode: mode,
    stsMode: 'None',
    messagesTls: messages[message],
    targetRanges: [parseIpRange('127.0.0.0/8')],
  } as unknown as SendRoute;
  const target = {
    host,
    serverName: host,
    address: '127.0.0.1',
    port: 25,
    dns: { domain: 'a.test', secure, aliases: [] },
  };
  const finding = await new PolicySource(parts).policyOf(target, route, new AbortController().signal);
  if (finding.kind === 'pass-over') return `passed over\t${finding.by}\t${finding.failure}`;
  const levels = finding.policy.demands.map(({ policy }) => policy.level).join('+');
  return `${startTlsOf(finding.policy)}\t${levels}\t-`;
}

test('every SmtpDaneMode with every message and every answer of the DNS', async () => {
  const all: string[] = [];
  for (const mode of modes)
    for (const message of Object.keys(messages) as (keyof typeof messages)[])
      for (const dns of Object.keys(answers))
        all.push(`${mode}\t${message}\t${dns}\t${await found(mode, message, dns)}`);
  assert.deepEqual(rows, all);
});
