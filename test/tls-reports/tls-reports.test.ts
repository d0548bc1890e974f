import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { type Clock, unreported } from '../../src/base/index.ts';
import { dkimRecord, signingKey } from '../../src/certificates/index.ts';
import { tlsReport } from '../../src/cli/tls-report.ts';
import { type DnsAnswer, type DnsAsker, DnsFailure } from '../../src/dns/index.ts';
import { noPolicy, type PublishedPolicy, type TlsOutcome } from '../../src/tls/index.ts';
import { DayCounter, ReportCourier, ReportFiles, readReceivedReport } from '../../src/tls-reports/index.ts';
import { mailAddressOf, reportDestinations } from '../../src/tls-reports/report.ts';
import { postReport } from '../../src/tls-reports/report-post.ts';
import { selfSigned } from '../lib/self-signed.ts';

const folder = mkdtempSync(join(tmpdir(), 'edge-tls-reports-'));
after(() => rmSync(folder, { recursive: true }));
let number = 0;
const fresh = (): string => mkdtempSync(join(folder, `state-${++number}-`));

class MovedClock implements Clock {
  at = Date.UTC(2026, 10, 25, 12);
  now(): number {
    return this.at;
  }
  monotonic(): number {
    return this.at;
  }
  after(): { cancel(): void } {
    return { cancel: () => undefined };
  }
}

const sts: PublishedPolicy = {
  type: 'sts',
  lines: ['version: STSv1', 'mode: testing', 'mx: mx.a.test', 'max_age: 1'],
  mx: ['mx.a.test'],
};
const outcome = (domain: string, more: Partial<TlsOutcome> = {}): TlsOutcome => ({
  domain,
  policy: noPolicy,
  mxHost: `mx.${domain}`,
  ip: '192.0.2.1',
  ...more,
});
const expired = { type: 'certificate-expired', reason: 'CERT_HAS_EXPIRED' } as const;

/** TXT records by name; a missing one does not exist. */
function zone(records: Readonly<Record<string, string>>): DnsAsker {
  return {
    async ask(name): Promise<DnsAnswer> {
      const text = records[name];
      if (text === 'timeout') throw new DnsFailure('TIMEOUT', name);
      const data = text === undefined ? [] : [{ name, type: 'TXT', ttl: 0, data: [Buffer.from(text)] }];
      return { code: 'NOERROR', secure: false, records: data, aliases: [], ttl: 0 } as unknown as DnsAnswer;
    },
  };
}

interface Sent {
  readonly content: Buffer;
  readonly from: string;
  readonly to: string;
}

function courierOf(state: string, clock: Clock, dns: DnsAsker, contact: string | undefined = 'tls@edge.test') {
  const mails: Sent[] = [];
  const files = new ReportFiles(state);
  const courier = new ReportCourier({
    files,
    dns,
    webAddresses: async () => ['127.0.0.1'],
    submit: async (content, from, to) => void mails.push({ content, from, to }),
    signingKey: () => signingKey(folder, ''),
    settings: () => ({ contact, selector: 's1', fqdn: 'edge.test' }),
    faults: unreported,
    clock,
    random: () => 0.5,
  });
  return { courier, files, mails };
}

test('records that ask for reports', () => {
  const rows: readonly [readonly string[], readonly string[]][] = [
    [['v=TLSRPTv1; rua=mailto:a@b.test,https://c.test/x'], ['mailto:a@b.test', 'https://c.test/x']],
    [['v=TLSRPTv1;rua=mailto:a@b.test;'], ['mailto:a@b.test']],
    [['v=spf1 -all', 'v=TLSRPTv1; rua=http://c.test'], []],
    [['v=TLSRPTv1; rua=mailto:a@b.test', 'v=TLSRPTv1; rua=mailto:c@b.test'], []],
    [['v=TLSRPTv2; rua=mailto:a@b.test'], []],
    [['v=TLSRPTv1; rua=ftp://x'], []],
    [['v=TLSRPTv1'], []],
    [[`v=TLSRPTv1; rua=${Array(9).fill('mailto:a@b.test').join()}`], Array<string>(5).fill('mailto:a@b.test')],
  ];
  for (const [texts, wanted] of rows) assert.deepEqual(reportDestinations(texts), wanted, texts.join());
  assert.equal(mailAddressOf('mailto:a%2Bx@b.test?subject=y'), 'a+x@b.test');
  for (const bad of ['mailto:a', 'mailto:a@b.test%0d%0aX:', 'mailto:%ff@x', 'mailto:a@b,c@d', 'https://x'])
    assert.equal(mailAddressOf(bad), undefined, bad);
});

