/** What the LDAP face and the client take from the inside of ldapjs and ldapts: another version that acts otherwise fails here. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { Client, CompareRequest } from 'ldapts';
import type { AnsweredKind } from '../../src/directory/face/ber/request.ts';
import { LdapjsRouter } from '../../src/directory/face/ldapjs-router.ts';
import { adminDn, type Face, password, startFace } from './face.ts';

let face: Face;
before(async () => {
  face = await startFace();
});
after(() => face[Symbol.asyncDispose]());

interface Internals {
  _nextMessageId(): number;
  _send(message: unknown): Promise<{ status: number; errorMessage: string; matchedDN: string } | undefined>;
}

test('ldapts: _send resolves with the response, refusals too, and _nextMessageId never repeats', async () => {
  const client = new Client({ url: `ldap://127.0.0.1:${face.port}` });
  const internals = client as unknown as Internals;
  try {
    await client.bind(adminDn, password);
    const [one, two] = [internals._nextMessageId(), internals._nextMessageId()];
    assert.ok(two > one, `${two} after ${one}`);
    const messageId = internals._nextMessageId();
    const dn = 'CN=nobody,CN=here';
    const answer = await internals._send(new CompareRequest({ messageId, dn, attribute: 'cn', value: 'x' }));
    assert.deepEqual([answer?.status, typeof answer?.errorMessage, typeof answer?.matchedDN], [32, 'string', 'string']);
  } finally {
    await client.unbind();
  }
});

/** Both ends of a connection that ldapjs took one of. */
async function taken(router: LdapjsRouter): Promise<Disposable & { readonly mine: Socket; readonly other: Socket }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const other = connect((server.address() as { port: number }).port, '127.0.0.1');
  const [mine] = (await once(server, 'connection')) as [Socket];
  router.take(mine);
  const end = (): void => {
    mine.destroy();
    other.destroy();
    server.close();
  };
  return { mine, other, [Symbol.dispose]: end };
}

test('ldapjs: every kind of request reaches its handler before route returns', async () => {
  const router = new LdapjsRouter();
  using ends = await taken(router);
  const kinds: readonly AnsweredKind[] = [
    'bind',
    'search',
    'add',
    'modify',
    'delete',
    'modifyDn',
    'compare',
    'extended',
  ];
  for (const [i, kind] of kinds.entries()) {
    let handled = 0;
    router.route(ends.mine, kind, i + 1, () => (handled += 1));
    assert.equal(handled, 1, kind);
  }
});

test('ldapjs: a socket that it took has none of its readers left, so that it sees no octet of the network', async () => {
  using ends = await taken(new LdapjsRouter());
  assert.deepEqual([ends.mine.listenerCount('data'), ends.mine.listenerCount('timeout')], [0, 0]);
  // These octets end a process whose ldapjs reads them.
  const came = once(ends.mine, 'data');
  ends.other.write(Buffer.from('3084ffffffff020101', 'hex'));
  const [octets] = (await came) as [Buffer];
  assert.equal(octets.toString('hex'), '3084ffffffff020101');
  assert.ok(!ends.mine.destroyed);
});
