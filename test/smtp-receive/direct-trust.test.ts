/** Direct trust: who shows a key that the directory pins is that server, and nobody else is. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { keyDigest, systemClock } from '../../src/base/index.ts';
import { CertificateStore } from '../../src/certificates/index.ts';
import {
  AcceptedDomainTable,
  ace,
  acesOfGroups,
  type InternalServer,
  type ReceiveConnector,
  type Snapshot,
  testSnapshot,
  wellKnownSids,
} from '../../src/config/index.ts';
import { sentenceOf } from '../../src/logs/index.ts';
import { organizationLimits, Rehearsal } from '../../src/smtp-receive/what-if/index.ts';
import { internetSnapshot, Receiving } from './receiving.ts';

const folder = mkdtempSync(`${tmpdir()}/edge-direct-trust-`);
const certificates = await CertificateStore.open({ folder: `${folder}/certificates`, clock: systemClock });
await certificates.ensureServerCertificate('mail.example.net');
after(async () => {
  await certificates[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

interface Made {
  readonly key: string;
  readonly cert: string;
  readonly digest: string;
}

/** Self-signed, as Exchange makes its own. `options`: of `openssl req`. */
function make(name: string, subject: string, ...options: string[]): Made {
  const [key, cert] = [`${folder}/${name}.key`, `${folder}/${name}.pem`];
  const kind = options.length > 0 ? options : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const whole = ['req', '-x509', '-nodes', '-subj', `/CN=${subject}`, '-keyout', key, '-out', cert, ...kind];
  execFileSync('openssl', whole, { stdio: 'pipe' });
  const pem = readFileSync(cert, 'utf8');
  return { key: readFileSync(key, 'utf8'), cert: pem, digest: keyDigest(new X509Certificate(pem)) };
}

const hub = make('hub', 'hub1.corp.example');
const next = make('next', 'hub1.corp.example', '-newkey', 'rsa:2048');
const impostor = make('impostor', 'hub1.corp.example');
/** The key of the hub in a certificate that ended long ago, for another name. */
const expired = ((): Made => {
  const cert = `${folder}/expired.pem`;
  const request = `${folder}/expired.csr`;
  execFileSync('openssl', ['req', '-new', '-key', `${folder}/hub.key`, '-subj', '/CN=old', '-out', request]);
  const signed = ['x509', '-req', '-in', request, '-signkey', `${folder}/hub.key`, '-days', '-1', '-out', cert];
  execFileSync('openssl', signed, { stdio: 'pipe' });
  return { ...hub, cert: readFileSync(cert, 'utf8') };
})();

const pinned = (...keys: Made[]): readonly InternalServer[] => [
  { name: 'hub1.corp.example', keys: keys.map(({ digest }) => digest) },
];

/** The Edge server's own connector. */
function withServers(internalServers: readonly InternalServer[], change: Partial<ReceiveConnector> = {}): Snapshot {
  const acl = acesOfGroups(['AnonymousUsers', 'ExchangeServers', 'Partners']);
  return internetSnapshot({ authMechanism: ['Tls', 'ExchangeServer'], acl, ...change }, { internalServers });
}

const relayed = '250 2.1.5 Recipient OK';
const refused = '550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain';

/** What the server of a stranger's domain is answered when it wants mail sent on; 'clear': without TLS; 'none': no certificate. */
async function relayReply(edge: Receiving, shown: Made | 'none' | 'clear'): Promise<string> {
  const client = await edge.greeted();
  if (shown !== 'clear') {
    assert.match(await client.ask('STARTTLS'), /^220/);
    await client.secure('', shown === 'none' ? {} : shown);
    await client.ask('EHLO hub1.corp.example');
  }
  assert.match(await client.ask('MAIL FROM:<a@example.test>'), /^250/);
  const reply = await client.ask('RCPT TO:<b@far.example>');
  client.socket.destroy();
  return reply;
}

