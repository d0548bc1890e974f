import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { grantedRights, parseAcl, rights, wellKnownSids } from '../../src/config/index.ts';
import { MutableEntry } from '../../src/ldap/index.ts';
import { withGuid } from '../config/lib/seeded.ts';
import { Bench, defaultConnector } from './lib/bench.ts';

const anyRecipient = 'MS-Exch-SMTP-Accept-Any-Recipient';

const rightsOf = (bench: Bench, name: string) => {
  const entry = bench.store.entries.find(({ dn }) => dn.startsWith(`CN=${name},`));
  return grantedRights(parseAcl(entry?.values('nTSecurityDescriptor')[0] ?? ''), [wellKnownSids.anonymous]);
};

test('the recipe for an anonymous relay, as it is published', async () => {
  const bench = new Bench();
  const made = await bench.run('New-ReceiveConnector', {
    Name: 'Exchange16Email Relay',
    RemoteIPRanges: '127.0.0.9',
    TransportRole: 'FrontendTransport',
    Bindings: '127.0.0.1:2526',
    Usage: 'Custom',
    Server: 'EDGE1',
  });
  assert.equal(made.warnings.length, 1);
  await bench.run('Set-ReceiveConnector', { Identity: 'Exchange16Email Relay', PermissionGroups: 'AnonymousUsers' });
  const [connector] = (await bench.run('Get-ReceiveConnector', { Identity: 'Exchange16Email Relay' })).objects;
  const added = await bench.run('Add-ADPermission', {
    Identity: connector,
    User: '\u2018NT AUTHORITY\\Anonymous Logon\u2019',
    ExtendedRights: anyRecipient,
  });
  assert.deepEqual(added.warnings, [], 'one loopback address is no open relay');
  assert.deepEqual(
    ['Identity', 'User', 'Deny', 'Inherited'].map((name) => added.objects[0]?.get(name)),
    ['EDGE1\\Exchange16Email Relay', 'NT AUTHORITY\\ANONYMOUS LOGON', false, false],
  );
  assert.ok(rightsOf(bench, 'Exchange16Email Relay').has('ms-Exch-SMTP-Accept-Any-Recipient'));
  assert.ok(!rightsOf(bench, defaultConnector).has('ms-Exch-SMTP-Accept-Any-Recipient'));
  assert.equal(
    await bench.value('Get-ReceiveConnector', 'PermissionGroups', { Identity: connector }),
    'AnonymousUsers, Custom',
  );
});

test('anyone relaying from everywhere is named as an open relay', async () => {
  const { warnings } = await new Bench().run('Add-ADPermission', {
    Identity: defaultConnector,
    User: 'Everyone',
    ExtendedRights: [anyRecipient],
  });
  assert.match(warnings[0] ?? '', /open relay for 0\.0\.0\.0-255\.255\.255\.255/);
});

test('a right that nothing asks for is given with a warning that says why; the others without', async () => {
  const warned: string[] = [];
  for (const right of rights) {
    const { warnings } = await new Bench().run('Add-ADPermission', {
      Identity: defaultConnector,
      User: 'S-1-5-21-1-2-3-4',
      ExtendedRights: right,
    });
    if (warnings.length > 0) warned.push(right);
    for (const warning of warnings) assert.match(warning, /is kept, and has no effect: /);
  }
  assert.equal(warned.length, 11);
  assert.ok(
    warned.every((right) => /X(?:Attr|Proxy|Session|Shadow|Sys|Message)|Exch50/.test(right)),
    String(warned),
  );
});

test('a right that is there already is said and not written', async () => {
  const bench = new Bench();
  const { warnings, objects } = await bench.run('Add-ADPermission', {
    Identity: defaultConnector,
    User: 'S-1-5-7',
    ExtendedRights: 'ms-Exch-SMTP-Submit',
  });
  assert.match(warnings[0] ?? '', /already present on the object/);
  assert.deepEqual([objects, bench.store.log], [[], []]);
});

test('a denial takes the right away and is taken back by itself', async () => {
  const bench = new Bench();
  const given = { Identity: defaultConnector, User: 'Anonymous', ExtendedRights: 'ms-Exch-SMTP-Submit', Deny: true };
  await bench.run('Add-ADPermission', given);
  assert.ok(!rightsOf(bench, defaultConnector).has('ms-Exch-SMTP-Submit'));
  const removed = await bench.run('Remove-ADPermission', given);
  assert.equal(removed.asked[0]?.impact, 'High');
  assert.ok(rightsOf(bench, defaultConnector).has('ms-Exch-SMTP-Submit'));
});

