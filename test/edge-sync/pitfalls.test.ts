/**
 * The nineteen pitfalls of reading a directory, each by its name, against a scripted domain: what real servers do and Samba
 * cannot be brought to.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BerReader } from '../../src/directory/face/ber/ber-reader.ts';
import { loadSchema } from '../../src/directory/index.ts';
import { canonicalAddress, lookupForms } from '../../src/edge-sync/address.ts';
import { EdgeWriter } from '../../src/edge-sync/inside/edge-writer.ts';
import { Mirror } from '../../src/edge-sync/inside/mirror.ts';
import { type ReadingReport, SourceReader } from '../../src/edge-sync/inside/source-reader.ts';
import { wantedState } from '../../src/edge-sync/recipient.ts';
import { newRecipientKey, RecipientHasher } from '../../src/edge-sync/recipient-hash.ts';
import { type MappingSettings, RecipientMapping } from '../../src/edge-sync/recipient-mapping.ts';
import { LdapStream } from '../../src/edge-sync/source/ldap-stream.ts';
import { openForest, openSource } from '../../src/edge-sync/source/open-source.ts';
import { controlOids, dirSyncFlags } from '../../src/edge-sync/source/source-controls.ts';
import { formatFilter } from '../../src/ldap/index.ts';
import { eventually } from '../lib/appliance.ts';
import { ScriptedLdap, type ScriptedReply } from '../lib/scripted-ldap.ts';
import { MemoryEdge } from './memory-edge.ts';
import { base, ScriptedDomain } from './scripted-domain.ts';

const schema = await loadSchema('ldap/schema');
const { signal } = new AbortController();
const all: MappingSettings = {
  addressAttributes: ['proxyAddresses', 'mail'],
  bases: [],
  excludedBases: [],
  filter: '',
  disabledAccounts: 'keep',
};

class World implements AsyncDisposable {
  readonly domain = new ScriptedDomain(schema);
  readonly server: ScriptedLdap;
  readonly mirror: Mirror;
  settings: MappingSettings = all;

  readonly #folder: string;

  private constructor(server: ScriptedLdap, folder: string) {
    this.server = server;
    this.#folder = folder;
    this.mirror = Mirror.open(folder);
    server.script = this.domain.script;
  }

  static async make(): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'edge-pitfalls-'));
    return new World(await ScriptedLdap.listen(() => []), folder);
  }

  async read(options: { full?: boolean; accept?: boolean } = {}): Promise<ReadingReport> {
    const connection = { url: this.server.url, bindDn: 'CN=sync', password: 'secret', timeoutMs: 30_000 };
    const { source } = await openSource(connection, { base: '', mappings: [this.settings] });
    const mapping = new RecipientMapping(this.settings, { exchangeSchema: source.exchangeSchema, schema });
    return new SourceReader(this.mirror, mapping).read(source, { ...options, signal });
  }

  /** Addresses that are to be accepted, sorted. */
  get addresses(): string[] {
    return [...this.mirror.recipients()].flatMap((recipient) => wantedState(recipient)?.addresses ?? []).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.mirror[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const person = (name: string): { objectClass: string[]; proxyAddresses: string[] } => ({
  objectClass: ['top', 'person', 'user'],
  proxyAddresses: [`SMTP:${name}@corp.example`],
});
const ways = [true, false] as const;

test('1: a page limit of 1000 and empty pages with a cookie lose nothing', async () => {
  await using world = await World.make();
  world.domain.pageLimit = 100;
  world.domain.emptyPages = true;
  for (let i = 0; i < 350; i++) world.domain.add(`CN=u${i}`, person(`u${i}`));
  const { complete, scanned } = await world.read();
  assert.ok(complete);
  assert.equal(scanned, 350);
  assert.equal(world.addresses.length, 350);
});

for (const result of ['sizeLimitExceeded', 'timeLimitExceeded'] as const) {
  test(`2: ${result} makes a reading incomplete, and nothing is deleted by it`, async () => {
    await using world = await World.make();
    for (let i = 0; i < 10; i++) world.domain.add(`CN=u${i}`, person(`u${i}`));
    await world.read();
    world.domain.cutOff = { after: 3, result };
    const { complete, reasons } = await world.read({ full: true });
    assert.equal(complete, false);
    assert.match(reasons.join(), /limit/);
    assert.equal(world.addresses.length, 10);
    world.domain.cutOff = undefined;
    assert.ok((await world.read()).complete);
  });
}

for (const dirSync of ways) {
  test(`2: no search by ${dirSync ? 'DirSync' : 'uSNChanged'} asks for a time limit of its own, however long the reading takes`, async () => {
    await using world = await World.make();
    world.domain.dirSync = dirSync;
    world.domain.add('CN=u', person('u'));
    const limits = new Set<number>();
    world.server.script = (search) => {
      limits.add(search.timeLimit);
      return world.domain.script(search);
    };
    assert.ok((await world.read()).complete);
    assert.deepEqual([...limits], [0]);
  });
}

for (const dirSync of ways) {
  test(`3: values in ranges are read to the last block ;range=n-*, by ${dirSync ? 'DirSync' : 'uSNChanged'}`, async () => {
    await using world = await World.make();
    world.domain.dirSync = dirSync;
    world.domain.rangeLimit = 15;
    const many = Array.from({ length: 40 }, (_, i) => `smtp:alias${i}@corp.example`);
    world.domain.add('CN=other', person('other'));
    const guid = world.domain.add('CN=group', { objectClass: ['top', 'group'], proxyAddresses: many });
    assert.ok((await world.read()).complete);
    assert.equal(world.addresses.length, 41);
    world.domain.set(guid, { proxyAddresses: [...many, 'smtp:last@corp.example'] });
    assert.ok((await world.read()).complete);
    assert.ok(world.addresses.includes('last@corp.example'));
    assert.equal(world.addresses.length, 42);
  });
}

test('4: two domains of a forest are read as one source, each in its own way', async () => {
  await using world = await World.make();
  const child = new ScriptedDomain(schema, `DC=child,${base}`, 1000);
  await using server = await ScriptedLdap.listen(child.script);
  const { domain } = world;
  domain.references = [`ldap://child.corp.example/DC=child,${base}`];
  domain.add('CN=u1', person('u1'));
  const wanderer = domain.add('CN=wanderer', person('wanderer'));
  const gone = child.add('CN=c1', person('c1'));
  child.add('CN=c2', person('c2'));
  // What was deleted in the child cannot be seen there: the ids of its objects are compared, and of its alone.
  child.seesDeleted = false;
  const servers = [world.server, server].map(({ url }) => ({
    url,
    bindDn: 'CN=sync',
    password: '',
    timeoutMs: 30_000,
  }));
  const read = async (accept = false): Promise<ReadingReport> => {
    const { source } = await openForest(servers, { base: '', mappings: [all] });
    const mapping = new RecipientMapping(all, { exchangeSchema: false, schema });
    return new SourceReader(world.mirror, mapping).read(source, { signal, accept });
  };
  const names = (): string => world.addresses.map((address) => address.split('@')[0]).join(' ');
  assert.deepEqual((await read()).reasons, []);
  assert.equal(names(), 'c1 c2 u1 wanderer');
  domain.add('CN=u2', person('u2'));
  child.delete(gone);
  assert.ok((await read()).complete);
  assert.equal(names(), 'c2 u1 u2 wanderer');
  // Moved to the other domain: one says that it is gone, the other that it is there.
  child.add('CN=wanderer', person('wanderer'), wanderer);
  domain.delete(wanderer);
  assert.ok((await read()).complete);
  assert.equal(names(), 'c2 u1 u2 wanderer');
  child.cutOff = { after: 0, result: 'timeLimitExceeded' };
  domain.add('CN=u3', person('u3'));
  const half = await read();
  assert.match(half.reasons.join(), /^DC=child,DC=corp,DC=example: .*time limit/);
  assert.equal(names(), 'c2 u1 u2 u3 wanderer', 'half a forest adds and takes nothing away');
  child.cutOff = undefined;
  child.invocationId = Buffer.alloc(16, 9);
  const restored = await read();
  assert.ok(!restored.complete && restored.suspicious, 'one domain went back, the other is whole');
  assert.ok((await read(true)).complete);
  assert.equal(names(), 'c2 u1 u2 u3 wanderer');
  await assert.rejects(
    openForest(
      [servers[0], servers[0]].filter((one) => one !== undefined),
      { base: '', mappings: [all] },
    ),
    /same domain/,
  );
});

test('4: a reference to another domain makes the reading incomplete and says what to do; to a DNS zone it does not', async () => {
  await using world = await World.make();
  const gone = world.domain.add('CN=u1', person('u1'));
  await world.read();
  world.domain.objects.delete(gone);
  world.domain.references = [`ldap://child.corp.example/DC=child,${base}`];
  const { complete, reasons } = await world.read({ full: true });
  assert.equal(complete, false);
  assert.match(
    reasons.join(),
    /name that server too \(edge sync init --also URL\), or read the global catalogue \(port 3268 or 3269\)/,
  );
  assert.deepEqual(world.addresses, ['u1@corp.example'], 'half a forest deletes nothing');
  world.domain.references = [
    `ldap://corp.example/CN=Configuration,${base}`,
    `ldap://DomainDnsZones.corp.example/DC=DomainDnsZones,${base}`,
  ];
  assert.ok((await world.read({ full: true })).complete);
  assert.deepEqual(world.addresses, []);
});

for (const dirSync of ways) {
  test(`5: an object that moves is the same, by ${dirSync ? 'DirSync' : 'uSNChanged'}`, async () => {
    await using world = await World.make();
    world.domain.dirSync = dirSync;
    const guid = world.domain.add('CN=Anna,OU=Sales', person('anna'));
    await world.read();
    world.domain.move(guid, 'CN=Anna Smith,OU=Board');
    const { changed } = await world.read();
    assert.equal(changed, 1);
    assert.equal(world.mirror.recipient(guid)?.dn, `CN=Anna Smith,OU=Board,${base}`);
    assert.equal(world.mirror.size, 1);
  });
}

for (const [dirSync, seesDeleted] of [
  [true, true],
  [false, true],
  [true, false],
  [false, false],
] as const) {
  test(`6: a deletion is seen by ${dirSync ? 'DirSync' : 'uSNChanged'}, ${seesDeleted ? 'as a tombstone' : 'by the ids of all'}`, async () => {
    await using world = await World.make();
    Object.assign(world.domain, { dirSync, seesDeleted });
    const before = world.domain.add('CN=before', person('before'));
    world.domain.delete(before);
    const gone = world.domain.add('CN=gone', person('gone'));
    world.domain.add('CN=stays', person('stays'));
    await world.read();
    world.domain.delete(gone);
    if (!seesDeleted) world.domain.objects.delete(gone);
    assert.ok((await world.read()).complete);
    assert.deepEqual(world.addresses, ['stays@corp.example']);
    const filters = world.domain.searches.filter(({ controls }) => controls.has(controlOids.dirSync));
    const asked = filters.map(({ filter }) => JSON.stringify(filter));
    assert.ok(!asked.some((text) => /objectCategory|proxyAddresses/i.test(text)), 'such filters see no tombstone');
  });
}

test('7: contacts, groups, public folders, shared mailboxes and hidden recipients are recipients', async () => {
  await using world = await World.make();
  world.domain.exchange = true;
  const kinds: Record<string, Record<string, string[]>> = {
    contact: { objectClass: ['contact'] },
    group: { objectClass: ['group'] },
    dynamic: { objectClass: ['msExchDynamicDistributionList'] },
    folder: { objectClass: ['publicFolder'] },
    shared: { objectClass: ['user'], userAccountControl: ['514'] },
    hidden: { objectClass: ['user'], msExchHideFromAddressLists: ['TRUE'] },
  };
  for (const [name, values] of Object.entries(kinds))
    world.domain.add(`CN=${name}`, { ...values, mail: [`${name}@corp.example`] });
  world.domain.add('CN=internal', {
    objectClass: ['group'],
    mail: ['internal@corp.example'],
    msExchRequireAuthToSendTo: ['TRUE'],
  });
  await world.read();
  assert.deepEqual(
    world.addresses,
    Object.keys(kinds)
      .map((name) => `${name}@corp.example`)
      .sort(),
  );
});

test('8: of proxy addresses only SMTP counts, in one case, with domains in A-labels', async () => {
  await using world = await World.make();
  const types = ['X400:c=DE;s=x;', 'X500:/o=Corp/cn=x', 'SIP:sip@corp.example', 'EUM:7;phone-context=x', 'SPO:SPO_1'];
  const proxyAddresses = ['SMTP:Jane.Doe@CORP.example', 'smtp:jane@b\u00fccher.example', 'bare@corp.example', ...types];
  world.domain.add('CN=Jane', { objectClass: ['user'], proxyAddresses });
  await world.read();
  assert.deepEqual(world.addresses, ['bare@corp.example', 'jane.doe@corp.example', 'jane@xn--bcher-kva.example']);
});

test('9: a plus address is the one before the plus, unless it stands there itself; no domain stands for another', async () => {
  await using world = await World.make();
  world.domain.add('CN=a', person('anna'));
  world.domain.add('CN=b', person('anna+lists'));
  await world.read();
  const known = (address: string): boolean =>
    lookupForms(canonicalAddress(address) ?? '').some((form) => world.mirror.isHeld(form));
  assert.ok(known('Anna+shop@corp.example'));
  assert.ok(known('anna+lists@corp.example'));
  assert.ok(!known('bert+anna@corp.example'));
  assert.ok(
    !known('anna@sub.corp.example'),
    'an accepted domain *.corp.example has its recipients by their own addresses',
  );
});

test('10: another controller, or a restored one, deletes nothing until an administrator says so', async () => {
  for (const dirSync of ways) {
    await using world = await World.make();
    world.domain.dirSync = dirSync;
    const guid = world.domain.add('CN=u1', person('u1'));
    world.domain.add('CN=u2', person('u2'));
    await world.read();
    world.domain.objects.delete(guid);
    world.domain.invocationId = Buffer.alloc(16, 2);
    const { complete, reasons } = await world.read();
    assert.equal(complete, false);
    assert.match(reasons.join(), /invocationId changed.*--force/);
    assert.equal(world.addresses.length, 2);
    assert.ok((await world.read({ accept: true })).complete);
    assert.deepEqual(world.addresses, ['u2@corp.example']);
  }
});

test('10: a controller whose numbers went back deletes nothing until an administrator says so', async () => {
  await using world = await World.make();
  const guid = world.domain.add('CN=u1', person('u1'));
  await world.read();
  world.domain.objects.delete(guid);
  world.domain.usn -= 50;
  const { complete, reasons } = await world.read();
  assert.equal(complete, false);
  assert.match(reasons.join(), /went back from update \d+ to \d+/);
  assert.deepEqual(world.addresses, ['u1@corp.example']);
});

test('11: the clocks of two providers differ by minutes, and nothing that changed is passed over', async () => {
  await using world = await World.make();
  const entries = new Map<string, { readonly at: string; readonly mail: string }>();
  const uuid = (n: number): string => `00000000-0000-0000-0000-00000000000${n}`;
  world.server.script = function* ({ base: at, filter }): Generator<ScriptedReply, void, undefined> {
    if (at === '') return yield { entry: '', values: { namingContexts: ['dc=x'], supportedControl: [] } };
    const since = /modifyTimestamp>=(\d+)/.exec(formatFilter(filter))?.[1] ?? '';
    for (const [id, { at: time, mail }] of entries) {
      if (time.slice(0, 14) < since) continue;
      const values = { objectClass: ['person'], entryUUID: [id], modifyTimestamp: [time], mail: [mail] };
      yield { entry: `cn=${id},dc=x`, values };
    }
  };
  // In the future of this machine, as a server without NTP says it.
  entries.set(uuid(1), { at: '20400101120000Z', mail: 'one@corp.example' });
  await world.read();
  // Written later, by a provider whose clock is five minutes behind.
  entries.set(uuid(2), { at: '20400101115500Z', mail: 'two@corp.example' });
  assert.ok((await world.read()).complete);
  assert.deepEqual(world.addresses, ['one@corp.example', 'two@corp.example']);
});

test('12: the brake counts what would stop being accepted, also by lost read rights', async () => {
  await using world = await World.make();
  const guids = Array.from({ length: 30 }, (_, i) => world.domain.add(`CN=u${i}`, person(`u${i}`)));
  const writer = new EdgeWriter(world.mirror, await world.mirror.addEdge('EDGE1'));
  const edge = new MemoryEdge(new RecipientHasher(newRecipientKey()));
  await world.read();
  await writer.write(edge, { signal });
  for (const guid of guids) world.domain.set(guid, { proxyAddresses: [] });
  await world.read();
  const { held, addressesLost } = await writer.write(edge, { signal });
  assert.match(held ?? '', /30 of 30 addresses would stop being accepted, more than 10/);
  assert.equal(addressesLost, 30);
  assert.equal(edge.recipients.size, 30);
});

test('13: composed and decomposed letters are one address', async () => {
  await using world = await World.make();
  world.domain.add('CN=a', {
    objectClass: ['user'],
    proxyAddresses: ['SMTP:Ren\u00e9@corp.example', 'smtp:rene\u0301@corp.example'],
  });
  await world.read();
  assert.deepEqual(world.addresses, ['ren\u00e9@corp.example']);
});

test('14: nested scopes and exclusions are applied to whole entries, here and not by the source', async () => {
  await using world = await World.make();
  for (const place of ['OU=In', 'OU=Sub,OU=In', 'OU=Out,OU=In', 'OU=Deep,OU=Out,OU=In', 'OU=Else'])
    world.domain.add(`CN=u,${place}`, person(place.replaceAll(/OU=|,/g, '').toLowerCase()));
  world.settings = {
    ...all,
    bases: [`ou=in,${base}`],
    excludedBases: [`OU=Out,OU=In,${base}`],
    filter: '(!(cn=never))',
  };
  await world.read();
  assert.deepEqual(world.addresses, ['in@corp.example', 'subin@corp.example']);
});

test('15: binary values come through octet by octet', async () => {
  await using world = await World.make();
  world.domain.exchange = true;
  const blob = Buffer.from([0x00, 0xff, 0xc3, 0x28, 0x80, 0x0a, 0xed, 0xa0]);
  const guid = world.domain.add('CN=u', { ...person('u'), msExchSafeSendersHash: [blob] });
  await world.read();
  assert.deepEqual(world.mirror.recipient(guid)?.extras, { msExchSafeSenderHash: [blob.toString('base64')] });
});

test('16: no password goes in clear to another machine; a controller that wants signing is told as such', async () => {
  await using world = await World.make();
  const clear = { url: 'ldap://192.0.2.1', bindDn: 'CN=sync', password: 'secret', timeoutMs: 1000 };
  await assert.rejects(LdapStream.open(clear), /would get the password in clear: use ldaps/);
  world.server.bind = { code: 'strongerAuthRequired', message: 'BindSimple: Transport encryption required.' };
  await assert.rejects(world.read(), /name it as ldaps:\/\//);
});

const binds: readonly (readonly [string, RegExp])[] = [
  ['52e', /name or password is wrong/],
  ['532', /password has expired/],
  ['773', /password must be changed/],
  ['533', /account is disabled/],
  ['701', /account has expired/],
  ['775', /account is locked/],
];
for (const [data, words] of binds) {
  test(`17: a bind refused with data ${data} is told as: ${words.source}`, async () => {
    await using world = await World.make();
    const message = `80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data ${data}, v2580`;
    world.server.bind = { code: 'invalidCredentials', message };
    await assert.rejects(world.read(), words);
  });
}

test('18: a reader that is busy makes the source wait: memory is bounded by what one socket holds', async () => {
  await using world = await World.make();
  const filler = 'x'.repeat(10_000);
  world.server.script = function* () {
    for (let i = 0; i < 5000; i++) yield { entry: `CN=u${i},${base}`, values: { description: [filler] } };
  };
  await using stream = await LdapStream.open({ url: world.server.url, bindDn: '', password: '' });
  let count = 0;
  for await (const message of stream.search({ base, attributes: ['*'] })) {
    if (message.kind === 'entry') count += 1;
    if (count !== 10) continue;
    // The source goes on until the buffers between them are full.
    let [sent, still] = [-1, 0];
    await eventually('the source waits', () => {
      still = sent === world.server.sentOctets ? still + 1 : 0;
      sent = world.server.sentOctets;
      return still === 4;
    });
    assert.ok(sent < 20 * 1024 ** 2, `${sent} octets of 50 MB went to a reader that took ten entries`);
    break;
  }
  assert.equal(count, 10);
});

test('19: DirSync is never asked for incremental values; every object it names is read whole', async () => {
  await using world = await World.make();
  const guid = world.domain.add('CN=u', { ...person('u'), mail: ['mail@corp.example'] });
  await world.read();
  world.domain.set(guid, { mail: ['new@corp.example'] });
  await world.read();
  assert.deepEqual(world.addresses, ['new@corp.example', 'u@corp.example'], 'what did not change is still there');
  const values = world.domain.searches.flatMap(({ controls }) => controls.get(controlOids.dirSync) ?? []);
  assert.ok(values.length > 0);
  for (const value of values) {
    const flags = new BerReader(value).enter(0x30).integer();
    assert.equal(flags, dirSyncFlags.objectSecurity);
  }
});