const rows: readonly [what: string, snapshot: Snapshot, shown: Made | 'none' | 'clear', reply: string, told: string][] =
  [
    [
      'a pinned key',
      withServers(pinned(hub)),
      hub,
      relayed,
      `the client is the internal server hub1.corp.example by its key ${hub.digest}`,
    ],
    ['a pinned key in an expired certificate', withServers(pinned(hub)), expired, relayed, hub.digest],
    ['the old one of two keys', withServers(pinned(hub, next)), hub, relayed, hub.digest],
    ['the new one of two keys', withServers(pinned(hub, next)), next, relayed, next.digest],
    [
      'a key that was taken away',
      withServers(pinned(next)),
      hub,
      refused,
      `no internal server has this key (${hub.digest})`,
    ],
    [
      'the same subject with another key',
      withServers(pinned(hub)),
      impostor,
      refused,
      'no internal server has this key',
    ],
    ['no certificate', withServers(pinned(hub)), 'none', refused, 'the client showed no certificate'],
    ['no STARTTLS', withServers(pinned(hub)), 'clear', refused, ''],
    ['a connector without ExchangeServer', withServers(pinned(hub), { authMechanism: ['Tls'] }), hub, refused, ''],
    ['a server without certificates', withServers(pinned()), hub, refused, ''],
    [
      'a connector without the group',
      withServers(pinned(hub), { acl: acesOfGroups(['AnonymousUsers']) }),
      hub,
      '530',
      hub.digest,
    ],
  ];
for (const [what, snapshot, shown, reply, told] of rows) {
  test(`${what}: ${reply}`, async () => {
    await using edge = await Receiving.start({ certificates, snapshot });
    if (reply === '530') {
      const client = await edge.greeted();
      await client.ask('STARTTLS');
      await client.secure('', hub);
      await client.ask('EHLO hub1.corp.example');
      assert.match(await client.ask('MAIL FROM:<a@example.test>'), /^530 /);
    } else assert.equal(await relayReply(edge, shown), reply);
    const events = edge.of('direct-trust');
    assert.equal(events.length, told === '' ? 0 : 1);
    for (const event of events) assert.ok(sentenceOf({ ...event }).includes(told), sentenceOf({ ...event }));
  });
}

test('a key that is pinned or taken away counts for the next session, and the session that runs stays who it is', async () => {
  await using edge = await Receiving.start({ certificates, snapshot: withServers([]) });
  assert.equal(await relayReply(edge, hub), refused);
  assert.equal(edge.of('direct-trust').length, 0);
  edge.snapshots.set({ ...edge.snapshots.current, internalServers: pinned(hub) });
  assert.equal(await relayReply(edge, hub), relayed);
  const running = await edge.greeted();
  await running.ask('STARTTLS');
  await running.secure('', hub);
  await running.ask('EHLO hub1.corp.example');
  edge.snapshots.set({ ...edge.snapshots.current, internalServers: pinned(next) });
  assert.equal(await relayReply(edge, hub), refused);
  assert.equal(await relayReply(edge, next), relayed);
  assert.match(await running.ask('MAIL FROM:<a@example.test>'), /^250/);
  assert.equal(await running.ask('RCPT TO:<b@far.example>'), relayed);
  assert.match(await running.ask('AUTH LOGIN'), /^50[23]/);
});

