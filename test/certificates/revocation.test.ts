import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { type Clock, type IpRange, parseIpRange, systemClock } from '../../src/base/index.ts';
import { RevocationChecker, RevocationFetch } from '../../src/certificates/revocation/index.ts';
import { type DnsAnswer, type DnsAsker, DnsFailure } from '../../src/dns/index.ts';
import { readCrl, readOcspResponse } from '../../src/tls/index.ts';
import { freePort } from '../lib/ports.ts';
import { type Issued, RevocationAuthority } from '../lib/revocation-authority.ts';

/** Knows two names: one inside, one that nobody answers for. */
const dns: DnsAsker = {
  async ask(name, type): Promise<DnsAnswer> {
    if (name === 'silent.test') throw new DnsFailure('TIMEOUT', name);
    const records = name === 'inside.test' && type === 'A' ? [{ name, type, ttl: 0, data: '127.0.0.1' }] : [];
    return { code: 'NOERROR', secure: false, records, aliases: [], ttl: 0 };
  },
};
const loopback = [parseIpRange('127.0.0.1')];
const checkerWith = (allowed: readonly IpRange[] = loopback, deadlineMs = 30_000, clock: Clock = systemClock) =>
  new RevocationChecker(new RevocationFetch({ dns, allowed: () => allowed }), clock, { deadlineMs });

const authority = new RevocationAuthority();
const stranger = new RevocationAuthority('Revocation Test CA');
after(async () => {
  await authority[Symbol.asyncDispose]();
  await stranger[Symbol.asyncDispose]();
});
const der = (pem: string): Buffer => new X509Certificate(pem).raw;
const path = (leaf: Issued): readonly Buffer[] => [der(leaf.certPem), der(authority.certPem)];

let byIssuer = 0;
let byDelegate = 0;
let byUnfit = 0;
let web = '';
let leaves: readonly Issued[] = [];
let answers: Readonly<Record<string, () => Buffer | number | undefined>> = {};

before(async () => {
  byIssuer = await freePort();
  byDelegate = await freePort();
  byUnfit = await freePort();
  web = await authority.serve((name) => (answers[name] ?? (() => 404))());
  // openssl reads its list once, when it starts.
  leaves = ocspRows.map(([, port, revoked]) =>
    authority.issue({ name: 'a.test', ocspUrl: responder(port()), ...(revoked && { revoked }) }),
  );
  await authority.respond('issuer', byIssuer);
  await authority.respond(authority.issue({ name: 'ocsp.test', purpose: 'OCSPSigning' }), byDelegate);
  await authority.respond(authority.issue({ name: 'unfit.test' }), byUnfit);
});

const responder = (port: number): string => `http://127.0.0.1:${port}`;

/** Who is asked × whether it is revoked × verdict. */
const ocspRows: readonly [
  who: string,
  port: () => number,
  revoked: string | undefined,
  state: string,
  reason: RegExp,
][] = [
  ['the issuer', () => byIssuer, undefined, 'good', /^OCSP says good/],
  ['the issuer', () => byIssuer, 'keyCompromise', 'revoked', /revoked on 2026-01-02 \(keyCompromise\)/],
  ['a delegate', () => byDelegate, undefined, 'good', /^OCSP says good/],
  ['a delegate', () => byDelegate, 'superseded', 'revoked', /revoked on 2026-01-02 \(superseded\)/],
  ['one without the purpose OCSPSigning', () => byUnfit, undefined, 'unknown', /lacks the purpose OCSPSigning/],
  ['nobody', () => 1, undefined, 'unknown', /ECONNREFUSED/],
];
for (const [i, [who, , revoked, state, reason]] of ocspRows.entries()) {
  test(`openssl ocsp, answered by ${who}, ${revoked ?? 'not revoked'}: ${state}`, async () => {
    const leaf = leaves[i];
    assert.ok(leaf);
    const verdict = await checkerWith().check(path(leaf));
    assert.equal(verdict.state, state, verdict.reason);
    assert.match(verdict.reason, reason);
  });
}