test('one report for each UTC day and domain, of what all workers counted, after its delay, by mail that is signed', async () => {
  const [state, clock] = [fresh(), new MovedClock()];
  const counters = [0, 1].map((worker) => {
    const counter = new DayCounter({ folder: state, worker }, () => true, clock, assert.ifError);
    counter.count(outcome('A.test', { policy: sts }));
    counter.count(outcome('a.test', { policy: sts, failure: expired, sendingIp: '198.51.100.1' }));
    const other = { mxHost: 'mx2.a.test', policy: sts, failure: expired };
    counter.count(outcome('a.test', { ...other, sendingIp: `198.51.100.${worker}` }));
    counter.count(outcome('quiet.test'));
    return counter;
  });
  // MovedClock calls nobody: as the timer would.
  for (const counter of counters) await counter.flush();
  const records = { '_smtp._tls.a.test': 'v=TLSRPTv1; rua=mailto:tls@a.test' };
  const { courier, files, mails } = courierOf(state, clock, zone(records));
  await courier.look();
  assert.deepEqual(files.waiting(), [], 'the day is not over');
  clock.at = Date.UTC(2026, 10, 26, 0, 5);
  await courier.look();
  assert.deepEqual(files.waiting(), [], 'other workers may still write');
  clock.at = Date.UTC(2026, 10, 26, 0, 11);
  await courier.look();
  assert.deepEqual(
    files.waiting().map(({ domain, day }) => `${day} ${domain}`),
    ['2026-11-25 a.test', '2026-11-25 quiet.test'],
  );
  assert.deepEqual(
    readdirSync(state).filter((name) => name.startsWith('counts')),
    [],
  );
  assert.equal(mails.length, 0, 'delayed by up to four hours');
  clock.at += 2 * 3_600_000;
  await courier.look();
  assert.deepEqual(files.waiting(), []);
  assert.deepEqual(
    files.sent().map(({ domain, submissions }) => [domain, submissions]),
    [
      ['a.test', [{ uri: 'mailto:tls@a.test', fault: '' }]],
      ['quiet.test', []],
    ],
  );
  const [mail] = mails;
  assert.ok(mail !== undefined);
  assert.deepEqual([mail.from, mail.to], ['tls@edge.test', 'tls@a.test']);
  const text = mail.content.toString('latin1');
  for (const line of ['TLS-Required: No', 'TLS-Report-Domain: a.test', 'TLS-Report-Submitter: edge.test'])
    assert.ok(text.includes(`\r\n${line}\r\n`), line);
  assert.match(text, /filename="edge\.test!a\.test!1795564800!1795651199\.json\.gz"/);
  assert.ok(text.split('\r\n').every((line) => line.length <= 998));
  const report = readReceivedReport(mail.content);
  assert.equal(report.begin, '2026-11-25T00:00:00Z');
  assert.deepEqual(report.policies, [
    {
      type: 'sts',
      domain: 'a.test',
      successes: 2,
      failed: 4,
      failures: [
        {
          type: 'certificate-expired',
          count: 2,
          sendingIp: '198.51.100.1',
          mxHost: 'mx.a.test',
          ip: '192.0.2.1',
          reason: 'CERT_HAS_EXPIRED',
        },
        {
          type: 'certificate-expired',
          count: 2,
          sendingIp: '',
          mxHost: 'mx2.a.test',
          ip: '192.0.2.1',
          reason: 'CERT_HAS_EXPIRED',
        },
      ],
    },
  ]);
  const key = dkimRecord(await signingKey(folder, ''));
  const { results } = await dkimVerify(mail.content, {
    resolver: async (name: string) => {
      assert.equal(name, 's1._domainkey.edge.test');
      return [[key]];
    },
  });
  assert.equal(results[0]?.status.result, 'pass');
  await courier.look();
  assert.equal(mails.length, 1, 'never twice');
});