test('taking own-domain senders from anonymous clients, as hardening guides do', async () => {
  const bench = new Bench();
  const [all] = [(await bench.run('Get-ADPermission', { Identity: defaultConnector })).objects.length];
  await bench.run('Remove-ADPermission', {
    Identity: defaultConnector,
    User: 'NT AUTHORITY\\ANONYMOUS LOGON',
    ExtendedRights: 'ms-Exch-SMTP-Accept-Authoritative-Domain-Sender',
  });
  assert.equal((await bench.run('Get-ADPermission', { Identity: defaultConnector })).objects.length, all - 1);
  const left = (await bench.run('Get-ADPermission', { Identity: defaultConnector, User: 'Anonymous Logon' })).objects;
  assert.deepEqual(
    left.flatMap((one) => one.get('ExtendedRights')),
    ['ms-Exch-SMTP-Submit', 'ms-Exch-SMTP-Accept-Any-Sender', 'ms-Exch-Accept-Headers-Routing'],
  );
});

test('all extended rights are given by -AccessRights ExtendedRight', async () => {
  const bench = new Bench();
  await bench.run('Add-ADPermission', { Identity: defaultConnector, User: 'S-1-5-7', AccessRights: 'ExtendedRight' });
  assert.ok(rightsOf(bench, defaultConnector).has('ms-Exch-Bypass-Anti-Spam'));
});

test('an account or group of this server by its name, with the server or alone; it is shown by name, and a SID is a SID', async () => {
  const bench = new Bench();
  const account = new MutableEntry(`CN=Device,CN=Services,${bench.store.configurationDn}`)
    .set('objectClass', ['edgeAccount'])
    .set('cn', ['Device']);
  bench.store.entries.push(withGuid(account, 7777));
  const given = { Identity: defaultConnector, ExtendedRights: anyRecipient };
  const group = new MutableEntry(`CN=Printers,CN=Roles,${bench.store.configurationDn}`)
    .set('objectClass', ['top', 'group'])
    .set('cn', ['Printers']);
  bench.store.entries.push(withGuid(group, 7778));
  for (const [User, shownAs] of [
    ['device', 'EDGE1\\Device'],
    ['EDGE1\\DEVICE', 'EDGE1\\Device'],
    ['printers', 'EDGE1\\Printers'],
  ] as const) {
    const { objects } = await bench.run('Add-ADPermission', { ...given, User });
    assert.deepEqual(
      objects.map((one) => one.get('User')),
      [shownAs],
    );
    const shown = await bench.run('Get-ADPermission', { Identity: defaultConnector, User });
    assert.deepEqual(
      shown.objects.map((one) => one.get('User')),
      [shownAs],
    );
    await bench.run('Remove-ADPermission', { ...given, User });
    assert.equal((await bench.run('Get-ADPermission', { Identity: defaultConnector, User })).objects.length, 0);
  }
  const unknown = await bench.try('Add-ADPermission', { ...given, User: 'devize' });
  assert.match(
    unknown.error?.message ?? '',
    /There is no principal 'devize'\. Did you mean 'Device'\?.*not known to an edge: .*Give the SID/,
  );
});

