import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type Fault, FaultList, systemClock } from '../../src/base/index.ts';
import { buildCertificate, randomSerial } from '../../src/certificates/index.ts';
import type { SendConnector } from '../../src/config/index.ts';
import { DnsClient } from '../../src/dns/index.ts';
import { type SendingDns, sendingDns } from '../../src/smtp-send/index.ts';
import { associationOf, type TlsOutcome } from '../../src/tls/index.ts';
import { needs } from '../lib/peers.ts';
import { withResolvConf } from '../lib/postfix.ts';
import { type DnsWorld, dnsPeers, startDns } from '../lib/signed-zone.ts';
import { FakeWork } from './fake-work.ts';
import { ScriptedPeer } from './scripted-peer.ts';
import { senderBench, TableResolver } from './sender-bench.ts';

const folder = mkdtempSync(join(tmpdir(), 'edge-dane-'));
after(() => rmSync(folder, { recursive: true }));

interface Pair {
  readonly key: string;
  readonly cert: string;
  readonly der: Buffer;
}

/** With `ca`: issued by it, and the chain goes out with the leaf. */
function certificate(name: string, ca?: Pair): Pair {
  const [keyFile, certFile] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const caFiles = [join(folder, 'ca.key'), join(folder, 'ca.crt')];
  if (ca !== undefined) [ca.key, ca.cert].forEach((text, i) => writeFileSync(caFiles[i] ?? '', text));
  execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-keyout', keyFile, '-out', certFile],
    ...(ca === undefined
      ? []
      : ['-CAkey', caFiles[0] ?? '', '-CA', caFiles[1] ?? '', '-addext', 'basicConstraints=critical,CA:FALSE']),
  ]);
  const cert = readFileSync(certFile, 'utf8');
  return {
    key: readFileSync(keyFile, 'utf8'),
    cert: cert + (ca?.cert ?? ''),
    der: new X509Certificate(cert).raw,
  };
}

/** One of yesterday, which openssl does not make. */
function endedCertificate(name: string, ca: Pair): Pair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const der = buildCertificate({
    subject: [[{ oid: '2.5.4.3', value: name, type: 'utf8' }]],
    issuer: [[{ oid: '2.5.4.3', value: 'authority.example', type: 'utf8' }]],
    publicKey,
    signingKey: createPrivateKey(ca.key),
    issuerPublicKey: createPublicKey(ca.cert),
    serial: randomSerial(),
    notBefore: Date.now() - 3 * 86_400_000,
    notAfter: Date.now() - 86_400_000,
    dnsNames: [name],
  });
  const cert = new X509Certificate(der).toString() + ca.cert;
  return { key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })), cert, der };
}

const own = certificate('something-else.example');
const other = certificate('other.example');
const authority = certificate('authority.example');
const ended = endedCertificate('mx-ended2.dane.test', authority);
const issued = certificate('ta.dane.test', authority);
const misnamed = certificate('elsewhere.dane.test', authority);

/** '3 1 1 hash' of a certificate. */
function tlsa(usage: number, selector: 0 | 1, matchingType: 0 | 1 | 2, { der }: Pair): string {
  const data = associationOf(new X509Certificate(der), { selector, matchingType });
  return `${usage} ${selector} ${matchingType} ${data?.toString('hex') ?? ''}`;
}

interface Row {
  readonly name: string;
  readonly domain: string;
  /** Records below the zone; `$port` is the port of the peers. */
  readonly records?: readonly string[];
  readonly connector?: Partial<SendConnector>;
  /** Level reached; 'none': in clear. */
  readonly level?: string;
  readonly failed?: RegExp;
  readonly serverName?: string;
}

const host = (name: string, address: string, ...records: string[]): string[] => [
  `${name} IN MX 10 mx-${name}`,
  `mx-${name} IN A ${address}`,
  ...records.map((record) => `_$port._tcp.mx-${name} IN TLSA ${record}`),
];
const [encrypting, plain, anchored, wrongName, endedHost] = [1, 2, 3, 4, 5].map((n) => `127.0.7.${n}`) as [
  string,
  string,
  string,
  string,
  string,
];