test('sessions resume, and are who they were, as long as the key is pinned; tickets are worth nothing elsewhere', async () => {
  certificates.shareTickets(Buffer.alloc(48, 7));
  await using edge = await Receiving.start({ certificates, snapshot: withServers(pinned(hub)) });
  const talk = async (shown: Partial<Made>, session?: Buffer) => {
    const client = await edge.greeted();
    await client.ask('STARTTLS');
    client.socket.removeAllListeners();
    const { key, cert } = shown;
    const own = key === undefined ? {} : { key, cert };
    const socket = connectTls({
      socket: client.socket,
      rejectUnauthorized: false,
      ...own,
      ...(session && { session }),
    });
    const tickets: Buffer[] = [];
    socket.on('session', (ticket: Buffer) => tickets.push(ticket));
    await once(socket, 'secureConnect');
    const reused = socket.isSessionReused();
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += String(chunk)));
    socket.write('EHLO x\r\nMAIL FROM:<a@example.test>\r\nRCPT TO:<b@far.example>\r\nQUIT\r\n');
    while (!/^221 /m.test(text)) await once(socket, 'data');
    socket.destroy();
    return { reused, relays: text.includes(relayed), ticket: tickets.at(-1) };
  };
  const [first, stranger] = [await talk(hub), await talk({})];
  assert.deepEqual([first.reused, first.relays, stranger.reused, stranger.relays], [false, true, false, false]);
  const [again, strangerAgain] = [await talk({}, first.ticket), await talk({}, stranger.ticket)];
  assert.deepEqual(
    [again.reused, again.relays, strangerAgain.reused, strangerAgain.relays],
    [true, true, true, false],
    'the ticket has the key of the first session, and no other',
  );
  edge.snapshots.set({ ...edge.snapshots.current, internalServers: pinned(next) });
  assert.equal((await talk({}, first.ticket)).relays, false, 'the key is pinned no more');
  const [connector] = edge.snapshots.current.receiveConnectors;
  assert.ok(connector);
  for (const change of [{ tlsSenderCertificateName: 'hub1.corp.example' }, { authMechanism: ['Tls' as const] }]) {
    edge.snapshots.set({ ...edge.snapshots.current, receiveConnectors: [{ ...connector, ...change }] });
    assert.equal((await talk({}, stranger.ticket)).reused, false, JSON.stringify(change));
  }
});

test('fields of the organization pass from a pinned server, and are taken from others', async () => {
  await using edge = await Receiving.start({ certificates, snapshot: withServers(pinned(hub)) });
  for (const shown of [hub, impostor]) {
    const client = await edge.greeted();
    await client.ask('STARTTLS');
    await client.secure('', shown);
    await client.ask('EHLO hub1.corp.example');
    assert.match(await client.message('X-MS-Exchange-Organization-SCL: -1\r\nSubject: x\r\n\r\n'), /^250/);
  }
  const kept = edge.queue.kept.map(({ content }) => content.includes('X-MS-Exchange-Organization-SCL: -1'));
  assert.deepEqual(kept, [true, false]);
});

test('a pinned server brings mail of a secure domain, and still has to meet the name that the connector demands', async () => {
  const organization = { ...testSnapshot().organization, tlsReceiveDomainSecureList: ['example.test'] };
  const secure = withServers(pinned(hub), { domainSecureEnabled: true });
  await using edge = await Receiving.start({ certificates, snapshot: { ...secure, organization } });
  assert.equal(await relayReply(edge, hub), relayed);
  await assert.rejects(relayReply(edge, impostor), /454 4\.7\.5/);
  const named = withServers(pinned(hub), { tlsSenderCertificateName: 'other.example' });
  await using strict = await Receiving.start({ certificates, snapshot: named });
  await assert.rejects(relayReply(strict, hub), /454 4\.7\.5/);
});

test('an entry for the SID of Exchange servers that denies is obeyed', async () => {
  const acl = [
    ...acesOfGroups(['AnonymousUsers', 'ExchangeServers']),
    ace(wellKnownSids.hub, 'ms-Exch-SMTP-Accept-Any-Recipient', true),
  ];
  await using edge = await Receiving.start({ certificates, snapshot: withServers(pinned(hub), { acl }) });
  assert.equal(await relayReply(edge, hub), refused);
});

test('the rehearsal of a session knows the server, too', async () => {
  const snapshot = withServers(pinned(hub));
  const [connector] = snapshot.receiveConnectors;
  assert.ok(connector !== undefined);
  const principalOf = async ({ cert }: Made): Promise<string> => {
    const question = {
      connector,
      serverFqdn: snapshot.server.fqdn,
      secureDomains: [],
      internalServers: snapshot.internalServers,
      limits: organizationLimits(snapshot.organization),
      domains: new AcceptedDomainTable(snapshot.acceptedDomains),
      localAddress: '127.0.0.1',
      remoteAddress: '127.0.0.1',
    };
    const rehearsal = new Rehearsal(question, { clock: systemClock, certificates });
    await rehearsal.greeting(0);
    rehearsal.secured({ certificates: [new X509Certificate(cert).raw], opensslError: '' });
    return rehearsal.principal.name;
  };
  assert.equal(await principalOf(hub), 'hub1.corp.example');
  assert.equal(await principalOf(impostor), 'NT AUTHORITY\\ANONYMOUS LOGON');
});
