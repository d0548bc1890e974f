/** Who logs on by SMTP: accounts of the own directory by password and certificate, and those of the organization's by a bind. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { host, makeChains } from '../../certs/make.ts';
import { type Clock, FaultList, systemClock } from '../../src/base/index.ts';
import {
  DirectoryClient,
  DirectoryStore,
  defaultLockout,
  loadSchema,
  PrincipalSearch,
  seed,
} from '../../src/directory/index.ts';
import { sidOfGuid } from '../../src/ldap/index.ts';
import { DirectoryLogon } from '../../src/services/directory/directory-logon.ts';
import { LogonService } from '../../src/services/directory/logon-service.ts';
import { addEntry } from '../directory-face/face.ts';
import { personLdif, SlapdSource, slapdMissing } from '../lib/slapd-source.ts';

const made = makeChains();
const configuration = 'CN=Configuration,CN={11111111-2222-3333-4444-555555555555}';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const nobody = { kind: 'refused', name: '', sids: [] };

test('an account is who holds its certificate, with the SIDs of its entry and groups; administrators and strangers are refused', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'edge-logons-'));
  t.after(() => rm(folder, { recursive: true }));
  const store = await DirectoryStore.open({ path: join(folder, 'db'), schema: await loadSchema('ldap/schema') });
  t.after(() => store.close());
  const placeholders = {
    configurationDn: configuration,
    instanceGuid: '11111111-2222-3333-4444-555555555555',
    serverName: 'EDGE1',
    serverFqdn: 'edge1.example.com',
  };
  for (const part of ['common', 'edge']) await seed(store, `ldap/seed/${part}`, placeholders);
  const shown = (row: string): Buffer => new X509Certificate(made.chains[row]?.chainPem ?? '').raw;
  for (const [name, row] of [
    ['device', 'good-ec'],
    ['boss', 'good-rsa'],
  ] as const) {
    await addEntry(store, `CN=${name},CN=Services,${configuration}`, {
      objectClass: ['person', 'edgeAccount'],
      sn: 'x',
    });
    const values = [shown(row)];
    const add = [{ operation: 'add', attribute: 'userCertificate', values }] as const;
    await store.modify(`CN=${name},CN=Services,${configuration}`, add, { actor: '' });
  }
  for (const [name, group] of [
    ['boss', 'Administrators'],
    ['device', 'Readers'],
  ] as const) {
    const values = [Buffer.from(`CN=${name},CN=Services,${configuration}`)];
    const add = [{ operation: 'add', attribute: 'member', values }] as const;
    await store.modify(`CN=${group},CN=Roles,${configuration}`, add, { actor: '' });
  }
  const asked: string[] = [];
  const logons = new LogonService({
    store,
    clock: systemClock,
    servicesDn: `CN=Services,${configuration}`,
    rolesDn: `CN=Roles,${configuration}`,
    organization: {
      check: async (_, { name, password, address }) => {
        asked.push(`${name} ${password} ${address}`);
        return { kind: 'accepted', name, sids: ['S-1-5-21-1-2-3-4'] };
      },
    },
    settings: () => ({ url: 'ldaps://dc1.corp.example', bindName: '{user}' }),
    report: (error) => assert.fail(String(error)),
  });
  const by = (row: string) =>
    logons.check({ name: '', password: '', certificate: shown(row).toString('base64'), address: '192.0.2.1' });
  const sids = ['CN=device,CN=Services', 'CN=Readers,CN=Roles'].map((dn) => {
    const [guid] = store.get(`${dn},${configuration}`)?.buffers('objectGUID') ?? [];
    return sidOfGuid(guid ?? assert.fail(dn));
  });
  assert.deepEqual(await by('good-ec'), { kind: 'accepted', name: 'device', sids });
  assert.deepEqual(await by('good-rsa'), nobody);
  assert.deepEqual(await by('wrong-name'), nobody);
  // Names that the own directory has are never asked for elsewhere.
  assert.deepEqual(
    await logons.check({ name: 'device', password: base64('x'), certificate: '', address: '192.0.2.1' }),
    nobody,
  );
  assert.deepEqual(asked, []);
  const { kind } = await logons.check({
    name: 'alice',
    password: base64('pässword'),
    certificate: '',
    address: '192.0.2.1',
  });
  assert.deepEqual([kind, asked], ['accepted', ['alice pässword 192.0.2.1']]);
});

const missing = slapdMissing();
describe(
  "the organization's directory",
  missing === '' || process.env['CI'] === 'true' ? {} : { skip: missing },
  () => {
    test('checks by a bind inside TLS, counts by the client, and says when it cannot', async () => {
      const { chainPem: cert, keyPem: key } = made.chains['good-rsa'] ?? assert.fail();
      const people = ['alice', 'bob, the second'].map((uid) =>
        personLdif(uid.replace(',', '\\,'), [`SMTP:${uid[0]}@corp.example`]).replace(
          /^uid: .*$/m,
          `uid: ${uid}\nuserPassword: right`,
        ),
      );
      await using slapd = await SlapdSource.start(people, { tls: { cert, key } });
      const faults = new FaultList(systemClock, { error() {}, info() {} });
      let ca = made.rootPem;
      const lockout = { ...defaultLockout, maxFailures: 3, delayMs: 1 };
      // It keeps when it was looked at, and how long the last wait was meant to be: on a busy machine an answer comes later.
      let [looks, waitedMs]: [number[], number] = [[], 0];
      const clock: Clock = {
        ...systemClock,
        monotonic: () => looks[looks.push(systemClock.monotonic()) - 1] ?? 0,
        after: (ms, call) => systemClock.after((waitedMs = ms), call),
      };
      const logon = new DirectoryLogon({ clock, faults, lockout, tls: () => ({ ca, servername: host }) });
      const settings = { url: `ldaps://127.0.0.1:${slapd.securePort}`, bindName: `uid={user},ou=People,${slapd.base}` };
      const check = (name: string, password: string, address = '192.0.2.1') =>
        logon.check(settings, { name, password, address });
      for (const name of ['alice', 'bob, the second']) {
        const { kind, sids } = await check(name, 'right');
        assert.equal(kind, 'accepted', name);
        assert.match(sids.join(), /^S-1-9-\d+-\d+-\d+-\d+$/);
      }
      await using client = new DirectoryClient({ url: slapd.url });
      const principals = new PrincipalSearch(client);
      const { sids: ownSids } = await check('alice', 'right');
      const dn = `uid=alice,ou=People,${slapd.base}`;
      for (const name of ['alice', 'ALICE', dn.toUpperCase()]) {
        const found = await principals.find(name);
        assert.deepEqual(found, [{ dn, sid: ownSids[0], name: dn }], name);
      }
      assert.equal((await principals.bySid(ownSids[0] ?? ''))?.dn, dn);
      for (const name of ['nobody', '*', 'x=1', 'alice@', `uid=nobody,${slapd.base}`])
        assert.deepEqual(await principals.find(name), [], name);
      for (const sid of ['S-1-9-1-2-3-4', 'S-1-9-1-2-3-4294967296', 'S-1-5-21-1-2-3-500'])
        assert.equal(await principals.bySid(sid), undefined, sid);
      for (const [name, password] of [
        ['alice', 'wrong'],
        ['nobody', 'right'],
        ['alice', ''],
        ['', 'right'],
      ] as const) {
        looks = [];
        assert.deepEqual(await check(name, password), nobody, name);
        // At a whole step, whatever was wrong: how far the directory came is not to be seen.
        const takenMs = (looks.at(-1) ?? 0) + waitedMs - (looks[0] ?? 0);
        assert.ok(takenMs > 499 && Math.abs(takenMs - 500 * Math.round(takenMs / 500)) < 0.01, `${takenMs} ms`);
        assert.ok(systemClock.monotonic() - (looks[0] ?? 0) > takenMs - 2, 'it is waited for');
      }
      for (let i = 0; i < 3; i++) await check('alice', `guess ${i}`, '198.51.100.1');
      assert.deepEqual(await check('alice', 'right', '198.51.100.1'), nobody, 'who guesses is locked');
      assert.equal((await check('alice', 'right', '192.0.2.7')).kind, 'accepted', 'others are not concerned');
      ca = made.chains['self-signed-server-only']?.chainPem ?? '';
      assert.equal(
        (await check('alice', 'right')).kind,
        'unavailable',
        'a directory that nobody vouches for gets no password',
      );
      assert.match(faults.current.map(({ text }) => text).join(), /who logs on by SMTP cannot be checked/);
      ca = made.rootPem;
      assert.equal((await check('alice', 'right')).kind, 'accepted');
      assert.deepEqual(faults.current, []);
      await slapd.stop();
      assert.equal((await check('alice', 'right')).kind, 'unavailable');
    });
  },
);