const rows: readonly Row[] = [
  {
    name: 'usage 3 with the right key: neither name nor authority matters',
    domain: 'ee.dane.test',
    records: host('ee', encrypting, tlsa(3, 1, 1, own)),
    level: 'dane',
    serverName: 'mx-ee.dane.test',
  },
  {
    name: 'usage 3, whole certificate, SHA-512',
    domain: 'ee2.dane.test',
    records: host('ee2', encrypting, tlsa(3, 0, 2, own)),
    level: 'dane',
  },
  {
    name: 'one of several records',
    domain: 'two.dane.test',
    records: host('two', encrypting, tlsa(3, 1, 1, other), tlsa(3, 1, 1, own)),
    level: 'dane',
  },
  {
    name: 'the wrong key',
    domain: 'bad.dane.test',
    records: host('bad', encrypting, tlsa(3, 1, 1, other)),
    failed: /^451 4\.7\.323 .*TLSA records of mx-bad\.dane\.test/,
  },
  {
    name: 'no STARTTLS where TLSA records ask for it: never in clear',
    domain: 'clear.dane.test',
    records: host('clear', plain, tlsa(3, 1, 1, own)),
    failed: /^451 4\.7\.321 /,
  },
  {
    name: 'usage 2 with chain and name',
    domain: 'ta.dane.test',
    records: ['ta IN MX 10 ta', `ta IN A ${anchored}`, `_$port._tcp.ta IN TLSA ${tlsa(2, 0, 1, authority)}`],
    level: 'dane',
  },
  {
    name: 'usage 2 and another name',
    domain: 'misnamed.dane.test',
    records: host('misnamed', wrongName, tlsa(2, 0, 1, authority)),
    failed: /^451 4\.7\.323 .*another name/,
  },
  {
    name: 'usage 2 by the key of the authority, SHA-512',
    domain: 'ta2.dane.test',
    records: ['ta2 IN MX 10 ta2', `ta2 IN A ${anchored}`, `_$port._tcp.ta2 IN TLSA ${tlsa(2, 1, 2, authority)}`],
    failed: /^451 4\.7\.323 .*another name/,
  },
  {
    name: 'usage 2 by the key of the authority, whole',
    domain: 'ta3.dane.test',
    records: ['ta3 IN MX 10 ta', `_$port._tcp.ta IN TLSA ${tlsa(2, 1, 0, authority)}`],
    level: 'dane',
  },
  {
    name: 'usage 3 and a certificate that has ended: dates do not matter',
    domain: 'ended.dane.test',
    records: host('ended', endedHost, tlsa(3, 1, 1, ended)),
    level: 'dane',
  },
  {
    name: 'usage 2 and a certificate that has ended',
    domain: 'ended2.dane.test',
    records: host('ended2', endedHost, tlsa(2, 0, 1, authority)),
    failed: /^451 4\.7\.323 /,
  },
  {
    name: 'usage 2 whose authority is not sent along',
    domain: 'short.dane.test',
    records: host('short', encrypting, tlsa(2, 0, 1, authority)),
    failed: /^451 4\.7\.323 /,
  },
  {
    name: 'an unknown usage beside one that fits',
    domain: 'usage9.dane.test',
    records: host('usage9', encrypting, tlsa(9, 1, 1, other), tlsa(3, 1, 1, own)),
    level: 'dane',
  },
  {
    name: 'unknown usage, selector and matching type, and a digest of the wrong length',
    domain: 'strange.dane.test',
    records: host('strange', encrypting, tlsa(9, 1, 1, own), '3 7 1 aabb', '3 1 9 aabb', '3 1 1 aabb'),
    level: 'encryption',
  },
  {
    name: 'only unusable records: encrypted, not authenticated',
    domain: 'pkix.dane.test',
    records: host('pkix', encrypting, tlsa(0, 0, 1, other), tlsa(1, 1, 1, other)),
    level: 'encryption',
  },
  {
    name: 'only unusable records, and no STARTTLS',
    domain: 'pkix2.dane.test',
    records: host('pkix2', plain, tlsa(1, 1, 1, other)),
    failed: /^451 4\.7\.321 /,
  },
  { name: 'no records: opportunistic', domain: 'none.dane.test', records: host('none', plain), level: 'none' },
  {
    name: 'no records, Mandatory',
    domain: 'none2.dane.test',
    records: host('none2', encrypting),
    connector: { smtpDaneMode: 'Mandatory' },
    failed: /^451 4\.7\.323 .*no secure TLSA records/,
  },
  {
    name: 'a secure alias: the records of the name behind it',
    domain: 'alias.dane.test',
    records: ['alias IN MX 10 mx-alias', 'mx-alias IN CNAME mx-ee'],
    level: 'dane',
    serverName: 'mx-ee.dane.test',
  },
  {
    name: 'a secure alias: the records of the alias itself where the other has none',
    domain: 'alias2.dane.test',
    records: [
      'alias2 IN MX 10 mx-alias2',
      'mx-alias2 IN CNAME mx-none2',
      `_$port._tcp.mx-alias2 IN TLSA ${tlsa(3, 1, 1, own)}`,
    ],
    level: 'dane',
    serverName: 'mx-alias2.dane.test',
  },
  {
    name: 'the domain is its own exchanger',
    domain: 'self.dane.test',
    records: [`self IN A ${encrypting}`, `_$port._tcp.self IN TLSA ${tlsa(3, 1, 1, own)}`],
    level: 'dane',
  },
  {
    name: 'the connector demands more than DANE: both hold',
    domain: 'ee.dane.test',
    connector: { requireTLS: true, tlsAuthLevel: 'CertificateValidation' },
    failed: /^454 4\.7\.5 .*not trusted/,
  },
  {
    name: 'IgnoreSTARTTLS: the administrator wants no TLS',
    domain: 'bad.dane.test',
    connector: { ignoreSTARTTLS: true },
    level: 'none',
  },
  {
    name: 'DANE off: its records are not asked for',
    domain: 'bad.dane.test',
    connector: { smtpDaneMode: 'None' },
    level: 'encryption',
  },
  { name: 'an unsigned zone: its TLSA records are not even asked for', domain: 'plain.test', level: 'encryption' },
  { name: 'expired signatures: the mail waits', domain: 'expired.test', failed: /^451 4\.4\.3 .*SERVFAIL/ },
  {
    name: 'a zone that the anchor does not vouch for: the mail waits',
    domain: 'bogus.test',
    failed: /^451 4\.4\.3 .*SERVFAIL/,
  },
  {
    name: 'MX in a signed zone, host in an expired one: passed over, the mail waits',
    domain: 'away.dane.test',
    records: ['away IN MX 10 mx.expired.test.'],
    failed: /^451 4\.4\.3 .*SERVFAIL/,
  },
  {
    name: 'MX in a signed zone, host in an unsigned one: opportunistic',
    domain: 'away2.dane.test',
    records: ['away2 IN MX 10 mx.plain.test.'],
    level: 'encryption',
  },
];

