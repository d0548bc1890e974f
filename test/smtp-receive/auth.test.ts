import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeChains } from '../../certs/make.ts';
import { systemClock } from '../../src/base/index.ts';
import { CertificateStore } from '../../src/certificates/index.ts';
import { ace, type ReceiveConnector, wellKnownSids } from '../../src/config/index.ts';
import type { CertificateLogonRequest, LogonAnswer, LogonChecker, LogonRequest } from '../../src/smtp-receive/index.ts';
import { anonymousAcl, type Client, HandClock, internetSnapshot, Receiving } from './receiving.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const sids = [wellKnownSids.authenticatedUsers];
const usersAcl = [
  ...anonymousAcl,
  ace(wellKnownSids.authenticatedUsers, 'ms-Exch-SMTP-Submit'),
  ace(wellKnownSids.authenticatedUsers, 'ms-Exch-SMTP-Accept-Any-Recipient'),
];

/** Knows one user, and remembers who asked. */
class Logons implements LogonChecker {
  readonly asked: LogonRequest[] = [];
  answer: LogonAnswer | undefined;
  certificate = Buffer.alloc(0);

  async check(request: LogonRequest): Promise<LogonAnswer> {
    this.asked.push(request);
    if (this.answer !== undefined) return this.answer;
    const right = request.name === 'jörg' && request.password === 'pässword';
    return right ? { kind: 'accepted', principal: { name: request.name, sids } } : { kind: 'refused' };
  }

  /** It has one certificate. */
  async checkCertificate({ certificate }: CertificateLogonRequest): Promise<LogonAnswer> {
    return certificate.equals(this.certificate)
      ? { kind: 'accepted', principal: { name: 'jörg', sids } }
      : { kind: 'refused' };
  }
}

interface Bench {
  readonly edge: Receiving;
  readonly logons: Logons;
  readonly client: Client;
}

async function bench(
  run: (bench: Bench) => Promise<void>,
  connector: Partial<ReceiveConnector> = {},
  clock?: HandClock,
): Promise<void> {
  const logons = new Logons();
  const snapshot = internetSnapshot({
    authMechanism: ['Tls', 'BasicAuth'],
    acl: usersAcl,
    authTarpitInterval: 0,
    protocolLoggingLevel: 'Verbose',
    ...connector,
  });
  await using edge = await Receiving.start({ snapshot, logons, ...(clock === undefined ? {} : { clock }) });
  await run({ edge, logons, client: await edge.greeted() });
}

const dialogues: readonly (readonly [
  name: string,
  ...lines: readonly (readonly [ask: string, reply: string | RegExp])[],
])[] = [
  [
    'LOGIN',
    ['AUTH LOGIN', '334 VXNlcm5hbWU6'],
    [base64('jörg'), '334 UGFzc3dvcmQ6'],
    [base64('pässword'), '235 2.7.0 Authentication successful'],
  ],
  ['LOGIN with the name at once', [`auth login ${base64('jörg')}`, '334 UGFzc3dvcmQ6'], [base64('pässword'), /^235/]],
  ['PLAIN', ['AUTH PLAIN', '334 '], [base64('\0jörg\0pässword'), /^235/]],
  [
    'PLAIN with the response at once',
    [`AUTH PLAIN ${base64('jörg\0jörg\0pässword')}`, /^235/],
    ['AUTH LOGIN', '503 5.5.1 Bad sequence of commands'],
  ],
  [
    'PLAIN for somebody else',
    [`AUTH PLAIN ${base64('root\0jörg\0pässword')}`, '535 5.7.8 Authentication unsuccessful'],
  ],
  [
    'a wrong password',
    [`AUTH PLAIN ${base64('\0jörg\0wrong')}`, '535 5.7.8 Authentication unsuccessful'],
    ['NOOP', /^250/],
  ],
  ['an empty response', ['AUTH PLAIN =', /^535/]],
  ['the client gives up', ['AUTH LOGIN', /^334/], ['*', '501 5.7.0 Authentication cancelled'], ['NOOP', /^250/]],
  [
    'no base64',
    ['AUTH PLAIN ?', '501 5.5.2 Cannot decode response'],
    ['AUTH LOGIN', /^334/],
    ['a=b', /^501 5\.5\.2/],
    ['NOOP', /^250/],
  ],
  ['no UTF-8', [`AUTH PLAIN ${Buffer.from([0, 255, 0, 254]).toString('base64')}`, /^501 5\.5\.2/]],
  [
    'an answer longer than RFC 4954 allows',
    ['AUTH LOGIN', /^334/],
    ['A'.repeat(12_289), '500 5.5.6 Authentication exchange line is too long'],
    ['NOOP', /^250/],
  ],
  ['an answer as long as RFC 4954 allows', ['AUTH LOGIN', /^334/], ['A'.repeat(12_288), /^334/]],
  [
    'mechanisms that are not offered',
    ['AUTH NTLM', '504 5.5.4 Unrecognized authentication type'],
    ['AUTH EXTERNAL =', /^504/],
  ],
  ['no mechanism, or too many words', ['AUTH', '501 5.5.4 Invalid arguments'], ['AUTH PLAIN a b', /^501/]],
  ['amid a transaction', ['MAIL FROM:<a@example.org>', /^250/], ['AUTH LOGIN', /^503/]],
];
for (const [name, ...lines] of dialogues) {
  test(`AUTH: ${name}`, () =>
    bench(async ({ client, edge }) => {
      for (const [ask, expected] of lines) {
        const reply = await client.ask(ask);
        if (typeof expected === 'string') assert.equal(reply, expected);
        else assert.match(reply, expected);
      }
      const told = JSON.stringify(edge.events);
      for (const secret of [base64('pässword'), base64('\0jörg\0pässword'), 'pässword'])
        assert.ok(!told.includes(secret));
    }));
}