test('python3-dkim takes the signature as well', {
  skip: !existsSync('/usr/lib/python3/dist-packages/dkim/__init__.py'),
}, async () => {
  const [state, clock] = [fresh(), new MovedClock()];
  const counter = new DayCounter({ folder: state, worker: 0 }, () => true, clock, assert.ifError);
  counter.count(outcome('a.test'));
  await counter.flush();
  const { courier, mails } = courierOf(
    state,
    clock,
    zone({ '_smtp._tls.a.test': 'v=TLSRPTv1; rua=mailto:tls@a.test' }),
  );
  clock.at += 86_400_000;
  await courier.look();
  clock.at += 86_400_000;
  await courier.look();
  const script =
    'import sys,dkim\nk=sys.argv[1].encode()\nprint(dkim.verify(sys.stdin.buffer.read(),dnsfunc=lambda *a,**b:k))';
  const key = dkimRecord(await signingKey(folder, '')).replace('s=email:tlsrpt; ', '');
  const said = execFileSync('/usr/bin/python3', ['-c', script, key], {
    input: mails[0]?.content ?? '',
    encoding: 'utf8',
  });
  assert.equal(said.trim(), 'True');
});

test('by https, whatever the certificate: taken, refused, redirected; and again an hour later for a day', async () => {
  const taken: { type: string | undefined; body: Buffer }[] = [];
  let status = 503;
  const server = createServer(selfSigned(folder, 'other.test'), (request, response) => {
    const body: Buffer[] = [];
    request.on('data', (chunk: Buffer) => body.push(chunk));
    request.on('end', () => {
      taken.push({ type: request.headers['content-type'], body: Buffer.concat(body) });
      response.writeHead(status, { location: 'https://elsewhere.test/' }).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const uri = `https://reports.a.test:${(server.address() as AddressInfo).port}/x`;
  try {
    const [state, clock] = [fresh(), new MovedClock()];
    const counter = new DayCounter({ folder: state, worker: 0 }, () => true, clock, assert.ifError);
    counter.count(outcome('a.test', { failure: expired }));
    await counter.flush();
    const { courier, files } = courierOf(state, clock, zone({ '_smtp._tls.a.test': `v=TLSRPTv1; rua=${uri}` }));
    clock.at += 86_400_000;
    await courier.look();
    for (status of [503, 302, 201]) {
      clock.at += 3 * 3_600_000;
      await courier.look();
    }
    assert.equal(taken.length, 3);
    assert.equal(taken[0]?.type, 'application/tlsrpt+gzip');
    const report = gunzipSync(taken[2]?.body ?? Buffer.alloc(0)).toString();
    assert.equal((JSON.parse(report) as Record<string, string>)['contact-info'], 'tls@edge.test');
    assert.deepEqual(files.sent()[0]?.submissions, [{ uri, fault: '' }]);
    status = 500;
    const again = courierOf(fresh(), clock, zone({ '_smtp._tls.b.test': `v=TLSRPTv1; rua=${uri}` }));
    const waits = { domain: 'b.test', day: '2026-11-25', id: 'x', report: '{}', due: 0, attempts: 0, submissions: [] };
    await again.files.add(waits);
    for (let i = 0; i < 30; i++) {
      clock.at += 3_600_000;
      await again.courier.look();
    }
    assert.deepEqual(
      again.files.sent().map(({ attempts, submissions }) => [attempts, submissions[0]?.fault]),
      [[24, 'it answered 500']],
    );
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('a report whose time was set while the clock was a day ahead does not wait until then', async () => {
  const [state, clock] = [fresh(), new MovedClock()];
  const { courier, files } = courierOf(state, clock, zone({ '_smtp._tls.a.test': 'timeout' }));
  const waits = { domain: 'a.test', day: '2026-11-25', report: '{}', attempts: 0, submissions: [] };
  await files.add({ ...waits, id: 'ahead', due: clock.at + 86_400_000 });
  await files.add({ ...waits, domain: 'b.test', id: 'soon', due: clock.at + 3 * 3_600_000 });
  await courier.look();
  assert.deepEqual(
    files.waiting().map(({ id, attempts }) => [id, attempts]),
    [
      ['ahead', 1],
      ['soon', 0],
    ],
  );
});

test('the DNS that does not answer is asked again; addresses are no destinations; without a contact nothing is made', async () => {
  const [state, clock] = [fresh(), new MovedClock()];
  const counter = new DayCounter({ folder: state, worker: 0 }, () => true, clock, assert.ifError);
  counter.count(outcome('a.test'));
  await counter.flush();
  const { courier, files } = courierOf(state, clock, zone({ '_smtp._tls.a.test': 'timeout' }));
  clock.at += 86_400_000;
  await courier.look();
  clock.at += 4 * 3_600_000;
  await courier.look();
  assert.deepEqual(
    files.waiting().map(({ attempts }) => attempts),
    [1],
  );
  const post = (uri: string) => postReport(uri, Buffer.alloc(0), async () => ['127.0.0.1'], AbortSignal.timeout(5_000));
  for (const uri of ['https://127.0.0.1/', 'https://[::1]/', 'https://2130706433/'])
    assert.equal(await post(uri), 'it names an address instead of a host');
  const none = fresh();
  writeFileSync(
    join(none, 'counts-2026-11-20-0.json'),
    JSON.stringify({ day: '2026-11-20', domains: [['x.test', []]] }),
  );
  const silent = courierOf(none, clock, zone({}), '');
  await silent.courier.look();
});

test('counts outlive the worker, a new day begins at nothing, and memory is bounded', async () => {
  const [state, clock] = [fresh(), new MovedClock()];
  const make = () => new DayCounter({ folder: state, worker: 3 }, () => true, clock, assert.ifError);
  const first = make();
  for (let i = 0; i < 12_000; i++) first.count(outcome(`d${i}.test`));
  for (let i = 0; i < 200; i++)
    first.count(
      outcome('d0.test', { ip: `192.0.2.${i}`, failure: { type: 'validation-failure', reason: 'x'.repeat(5_000) } }),
    );
  for (let i = 0; i < 50; i++) first.count(outcome('d1.test', { policy: { ...sts, lines: [`id ${i}`] } }));
  await first.flush();
  const second = make();
  second.count(outcome('d2.test'));
  await second.flush();
  const [name = ''] = readdirSync(state);
  const { domains } = JSON.parse(readFileSync(join(state, name), 'utf8')) as {
    domains: [string, { successes: number; failures: { count: number; reason: string }[] }[]][];
  };
  assert.equal(domains.length, 10_000);
  const failures = domains[0]?.[1][0]?.failures ?? [];
  assert.ok(failures.length <= 51 && failures.reduce((sum, { count }) => sum + count, 0) === 200);
  assert.ok(failures.every(({ reason }) => reason.length <= 200));
  assert.equal(domains[1]?.[1].length, 10);
  assert.equal(domains[2]?.[1][0]?.successes, 2);
  clock.at += 86_400_000;
  second.count(outcome('new.test'));
  await second.flush();
  assert.equal(readdirSync(state).length, 2);
});

test('received reports: JSON, gzip, mail; bombs and rubbish are refused', async () => {
  const report = {
    'organization-name': 'Sender',
    policies: [
      {
        policy: { 'policy-type': 'tlsa', 'policy-domain': 'edge.test' },
        summary: { 'total-failure-session-count': 3, 'total-successful-session-count': -1 },
        'failure-details': [
          { 'result-type': 'tlsa-invalid', 'failed-session-count': 3, 'receiving-ip': '\u001b[2J' },
          null,
          7,
        ],
      },
    ],
  };
  const json = Buffer.from(JSON.stringify(report));
  for (const octets of [json, gzipSync(json)]) {
    const { policies } = readReceivedReport(octets);
    assert.deepEqual([policies[0]?.failed, policies[0]?.successes, policies[0]?.failures.length], [3, 0, 1]);
  }
  const bad: readonly [Buffer, RegExp][] = [
    [gzipSync(Buffer.alloc(17 * 1024 ** 2)), /more than 16 MB/],
    [gzipSync(json).subarray(0, 40), /damaged or cut off/],
    [Buffer.from('{"policies":'), /does not parse/],
    [Buffer.from('{}'), /no 'policies'/],
    [Buffer.from('[]'), /neither JSON nor gzip/],
    [Buffer.from('Subject: x\r\n\r\nhello\r\n'), /no mail with a TLS report/],
    [Buffer.alloc(0), /neither/],
  ];
  for (const [octets, says] of bad) assert.throws(() => readReceivedReport(octets), says);
  const [good, broken] = [join(folder, 'good.json.gz'), join(folder, 'broken.json')];
  writeFileSync(good, gzipSync(json));
  writeFileSync(broken, 'x');
  let [out, error] = ['', ''];
  const terminal = { out: (text: string) => void (out += text), error: (text: string) => void (error += text) };
  assert.equal(await tlsReport([good], false, terminal as never), 1);
  assert.match(out, /edge\.test, tlsa: 0 sessions went well, 3 did not\n {4}3 × tlsa-invalid at /);
  assert.ok(!out.includes('\u001b'));
  assert.equal(await tlsReport([broken, '/nonexistent'], true, terminal as never), 2);
  assert.match(error, /broken\.json: it is neither.*\n\/nonexistent: there is no such file or folder/);
});
