/** Revocation and authorities of clients, asked of a real responder; the client is `openssl s_client`. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { parseIpRange, systemClock } from '../../src/base/index.ts';
import { CertificateStore } from '../../src/certificates/index.ts';
import { RevocationChecker, RevocationFetch } from '../../src/certificates/revocation/index.ts';
import type { ReceiveConnector } from '../../src/config/index.ts';
import { DnsClient } from '../../src/dns/index.ts';
import { freePort } from '../lib/ports.ts';
import { RevocationAuthority } from '../lib/revocation-authority.ts';
import { internetSnapshot, Receiving } from './receiving.ts';

const authority = new RevocationAuthority();
const certificates = await CertificateStore.open({ folder: `${authority.folder}/store`, clock: systemClock });
after(async () => {
  await certificates[Symbol.asyncDispose]();
  await authority[Symbol.asyncDispose]();
});
let thumbprint = '';

before(async () => {
  const port = await freePort();
  const ocspUrl = `http://127.0.0.1:${port}`;
  const rows = {
    good: authority.issue({ name: 'client.a.test', ocspUrl }),
    revoked: authority.issue({ name: 'client.a.test', ocspUrl, revoked: 'superseded' }),
    unreachable: authority.issue({ name: 'client.a.test', ocspUrl: 'http://127.0.0.1:1' }),
  };
  for (const [name, { certPem, keyPem }] of Object.entries(rows))
    writeFileSync(`${authority.folder}/${name}.pem`, certPem + keyPem, { mode: 0o600 });
  await authority.respond('issuer', port);
  await certificates.ensureServerCertificate('mail.example.net');
  thumbprint = (await certificates.importCertificates(Buffer.from(authority.certPem))).entry.thumbprint;
});

/** The reply to MAIL of a client that shows the certificate. */
async function mailReply(edge: Receiving, shown: string): Promise<string> {
  const child = spawn(
    'openssl',
    [
      ...['s_client', '-quiet', '-starttls', 'smtp', '-connect', `127.0.0.1:${edge.port}`],
      ...['-cert', `${authority.folder}/${shown}.pem`, '-key', `${authority.folder}/${shown}.pem`],
    ],
    { stdio: ['pipe', 'pipe', 'ignore'] },
  );
  child.stdin.write('EHLO client.a.test\r\nMAIL FROM:<a@a.test>\r\nQUIT\r\n');
  let text = '';
  for await (const chunk of child.stdout) text += String(chunk);
  if (child.exitCode === null) await once(child, 'exit');
  return text.split('\r\n').findLast((line) => /^(?:250 2\.1\.0|[45]\d\d )/.test(line)) ?? text;
}

/** TlsRevocation × what the client shows × reply to MAIL. */
const rows: readonly [revocation: ReceiveConnector['tlsRevocation'], shown: string, reply: RegExp, state: string][] = [
  ['Check', 'good', /^250 /, 'good'],
  ['Require', 'good', /^250 /, 'good'],
  ['Check', 'revoked', /^454 4\.7\.5 .*is revoked: OCSP says revoked on 2026-01-02 \(superseded\)/, 'revoked'],
  ['None', 'revoked', /^250 /, ''],
  ['Check', 'unreachable', /^250 /, 'unknown'],
  ['Require', 'unreachable', /^454 4\.7\.5 .*whether CN=client\.a\.test is revoked is not known/, 'unknown'],
];
for (const [tlsRevocation, shown, reply, state] of rows) {
  test(`TlsRevocation ${tlsRevocation} × ${shown}: ${String(reply)}`, async () => {
    await using edge = await Receiving.start({
      certificates,
      revocation: new RevocationChecker(
        new RevocationFetch({ dns: new DnsClient({ resolvers: [] }), allowed: () => [parseIpRange('127.0.0.1')] }),
        systemClock,
      ),
      snapshot: internetSnapshot({ tlsSenderCertificateName: 'client.a.test', tlsRevocation }),
    });
    assert.match(await mailReply(edge, shown), reply);
    assert.equal(edge.of('revocation-checked')[0]?.state ?? '', state);
  });
}

test('TlsTrustedAuthorities: only clients of the authorities that are named are partners', async () => {
  for (const [only, reply] of [
    [[thumbprint], /^250 /],
    [['0'.repeat(40)], /^454 4\.7\.5 .*not trusted here/],
  ] as const) {
    await using edge = await Receiving.start({
      certificates,
      snapshot: internetSnapshot({
        tlsSenderCertificateName: 'client.a.test',
        tlsRevocation: 'None',
        tlsTrustedAuthorities: only,
      }),
    });
    assert.match(await mailReply(edge, 'good'), reply);
  }
});
