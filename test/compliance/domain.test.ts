/** A domain followed through MX, with TLSA, MTA-STS, TLS-RPT and CAA in signed zones: the trap's endpoints are the hosts. */
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Verdict } from '../../src/compliance/facts/verdict.ts';
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
import { type MailServerFault, startMailServer } from './lab/mail-server.ts';

const peers = needs('nsd', 'unbound', 'ldns-signzone', 'root');
let world: DnsWorld | undefined;
let trap: Trap | undefined;
const servers: AsyncDisposable[] = [];
/** By what was asked for; of several endpoints each, in the order of the test. */
let reports: Readonly<Record<string, readonly Report[]>>;

/** Hosts that the trap has not: two address families that differ, and a port for users that differs. */
async function startServers({ endpoints }: Trap): Promise<void> {
  const pairOf = (name: string): { cert: string; key: string } => {
    const { certPem, keyPem } = endpoints.find((one) => one.name === name)?.certificate ?? assert.fail(name);
    return { cert: certPem, key: keyPem };
  };
  const places: readonly (readonly [MailServerFault, string, string, number])[] = [
    ['none', 'good', '127.0.92.40', 25],
    ['no-starttls', 'good', '::1', 25],
    ['none', 'good', '127.0.92.41', 25],
    ['none', 'good', '127.0.92.41', 465],
    ['none', 'expired', '127.0.92.41', 587],
    ['none', 'good', '127.0.92.42', 25],
    ['none', 'good', '127.0.92.42', 587],
  ];
  for (const [fault, name, host, port] of places)
    servers.push(await startMailServer(fault, pairOf(name), { host, port }));
}

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
  await startServers(trap);
  const { spkiSha256, certPem } = trap.endpoints[0]?.certificate ?? assert.fail();
  const key = new X509Certificate(certPem).publicKey.export({ type: 'spki', format: 'der' });
  const tlsa = (name: string, ...records: string[]): string[] => [
    `@ IN MX 10 ${name}`,
    `${name} IN A 127.0.92.1`,
    ...records.map((record) => `_25._tcp.${name} IN TLSA ${record}`),
  ];
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
    { name: 'unlike.test', records: ['@ IN MX 10 mx.good.trap.test.', '@ IN MX 20 mx.expired.trap.test.'] },
    {
      name: 'alike.test',
      records: ['@ IN MX 10 a', '@ IN MX 20 b', 'a IN A 127.0.92.1', 'b IN A 127.0.92.1', '@ IN CAA 0 issue "ca.test"'],
    },
    { name: 'lost.test', records: ['@ IN MX 10 a', '@ IN MX 20 gone', 'a IN A 127.0.92.1'] },
    { name: 'cname.test', records: ['@ IN MX 10 mx', 'mx IN CNAME a', 'a IN A 127.0.92.1'] },
    { name: 'xn--bcher-kva.test', records: ['@ IN MX 10 a', 'a IN A 127.0.92.1'] },
    { name: 'homeless.test', records: ['@ IN MX 10 gone'] },
    { name: 'dead.test', records: ['@ IN MX 10 a', '@ IN MX 20 b', 'a IN A 127.0.92.60', 'b IN A 127.0.92.61'] },
    { name: 'families.test', records: ['@ IN MX 10 mx', 'mx IN A 127.0.92.40', 'mx IN AAAA ::1'] },
    { name: 'ports.test', records: ['@ IN MX 10 mx', 'mx IN A 127.0.92.41', '@ IN CAA 128 tbs "x"'] },
    { name: 'same-ports.test', records: ['@ IN MX 10 mx', 'mx IN A 127.0.92.42'] },
    { name: 'next-key.test', records: tlsa('mx', `3 1 1 ${spkiSha256}`, `3 1 1 ${'cd'.repeat(32)}`) },
    {
      name: 'one-key.test',
      records: tlsa('mx', `3 1 1 ${spkiSha256}`, `3 1 2 ${createHash('sha512').update(key).digest('hex')}`),
    },
    { name: 'bad-tlsa.test', records: tlsa('mx', `1 1 1 ${spkiSha256}`, `3 1 1 ${spkiSha256}`) },
  ]);
  const lookup: Lookup = new DnsClient({ resolvers: [world.resolver], timeoutMs: 30_000 });
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
        fetchStsPolicy(domain, { lookup, anchors: [rootPem], port: policyPort, timeoutMs: 60_000, signal }),
      signal,
      now: Date.now(),
    },
    signal,
    reduced: true,
    hostsAtOnce: 4,
    endpointMs: 120_000,
  };
  const found: Record<string, Report[]> = {};
  const test = async (whole: boolean, ...names: string[]): Promise<void> => {
    const targets = names.map((text) => parseTarget(text));
    for await (const report of testTargets(targets, { ...options, reduced: !whole }))
      (found[report.target.asked] ??= []).push(report);
  };
  await test(
    false,
    'good.trap.test',
    'tlsa-mismatch.trap.test',
    'sts-wrong-mx.trap.test',
    'sts-untrusted.trap.test',
    'plaintext.trap.test',
    'plain.test',
    'nomail.test',
    'mixed.test',
    'unlike.test',
    'alike.test',
    'lost.test',
    'cname.test',
    'bücher.test',
    'homeless.test',
    'dead.test',
    'families.test',
    'next-key.test',
    'one-key.test',
    'bad-tlsa.test',
    'nowhere.trap.test',
    'mx.good.trap.test:25',
    'MX.good.trap.test.:25',
  );
  await test(true, 'ports.test', 'same-ports.test');
  reports = found;
});
after(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
  await trap?.[Symbol.asyncDispose]();
});

