/** A real domain controller as the source, a real appliance, and mail through it. One controller serves the whole file. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { FaultList, systemClock } from '../../src/base/index.ts';
import { DirectoryClient, PrincipalSearch } from '../../src/directory/index.ts';
import { DirectoryLogon } from '../../src/services/directory/directory-logon.ts';
import { Appliance, edge as command, eventually } from '../lib/appliance.ts';
import { ended, Inside } from '../lib/inside.ts';
import { needs, swaks } from '../lib/peers.ts';
import { SambaAd, sambaMissing } from '../lib/samba-ad.ts';
import { ScriptedSink } from '../lib/scripted-sink.ts';

const missing = sambaMissing();
const skip = missing === '' || process.env['CI'] === 'true' ? needs('swaks') : { skip: missing };

describe('Samba AD as the source', skip, () => {
  let samba: SambaAd;
  let edge: Appliance;
  let sink: ScriptedSink;
  let inside: Inside;

  before(async () => {
    inside = new Inside();
    sink = await ScriptedSink.listen();
    samba = await SambaAd.start({ strongAuth: true });
    edge = await Appliance.start({ workers: 1 });
    people(samba);
    await init(samba.administrator);
    await inside.subscribe(edge);
    await inside.done('apply');
    await edge.shell('Set-RecipientFilterConfig -RecipientValidationEnabled $true');
  });
  after(async () => {
    await inside?.[Symbol.asyncDispose]();
    await edge?.[Symbol.asyncDispose]();
    await samba?.[Symbol.asyncDispose]();
    await sink?.[Symbol.asyncDispose]();
  });

  const init = (account: string): Promise<string> =>
    inside.done(
      'init',
      ...['--source', samba.secureUrl, '--ca', samba.caFile, '--bind-dn', account],
      ...['--password-file', inside.file('password', `${samba.password}\n`), '--domain', 'corp.example'],
      ...['--smart-host', `[127.0.0.1]:${sink.port}`],
    );
  /** Offers a message; the reply to RCPT or to the content. */
  const offer = (to: string): string =>
    swaks('--server', `127.0.0.1:${edge.port}`, '--from', 'sender@example.org', '--to', to).text;
  const accepted = (to: string): boolean => /<- {2}250 2\.6\.0 /.test(offer(to));
  const unknown = (to: string): boolean => /<\*\* 550 5\.1\.1 User unknown/.test(offer(to));
  /** Workers hear of a write within a second. */
  const knows = (to: string): Promise<void> => eventually(`${to} is accepted`, () => accepted(to));
  const forgets = (to: string): Promise<void> => eventually(`${to} is unknown`, () => unknown(to));

  test('a synchronised address is accepted and delivered to the hub, an unknown one refused with 550 5.1.1', async () => {
    await knows('anna@corp.example');
    assert.ok(accepted('Anna.Alias+shop@Corp.Example'), 'case and plus addresses by the canonical form');
    await eventually('at the hub', () => sink.taken.some(({ to }) => to.join() === 'anna@corp.example'));
    assert.ok(unknown('nobody@corp.example'));
    assert.ok(unknown('legacy@corp.example'), 'an X400 address is none');
    assert.ok(accepted('postmaster@corp.example'), 'RFC 5321 §4.5.1');
  });

  test('init against a certificate of an unknown authority says which option names it', async () => {
    await using other = new Inside();
    const password = other.file('password', `${samba.password}\n`);
    const { status, error } = await other.sync(
      'init',
      ...['--source', samba.secureUrl, '--bind-dn', samba.administrator, '--password-file', password],
    );
    assert.equal(status, 2);
    assert.match(error, /its certificate is of no authority that is trusted here: .*--ca FILE/);
  });

  test('SMTP clients log on by a bind to it, with the SIDs of the account and of its groups', async () => {
    const faults = new FaultList(systemClock, { error: assert.fail, info() {} });
    const logon = new DirectoryLogon({ clock: systemClock, faults, tls: () => ({ ca: readFileSync(samba.caFile) }) });
    const check = (bindName: string, name: string, password = samba.password) =>
      logon.check({ url: samba.secureUrl, bindName }, { name, password, address: '192.0.2.1' });
    for (const [bindName, name] of [
      ['{user}@corp.example', 'Administrator'],
      ['{user}', samba.administrator],
      ['{user}', 'CORP\\Administrator'],
      [`cn={user},cn=Users,${samba.base}`, 'Administrator'],
    ] as const) {
      const { kind, sids } = await check(bindName, name);
      assert.equal(kind, 'accepted', name);
      assert.match(sids[0] ?? '', /^S-1-5-21-.*-500$/);
      // Domain Admins and BUILTIN\\Administrators, by tokenGroups.
      assert.ok(sids.some((sid) => sid.endsWith('-512')) && sids.includes('S-1-5-32-544'), sids.join());
    }
    // Whoever is let in by a name of another domain is not its namesake here.
    await using client = new DirectoryClient({
      url: samba.secureUrl,
      bind: { dn: samba.administrator, password: samba.password },
      tls: { ca: readFileSync(samba.caFile) },
    });
    const principals = new PrincipalSearch(client);
    for (const name of ['OTHER\\Administrator', 'administrator@other.example', 'Administrato?', '*'])
      assert.deepEqual(await principals.find(name), [], name);
    assert.equal((await check('{user}@corp.example', 'Administrator', 'wrong')).kind, 'refused');
    assert.equal((await check('{user}@corp.example', 'nobody')).kind, 'refused');
  });

  test('a Mailbox server takes users and groups of it by name in rights, and shows them by name', async () => {
    const shell = async (...lines: string[]): Promise<{ readonly out: string; readonly error: string }> =>
      command('shell', '--role', 'Mailbox', '--state', inside.state, ...lines.flatMap((line) => ['-c', line]));
    const given = '-ExtendedRights ms-Exch-SMTP-Accept-Any-Recipient';
    const { out, error } = await shell(
      ...['anna', 'CORP\\anna', 'anna@corp.example', `CN=Anna,OU=People,${samba.base}`].flatMap((name) => [
        `(Get-ReceiveConnector | Add-ADPermission -User '${name}' ${given}).User`,
        `Get-ReceiveConnector | Remove-ADPermission -User '${name}' ${given} -Confirm:$false`,
      ]),
      `Get-ReceiveConnector | Add-ADPermission -User 'domain admins' ${given} | Out-Null`,
      "(Get-ReceiveConnector | Get-ADPermission -User 'CORP\\Domain Admins').User",
      "(Test-ReceiveConnector 127.0.0.1 -UseTls -User administrator@corp.example | Where-Object { $_.Item -eq 'AUTH LOGIN' }).Reason",
    );
    assert.equal(error, '');
    const lines = out.trim().split('\n');
    assert.deepEqual(lines.slice(0, 5), [...Array<string>(4).fill('CORP\\anna'), 'CORP\\Domain Admins'], out);
    assert.match(
      lines[5] ?? '',
      /the account CORP\\Administrator has the SID S-1-5-21-[\d-]+-500 and is a member of .*CORP\\Domain Admins/,
    );
    const refused = await shell(`Get-ReceiveConnector | Add-ADPermission -User 'OTHER\\anna' ${given}`);
    assert.match(refused.error, /no principal 'OTHER\\anna'[^]*has\s+none\s+either/);
  });

  test('groups, contacts, public folders and disabled accounts have addresses too', () => {
    for (const name of ['sales', 'partner', 'folder', 'room']) assert.ok(accepted(`${name}@corp.example`), name);
  });

  test('a group that takes mail from authenticated senders only is left out, and preview says why', async () => {
    assert.ok(unknown('board@corp.example'));
    const { status, out } = await inside.sync('preview', 'board@corp.example');
    assert.equal(status, 1);
    assert.match(out, /CN=Board.*not replicated: .*msExchRequireAuthToSendTo/);
  });

  test('a group with 5,000 addresses is read whole, in ranges', async () => {
    const { reading, edges } = await inside.apply();
    assert.ok(reading.complete, reading.reasons.join());
    assert.equal(edges[0]?.stopped, undefined);
    for (const i of [0, 1499, 1500, 4999]) assert.ok(accepted(`everyone${i}@corp.example`), `everyone${i}`);
  });

  test('no read of the store of the edge gives an address back', async () => {
    const { out } = await command('directory', 'export', '--state', edge.state, '--operational');
    assert.match(out, /edgeHashedAddress/);
    assert.doesNotMatch(out, /anna@|cn=anna|sales@/i);
  });

  test('a move and a rename keep the addresses', async () => {
    samba.modify(
      `dn: CN=Anna,OU=People,${samba.base}\nchangetype: modrdn\nnewrdn: CN=Anna Moved\ndeleteoldrdn: 1\nnewsuperior: OU=Others,${samba.base}\n`,
    );
    samba.modify(
      `dn: OU=Groups,${samba.base}\nchangetype: modrdn\nnewrdn: OU=Teams\ndeleteoldrdn: 1\nnewsuperior: ${samba.base}\n`,
    );
    assert.equal((await inside.apply()).status, 0);
    assert.ok(accepted('anna@corp.example'));
    assert.ok(accepted('sales@corp.example'));
    assert.match((await inside.sync('preview', 'sales@corp.example')).out, /OU=Teams/);
  });

  test('a deletion and a lost address are unknown after the next run', async () => {
    samba.modify(`dn: CN=Gone,OU=People,${samba.base}\nchangetype: delete\n`);
    samba.modify(
      `dn: CN=Bert,OU=People,${samba.base}\nchangetype: modify\nreplace: proxyAddresses\nproxyAddresses: SMTP:bert@corp.example\n`,
    );
    const { status, edges } = await inside.apply();
    assert.equal(status, 0);
    assert.equal(edges[0]?.recipients?.addressesLost, 2);
    await forgets('gone@corp.example');
    await forgets('bert.old@corp.example');
    assert.ok(accepted('bert@corp.example'));
  });

  test('the controller is gone in the middle: nothing is lost, and the next run goes on', async () => {
    await samba.stop();
    const { status, error } = await inside.sync('apply');
    assert.equal(status, 2);
    assert.match(error, /edge sync apply: .*127\./);
    assert.ok(accepted('bert@corp.example'));
    await samba.run();
    assert.equal((await inside.apply()).status, 0);
  });

  test('run: a user created in Samba is accepted at once, the interval is five minutes', async () => {
    const run = await inside.start('run');
    await eventually('the first run', async () => /^next run/m.test((await inside.sync('status')).out));
    samba.add('CN=Newcomer,OU=People', [...user, 'proxyAddresses: SMTP:newcomer@corp.example']);
    await knows('newcomer@corp.example');
    const running = await inside.sync('status');
    assert.match(running.out, /^next run \d{4}-\S+Z$/m);
    assert.match(running.out, /last success \S+ \(\d+ s ago\); \d+ recipients/);
    assert.match(running.out, /account ESRA\.\S+ until \S+Z; certificate of the edge until \d{4}-\S+Z$/m);
    await ended(run);
    assert.equal(run.exitCode, 0);
    assert.match((await inside.sync('status')).out, /^edge sync run does not run on this state$/m);
  });

  test('mass deletion is held by the brake until --force', async () => {
    samba.modify(`dn: CN=Everyone,OU=Teams,${samba.base}\nchangetype: delete\n`);
    const held = await inside.apply();
    assert.equal(held.status, 1);
    assert.match(held.edges[0]?.stopped ?? '', /5000 of \d+ addresses would stop being accepted, more than 500/);
    assert.ok(accepted('everyone1@corp.example'));
    assert.equal((await inside.apply('--force')).status, 0);
    await forgets('everyone1@corp.example');
  });

  test('an ordinary account is enough: what it may not do is told, and done by the ids of all', async () => {
    samba.tool('user', 'create', 'sync', samba.password);
    const said = await init('sync@corp.example');
    assert.match(said, /Samba AD at .*changes by DirSync/);
    assert.match(said, /note: deleted objects cannot be seen by this account/);
    samba.modify(`dn: CN=Room,OU=People,${samba.base}\nchangetype: delete\n`);
    const { status, reading } = await inside.apply();
    assert.equal(status, 0, reading.reasons.join());
    await forgets('room@corp.example');
    samba.modify(`dn: CN=Partner,OU=Others,${samba.base}\nchangetype: delete\n`);
    assert.equal((await inside.apply()).status, 0);
    await forgets('partner@corp.example');
    assert.ok(accepted('anna@corp.example'));
  });
});

