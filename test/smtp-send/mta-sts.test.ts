import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { type Clock, parseIpRange, systemClock, unreported } from '../../src/base/index.ts';
import type { SendConnector } from '../../src/config/index.ts';
import { type DnsAnswer, type DnsAsker, DnsFailure, type DnsType } from '../../src/dns/index.ts';
import { type SendingDns, StsFile, sendingDns } from '../../src/smtp-send/index.ts';
import { fetchStsPolicy } from '../../src/smtp-send/policies/sts-fetch.ts';
import { StsPolicies } from '../../src/smtp-send/policies/sts-policies.ts';
import type { TlsOutcome } from '../../src/tls/index.ts';
import { FakeWork } from './fake-work.ts';
import { type PeerScript, ScriptedPeer } from './scripted-peer.ts';
import { senderBench, TableResolver } from './sender-bench.ts';

const folder = mkdtempSync(join(tmpdir(), 'edge-sts-'));
after(() => rmSync(folder, { recursive: true }));

/** A self-signed certificate: the tests trust it as an authority. */
function certificate(common: string, ...dnsNames: string[]): { key: string; cert: string } {
  const [key, cert] = [join(folder, `${common}.key`), join(folder, `${common}.crt`)];
  execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${common}`, '-keyout', key, '-out', cert],
    ...(dnsNames.length === 0 ? [] : ['-addext', `subjectAltName=${dnsNames.map((name) => `DNS:${name}`).join()}`]),
  ]);
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}
const mx = certificate('mx.sts.test', 'mx.sts.test');
const stranger = certificate('stranger.test', 'stranger.test');
const commonNameOnly = certificate('only-cn');
const policyHost = certificate('mta-sts.sts.test', 'mta-sts.sts.test');
const trust = createSecureContext({ ca: [mx.cert, stranger.cert, commonNameOnly.cert] });

/** What the policy host says next. */
interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly text?: string;
  readonly location?: string;
}

class PolicyHost implements AsyncDisposable {
  answer: Answer = {};
  fetched = 0;
  readonly #server: Server;

  private constructor(pair: { key: string; cert: string }) {
    this.#server = createServer(pair, (request, response) => {
      this.fetched += 1;
      const { status = 200, type = 'text/plain; charset=utf-8', text = '', location } = this.answer;
      assert.equal(request.url, '/.well-known/mta-sts.txt');
      response.writeHead(status, { 'content-type': type, ...(location !== undefined && { location }) });
      response.end(text);
    });
  }

  static async start(pair = policyHost): Promise<PolicyHost> {
    const host = new PolicyHost(pair);
    host.#server.listen(0, '127.0.0.1');
    await once(host.#server, 'listening');
    return host;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** The DNS of sts.test; `id` undefined: no record. */
class Zone implements DnsAsker {
  id: string | undefined = '1';
  broken = false;
  policyAddress = '127.0.0.1';

  async ask(name: string, type: DnsType): Promise<DnsAnswer> {
    const answer = (data: unknown[]): DnsAnswer => ({
      code: data.length === 0 ? 'NXDOMAIN' : 'NOERROR',
      secure: false,
      records: data.map((one) => ({ name, type, ttl: 0, data: one })),
      aliases: [],
      ttl: 0,
    });
    if (name === '_mta-sts.sts.test') {
      if (this.broken) throw new DnsFailure('TIMEOUT', name);
      return answer(this.id === undefined ? [] : [[Buffer.from(`v=STSv1; id=${this.id};`)]]);
    }
    if (name === 'sts.test' && type === 'MX') return answer([{ exchange: 'mx.sts.test', preference: 10 }]);
    if (name === 'mx.sts.test' && type === 'A') return answer(['127.0.0.1']);
    if (name === 'mta-sts.sts.test' && type === 'A') return answer([this.policyAddress]);
    return answer([]);
  }
}

const policy = (mode: string, pattern = 'mx.sts.test', maxAge = 86_400): string =>
  `version: STSv1\r\nmode: ${mode}\r\nmx: ${pattern}\r\nmax_age: ${maxAge}\r\n`;

function dnsOf(zone: Zone, host: PolicyHost, clock: Clock = systemClock, store?: StsFile): SendingDns {
  return sendingDns({
    asker: zone,
    settings: () => ({ resolvers: [], trusted: [], goodName: '', badName: '' }),
    faults: unreported,
    clock,
    sts: {
      secureContext: () => createSecureContext({ ca: policyHost.cert }),
      port: host.port,
      ...(store && { store }),
    },
  });
}

async function send(
  dns: SendingDns,
  script: PeerScript,
  connector: Partial<SendConnector> = {},
  tls?: 'required' | 'optional',
) {
  await using peer = await ScriptedPeer.start(script);
  const resolver = new TableResolver({
    'sts.test': [{ exchange: 'mx.sts.test', priority: 10 }],
    'mx.sts.test': ['127.0.0.1'],
  });
  const outcomes: TlsOutcome[] = [];
  const bench = senderBench(
    {
      dnsRoutingEnabled: true,
      port: peer.port,
      mtaStsMode: 'Opportunistic',
      targetIPRanges: [parseIpRange('127.0.0.1')],
      ...connector,
    },
    { dns, resolver, secureContext: trust, outcomes: { wanted: true, count: (one) => void outcomes.push(one) } },
  );
  const hop = {
    key: 'sts.test',
    type: 'DnsConnectorDelivery',
    domain: 'sts.test',
    connector: 'Outbound',
    ...(tls && { tls }),
  } as const;
  const work = new FakeWork([{ recipients: ['a@sts.test'], ...(tls && { envelope: { tls } }) }], { hop });
  const result = await bench.sender.deliver(work);
  const failed = result.kind === 'failed' ? result.reply : '';
  return { ...bench, outcomes, failed, sent: peer.messages.length, encrypted: peer.connections.at(-1)?.encrypted };
}

interface Row {
  readonly name: string;
  readonly answer?: Answer;
  readonly script?: PeerScript;
  readonly connector?: Partial<SendConnector>;
  readonly failed?: RegExp;
  readonly encrypted?: boolean;
  readonly told?: RegExp;
}

const good: PeerScript = { tls: mx };
const rows: readonly Row[] = [
  { name: 'enforce, all as it should be', answer: { text: policy('enforce') }, encrypted: true },
  { name: 'enforce, a wildcard for one label', answer: { text: policy('enforce', '*.sts.test') }, encrypted: true },
  {
    name: 'enforce, no STARTTLS',
    answer: { text: policy('enforce') },
    script: {},
    failed: /^451 4\.7\.321 .*MTA-STS policy of sts\.test/,
  },
  {
    name: 'enforce, another name in the certificate',
    answer: { text: policy('enforce') },
    script: { tls: stranger },
    failed: /^451 4\.7\.5 .*does not stand for mx\.sts\.test/,
  },
  {
    name: 'enforce, no fall-back to the common name',
    answer: { text: policy('enforce') },
    script: { tls: commonNameOnly },
    failed: /^451 4\.7\.5 /,
  },
  {
    name: 'enforce, an exchanger that the policy does not name is passed over',
    answer: { text: policy('enforce', 'other.test') },
    failed: /^451 4\.4\.8 .*MX hosts of 'sts\.test' failed MTA-STS validation/,
  },
  {
    name: 'testing delivers and tells',
    answer: { text: policy('testing') },
    script: {},
    encrypted: false,
    told: /not encrypted/,
  },
  {
    name: 'testing, an exchanger that the policy does not name',
    answer: { text: policy('testing', 'other.test') },
    encrypted: true,
    told: /does not stand for other\.test/,
  },
  { name: 'none', answer: { text: policy('none') }, script: {}, encrypted: false },
  {
    name: 'MTA-STS off',
    answer: { text: policy('enforce', 'other.test') },
    connector: { mtaStsMode: 'None' },
    encrypted: true,
  },
  {
    name: 'the connector demands more',
    answer: { text: policy('none') },
    script: {},
    connector: { requireTLS: true },
    failed: /^451 4\.7\.5 .*RequireTLS/,
  },
  // Policies that cannot be had or read: without a cached one there is none (RFC 8461 §3.3), and mail goes as it would.
  {
    name: 'a policy that is huge',
    answer: { text: policy('enforce', 'other.test') + 'x'.repeat(70_000) },
    script: {},
    encrypted: false,
  },
  {
    name: 'redirected',
    answer: { status: 302, location: 'https://mta-sts.sts.test/', text: policy('enforce', 'other.test') },
    script: good,
    encrypted: true,
  },
  {
    name: 'of the wrong type',
    answer: { type: 'text/html', text: policy('enforce', 'other.test') },
    script: {},
    encrypted: false,
  },
  { name: 'not there', answer: { status: 404 }, script: {}, encrypted: false },
  { name: 'not a policy', answer: { text: 'hello' }, script: {}, encrypted: false },
];

for (const { name, answer = {}, script = good, connector, failed, encrypted, told } of rows) {
  test(`MTA-STS: ${name}`, async () => {
    await using host = await PolicyHost.start();
    host.answer = answer;
    const result = await send(dnsOf(new Zone(), host), script, connector);
    if (failed !== undefined) {
      assert.match(result.failed, failed);
      assert.equal(result.sent, 0);
      return;
    }
    assert.equal(result.failed, '');
    assert.equal(result.encrypted, encrypted);
    assert.equal(host.fetched, connector?.mtaStsMode === 'None' ? 0 : 1);
    if (told !== undefined) assert.match(result.of('tls-failed')[0]?.reason ?? '', told);
  });
}

for (const [text, script, ...counted] of [
  [policy('enforce'), good, ['sts mx.sts.test', undefined]],
  [policy('enforce'), {}, ['sts mx.sts.test', 'starttls-not-supported']],
  [policy('enforce'), { tls: stranger }, ['sts mx.sts.test', 'certificate-host-mismatch']],
  [policy('enforce', 'other.test'), good, ['sts other.test', 'validation-failure']],
  [policy('testing'), {}, ['sts mx.sts.test', 'starttls-not-supported']],
  ['hello', good, ['sts ', 'sts-policy-invalid'], ['no-policy-found ', undefined]],
] as const) {
  test(`MTA-STS: reports count ${JSON.stringify(counted)} for ${text.split('\r\n').join(', ')}`, async () => {
    await using host = await PolicyHost.start();
    host.answer = { text };
    const { outcomes } = await send(dnsOf(new Zone(), host), script);
    assert.deepEqual(
      outcomes.map((one) => [`${one.policy.type} ${one.policy.mx.join()}`, one.failure?.type]),
      counted,
    );
  });
}

test('MTA-STS: TLS-Required: No lifts the policy (RFC 8689), and its mail goes as the connector says', async () => {
  await using host = await PolicyHost.start();
  host.answer = { text: policy('enforce', 'other.test') };
  const dns = dnsOf(new Zone(), host);
  assert.match((await send(dns, good)).failed, /^451 4\.4\.8/);
  assert.equal((await send(dns, {}, {}, 'optional')).sent, 1);
  assert.match((await send(dns, {}, { requireTLS: true }, 'optional')).failed, /RequireTLS/);
});

test('MTA-STS: REQUIRETLS is content with an enforced policy in the place of DNSSEC, whatever the connector asks for', async () => {
  await using host = await PolicyHost.start();
  const fit: PeerScript = { tls: mx, extensions: ['REQUIRETLS'] };
  for (const [mode, sent] of [
    ['enforce', 1],
    ['testing', 0],
  ] as const) {
    host.answer = { text: policy(mode) };
    assert.equal((await send(dnsOf(new Zone(), host), fit, { mtaStsMode: 'None' }, 'required')).sent, sent, mode);
  }
});

test('MTA-STS: a policy host with a wrong certificate gives no policy', async () => {
  await using host = await PolicyHost.start(stranger);
  host.answer = { text: policy('enforce', 'other.test') };
  const result = await send(dnsOf(new Zone(), host), {});
  assert.equal(result.failed, '');
  assert.equal(host.fetched, 0);
});

test('MTA-STS: a policy host in a private network is not asked', async () => {
  await using host = await PolicyHost.start();
  host.answer = { text: policy('enforce', 'other.test') };
  const zone = new Zone();
  zone.policyAddress = '127.0.0.99';
  assert.equal((await send(dnsOf(zone, host), {})).failed, '');
  assert.equal(host.fetched, 0);
});

test('MTA-STS: a cached policy outlives its record until max_age, and costs no fetch', async () => {
  await using host = await PolicyHost.start();
  host.answer = { text: policy('enforce', 'mx.sts.test', 600) };
  const zone = new Zone();
  let skippedMs = 0;
  const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skippedMs };
  const dns = dnsOf(zone, host, clock);
  assert.match((await send(dns, {})).failed, /^451 4\.7\.321 /);
  zone.id = undefined;
  assert.match((await send(dns, {})).failed, /^451 4\.7\.321 /, 'the record has vanished');
  zone.broken = true;
  assert.match((await send(dns, {})).failed, /^451 4\.7\.321 /, 'the DNS is gone');
  assert.equal(host.fetched, 1);
  skippedMs = 601_000;
  assert.equal((await send(dns, {})).failed, '', 'its time is over');
});

test('MTA-STS: after a failure the policy is fetched anew, and a mended one counts', async () => {
  await using host = await PolicyHost.start();
  host.answer = { text: policy('enforce', 'old.sts.test') };
  let skippedMs = 0;
  const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skippedMs };
  const dns = dnsOf(new Zone(), host, clock);
  assert.match((await send(dns, good)).failed, /^451 4\.4\.8 /);
  host.answer = { text: policy('enforce') };
  skippedMs = 301_000;
  assert.equal((await send(dns, good)).failed, '');
  assert.equal(host.fetched, 2);
});

test('MTA-STS: a renewed policy that cannot be fetched leaves the old one in force', async () => {
  await using host = await PolicyHost.start();
  host.answer = { text: policy('enforce') };
  let skippedMs = 0;
  const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skippedMs };
  const zone = new Zone();
  const dns = dnsOf(zone, host, clock);
  assert.equal((await send(dns, good)).failed, '');
  zone.id = '2';
  host.answer = { status: 500 };
  skippedMs = 301_000;
  assert.match((await send(dns, {})).failed, /^451 4\.7\.321 /);
});

test('MTA-STS: a policy outlives the process, for as long as its max_age, and a damaged file is none', async () => {
  await using host = await PolicyHost.start();
  host.answer = { text: policy('enforce', 'other.test') };
  const path = join(folder, 'policies.json');
  let ahead = 0;
  const calls: (() => void)[] = [];
  const clock: Clock = {
    now: () => Date.now() + ahead,
    monotonic: () => performance.now() + ahead,
    after: (_ms, call) => {
      calls.push(call);
      return { cancel: () => undefined };
    },
  };
  const storeOf = (): StsFile => new StsFile(path, clock, (error) => assert.fail(String(error)));
  assert.match((await send(dnsOf(new Zone(), host, clock, storeOf()), good)).failed, /^451 4\.4\.8/);
  for (const call of calls) call();
  while (storeOf().read().length === 0) await new Promise(setImmediate);
  // The attacker suppresses the record, and the worker has just been started again.
  const suppressed = new Zone();
  suppressed.id = undefined;
  assert.match((await send(dnsOf(suppressed, host, clock, storeOf()), good)).failed, /^451 4\.4\.8/);
  assert.equal(host.fetched, 1);
  ahead = 86_500_000;
  assert.equal((await send(dnsOf(suppressed, host, clock, storeOf()), good)).failed, '');
  ahead = 0;
  for (const text of ['', '[', '{}', '[{"domain":1}]', '[{"domain":"sts.test","id":"1","until":1e99,"policy":{}}]']) {
    writeFileSync(path, text);
    assert.deepEqual(storeOf().read(), [], text);
  }
});

test('MTA-STS: a cached policy costs no round trip', async () => {
  const zone = new Zone();
  let fetched = 0;
  const policies = new StsPolicies(
    zone,
    async () => {
      fetched += 1;
      return { mode: 'enforce', mx: ['mx.sts.test'], maxAge: 86_400 };
    },
    systemClock,
  );
  const { signal } = new AbortController();
  const found = await Promise.all(Array.from({ length: 1_000 }, () => policies.find('sts.test', [], signal)));
  for (let i = 0; i < 1_000; i++) found.push(await policies.find('sts.test', [], signal));
  assert.ok(found.every((one) => one.policy?.mode === 'enforce'));
  assert.equal(fetched, 1);
});

test('MTA-STS: a policy host that trickles is given up', async () => {
  const sockets: Socket[] = [];
  const server = createServer(policyHost, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write('version: STSv1\r\n');
  }).listen(0, '127.0.0.1');
  server.on('connection', (socket: Socket) => sockets.push(socket));
  await once(server, 'listening');
  try {
    const options = {
      addresses: async () => ['127.0.0.1'],
      port: (server.address() as AddressInfo).port,
      secureContext: createSecureContext({ ca: policyHost.cert }),
      timeoutMs: 300,
    };
    await assert.rejects(fetchStsPolicy('sts.test', options, new AbortController().signal), {
      name: 'StsFetchError',
      failure: 'sts-policy-fetch-error',
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});