test('an answer by the key of another authority of the same name does not count', async () => {
  const leaf = stranger.issue({ name: 'a.test', ocspUrl: responder(byIssuer) });
  const verdict = await checkerWith().check([der(leaf.certPem), der(stranger.certPem)]);
  assert.equal(verdict.state, 'unknown');
  assert.match(verdict.reason, /signature of the OCSP response does not hold|other certificates|neither the issuer/);
});

/** What the place of the CRL gives × revoked × verdict. */
const crlRows: readonly [
  what: string,
  body: () => Buffer | number | undefined,
  revoked: boolean,
  state: string,
  reason: RegExp,
][] = [
  ['a list', () => authority.crl(), false, 'good', /the CRL does not list it/],
  ['a list', () => authority.crl(), true, 'revoked', /the CRL says revoked on 2026-01-02 \(keyCompromise\)/],
  [
    'a list that is over',
    () => authority.crl('-crl_lastupdate', '250101000000Z', '-crl_nextupdate', '250102000000Z'),
    true,
    'unknown',
    /was to be renewed at 2025-01-02/,
  ],
  [
    'a list of tomorrow',
    () => authority.crl('-crl_lastupdate', '390101000000Z', '-crl_nextupdate', '390102000000Z'),
    true,
    'unknown',
    /not valid before 2039/,
  ],
  ['the list of a stranger of that name', () => stranger.crl(), false, 'unknown', /signature of the CRL does not hold/],
  ['half a list', () => authority.crl().subarray(0, 100), false, 'unknown', /cut off/],
  ['a page', () => Buffer.from('<html>welcome</html>'), false, 'unknown', /not DER|cut off/],
  ['nothing', () => Buffer.alloc(0), false, 'unknown', /not DER/],
  ['a redirect', () => 302, false, 'unknown', /answered 302/],
  ['9 MB', () => Buffer.alloc(9 * 1024 ** 2, 0x30), false, 'unknown', /larger than/],
  ['silence', () => undefined, false, 'unknown', /no answer in time/],
];
for (const [what, body, revoked, state, reason] of crlRows) {
  test(`a CRL: ${what}, ${revoked ? 'revoked' : 'not revoked'}: ${state}`, async () => {
    const leaf = authority.issue({
      name: 'a.test',
      crlUrl: `${web}/crl`,
      ...(revoked && { revoked: 'keyCompromise' }),
    });
    answers = { '/crl': body };
    const verdict = await checkerWith(loopback, what === 'silence' ? 500 : 30_000).check(path(leaf));
    assert.equal(verdict.state, state, verdict.reason);
    assert.match(verdict.reason, reason);
  });
}

test('where OCSP is silent the CRL is asked, and the answer is kept: the next check asks nobody', async () => {
  const leaf = authority.issue({ name: 'a.test', ocspUrl: responder(1), crlUrl: `${web}/kept` });
  const list = authority.crl();
  answers = { '/kept': () => list };
  const checker = checkerWith();
  const before = authority.asked.length;
  for (let i = 0; i < 3; i++) assert.equal((await checker.check(path(leaf))).state, 'good');
  const another = authority.issue({ name: 'b.test', crlUrl: `${web}/kept` });
  assert.equal((await checker.check(path(another))).state, 'good');
  assert.deepEqual(authority.asked.slice(before), ['GET /kept']);
});

test('two checks at a time ask once, and one that failed is not repeated at once', async () => {
  const leaf = authority.issue({ name: 'a.test', crlUrl: `${web}/once` });
  answers = { '/once': () => 500 };
  const checker = checkerWith();
  const before = authority.asked.length;
  const verdicts = await Promise.all([checker.check(path(leaf)), checker.check(path(leaf))]);
  verdicts.push(await checker.check(path(leaf)));
  assert.deepEqual(
    verdicts.map(({ state }) => state),
    ['unknown', 'unknown', 'unknown'],
  );
  assert.equal(authority.asked.length - before, 1);
});

