/** Our own MTA-STS policy on the wire: fetched by our own client as senders do, and asked by strangers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { type Clock, systemClock } from '../../src/base/index.ts';
import { CertificateStore } from '../../src/certificates/index.ts';
import { testAcceptedDomain, testSnapshot, testSnapshotSource } from '../../src/config/index.ts';
import { type OwnPolicySettings, PolicyServer } from '../../src/mta-sts/index.ts';
import { fetchStsPolicy } from '../../src/smtp-send/policies/sts-fetch.ts';

const folder = mkdtempSync(`${tmpdir()}/edge-policy-`);
const store = await CertificateStore.open({ folder, clock: systemClock });
after(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});
const host = 'mta-sts.contoso.test';
const { chainPem } = await store.makeSelfSigned({
  subject: [[{ oid: '2.5.4.3', value: host }]],
  dnsNames: [host, 'mta-sts.elsewhere.test'],
  services: ['SMTP'],
  friendlyName: '',
  exportable: false,
  algorithm: 'ECDSA',
  keyBits: 2048,
});
const trust = createSecureContext({ ca: chainPem });

/** A policy host for contoso.test and fabrikam.test, which has no certificate. */
async function started(settings: Partial<OwnPolicySettings> = {}, clock: Clock = systemClock) {
  const { server } = testSnapshot();
  const snapshots = testSnapshotSource(
    testSnapshot({
      server: {
        ...server,
        mtaStsPolicyMode: 'Enforce',
        mtaStsPolicyMx: ['mx1.contoso.test', '*.mx.test'],
        ...settings,
      },
      acceptedDomains: ['contoso.test', 'fabrikam.test'].map((domainName) => testAcceptedDomain({ domainName })),
    }),
  );
  const policy = new PolicyServer({ snapshots, certificates: store, clock });
  const { port } = await policy.serve({ port: 0, host: '127.0.0.1' }, { address: '127.0.0.1', port: 443 });
  return { policy, port, [Symbol.asyncDispose]: () => policy[Symbol.asyncDispose]() };
}

const fetchFrom = (port: number, domain = 'contoso.test') =>
  fetchStsPolicy(
    domain,
    { addresses: async () => ['127.0.0.1'], port, secureContext: trust, timeoutMs: 30_000 },
    new AbortController().signal,
  );

test('our own client takes the policy', async () => {
  await using server = await started();
  assert.deepEqual(await fetchFrom(server.port), {
    mode: 'enforce',
    mx: ['mx1.contoso.test', '*.mx.test'],
    maxAge: 604_800,
  });
});

test('a policy that names no host names the server, and mode None takes an earlier policy back', async () => {
  await using server = await started({ mtaStsPolicyMode: 'None', mtaStsPolicyMx: [], mtaStsPolicyMaxAge: 86_400 });
  assert.deepEqual(await fetchFrom(server.port), { mode: 'none', mx: ['edge1.example.net'], maxAge: 86_400 });
});

test('domains that are not accepted here, and those without a certificate, get no handshake', async () => {
  await using server = await started();
  for (const domain of ['elsewhere.test', 'fabrikam.test'])
    await assert.rejects(fetchFrom(server.port, domain), /could not be asked/, domain);
});

interface Asked {
  readonly status: number;
  readonly type: string | undefined;
  readonly text: string;
}
function ask(
  port: number,
  change: { method?: string; path?: string; headers?: Record<string, string> },
): Promise<Asked> {
  const { promise, resolve, reject } = Promise.withResolvers<Asked>();
  const call = request({
    host: '127.0.0.1',
    port,
    servername: host,
    ca: chainPem,
    agent: false,
    path: '/.well-known/mta-sts.txt',
    headers: { host },
    ...change,
  });
  call.on('error', reject);
  call.on('response', (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (text += chunk));
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'], text }),
    );
  });
  call.end();
  return promise;
}

test('the text is that of RFC 8461 §3.2, and nothing else is served', async () => {
  await using server = await started();
  assert.deepEqual(await ask(server.port, {}), {
    status: 200,
    type: 'text/plain',
    text: 'version: STSv1\r\nmode: enforce\r\nmx: mx1.contoso.test\r\nmx: *.mx.test\r\nmax_age: 604800\r\n',
  });
  for (const [change, status] of [
    [{ path: '/' }, 404],
    [{ path: '/.well-known/mta-sts.txt?x' }, 404],
    [{ path: '/.well-known/../.well-known/mta-sts.txt' }, 404],
    [{ method: 'POST' }, 405],
    [{ headers: { host: 'mta-sts.fabrikam.test' } }, 421],
    [{ headers: { host: 'evil.test' } }, 421],
  ] as const)
    assert.equal((await ask(server.port, change)).status, status, JSON.stringify(change));
  assert.equal((await ask(server.port, { method: 'HEAD' })).text, '');
});

test('strangers cost little: large requests, silence and crowds end', async () => {
  let now = 0;
  const calls: (() => void)[] = [];
  const clock: Clock = {
    now: () => Date.now(),
    monotonic: () => now,
    after: (_delayMs, call) => {
      calls.push(call);
      return { cancel: () => undefined };
    },
  };
  await using server = await started({}, clock);
  await assert.rejects(ask(server.port, { headers: { host, filler: 'x'.repeat(8_192) } }), /socket|ECONNRESET/);

  const closed = (socket: ReturnType<typeof connect>): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
    return promise;
  };
  const silent = Array.from({ length: 8 }, () => connect(server.port, '127.0.0.1'));
  await Promise.all(silent.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  // The ninth of one address is cut at once.
  await closed(connect(server.port, '127.0.0.1'));
  assert.equal(silent.filter(({ destroyed }) => destroyed).length, 0);
  // Whoever says nothing is cut when its time is over.
  const ends = silent.map(closed);
  for (const call of calls.splice(0)) call();
  await Promise.all(ends);
  // Ten of one address in a second, which leaves others their share; then a second later again.
  now += 1_000;
  for (let i = 0; i < 20; i++) await closed(connectTls({ port: server.port, host: '127.0.0.1', servername: 'x.test' }));
  await assert.rejects(fetchFrom(server.port), /could not be asked/);
  const other = connect({ port: server.port, host: '127.0.0.1', localAddress: '127.0.0.2' });
  const cut = closed(other);
  await once(other, 'connect');
  // The server's refusal would be there before its answer to a handshake of another connection.
  await assert.rejects(fetchFrom(server.port), /could not be asked/);
  assert.equal(other.destroyed, false);
  other.destroy();
  await cut;
  now += 1_000;
  assert.equal((await fetchFrom(server.port)).mode, 'enforce');
});