/** TLS level of Postfix that says the same as a connector. */
function postfixLevel({ connector: { smtpDaneMode, ignoreSTARTTLS } = {} }: Row): string {
  if (ignoreSTARTTLS === true) return 'none';
  if (smtpDaneMode === 'None') return 'may';
  return smtpDaneMode === 'Mandatory' ? 'dane-only' : 'dane';
}

/** Level of ours at which Postfix would deliver; 'none' without TLS, or not at all. */
function postfixVerdict(said: string): string {
  // It goes on with the handshake where delivery would not: no record matched, or dane-only found none and a name had to.
  if (/server certificate verification failed|resorting to "secure"/.test(said)) return 'none';
  const [, word = ''] = /: (\w+) TLS connection established/.exec(said) ?? [];
  if (word === '') return 'none';
  return word === 'Verified' ? 'dane' : 'encryption';
}

/** Of this process alone: other runs of the suite have their own. */
const address53 = `127.53.${process.pid % 200}.${1 + (Math.floor(process.pid / 200) % 250)}`;

const missing = Object.values(dnsPeers).some((path) => !existsSync(path));

describe('DANE, with nsd, ldns-signzone and unbound', { skip: missing }, () => {
  let world: DnsWorld;
  let dns: SendingDns;
  let port = 0;
  let peers: Record<string, ScriptedPeer> = {};
  const logged: string[] = [];
  const faults = new FaultList(systemClock, { error: (_, text) => void logged.push(text), info: () => undefined });
  const settings = () => ({
    resolvers: [world.resolver],
    trusted: [] as readonly string[],
    goodName: 'mx-ee.dane.test',
    badName: 'mx.expired.test',
  });
  const make = (changes: Partial<ReturnType<typeof settings>> = {}): SendingDns =>
    sendingDns({
      asker: new DnsClient({ resolvers: [world.resolver] }),
      settings: () => ({ ...settings(), ...changes }),
      faults,
      clock: systemClock,
    });

  before(async () => {
    const first = await ScriptedPeer.start({ tls: own }, encrypting);
    port = first.port;
    peers = {
      [encrypting]: first,
      [plain]: await ScriptedPeer.start({}, plain, port),
      [anchored]: await ScriptedPeer.start({ tls: issued }, anchored, port),
      [endedHost]: await ScriptedPeer.start({ tls: ended }, endedHost, port),
      [wrongName]: await ScriptedPeer.start({ tls: misnamed }, wrongName, port),
    };
    const filled = (lines: readonly string[]): string[] => lines.map((line) => line.replace('$port', String(port)));
    const away = filled(['@ IN MX 10 mx', `mx IN A ${encrypting}`, `_$port._tcp.mx IN TLSA ${tlsa(3, 1, 1, other)}`]);
    world = await startDns(
      [
        { name: 'dane.test', records: filled(rows.flatMap(({ records = [] }) => records)) },
        { name: 'plain.test', records: away, signing: 'unsigned' },
        { name: 'expired.test', records: away, signing: 'expired' },
        { name: 'bogus.test', records: away, signing: 'bogus' },
      ],
      process.getuid?.() === 0 ? { address53 } : {},
    );
    dns = make();
  });
  after(async () => {
    for (const peer of Object.values(peers)) await peer[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  async function send(domain: string, connector: Partial<SendConnector> = {}, through = dns) {
    const plainDns = new TableResolver({ [domain]: [encrypting] });
    const outcomes: TlsOutcome[] = [];
    const bench = senderBench(
      { dnsRoutingEnabled: true, port, smtpDaneMode: 'Opportunistic', ...connector },
      {
        dns: through,
        resolver: plainDns,
        outcomes: { wanted: true, count: (one) => void outcomes.push(one) },
      },
    );
    const hop = { key: domain, type: 'DnsConnectorDelivery', domain, connector: 'Outbound' } as const;
    const work = new FakeWork([{ recipients: [`a@${domain}`] }], { hop });
    const result = await bench.sender.deliver(work);
    return { ...bench, work, result, outcomes };
  }

  for (const { name, domain, connector, level, failed, serverName } of rows) {
    test(name, async () => {
      const before = Object.values(peers).flatMap((peer) => peer.messages).length;
      const { work, result, of } = await send(domain, connector, dns);
      const sent = Object.values(peers).flatMap((peer) => peer.messages).length - before;
      if (failed !== undefined) {
        assert.match(result.kind === 'failed' ? result.reply : `sent: ${work.story.join()}`, failed);
        assert.deepEqual(work.story, [['untouched']]);
        assert.equal(sent, 0);
        return;
      }
      assert.deepEqual(result, { kind: 'done' }, JSON.stringify(result));
      assert.match(work.story[0]?.[0] ?? '', /^delivered/);
      assert.equal(of('tls-reached')[0]?.level ?? 'none', level);
      if (serverName !== undefined) assert.equal(peers[encrypting]?.connections.at(-1)?.serverName, serverName);
      if (level === 'dane') assert.match(of('tls-reached')[0]?.demanded ?? '', /TLSA records of .* \(dane\)/);
    });
  }

  for (const [domain, ...expected] of [
    ['ee.dane.test', 'tlsa 1', undefined],
    ['bad.dane.test', 'tlsa 1', 'tlsa-invalid'],
    ['clear.dane.test', 'tlsa 1', 'starttls-not-supported'],
    ['pkix.dane.test', 'tlsa 0', undefined],
    ['none.dane.test', 'no-policy-found 0', 'starttls-not-supported'],
    ['plain.test', 'no-policy-found 0', undefined],
  ] as const) {
    test(`what the reports count of ${domain}`, async () => {
      const { outcomes } = await send(domain);
      // Where STARTTLS was refused there was no connection to judge.
      const hasOwn = domain !== 'clear.dane.test';
      for (const { sendingIp = '' } of outcomes) assert.equal(sendingIp.startsWith('127.'), hasOwn, sendingIp);
      assert.deepEqual(
        outcomes.map(({ policy, failure, ...one }) => [
          one.domain,
          `${policy.type} ${policy.lines.length}`,
          failure?.type,
        ]),
        [[domain, ...expected]],
      );
    });
  }

  describe("Postfix's posttls-finger finds the same", needs('root', 'posttls-finger'), () => {
    // A connector that demands more than DANE has no counterpart there.
    const endpoints = rows.filter(({ connector }) => connector?.requireTLS !== true);

    test('at 20 endpoints and more', () => assert.ok(endpoints.length >= 20));

    for (const row of endpoints) {
      test(row.name, async () => {
        const asked = [
          '-c',
          '-l',
          postfixLevel(row),
          '-o',
          'dnssec_probe=',
          '-t',
          '5',
          '-T',
          '5',
          `${row.domain}:${port}`,
        ];
        const [program = '', ...args] = [...withResolvConf(world.resolvConf), 'posttls-finger', ...asked];
        // It exits with 0 whatever it finds.
        const { stdout, stderr } = await promisify(execFile)(program, args);
        assert.equal(postfixVerdict(stdout + stderr), row.failed === undefined ? row.level : 'none', stdout + stderr);
      });
    }
  });

  test('a resolver elsewhere is not believed until it is declared: Opportunistic goes without, loudly, Mandatory waits', async () => {
    const elsewhere = make({ resolvers: ['192.0.2.53'] });
    const free = await send('bad.dane.test', {}, elsewhere);
    assert.deepEqual(free.result, { kind: 'done' });
    assert.match(logged.at(-1) ?? '', /192\.0\.2\.53 is neither on this machine nor in DnssecTrustedServers/);
    assert.ok(faults.current.some(({ key }: Fault) => key === 'DNSSEC'));
    const bound = await send('ee.dane.test', { smtpDaneMode: 'Mandatory' }, elsewhere);
    assert.match(bound.result.kind === 'failed' ? bound.result.reply : '', /^451 4\.7\.324 /);
    const declared = make({ resolvers: ['192.0.2.53'], trusted: ['192.0.2.53'] });
    const again = await send('bad.dane.test', {}, declared);
    assert.equal(again.result.kind, 'failed');
    assert.deepEqual(faults.current, [], 'the fault is over');
  });

  for (const [name, changes, reason] of [
    ['a resolver that does not validate', { goodName: 'mx.plain.test' }, /came without the AD bit/],
    ['a resolver that answers what is bogus', { badName: 'mx-ee.dane.test' }, /has bad signatures and was answered/],
  ] as const) {
    test(`the self-test finds ${name}`, async () => {
      const { result } = await send('bad.dane.test', {}, make(changes));
      assert.deepEqual(result, { kind: 'done' }, 'Opportunistic is off');
      assert.match(faults.current.find(({ key }) => key === 'DNSSEC')?.text ?? '', reason);
    });
  }

  test('a second message costs no question', async () => {
    let asked = 0;
    const client = new DnsClient({ resolvers: [world.resolver] });
    const counting = sendingDns({
      asker: { ask: (...question) => (asked++, client.ask(...question)) },
      settings,
      faults,
      clock: systemClock,
    });
    await send('ee.dane.test', {}, counting);
    const first = asked;
    await send('ee.dane.test', {}, counting);
    assert.equal(asked, first);
  });

  test('a smart host with TLSA records is held to them', async () => {
    const smart = {
      dnsRoutingEnabled: false,
      smtpDaneMode: 'Opportunistic',
      smartHosts: [`mx-bad.dane.test:${port}`],
    } as const;
    const bad = senderBench(smart, { dns });
    const result = await bad.sender.deliver(new FakeWork([{}]));
    assert.match(result.kind === 'failed' ? result.reply : '', /^451 4\.7\.323 /);
    const good = senderBench({ ...smart, smartHosts: [`mx-ee.dane.test:${port}`] }, { dns });
    await good.sender.deliver(new FakeWork([{}]));
    assert.equal(good.of('tls-reached')[0]?.level, 'dane');
  });
});
