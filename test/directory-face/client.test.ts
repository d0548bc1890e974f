import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { DirectoryClient } from '../../src/directory/index.ts';
import { equals, LdapError } from '../../src/ldap/index.ts';
import { addEntry, adminDn, type Face, password, root, startFace } from './face.ts';

let face: Face;
const people = `ou=People,${root}`;
const blob = Buffer.from([0xff, 0x00, 0x2a, 0x5c, 0x28, 0x29, 0x80, 0xfe]);
const refused = (code: string) => (error: unknown) => error instanceof LdapError && error.code === code;

before(async () => {
  face = await startFace();
  await addEntry(face.store, `ou=Many,${root}`, { objectClass: ['top', 'organizationalUnit'] });
  for (let i = 0; i < 120; i += 1)
    await addEntry(face.store, `cn=n${i},ou=Many,${root}`, { objectClass: ['top', 'person'], sn: 'x' });
});
after(() => face[Symbol.asyncDispose]());

const admin = (options = {}): DirectoryClient =>
  new DirectoryClient({ url: face.url, bind: { dn: adminDn, password }, ...options });
const values = (list: Readonly<Record<string, readonly (string | Buffer)[]>>) =>
  Object.entries(list).map(([attribute, all]) => ({ attribute, values: all.map((one) => Buffer.from(one)) }));

test('the whole round, with octets', async () => {
  await using client = admin();
  const dn = `cn=Made,${people}`;
  await client.add(
    dn,
    values({ objectClass: ['edgeRecipient'], edgeHashedAddress: [blob], mail: ['made@example.com'] }),
  );
  const [found] = await client.searchAll({
    base: root,
    filter: equals('edgeHashedAddress', blob),
    attributes: ['edgeHashedAddress', 'mail'],
  });
  assert.equal(found?.dn, dn);
  assert.deepEqual(found.buffers('EDGEHASHEDADDRESS'), [blob]);
  assert.deepEqual(found.values('mail'), ['made@example.com']);
  assert.equal(await client.compare(dn, 'edgeHashedAddress', blob), true);
  assert.equal(await client.compare(dn, 'mail', 'other'), false);
  await client.modify(dn, [
    { operation: 'add', attribute: 'edgeHashedAddress', values: [Buffer.concat([blob, blob])] },
    { operation: 'replace', attribute: 'mail', values: [] },
  ]);
  const changed = await client.get(dn);
  assert.deepEqual([changed?.buffers('edgeHashedAddress').length, changed?.values('mail')], [2, []]);
  const moved = `cn=Made\\, elsewhere,${root}`;
  await client.rename(dn, moved);
  assert.equal((await client.get(moved))?.dn, moved);
  await client.delete(moved);
  assert.equal(await client.get(moved), undefined);
});

test('a change with an assertion is done on what was read, and on nothing else', async () => {
  await using client = admin();
  const dn = `cn=Ann,${people}`;
  const usn = (await client.get(dn, ['uSNChanged']))?.values('uSNChanged')[0] ?? '';
  const change = (text: string) =>
    client.modifyIf(equals('uSNChanged', usn), dn, [
      { operation: 'replace', attribute: 'description', values: [Buffer.from(text)] },
    ]);
  await change('first');
  await assert.rejects(change('second'), refused('assertionFailed'));
  assert.deepEqual((await client.get(dn))?.values('description'), ['first']);
});

test('every page is read, whatever the page size', async () => {
  for (const pageSize of [1, 7, 60, 120, 500]) {
    await using client = admin({ pageSize });
    const found = await client.searchAll({ base: `ou=Many,${root}`, scope: 'one', attributes: ['1.1'] });
    assert.equal(new Set(found.map(({ dn }) => dn)).size, 120);
  }
});

test('a filter as text', async () => {
  await using client = admin();
  const found = await client.searchAll({ base: people, filter: '(&(sn=*er)(!(cn=Bob)))' });
  assert.deepEqual(
    found.map(({ dn }) => dn),
    [`cn=Ann,${people}`, `cn=Zoë,${people}`],
  );
});

test('a size limit that is passed is an error, after the entries', async () => {
  await using client = admin();
  const came: string[] = [];
  const all = async (): Promise<void> => {
    for await (const { dn } of client.search({ base: `ou=Many,${root}`, sizeLimit: 5, paged: false })) came.push(dn);
  };
  await assert.rejects(all(), refused('sizeLimitExceeded'));
  assert.equal(came.length, 5);
});

test('many operations at once on a client that is not connected share one connection', async () => {
  const before = face.events.filter(({ kind }) => kind === 'connected').length;
  await using client = admin();
  const found = await Promise.all(Array.from({ length: 30 }, (_, i) => client.get(`cn=n${i},ou=Many,${root}`)));
  assert.equal(found.filter((entry) => entry !== undefined).length, 30);
  assert.equal(face.events.filter(({ kind }) => kind === 'connected').length, before + 1);
});

test('over the unix socket as the local administrator', async () => {
  await using client = new DirectoryClient({ url: face.local, bind: 'external' });
  assert.equal((await client.get(root))?.dn, root);
});

for (const [name, options, code] of [
  ['a wrong password', { bind: { dn: adminDn, password: 'wrong' } }, 'invalidCredentials'],
  ['EXTERNAL over TCP', { bind: 'external' }, 'inappropriateAuthentication'],
  ['StartTLS that is not offered', { startTls: true }, 'protocolError'],
] as const) {
  test(`refused: ${name}`, async () => {
    await using client = new DirectoryClient({ url: face.url, ...options });
    await assert.rejects(client.connect(), refused(code));
  });
}

test('refusals carry code, text and matched name', async () => {
  await using client = admin();
  await assert.rejects(client.delete(`cn=x,cn=y,${people}`), (error: unknown) => {
    assert.ok(error instanceof LdapError);
    assert.deepEqual([error.code, error.matchedDn], ['noSuchObject', people]);
    return true;
  });
});

test('after the connection is lost the next operation makes another', async () => {
  await using other = await startFace();
  await using client = new DirectoryClient({ url: other.url, bind: { dn: adminDn, password } });
  assert.ok(await client.get(root));
  const { port } = other;
  await other.server.close();
  await assert.rejects(client.get(root), refused('unavailable'));
  await other.server.listen({ host: '127.0.0.1', port });
  assert.ok(await client.get(root));
});

test('a server that never answers is given up', async () => {
  await using silent = createServer((socket) => socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  assert.ok(typeof address === 'object' && address !== null);
  await using client = new DirectoryClient({ url: `ldap://127.0.0.1:${address.port}`, timeoutMs: 100 });
  await assert.rejects(client.connect(), refused('unavailable'));
});

test('a search ends when its signal says so', async () => {
  await using client = admin({ pageSize: 10 });
  const stop = new AbortController();
  let came = 0;
  const all = async (): Promise<void> => {
    for await (const _ of client.search({ base: `ou=Many,${root}`, signal: stop.signal })) {
      came += 1;
      stop.abort();
    }
  };
  await assert.rejects(all());
  assert.equal(came, 10);
});

test('a closed client stays closed', async () => {
  const client = admin();
  await client.close();
  await assert.rejects(client.get(root), refused('unavailable'));
});