test('who is authenticated has the rights of its SIDs, is asked for by the address of the client, and stands in Received', () =>
  bench(async ({ client, edge, logons }) => {
    await client.ask(`AUTH PLAIN ${base64('\0jörg\0pässword')}`);
    assert.deepEqual(logons.asked, [{ name: 'jörg', password: 'pässword', address: '127.0.0.1' }]);
    // Accept-Any-Sender is a right of strangers here, and not of users.
    assert.match(await client.ask('MAIL FROM:<a@example.org>'), /^550 5\.7\.60/);
    await client.ask('MAIL FROM:<>');
    assert.match(await client.ask('RCPT TO:<anybody@elsewhere.example>'), /^250/);
    await client.ask('DATA');
    client.send('Subject: x\r\n\r\n.');
    assert.match(await client.reply(), /^250/);
    assert.match(edge.queue.kept[0]?.content.toString() ?? '', / with ESMTPA\r\n/);
  }));

test('From is held to the rights of MAIL FROM', () =>
  bench(
    async ({ client, edge }) => {
      const rows: readonly (readonly [from: string, reply: RegExp])[] = [
        ['"x@other.example" <boss@EXAMPLE.test>', /^550 5\.7\.60/],
        ['Stranger <a@example.org>,\r\n =?utf-8?q?B?= <b@example.test>', /^550 5\.7\.60/],
        ['"b@example.test" <a@example.org> (c@example.test)', /^250/],
      ];
      for (const [from, reply] of rows)
        assert.match(await client.message(`From: ${from}\r\nSubject: x\r\n\r\n`), reply, from);
      assert.equal(edge.queue.kept.length, 1);
    },
    { acl: anonymousAcl.filter(({ right }) => right !== 'ms-Exch-SMTP-Accept-Authoritative-Domain-Sender') },
  ));

test('behind MaxLogonFailures the session ends; each failure waits for AuthTarpitInterval', () => {
  const clock = new HandClock();
  return bench(
    async ({ client, edge, logons }) => {
      for (let i = 1; i <= 3; i++) {
        client.send(`AUTH PLAIN ${base64(`\0user${i}\0wrong`)}`);
        while (logons.asked.length < i) await new Promise(setImmediate);
        await new Promise(setImmediate);
        clock.advance(6_999);
        await new Promise(setImmediate);
        assert.equal(client.unread(), '');
        clock.advance(2);
        assert.match(await client.reply(), /^535/);
      }
      assert.match(await client.reply(), /^421 4\.7\.0 Too many errors/);
      assert.ok(
        edge
          .of('protocol-line')
          .some(({ context }) => context === "Tarpit for '00:00:07' due to '535 5.7.8 Authentication unsuccessful'"),
      );
    },
    { authTarpitInterval: 7, maxLogonFailures: 3 },
    clock,
  );
});

test('when nobody can say, the answer is 454 and counts as no failure', () =>
  bench(
    async ({ client, logons }) => {
      logons.answer = { kind: 'unavailable' };
      for (let i = 0; i < 3; i++)
        assert.equal(await client.ask(`AUTH PLAIN ${base64('\0a\0b')}`), '454 4.7.0 Temporary authentication failure');
    },
    { maxLogonFailures: 1 },
  ));