test('an answer is not kept beyond a day', async () => {
  const leaf = authority.issue({ name: 'a.test', crlUrl: `${web}/day` });
  let moved = 0;
  const clock: Clock = {
    ...systemClock,
    now: () => Date.now() + moved,
    monotonic: () => systemClock.monotonic() + moved,
  };
  answers = { '/day': () => authority.crl('-crldays', '30') };
  const checker = checkerWith(loopback, 5_000, clock);
  const before = authority.asked.length;
  await checker.check(path(leaf));
  moved = 25 * 3_600_000;
  await checker.check(path(leaf));
  assert.equal(authority.asked.length - before, 2);
});

test('who did not answer while the clock was a day ahead is asked again after two minutes', async () => {
  const leaf = authority.issue({ name: 'a.test', crlUrl: `${web}/ahead` });
  let [ahead, passed] = [24 * 3_600_000, 0];
  const clock: Clock = {
    ...systemClock,
    now: () => Date.now() + ahead + passed,
    monotonic: () => systemClock.monotonic() + passed,
  };
  answers = {};
  const checker = checkerWith(loopback, 5_000, clock);
  assert.equal((await checker.check(path(leaf))).state, 'unknown');
  answers = { '/ahead': () => authority.crl('-crldays', '30') };
  ahead = 0;
  passed = 3 * 60_000;
  assert.equal((await checker.check(path(leaf))).state, 'good');
});

/** Certificates of a trusted authority lead nowhere inside. */
for (const url of [
  'http://127.0.0.1/',
  'http://[::ffff:127.0.0.1]/',
  'http://10.0.0.1/',
  'http://inside.test/',
  'http://2130706433/',
  'http://169.254.169.254/latest/',
]) {
  test(`${url} is not asked`, async () => {
    const leaf = authority.issue({ name: 'a.test', ocspUrl: url, crlUrl: url });
    const verdict = await checkerWith([]).check(path(leaf));
    assert.equal(verdict.state, 'unknown');
    assert.match(verdict.reason, /has no address of the Internet/);
  });
}

test('a name that the DNS does not answer for is unknown, not good', async () => {
  const leaf = authority.issue({ name: 'a.test', ocspUrl: 'http://silent.test/' });
  const verdict = await checkerWith().check(path(leaf));
  assert.deepEqual([verdict.state, /TIMEOUT/.test(verdict.reason)], ['unknown', true]);
});

test('one that names no place is not revocable; a place that is not asked is unknown; an anchor itself is good', async () => {
  const leaf = authority.issue({ name: 'a.test' });
  assert.deepEqual(await checkerWith().check(path(leaf)), {
    state: 'good',
    reason: 'it names no place where to ask: its issuer does not revoke it',
  });
  const inside = authority.issue({ name: 'a.test', crlUrl: 'ldap://dc1.corp.test/CN=CA' });
  assert.deepEqual(await checkerWith().check(path(inside)), {
    state: 'unknown',
    reason: 'it names no place that is asked (http: alone)',
  });
  assert.equal((await checkerWith().check([der(leaf.certPem)])).state, 'good');
});

test('a responder that accepts and says nothing ends at the deadline', async () => {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  try {
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const leaf = authority.issue({ name: 'a.test', ocspUrl: responder(port) });
    const verdict = await checkerWith(loopback, 300).check(path(leaf));
    assert.match(verdict.reason, /no answer in time/);
  } finally {
    server.close();
  }
});

test('whatever octets come, reading throws nothing but RangeError', () => {
  const issuer = new X509Certificate(authority.certPem);
  const certificate = new X509Certificate(authority.issue({ name: 'a.test' }).certPem);
  const list = authority.crl();
  for (let i = 0; i < 400; i++) {
    const damaged = Buffer.from(list);
    const at = (i * 7919) % damaged.length;
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (i % 8));
    for (const read of [
      () => readCrl(damaged, { issuer, urls: [], now: Date.now() }),
      () => readOcspResponse(damaged, { certificate, issuer }, Date.now()),
    ]) {
      assert.throws(read, RangeError);
    }
  }
});
