/** TLS from the first octet and by StartTLS, and who may bind how: RFC 4511 §4.14, RFC 4513. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { link, readdir, rename } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { systemClock } from '../../src/base/index.ts';
import type { NameSteps } from '../../src/certificates/index.ts';
import { peerOf } from '../../src/directory/face/access/peer.ts';
import { bindOperation } from '../../src/directory/face/operations/bind-operation.ts';
import type { OperationContext } from '../../src/directory/face/operations/operation.ts';
import {
  Argon2Hasher,
  DirectoryClient,
  localAdministrator,
  type Principal,
  StoreAuthenticator,
} from '../../src/directory/index.ts';
import { LdapError } from '../../src/ldap/index.ts';
import { ca, caPair, certificate, commonName, contextOf, dayMs, leaf, makePair, organization } from './certificates.ts';
import { adminDn, type Face, password, root, startFace, userDn } from './face.ts';
import { bindOp, extendedOp, message, RawClient, saslBindOp, searchOp } from './raw-client.ts';

const startTls = '1.3.6.1.4.1.1466.20037';
let face: Face;
let current = contextOf('first');
let securePort = 0;
before(async () => {
  face = await startFace({ tls: { secureContext: () => current, authoritiesNameAccounts: true } });
  securePort = (await face.server.listen({ host: '127.0.0.1', port: 0, tls: true })).port;
});
after(() => face[Symbol.asyncDispose]());

const trusted = { ca, servername: 'localhost' };
const refused = (code: string) => (error: unknown) => error instanceof LdapError && error.code === code;

test('ldaps and StartTLS with the client of the product', async () => {
  const bind = { dn: adminDn, password };
  for (const options of [
    { url: `ldaps://127.0.0.1:${securePort}`, tls: trusted },
    { url: face.url, startTls: true, tls: trusted },
  ]) {
    await using client = new DirectoryClient({ ...options, bind });
    assert.equal((await client.get(root))?.dn, root);
  }
  assert.ok(face.events.some((event) => event.kind === 'tls' && event.protocol.startsWith('TLSv1.')));
});

test('a new certificate counts for the next handshake', async () => {
  const subjectOf = async (): Promise<string | string[] | undefined> => {
    const socket = connect({ host: '127.0.0.1', port: securePort, ...trusted });
    await once(socket, 'secureConnect');
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return CN;
  };
  assert.equal(await subjectOf(), 'first');
  current = contextOf('second');
  assert.equal(await subjectOf(), 'second');
});

test('TLS 1.1 is refused', async () => {
  const socket = connect({
    host: '127.0.0.1',
    port: securePort,
    ...trusted,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'ALL:@SECLEVEL=0',
  });
  const [error] = (await once(socket, 'error')) as [Error];
  assert.match(error.message, /protocol|alert/i);
});

const certificates: readonly (readonly [name: string, subject: NameSteps, trustedIssuer: boolean, expected: string])[] =
  [
    ['the administrator', [organization('Test'), commonName('Admin')], true, `dn:${adminDn}`],
    ['a plain account', [organization('Test'), commonName('user')], true, `dn:${userDn}`],
    ['nobody known', [commonName('stranger')], true, 'invalidCredentials'],
    ['the administrator, by another CA', [organization('Test'), commonName('admin')], false, 'invalidCredentials'],
  ];

for (const [name, subject, isTrusted, expected] of certificates) {
  test(`EXTERNAL with the certificate of ${name}`, async () => {
    const own = leaf(subject, isTrusted ? caPair : makePair());
    await using client = new DirectoryClient({
      url: `ldaps://127.0.0.1:${securePort}`,
      bind: 'external',
      tls: { ...trusted, ...own },
    });
    if (!expected.startsWith('dn:')) {
      await assert.rejects(client.connect(), refused(expected));
      return;
    }
    await client.connect();
    const bound = face.events.filter((event) => event.kind === 'bind').at(-1);
    assert.deepEqual([bound?.dn, bound?.method, bound?.code], [expected.slice(3), 'EXTERNAL', 0]);
  });
}

test('EXTERNAL with a certificate that an account holds, whoever issued it', async () => {
  const pair = makePair();
  const own = certificate([commonName('anything')], pair, pair);
  const raw = new X509Certificate(own.cert).raw;
  await using pinned = await startFace({ tls: { secureContext: () => current } });
  const { port } = await pinned.server.listen({ host: '127.0.0.1', port: 0, tls: true });
  const url = `ldaps://127.0.0.1:${port}`;
  const connect = async (with_: { cert: string; key: string }): Promise<void> => {
    await using client = new DirectoryClient({ url, bind: 'external', tls: { ...trusted, ...with_ } });
    await client.connect();
  };
  await assert.rejects(connect(own), refused('invalidCredentials'));
  const byAuthority = leaf([organization('Test'), commonName('admin')]);
  await assert.rejects(connect(byAuthority), refused('invalidCredentials'), 'no authority names accounts here');
  const classes = { operation: 'add', attribute: 'objectClass', values: [Buffer.from('pkiUser')] } as const;
  const hold = { operation: 'add', attribute: 'userCertificate', values: [raw] } as const;
  await pinned.store.modify(userDn, [classes, hold], { actor: adminDn });
  await connect(own);
  const bound = pinned.events.filter((event) => event.kind === 'bind').at(-1);
  assert.deepEqual([bound?.dn, bound?.code], [userDn, 0]);
  // Two holders leave it open who it is; an entry that is no account does not count.
  await pinned.store.modify(`cn=Ann,ou=People,${root}`, [hold], { actor: adminDn });
  await connect(own);
  await pinned.store.modify(adminDn, [classes, hold], { actor: adminDn });
  await assert.rejects(connect(own), refused('invalidCredentials'));
});

test('a certificate out of its time proves nothing', async () => {
  await using own = await startFace();
  const authenticator = new StoreAuthenticator({
    store: own.store,
    hasher: new Argon2Hasher(),
    clock: systemClock,
    isAccountName: () => true,
  });
  const facts = { subject: userDn, raw: Buffer.from('x'), trusted: true };
  for (const [notBefore, notAfter] of [
    [Date.now() + dayMs, Date.now() + 2 * dayMs],
    [Date.now() - dayMs, Date.now() - 1],
  ] as const) {
    await assert.rejects(
      authenticator.authenticateCertificate({ ...facts, notBefore, notAfter }),
      refused('invalidCredentials'),
    );
  }
  const now = { ...facts, notBefore: 0, notAfter: Date.now() + dayMs };
  assert.equal((await authenticator.authenticateCertificate(now)).dn, userDn);
});

test('EXTERNAL as someone else is refused', async () => {
  using client = await RawClient.connect(decodeURIComponent(face.local.slice('ldapi://'.length)));
  assert.equal((await client.ask(saslBindOp('EXTERNAL', `dn:${adminDn}`))).code, 49);
  assert.equal((await client.ask(saslBindOp('EXTERNAL', 'dn:CN=Local Administrator'))).code, 0);
});

test('what is known before StartTLS is forgotten', async () => {
  using plain = await RawClient.connect(face.port);
  assert.equal((await plain.ask(bindOp(adminDn, password))).code, 0);
  assert.deepEqual((await plain.ask(extendedOp(startTls))).code, 0);
  plain.socket.removeAllListeners('data');
  const socket = connect({ socket: plain.socket, ...trusted });
  await once(socket, 'secureConnect');
  socket.write(message(9, extendedOp('1.3.6.1.4.1.4203.1.11.3')));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.ok(!answer.includes(adminDn));
  socket.write(message(10, extendedOp(startTls)));
  const [again] = (await once(socket, 'data')) as [Buffer];
  assert.ok(again.includes('TLS is in force already'));
  socket.destroy();
});

test('requests in clear behind StartTLS are not taken for requests over TLS', async () => {
  using client = await RawClient.connect(face.port);
  client.socket.write(Buffer.concat([message(1, extendedOp(startTls)), message(2, searchOp({ base: '' }))]));
  const answers = [await client.next(), await client.next(), await client.next()];
  assert.equal(answers[0]?.code, 1, 'StartTLS is refused');
  assert.equal(answers[2]?.code, 0, 'the search is answered in clear');
});

for (const [name, port] of [
  ['after StartTLS', 0],
  ['on the port for TLS', 1],
] as const) {
  test(`nonsense instead of a handshake ${name} ends that connection only`, async () => {
    using client = await RawClient.connect(port === 0 ? face.port : securePort);
    if (port === 0) assert.equal((await client.ask(extendedOp(startTls))).code, 0);
    const ended = once(client.socket, 'close');
    client.socket.removeAllListeners('data');
    client.socket.resume();
    client.socket.write('this is no ClientHello at all, whatever it may look like');
    await ended;
    using next = await RawClient.connect(face.port);
    assert.equal((await next.ask(searchOp({ base: '' }))).code, 0);
  });
}

test('a password in clear from another machine is refused unread', async () => {
  const seen: string[] = [];
  const authenticate = async (name: string): Promise<Principal> => {
    seen.push(name);
    throw new LdapError('invalidCredentials', 'no');
  };
  const bind = bindOperation({ authenticate }, () => undefined, 1024);
  const peer = peerOf({ remoteAddress: '::ffff:192.0.2.7', remotePort: 50_000 } as Socket);
  const session = {
    id: '1',
    peer,
    principal: localAdministrator,
    kept: new Map(),
    cancel: () => 'noSuchOperation' as const,
  };
  const credentials = { method: 'simple', password: Buffer.from(password) } as const;
  const answer = bind({ kind: 'bind', version: 3, name: adminDn, credentials }, {
    session,
  } as unknown as OperationContext);
  await assert.rejects(answer, refused('confidentialityRequired'));
  assert.deepEqual([seen, session.principal.kind], [[], 'anonymous']);
});

test('failures lock the account for the address, and the answer stays the same', async () => {
  await using own = await startFace();
  using client = await RawClient.connect(own.port);
  const answers = [];
  for (let i = 0; i < 5; i += 1) answers.push(await client.ask(bindOp(userDn, `guess ${i}`)));
  answers.push(await client.ask(bindOp(userDn, password)));
  assert.deepEqual(new Set(answers.map(({ code, message: text }) => `${code} ${text}`)).size, 1);
  assert.equal((await client.ask(bindOp(adminDn, password))).code, 0, 'another account is not concerned');
});

for (const [name, attribute, value] of [
  ['a disabled account', 'edgeAccountDisabled', 'TRUE'],
  ['an account disabled as in AD LDS', 'msDS-UserAccountDisabled', 'TRUE'],
  ['an expired account', 'edgeAccountExpires', '20200101000000Z'],
  ['a locked account', 'edgeLockedUntil', '20990101000000Z'],
] as const) {
  test(`${name} does not bind`, async () => {
    await using own = await startFace();
    const change = [{ operation: 'replace', attribute, values: [Buffer.from(value)] }] as const;
    if (attribute.startsWith('msDS')) {
      const classes = [
        { operation: 'add', attribute: 'objectClass', values: [Buffer.from('securityPrincipal')] },
      ] as const;
      await own.store.modify(userDn, classes, { actor: adminDn });
    }
    await own.store.modify(userDn, change, { actor: adminDn });
    using client = await RawClient.connect(own.port);
    assert.equal((await client.ask(bindOp(userDn, password))).code, 49);
  });
}

test('a socket left behind by a killed process is replaced, one in use is not', async () => {
  await using own = await startFace();
  const path = `${own.folder}/other`;
  const stale = createServer().listen(path);
  await once(stale, 'listening');
  await assert.rejects(own.server.listen({ path }), { code: 'EADDRINUSE' });
  // Closing unlinks; a kill does not: put the name back to a socket that nobody listens on.
  await link(path, `${path}.kept`);
  stale.close();
  await once(stale, 'close');
  await rename(`${path}.kept`, path);
  await own.server.listen({ path });
  using client = await RawClient.connect(path);
  assert.equal((await client.ask(searchOp({ base: '' }))).code, 0);
  assert.ok((await readdir(own.folder)).includes('other'));
});
