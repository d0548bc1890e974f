/** What is said of our own MTA-STS policy where the DNS or a certificate does not fit it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DnsAnswer, type DnsAsker, DnsFailure, type DnsType } from '../../src/dns/index.ts';
import { checkDomain, ownPolicyId, ownRecord, policyDomains } from '../../src/mta-sts/index.ts';
import type { StsPolicy } from '../../src/tls/index.ts';

const policy: StsPolicy = { mode: 'enforce', mx: ['mx1.contoso.test', '*.mx.test'], maxAge: 604_800 };

interface Row {
  readonly name: string;
  readonly policy?: StsPolicy;
  /** TXT texts; default: that of the policy. */
  readonly txt?: readonly string[];
  readonly mx?: readonly string[];
  readonly address?: readonly string[];
  readonly fails?: DnsType;
  readonly certificate?: 'none' | 'self-signed' | 'expired';
  readonly faults: readonly RegExp[];
}

const rows: readonly Row[] = [
  { name: 'all is well', mx: ['mx1.contoso.test', 'MX1.Contoso.test.', 'a.mx.test'], faults: [] },
  {
    name: 'an MX host that the policy does not name',
    mx: ['mx1.contoso.test', 'mx2.contoso.test', 'a.b.mx.test'],
    faults: [/^the MX host mx2\.contoso\.test of contoso\.test is not in the policy: .*pass it over/, /a\.b\.mx\.test/],
  },
  {
    name: 'the same in mode testing',
    policy: { ...policy, mode: 'testing' },
    mx: ['mx2.contoso.test'],
    faults: [/senders with MTA-STS report it/],
  },
  { name: 'no MX record: the domain itself', mx: [], faults: [/the MX host contoso\.test /] },
  { name: 'mode none names no host', policy: { ...policy, mode: 'none' }, mx: ['mx2.contoso.test'], faults: [] },
  { name: 'no TXT record', txt: [], faults: [/^_mta-sts\.contoso\.test has no TXT record: .*'v=STSv1; id=\w{20};'$/] },
  {
    name: 'an old id',
    txt: [ownRecord({ ...policy, mode: 'testing' })],
    faults: [/has the id \w{20}: senders keep a policy that they have; it is 'v=STSv1; id=\w{20};'$/],
  },
  { name: 'two records', txt: ['v=STSv1; id=1;', 'v=STSv1; id=2;'], faults: [/is invalid: 2 records/] },
  { name: 'no policy host', address: [], faults: [/^mta-sts\.contoso\.test has no address/] },
  { name: 'a DNS that fails', fails: 'MX', faults: [/gave no answer for the MX of contoso\.test \(SERVFAIL\)/] },
  { name: 'no certificate', certificate: 'none', faults: [/^no certificate stands for mta-sts\.contoso\.test/] },
  { name: 'a self-signed certificate', certificate: 'self-signed', faults: [/is self-signed/] },
  { name: 'an old certificate', certificate: 'expired', faults: [/is not in force/] },
];

for (const row of rows) {
  test(`own MTA-STS policy: ${row.name}`, async () => {
    const own = row.policy ?? policy;
    const dns: DnsAsker = {
      ask: async (name: string, type: DnsType): Promise<DnsAnswer> => {
        if (type === row.fails) throw new DnsFailure('SERVFAIL', name);
        const data: Readonly<Record<string, readonly unknown[]>> = {
          '_mta-sts.contoso.test TXT': (row.txt ?? [ownRecord(own)]).map((text) => [Buffer.from(text)]),
          'contoso.test MX': (row.mx ?? ['mx1.contoso.test']).map((exchange) => ({ exchange, preference: 1 })),
          'mta-sts.contoso.test A': row.address ?? ['192.0.2.1'],
        };
        const found = data[`${name} ${type}`] ?? [];
        const records = found.map((one) => ({ name, type, ttl: 0, data: one }));
        return { code: 'NOERROR', secure: false, records, aliases: [], ttl: 0 };
      },
    };
    const chosen = { certificate: { selfSigned: row.certificate === 'self-signed' } };
    const choose = () => ({
      ...(row.certificate !== 'none' && { chosen }),
      outOfDate: row.certificate === 'expired',
    });
    const { faults } = await checkDomain(
      'contoso.test',
      own,
      { dns, choose: choose as never },
      new AbortController().signal,
    );
    assert.equal(faults.length, row.faults.length, faults.join('\n'));
    for (const [i, pattern] of row.faults.entries()) assert.match(faults[i] ?? '', pattern);
  });
}

test('the id is that of the policy alone, and changes with each part of it', () => {
  const changes: readonly Partial<StsPolicy>[] = [{}, { mode: 'testing' }, { mx: ['mx1.contoso.test'] }, { maxAge: 1 }];
  assert.equal(new Set(changes.map((change) => ownPolicyId({ ...policy, ...change }))).size, changes.length);
  assert.match(ownRecord(policy), /^v=STSv1; id=[0-9a-f]{20};$/);
});

test('each accepted domain has a policy host of its own, * has none', () => {
  const domains = ['a.test', '*.B.test', 'b.test', '*'].map((domainName) => ({ domainName }));
  assert.deepEqual(policyDomains(domains), ['a.test', 'b.test']);
});
