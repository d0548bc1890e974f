/**
 * Password guesses from many sources at once, through the whole chain: session, bounded checks, accounts and their locks. In `make test`
 * a short form; EDGE_GUESSES=100000 EDGE_GUESS_SOURCES=1000 is the long one.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseIpRange, systemClock } from '../../src/base/index.ts';
import { ace, wellKnownSids } from '../../src/config/index.ts';
import { Argon2Hasher, DirectoryStore, loadSchema, seed } from '../../src/directory/index.ts';
import { LogonService } from '../../src/services/directory/logon-service.ts';
import { LogonClient } from '../../src/services/transport/logon-client.ts';
import { addEntry } from '../directory-face/face.ts';
import { anonymousAcl, internetSnapshot, Receiving } from './receiving.ts';

const guesses = Number(process.env['EDGE_GUESSES'] ?? 60);
const sources = Number(process.env['EDGE_GUESS_SOURCES'] ?? 20);
/** Sources that guess at a time. */
const atOnce = 200;
const configuration = 'CN=Configuration,CN={11111111-2222-3333-4444-555555555555}';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const plain = (name: string, password: string): string => `AUTH PLAIN ${base64(`\0${name}\0${password}`)}`;

test(`${guesses} guesses from ${sources} sources: one answer, bounded memory, and who knows the password gets in`, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'edge-guesses-'));
  t.after(() => rm(folder, { recursive: true }));
  const store = await DirectoryStore.open({ path: join(folder, 'db'), schema: await loadSchema('ldap/schema') });
  t.after(() => store.close());
  const instanceGuid = '11111111-2222-3333-4444-555555555555';
  const names = { configurationDn: configuration, instanceGuid, serverName: 'EDGE1', serverFqdn: 'edge1.example.com' };
  for (const part of ['common', 'edge']) await seed(store, `ldap/seed/${part}`, names);
  const hasher = new Argon2Hasher({ memory: 8, passes: 1 });
  const userPassword = await hasher.hash(Buffer.from('right'));
  const device = { objectClass: ['person', 'edgeAccount'], sn: 'x', userPassword };
  await addEntry(store, `CN=device,CN=Services,${configuration}`, device);
  const logons = new LogonService({
    store,
    hasher,
    clock: systemClock,
    servicesDn: `CN=Services,${configuration}`,
    rolesDn: `CN=Roles,${configuration}`,
    organization: { check: () => assert.fail('there is none') },
    settings: () => undefined,
    report: (error) => assert.fail(String(error)),
  });
  const snapshot = internetSnapshot({
    authMechanism: ['BasicAuth'],
    authTarpitInterval: 0,
    maxLogonFailures: 0,
    maxInboundConnectionPerSource: Infinity,
    acl: [...anonymousAcl, ace(wellKnownSids.authenticatedUsers, 'ms-Exch-SMTP-Submit')],
  });
  const proxyProtocolBalancers = [{ binding: { address: '127.0.0.1', port: 25 }, range: parseIpRange('127.0.0.1') }];
  const server = { ...snapshot.server, proxyProtocolBalancers, maxConnectionRatePerMinute: Infinity };
  const client = new LogonClient((question) => logons.check(question));
  await using edge = await Receiving.start({ snapshot: { ...snapshot, server }, logons: client });
  const openAs = async (source: number) => {
    const one = await edge.connect();
    one.send(Buffer.from(`PROXY TCP4 10.${source >> 16}.${(source >> 8) & 255}.${source & 255} 127.0.0.1 4000 25\r\n`));
    assert.match(await one.reply(), /^220 /);
    await one.ask('EHLO guesser');
    return one;
  };
  const before = process.memoryUsage().rss;
  const replies = new Map<string, number>();
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(atOnce, sources) }, async () => {
      for (let source = next++; source < sources; source = next++) {
        const guesser = await openAs(source + 1);
        for (let i = 0; i < guesses / sources; i++) {
          const name = i % 3 === 0 ? `nobody${i}` : 'device';
          const reply = await guesser.ask(plain(name, `guess ${source}.${i}`));
          replies.set(reply, (replies.get(reply) ?? 0) + 1);
        }
        guesser.socket.destroy();
        // What was told is not what is measured.
        edge.events.length = 0;
      }
    }),
  );
  // 454 where too many checks are under way at once; nothing else tells one guess from another.
  const told = [...replies.keys()].sort();
  const allowed = ['454 4.7.0 Temporary authentication failure', '535 5.7.8 Authentication unsuccessful'];
  assert.deepEqual(
    told.filter((reply) => !allowed.includes(reply)),
    [],
  );
  assert.ok((replies.get(allowed[1] ?? '') ?? 0) > 0);
  const honest = await openAs(0x0a0a0a);
  assert.match(await honest.ask(plain('device', 'right')), /^235 /);
  const grown = Math.round((process.memoryUsage().rss - before) / 1024 ** 2);
  t.diagnostic(JSON.stringify({ replies: Object.fromEntries(replies), grownMiB: grown }));
  assert.ok(grown < 128, `${grown} MiB more`);
});
