/** A domain followed through MX, with TLSA, MTA-STS, TLS-RPT and CAA in signed zones: the trap's endpoints are the hosts. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  fetchStsPolicy,
  type Lookup,
  loadProfile,
  parseTarget,
  type Report,
  type RunOptions,
  swiftManners,
  Trap,
  testTargets,
  trapAddressCount,
} from '../../src/compliance/index.ts';
import { DnsClient } from '../../src/dns/index.ts';
import { TrustAnchors } from '../../src/tls/index.ts';
import { needs } from '../lib/peers.ts';
import { type DnsWorld, startDns } from '../lib/signed-zone.ts';

const peers = needs('nsd', 'unbound', 'ldns-signzone', 'root');
let world: DnsWorld | undefined;
let trap: Trap | undefined;
let reports: Readonly<Record<string, Report>>;

before(async () => {
  if (peers.skip !== false) return;
  trap = new Trap({
    domain: 'trap.test',
    addresses: Array.from({ length: trapAddressCount }, (_, i) => `127.0.92.${i + 1}`),
    port: 25,
    policyPort: 0,
    now: Date.now(),
    idleMs: 20_000,
  });
  await trap.start();
  const extra = [
    '_smtp._tls.good IN TXT "v=TLSRPTv1; rua=mailto:reports@trap.test"',
    'mx.good IN CAA 0 issue "ca.test"',
  ];
  world = await startDns([
    { name: 'trap.test', records: [...trap.zone(), ...extra] },
    {
      name: 'plain.test',
      records: ['@ IN MX 10 mx', 'mx IN A 127.0.92.1', '_25._tcp.mx IN TLSA 3 1 1 ' + 'ab'.repeat(32)],
      signing: 'unsigned',
    },
    { name: 'nomail.test', records: ['@ IN MX 0 .'] },
    { name: 'mixed.test', records: ['@ IN MX 10 mx.good.trap.test.', '@ IN MX 20 mx.plaintext.trap.test.'] },
    { name: 'alike.test', records: ['@ IN MX 10 mx.good.trap.test.', '@ IN MX 20 mx.expired.trap.test.'] },
  ]);
  const lookup: Lookup = new DnsClient({ resolvers: [world.resolver], timeoutMs: 5000 });
  const signal = AbortSignal.timeout(240_000);
  const { rootPem, policyPort } = trap;
  const options: RunOptions = {
    profiles: [loadProfile('mail-baseline')],
    manners: { ...swiftManners, tries: 1 },
    judge: { anchors: new TrustAnchors([rootPem]), now: Date.now() },
    domain: {
      lookup,
      believed: true,
      fetchPolicy: (domain) =>
        fetchStsPolicy(domain, { lookup, anchors: [rootPem], port: policyPort, timeoutMs: 10_000, signal }),
      signal,
    },
    signal,
    reduced: true,
    hostsAtOnce: 4,
    endpointMs: 120_000,
  };
  const found: Record<string, Report> = {};
  const targets = [
    'good.trap.test',
    'tlsa-mismatch.trap.test',
    'sts-wrong-mx.trap.test',
    'sts-untrusted.trap.test',
    'plaintext.trap.test',
    'plain.test',
    'nomail.test',
    'mixed.test',
    'alike.test',
    'nowhere.trap.test',
  ].map((text) => parseTarget(text));
  for await (const report of testTargets(targets, options)) found[report.target.asked] = report;
  reports = found;
});
after(async () => {
  await world?.[Symbol.asyncDispose]();
  await trap?.[Symbol.asyncDispose]();
});

const verdictOf = (domain: string, rule: string): string =>
  reports[domain]?.verdicts['mail-baseline']?.[rule]?.verdict ?? 'absent';

/** Domain, rule → verdict, without the reason of what was not tested. */
const rows: readonly (readonly [string, string, string])[] = [
  ['good.trap.test', 'M-TLSA-PRESENT', 'pass'],
  ['good.trap.test', 'M-TLSA-MATCH', 'pass'],
  ['good.trap.test', 'M-TLSA-ROLLOVER', 'info'],
  ['good.trap.test', 'M-TLSA-NXDOMAIN', 'pass'],
  ['good.trap.test', 'M-DNSSEC-MX', 'pass'],
  ['good.trap.test', 'M-MTASTS-TXT', 'pass'],
  ['good.trap.test', 'M-MTASTS-POLICY', 'pass'],
  ['good.trap.test', 'M-MTASTS-MODE', 'pass'],
  ['good.trap.test', 'M-MTASTS-MAXAGE', 'notice'],
  ['good.trap.test', 'M-MTASTS-MXCOVER', 'pass'],
  ['good.trap.test', 'M-TLSRPT', 'pass'],
  ['good.trap.test', 'M-CAA', 'pass'],
  ['good.trap.test', 'M-CERT-MATCH-MX', 'pass'],
  ['tlsa-mismatch.trap.test', 'M-TLSA-MATCH', 'fail'],
  ['tlsa-mismatch.trap.test', 'M-TLSRPT', 'notice'],
  ['sts-wrong-mx.trap.test', 'M-MTASTS-MXCOVER', 'fail'],
  ['sts-untrusted.trap.test', 'M-MTASTS-MXCOVER', 'fail'],
  ['plaintext.trap.test', 'M-STARTTLS-OFFER', 'fail'],
  ['plaintext.trap.test', 'M-TLSA-PRESENT', 'notice'],
  ['mixed.test', 'M-MX-PARITY', 'warn'],
  ['alike.test', 'M-MX-PARITY', 'pass'],
  ['plain.test', 'M-MX-PARITY', 'not-applicable'],
  ['plain.test', 'M-DNSSEC-MX', 'notice'],
  ['plain.test', 'M-TLSA-PRESENT', 'notice'],
  ['nomail.test', 'M-STARTTLS-OFFER', 'not-tested(the domain takes no mail (null MX, RFC 7505))'],
  ['nowhere.trap.test', 'M-STARTTLS-OFFER', 'not-tested(no address was found)'],
];
for (const [domain, rule, wanted] of rows) {
  test(`${domain}, ${rule}: ${wanted}`, peers, () => assert.equal(verdictOf(domain, rule), wanted));
}