const judged = (domain: string, rule: string, at = 0): Partial<Verdict> =>
  reports[domain]?.[at]?.verdicts['mail-baseline']?.[rule] ?? {};

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
  ['unlike.test', 'M-MX-PARITY', 'warn'],
  ['alike.test', 'M-MX-PARITY', 'pass'],
  ['alike.test', 'M-CAA', 'pass'],
  ['dead.test', 'M-MX-PARITY', 'not-tested(no connection: ECONNREFUSED)'],
  ['families.test', 'M-MX-PARITY', 'warn'],
  ['ports.test', 'M-CAA', 'notice'],
  ['ports.test', 'M-PORTS', 'warn'],
  ['same-ports.test', 'M-PORTS', 'pass'],
  ['families.test', 'M-PORTS', 'not-applicable'],
  ['next-key.test', 'M-TLSA-MATCH', 'pass'],
  ['next-key.test', 'M-TLSA-ROLLOVER', 'pass'],
  ['one-key.test', 'M-TLSA-ROLLOVER', 'info'],
  ['bad-tlsa.test', 'M-TLSA-USABLE', 'fail'],
  ['bad-tlsa.test', 'M-TLSA-MATCH', 'pass'],
  ['mx.good.trap.test:25', 'M-TLSA-MATCH', 'pass'],
  ['mx.good.trap.test:25', 'M-DNSSEC-MX', 'pass'],
  ['mx.good.trap.test:25', 'M-CAA', 'pass'],
  ['mx.good.trap.test:25', 'M-MTASTS-TXT', 'not-applicable'],
  ['plain.test', 'M-MX-PARITY', 'not-applicable'],
  ['plain.test', 'M-DNSSEC-MX', 'notice'],
  ['plain.test', 'M-TLSA-PRESENT', 'notice'],
  ['plain.test', 'M-TLSA-MATCH', 'not-applicable'],
  ['plaintext.trap.test', 'M-TLSA-MATCH', 'not-applicable'],
  ['nomail.test', 'M-STARTTLS-OFFER', 'not-tested(the domain takes no mail (null MX, RFC 7505))'],
  ['nowhere.trap.test', 'M-STARTTLS-OFFER', 'not-tested(the domain has neither MX nor address records)'],
  ['homeless.test', 'M-STARTTLS-OFFER', 'not-tested(gone.homeless.test has no address)'],
  ['lost.test', 'M-STARTTLS-OFFER', 'pass'],
  ['lost.test', 'M-MX-PARITY', 'not-tested(gone.lost.test has no address)'],
  ['cname.test', 'M-STARTTLS-OFFER', 'pass'],
  ['bücher.test', 'M-STARTTLS-OFFER', 'pass'],
  ['MX.good.trap.test.:25', 'M-CERT-MATCH-MX', 'pass'],
];
for (const [domain, rule, wanted] of rows) {
  test(`${domain}, ${rule}: ${wanted}`, peers, () => assert.equal(judged(domain, rule).verdict, wanted));
}

test('an MX host without address is told beside those that have one', peers, () => {
  assert.deepEqual(
    reports['lost.test']?.map(({ target: { host, address } }) => [host, address]),
    [
      ['a.lost.test', '127.0.92.1'],
      ['gone.lost.test', ''],
    ],
  );
  assert.equal(judged('lost.test', 'M-STARTTLS-OFFER', 1).verdict, 'not-tested(gone.lost.test has no address)');
});

/** Domain, number of its endpoint, rule → what the report says of it. */
const texts: readonly (readonly [string, number, string, RegExp])[] = [
  [
    'unlike.test',
    1,
    'M-MX-PARITY',
    /^unlike mx\.good\.trap\.test 127\.0\.92\.1:25: mx\.expired\.\S+ \S+ \(trust, TLSA records, match/,
  ],
  [
    'families.test',
    0,
    'M-MX-PARITY',
    /^unlike mx\.families\.test 127\.0\.92\.40:25: mx\.families\.test \[::1\]:25 \(STARTTLS\)$/,
  ],
  ['families.test', 1, 'M-STARTTLS-STRIP', /^offered at 127\.0\.92\.40, not at ::1$/],
  ['ports.test', 0, 'M-PORTS', /^unlike: port 465 \(.*\); port 587 \(trust/],
  ['same-ports.test', 0, 'M-PORTS', /^same on 587$/],
  ['alike.test', 0, 'M-CAA', /^0 issue "ca\.test" at alike\.test$/],
  ['ports.test', 0, 'M-CAA', /^the critical property 'tbs' is unknown: 128 tbs "x" at ports\.test$/],
  ['next-key.test', 0, 'M-TLSA-ROLLOVER', /^next: 3 1 1 cdcd/],
];
for (const [domain, at, rule, wanted] of texts) {
  test(`${domain}, endpoint ${at}, ${rule}: ${wanted.source}`, peers, () =>
    assert.match(judged(domain, rule, at).evidence ?? '', wanted),
  );
}