const user = ['objectClass: user', 'userAccountControl: 514'] as const;

function people(samba: SambaAd): void {
  const { base } = samba;
  const units = ['People', 'Others', 'Groups'];
  const exchange = `CN=Microsoft Exchange System Objects,${base}`;
  const entries: [dn: string, lines: readonly string[]][] = [
    ...units.map((name) => [`OU=${name},${base}`, ['objectClass: organizationalUnit']] as [string, string[]]),
    [exchange, ['objectClass: container']],
    [
      `CN=Anna,OU=People,${base}`,
      [
        ...user,
        'sAMAccountName: anna',
        'proxyAddresses: SMTP:anna@corp.example',
        'proxyAddresses: smtp:Anna.Alias@CORP.example',
        'proxyAddresses: X400:c=DE;a= ;p=Corp;s=legacy;',
        'proxyAddresses: SIP:legacy@corp.example',
      ],
    ],
    [
      `CN=Bert,OU=People,${base}`,
      [...user, 'proxyAddresses: SMTP:bert@corp.example', 'proxyAddresses: smtp:bert.old@corp.example'],
    ],
    [`CN=Gone,OU=People,${base}`, [...user, 'mail: gone@corp.example']],
    [`CN=Room,OU=People,${base}`, [...user, 'mail: room@corp.example']],
    [`CN=Sales,OU=Groups,${base}`, ['objectClass: group', 'mail: sales@corp.example']],
    [
      `CN=Board,OU=Groups,${base}`,
      ['objectClass: group', 'mail: board@corp.example', 'msExchRequireAuthToSendTo: TRUE'],
    ],
    [
      `CN=Everyone,OU=Groups,${base}`,
      [
        'objectClass: group',
        // More values than Samba gives at once (MaxValRange), of the attribute that is read: members are not.
        ...Array.from({ length: 5000 }, (_, i) => `proxyAddresses: smtp:everyone${i}@corp.example`),
      ],
    ],
    [`CN=Partner,OU=Others,${base}`, ['objectClass: contact', 'proxyAddresses: SMTP:partner@corp.example']],
    [`CN=Folder,${exchange}`, ['objectClass: contact', 'mail: folder@corp.example']],
  ];
  const text = entries.map(([dn, lines]) => `dn: ${dn}\nchangetype: add\n${lines.join('\n')}\n`);
  samba.modify(text.join('\n'));
}
