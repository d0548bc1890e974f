/** Revocation and authorities of next hops, asked of a real responder and of CRLs. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseIpRange, systemClock } from '../../src/base/index.ts';
import { CertificateStore } from '../../src/certificates/index.ts';
import { RevocationChecker, RevocationFetch } from '../../src/certificates/revocation/index.ts';
import type { SendConnector } from '../../src/config/index.ts';
import { DnsClient } from '../../src/dns/index.ts';
import { freePort } from '../lib/ports.ts';
import { type Issued, RevocationAuthority } from '../lib/revocation-authority.ts';
import { FakeWork } from './fake-work.ts';
import { ScriptedPeer } from './scripted-peer.ts';
import { senderBench, TableResolver } from './sender-bench.ts';

const authority = new RevocationAuthority();
const certificates = await CertificateStore.open({ folder: `${authority.folder}/store`, clock: systemClock });
after(async () => {
  await certificates[Symbol.asyncDispose]();
  await authority[Symbol.asyncDispose]();
});
let issued: Readonly<Record<string, Issued>> = {};
let thumbprint = '';

before(async () => {
  const port = await freePort();
  const ocspUrl = `http://127.0.0.1:${port}`;
  issued = {
    good: authority.issue({ name: 'mx.a.test', ocspUrl }),
    revoked: authority.issue({ name: 'mx.a.test', ocspUrl, revoked: 'keyCompromise' }),
    unreachable: authority.issue({ name: 'mx.a.test', ocspUrl: 'http://127.0.0.1:1' }),
    silent: authority.issue({ name: 'mx.a.test' }),
  };
  await authority.respond('issuer', port);
  const imported = await certificates.importCertificates(Buffer.from(authority.certPem));
  thumbprint = imported.entry.thumbprint;
});

async function send(shown: string, connector: Partial<SendConnector>) {
  const pair = issued[shown];
  assert.ok(pair);
  await using peer = await ScriptedPeer.start({ tls: { key: pair.keyPem, cert: pair.certPem } });
  const resolver = new TableResolver({ 'mx.a.test': ['127.0.0.1'] });
  const dns = new DnsClient({ resolvers: [] });
  const bench = senderBench(
    { port: peer.port, smartHosts: ['mx.a.test'], ...connector },
    {
      resolver,
      authorities: certificates,
      revocation: new RevocationChecker(
        new RevocationFetch({ dns, allowed: () => [parseIpRange('127.0.0.1')] }),
        systemClock,
      ),
    },
  );
  const hop = {
    key: 'mx.a.test',
    type: 'SmartHostConnectorDelivery',
    domain: 'mx.a.test',
    connector: 'Outbound',
  } as const;
  const result = await bench.sender.deliver(new FakeWork([{ recipients: ['b@a.test'] }], { hop }));
  return { ...bench, sent: peer.messages.length, failed: result.kind === 'failed' ? result.reply : '' };
}

type Level = SendConnector['tlsAuthLevel'];

/** TlsAuthLevel × TlsRevocation × what the next hop shows × outcome. */
const rows: readonly [
  level: Level,
  revocation: SendConnector['tlsRevocation'],
  shown: string,
  failed: RegExp,
  state: string,
][] = [
  ['CertificateValidation', 'Check', 'good', /^$/, 'good'],
  ['CertificateValidation', 'Require', 'good', /^$/, 'good'],
  ['DomainValidation', 'Check', 'good', /^$/, 'good'],
  ['CertificateValidation', 'Check', 'revoked', /^4\d\d 4\.7\.5 .*revoked on 2026-01-02 \(keyCompromise\)/, 'revoked'],
  ['DomainValidation', 'Require', 'revoked', /^4\d\d 4\.7\.5 .*the certificate is revoked/, 'revoked'],
  ['CertificateValidation', 'None', 'revoked', /^$/, ''],
  ['EncryptionOnly', 'Require', 'revoked', /^$/, ''],
  ['CertificateValidation', 'Check', 'unreachable', /^$/, 'unknown'],
  [
    'CertificateValidation',
    'Require',
    'unreachable',
    /^4\d\d 4\.7\.5 .*ECONNREFUSED.*TlsRevocation Require/,
    'unknown',
  ],
  // Its issuer does not revoke it: Require would wait for ever.
  ['CertificateValidation', 'Check', 'silent', /^$/, 'good'],
  ['CertificateValidation', 'Require', 'silent', /^$/, 'good'],
];
for (const [tlsAuthLevel, tlsRevocation, shown, failed, state] of rows) {
  test(`${tlsAuthLevel ?? ''} × TlsRevocation ${tlsRevocation} × ${shown}: ${String(failed)}`, async () => {
    const sent = await send(shown, {
      tlsAuthLevel,
      tlsRevocation,
      tlsDomain: tlsAuthLevel === 'DomainValidation' ? 'mx.a.test' : null,
    });
    assert.match(sent.failed, failed);
    assert.equal(sent.sent, failed.test('') ? 1 : 0);
    assert.equal(sent.of('revocation-checked')[0]?.state ?? '', state);
  });
}

test('TlsTrustedAuthorities: only those that are named vouch for the next hop', async () => {
  const wanted = { tlsAuthLevel: 'CertificateValidation', tlsRevocation: 'None' } as const;
  assert.equal((await send('good', { ...wanted, tlsTrustedAuthorities: [thumbprint] })).sent, 1);
  const refused = await send('good', { ...wanted, tlsTrustedAuthorities: ['0'.repeat(40)] });
  assert.equal(refused.sent, 0);
  assert.match(refused.failed, /CN=Revocation Test CA is not trusted here \(TlsTrustedAuthorities\)/);
  assert.equal(
    (await send('good', { tlsTrustedAuthorities: ['0'.repeat(40)] })).sent,
    1,
    'opportunistic TLS asks nobody',
  );
});

test('a destination that TLS keeps mail from is told until it takes mail again', async () => {
  const wanted = { tlsAuthLevel: 'CertificateValidation', tlsRevocation: 'Check' } as const;
  const refused = await send('revoked', wanted);
  const [trouble] = refused.sender.tlsTroubles;
  assert.equal(trouble?.destination, 'mx.a.test');
  assert.equal(trouble.times, 1);
  assert.match(trouble.reason, /mx\.a\.test: the certificate is revoked/);
  assert.deepEqual((await send('good', wanted)).sender.tlsTroubles, []);
});