test('a right password without ms-Exch-SMTP-Submit is answered like a wrong one', () =>
  bench(
    async ({ client }) => {
      assert.match(await client.ask(`AUTH PLAIN ${base64('\0jörg\0pässword')}`), /^535 5\.7\.8/);
      assert.match(await client.ask('MAIL FROM:<a@example.org>'), /^250/);
    },
    { acl: anonymousAcl },
  ));

test('BasicAuthRequireTLS: offered inside TLS only, and who is somebody is nobody again behind STARTTLS', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'edge-auth-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await using certificates = await CertificateStore.open({ folder, clock: systemClock });
  await certificates.ensureServerCertificate('mail.example.net');
  const snapshot = internetSnapshot({ authMechanism: ['Tls', 'BasicAuth', 'BasicAuthRequireTLS'], acl: usersAcl });
  await using edge = await Receiving.start({ snapshot, certificates, logons: new Logons() });
  const client = await edge.connect();
  await client.reply();
  assert.doesNotMatch(await client.ask('EHLO a'), /AUTH/);
  assert.equal(await client.ask('AUTH LOGIN'), '538 5.7.11 Encryption required for requested authentication mechanism');
  await client.ask('STARTTLS');
  await client.secure();
  assert.match(await client.ask('EHLO a'), /\n250-AUTH LOGIN PLAIN\n/);
  assert.match(await client.ask(`AUTH PLAIN ${base64('\0jörg\0pässword')}`), /^235/);
});

test('Integrated and ExchangeServer alone offer nothing', () =>
  bench(
    async ({ client }) => {
      assert.doesNotMatch(await client.ask('EHLO a'), /AUTH|X-/);
      assert.match(await client.ask('AUTH NTLM'), /^504/);
    },
    { authMechanism: ['Tls', 'Integrated', 'ExchangeServer'] },
  ));

test('ExternalAuthoritative: the peer is an externally secured server from the start', () =>
  bench(
    async ({ client }) => {
      await client.ask('MAIL FROM:<a@example.org>');
      assert.match(await client.ask('RCPT TO:<b@elsewhere.example>'), /^250/);
      assert.match(await client.ask('AUTH LOGIN'), /^50[34]/);
    },
    {
      authMechanism: ['ExternalAuthoritative'],
      acl: (
        ['ms-Exch-SMTP-Submit', 'ms-Exch-SMTP-Accept-Any-Sender', 'ms-Exch-SMTP-Accept-Any-Recipient'] as const
      ).map((right) => ace(wellKnownSids.externallySecured, right)),
    },
  ));

test('EXTERNAL: who shows the certificate of an account is it, inside TLS and by its own name only', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'edge-external-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await using certificates = await CertificateStore.open({ folder, clock: systemClock });
  await certificates.ensureServerCertificate('mail.example.net');
  const logons = new Logons();
  const { keyPem: key, chainPem: cert } =
    makeChains(Date.now(), ['self-signed-server-only']).chains['self-signed-server-only'] ?? assert.fail();
  logons.certificate = new X509Certificate(cert).raw;
  const snapshot = internetSnapshot({
    authMechanism: ['Tls'],
    externalAuthEnabled: true,
    acl: usersAcl,
    authTarpitInterval: 0,
  });
  await using edge = await Receiving.start({ snapshot, certificates, logons });
  const secured = async (shown: { readonly key?: string; readonly cert?: string }): Promise<Client> => {
    const client = await edge.greeted();
    await client.ask('STARTTLS');
    await client.secure('', shown);
    return client;
  };
  const clear = await edge.greeted();
  assert.match(await clear.ask('AUTH EXTERNAL ='), /^504 /);
  const nobody = await secured({});
  assert.doesNotMatch(await nobody.ask('EHLO a'), /AUTH/);
  assert.match(await nobody.ask('AUTH EXTERNAL ='), /^504 /);
  const client = await secured({ key, cert });
  assert.match(await client.ask('EHLO a'), /\n250-AUTH EXTERNAL\n/);
  assert.match(await client.ask(`AUTH EXTERNAL ${base64('root')}`), /^535 5\.7\.8/);
  assert.match(await client.ask('AUTH EXTERNAL'), /^334 $/);
  assert.match(await client.ask(base64('Jörg')), /^235 /);
  await client.ask('MAIL FROM:<>');
  assert.match(await client.ask('RCPT TO:<anybody@elsewhere.example>'), /^250/);
  logons.certificate = Buffer.from('another');
  assert.match(await (await secured({ key, cert })).ask('EHLO a'), /AUTH EXTERNAL/);
  const other = await secured({ key, cert });
  await other.ask('EHLO a');
  assert.match(await other.ask('AUTH EXTERNAL ='), /^535 5\.7\.8/);
});