describe('users and groups of the organization', () => {
  const connector = 'Default EDGE1';
  const people = new Map([
    ['S-1-5-21-1-2-3-1103', 'CORP\\alice'],
    ['S-1-5-21-1-2-3-1104', 'CORP\\bob'],
    ['S-1-5-21-9-9-9-1104', 'CHILD\\bob'],
  ]);
  /** A Mailbox server whose EdgeSync reads a directory, as far as the cmdlets see it. */
  const inside = (fault?: string): Bench => {
    const bench = new Bench('mailbox');
    const nothing = (): never => assert.fail('it is not asked');
    const ask = (): void => {
      if (fault !== undefined) throw new Error(fault);
    };
    bench.edgeSync = {
      kind: 'inside',
      ...{ subscribe: nothing, list: nothing, remove: nothing, synchronize: nothing, test: nothing },
      ...{ serviceConfigs: nothing, setServiceConfig: nothing, verify: nothing },
      principals: async (name) => {
        ask();
        const found = [...people].filter(
          ([sid, one]) => sid === name || one.endsWith(`\\${name.replace(/^CORP.|@.*/g, '')}`),
        );
        return (name.startsWith('CORP') ? found.slice(0, 1) : found).map(([sid, one]) => ({ name: one, sids: [sid] }));
      },
      principalNames: async () => {
        ask();
        return people;
      },
    };
    return bench;
  };
  const given = { Identity: connector, ExtendedRights: anyRecipient };

  test('are taken by name and shown by name', async () => {
    for (const User of ['alice', 'CORP\\alice', 'alice@corp.example']) {
      const bench = inside();
      const { objects } = await bench.run('Add-ADPermission', { ...given, User });
      assert.deepEqual(
        objects.map((one) => one.get('User')),
        ['CORP\\alice'],
      );
      const entry = bench.store.entries.find(({ dn }) => dn.startsWith(`CN=${connector},`));
      assert.match(entry?.values('nTSecurityDescriptor')[0] ?? '', /S-1-5-21-1-2-3-1103/);
      const shown = await bench.run('Get-ADPermission', { Identity: connector, User: 'alice' });
      assert.deepEqual(
        shown.objects.map((one) => one.get('User')),
        ['CORP\\alice'],
      );
      await bench.run('Remove-ADPermission', { Identity: shown.objects[0] });
      assert.equal((await bench.run('Get-ADPermission', { Identity: connector, User })).objects.length, 0);
    }
  });

  test('a name of two, of nobody, and a directory that does not answer are told apart; a SID needs none of it', async () => {
    const refusal = async (bench: Bench, User: string): Promise<string> =>
      (await bench.try('Add-ADPermission', { ...given, User })).error?.message ?? 'none';
    assert.match(
      await refusal(inside(), 'bob'),
      /'bob' is the name of several .*: CORP\\bob, CHILD\\bob\. Give one of these/,
    );
    assert.match(
      await refusal(inside(), 'eve'),
      /There is no principal 'eve'\..*The directory that EdgeSync reads here has none either/,
    );
    assert.match(
      await refusal(inside('dc1 is away'), 'alice'),
      /'alice' cannot be looked up .*: dc1 is away\. 'edge sync init' names .*; a SID/,
    );
    assert.match(await refusal(new Bench('mailbox'), 'EDGE1\\eve'), /no account or group of that name/);
    const without = inside();
    without.edgeSync = { ...without.edgeSync, principals: () => Promise.resolve(undefined) } as typeof without.edgeSync;
    assert.match(
      await refusal(without, 'alice'),
      /No directory of the organization is named on this server: 'edge sync init/,
    );
    const away = inside('dc1 is away');
    const { objects, warnings } = await away.run('Add-ADPermission', { ...given, User: 'S-1-5-21-1-2-3-1103' });
    assert.deepEqual([objects[0]?.get('User'), warnings.length], ['S-1-5-21-1-2-3-1103', 1]);
    assert.match(warnings[0] ?? '', /shown without their names: dc1 is away/);
  });
});

test('who no session ever is gets an entry with a warning', async () => {
  const given = { Identity: defaultConnector, ExtendedRights: anyRecipient };
  const { warnings } = await new Bench().run('Add-ADPermission', { ...given, User: 'Users' });
  assert.match(warnings[0] ?? '', /^No session is ever "BUILTIN\\Users": .* EDGE1\\name/);
  assert.deepEqual((await new Bench().run('Add-ADPermission', { ...given, User: 'S-1-5-21-1-2-3-4' })).warnings, []);
});

describe('refusals', () => {
  const cases: readonly (readonly [cmdlet: string, given: Readonly<Record<string, unknown>>, message: RegExp])[] = [
    [
      'Add-ADPermission',
      { User: 'NT AUTHORITY\\ANONYMUS LOGON', ExtendedRights: anyRecipient },
      /Did you mean 'NT AUTHORITY\\ANONYMOUS LOGON'/,
    ],
    [
      'Add-ADPermission',
      { User: 'S-1-5-7', ExtendedRights: 'ms-Exch-SMTP-Accept-Any-Recipent' },
      /Did you mean 'ms-Exch-SMTP-Accept-Any-Recipient'/,
    ],
    ['Add-ADPermission', { User: 'S-1-5-7' }, /'ExtendedRights'\. It is needed/],
    ['Add-ADPermission', { ExtendedRights: anyRecipient }, /'User'\. It is needed/],
    [
      'Add-ADPermission',
      { User: 'S-1-5-7', ExtendedRights: anyRecipient, InheritanceType: 'All' },
      /InheritanceType is not implemented yet/,
    ],
    [
      'Add-ADPermission',
      { User: 'S-1-5-7', AccessRights: 'WriteDacl' },
      /AccessRights other than ExtendedRight is not implemented yet/,
    ],
    ['Get-ADPermission', { Owner: true }, /Owner is not implemented yet/],
  ];
  for (const [cmdlet, given, message] of cases) {
    test(`${cmdlet} ${JSON.stringify(given)}`, async () => {
      const bench = new Bench();
      const { error } = await bench.try(cmdlet, { Identity: defaultConnector, ...given });
      assert.match(error?.message ?? '', message);
      assert.deepEqual(bench.store.log, []);
    });
  }

  test('an unknown connector', async () => {
    const { error } = await new Bench().try('Get-ADPermission', {
      Identity: 'Defalt internal receive connector EDGE1',
    });
    assert.match(error?.message ?? '', /Did you mean 'Default internal receive connector EDGE1'/);
  });
});
