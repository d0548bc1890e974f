/** A real slapd as the source, with and without content synchronization, and what else may ask for the addresses. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { safelistHashes } from '../../src/edge-sync/safelist.ts';
import { Appliance, edge as command, eventually } from '../lib/appliance.ts';
import { ended, Inside } from '../lib/inside.ts';
import { freePort } from '../lib/ports.ts';
import { Postfix, postfixMissing } from '../lib/postfix.ts';
import { personLdif, SlapdSource, slapdMissing } from '../lib/slapd-source.ts';
import { Client } from '../smtp-receive/receiving.ts';

const missing = slapdMissing();
const skip = missing === '' || process.env['CI'] === 'true' ? {} : { skip: missing };
const count = 60;

function* people(): Generator<string> {
  for (let i = 1; i < count; i++) yield personLdif(`user${i}`, [`SMTP:user${i}@corp.example`]);
  const lists = `msExchSafeSendersHash:: ${safe}\nmsExchBlockedSendersHash:: ${blocked}\nmsExchMessageHygieneSCLRejectThreshold: 7\n`;
  yield personLdif('user0', ['SMTP:user0@corp.example']) + lists;
}

/** Safelists as Exchange keeps them: four octets for each sender, sorted, in one value. */
const [safe, blocked] = [
  safelistHashes(['friend@example.net', 'other@example.net']).toString('base64'),
  safelistHashes(['spammer@example.net']).toString('base64'),
];

const deletion = (i: number): string => `dn: uid=user${i},ou=People,dc=corp,dc=example\nchangetype: delete\n`;
const addition = (name: string): string =>
  personLdif(name, [`SMTP:${name}@corp.example`]).replace('\n', '\nchangetype: add\n');

/** What `edge sync status --json` says of a subscription. */
interface SubscriptionStatus {
  readonly account: string;
  readonly recipients: number;
  readonly waiting: number;
  readonly leaseUntil: string | null;
  readonly problem: string;
}

/** Of the only subscription. */
async function statusOf(inside: Inside): Promise<SubscriptionStatus> {
  const { subscriptions } = JSON.parse((await inside.sync('status', '--json')).out) as {
    subscriptions: [SubscriptionStatus];
  };
  return subscriptions[0];
}

describe('a Mailbox server runs EdgeSync', skip, () => {
  let slapd: SlapdSource;
  let edge: Appliance;
  let hub: Appliance;
  let inside: Inside;
  /** Runs lines on the Mailbox server, whether they fail or not. */
  const shell = async (...lines: string[]): Promise<string> => {
    const { out, error } = await command(
      'shell',
      ...['--role', 'Mailbox', '--state', inside.state, ...lines.flatMap((line) => ['-c', line])],
    );
    return out + error;
  };
  const statuses = (text: string, name: string): (string | undefined)[] =>
    [...text.matchAll(new RegExp(`${name} +: (\\S+)`, 'g'))].map(([, status]) => status);

  before(async () => {
    [slapd, edge, hub] = await Promise.all([
      SlapdSource.start([personLdif('jane', ['SMTP:jane@corp.example'])]),
      // The import connects to the FQDN in the file.
      Appliance.start({ workers: 1, hostName: 'localhost' }),
      Appliance.prepare({ role: 'Mailbox', workers: 1 }),
    ]);
    inside = new Inside(hub.state);
    await inside.done(
      'init',
      ...['--source', slapd.url, '--bind-dn', slapd.bindDn, '--password-file', inside.file('password', 'secret\n')],
      ...['--domain', 'corp.example', '--tls-send-domain', 'partner.example'],
    );
  });
  after(async () => {
    await inside?.[Symbol.asyncDispose]();
    await hub?.[Symbol.asyncDispose]();
    await edge?.[Symbol.asyncDispose]();
    await slapd?.[Symbol.asyncDispose]();
  });

  test('New-EdgeSubscription takes -FileData in both spellings', async () => {
    const first = await inside.fileOf(edge, 'first.xml');
    const spelled = `([System.IO.File]::ReadAllBytes('${first}'))`;
    const said = await shell(
      `New-EdgeSubscription -FileData ${spelled} -Site "Main" -CreateInternetSendConnector $true -CreateInboundSendConnector $false`,
    );
    assert.match(said, /LOCALHOST +Main/);
    const second = await inside.fileOf(edge, 'second.xml');
    const again = await shell(
      `[byte[]]$Data = Get-Content -Path "${second}" -Encoding Byte -ReadCount 0; New-EdgeSubscription -FileData $Data -Site "Main"`,
      `New-EdgeSubscription -FileData ${spelled} -Site Main`,
      'Test-EdgeSynchronization -FullCompareMode',
    );
    assert.match(again, /LOCALHOST +Main/);
    assert.match(again, /it was altered, it was used before/);
    assert.match(again, /SyncStatus +: NotSynchronized[\s\S]*AcceptedDomainStatus +: NotSynchronized/);
    assert.match(again, /TransportConfigStatus +: NotSynchronized[\s\S]*RecipientStatus +: NotSynchronized/);
  });

  test('once it runs it synchronises with no other command, and at once what changes in the source', async () => {
    await hub.start();
    const held = async (): Promise<number> => (await statusOf(inside)).recipients;
    await eventually('the first synchronization', async () => (await held()) === 1);
    // Its interval of five minutes is not waited for.
    slapd.modify(addition('john'));
    await eventually('the change', async () => (await held()) === 2);
    // The run goes on behind its last recipient: it tells the edge, and then says when the next one is.
    await eventually('its end, on the edge', async () =>
      (await command('status', '--state', edge.state)).out.includes('(2 recipients, 2 addresses)'),
    );
    await eventually('the next run', async () => /^next run \d{4}-\S+Z$/m.test((await inside.sync('status')).out));
    await eventually('its line', () =>
      Promise.resolve(/EdgeSync: 1 recipients written/.test(readFileSync(join(hub.state, 'logs/service.log'), 'utf8'))),
    );
  });

  test('Start- and Test-EdgeSynchronization', async () => {
    const said = await shell(
      'Start-EdgeSynchronization -TargetServer LOCALHOST -ForceFullSync',
      'Test-EdgeSynchronization',
      'Test-EdgeSynchronization -FullCompareMode -MaxReportSize 10 -TargetServer LOCALHOST',
      'Test-EdgeSynchronization -ExcludeRecipientTest',
      'Test-EdgeSynchronization -VerifyRecipient jane@corp.example',
      'Start-EdgeSynchronization -Server OTHER',
    );
    assert.match(said, /Type +: Recipients[\s\S]*Result +: Success|Result +: Success[\s\S]*Type +: Recipients/);
    assert.deepEqual(statuses(said, 'SyncStatus'), ['Normal', 'Normal', 'Normal']);
    assert.deepEqual(statuses(said, 'RecipientStatus'), ['Synchronized', 'Synchronized', 'Skipped', 'Synchronized']);
    assert.match(said, /run the cmdlet on\s+OTHER/);
    assert.match(await edge.shell('(Get-TransportConfig).TLSSendDomainSecureList'), /partner\.example/);
  });

  test('its own certificates are published without being named, and a new one beside the old one', async () => {
    const keys = async (): Promise<readonly string[]> =>
      (await edge.shell('(Get-DirectTrustServer).Certificates'))
        .trim()
        .split('\n')
        .map((line) => line.slice(0, 40))
        .sort();
    const own = async (filter: string): Promise<readonly string[]> =>
      (await shell(`(Get-ExchangeCertificate | Where-Object {${filter}}).Thumbprint`)).trim().split(/\s+/).sort();
    const all = '$_.Services -match "SMTP"';
    assert.deepEqual(await keys(), await own(all), 'RSA and ECDSA, as the first start made them');
    const name = (await shell('(Get-ExchangeServer).Fqdn')).trim();
    assert.equal((await edge.shell('(Get-DirectTrustServer).Name')).trim().toLowerCase(), name.toLowerCase());
    await shell(
      `New-ExchangeCertificate -DomainName ${name} -Services SMTP -Force`,
      'New-ExchangeCertificate -DomainName *.corp.example -Services None -Force',
      'Start-EdgeSynchronization',
    );
    const after = await keys();
    assert.deepEqual(after, await own(all));
    assert.equal(after.length, 3, 'old and new count together; the one for other names does not');
    // A command on the same state knows them too, and takes none of them away.
    const plan = await inside.sync('plan');
    assert.equal(plan.status, 0, plan.out);
  });

  test('Get-, New- and Set-EdgeSyncServiceConfig', async () => {
    const said = await shell(
      'Get-EdgeSyncServiceConfig',
      'New-EdgeSyncServiceConfig -Site Main -RecipientSyncInterval 00:01:00',
      'Set-EdgeSyncServiceConfig Main -LockDuration 00:10:00 -Confirm:$false',
      'Get-EdgeSyncServiceConfig -Site Main',
      'Set-EdgeSyncServiceConfig Main -LogLevel medium -LogMaxDirectorySize Unlimited -LogMaxFileSize 1MB',
      'Get-EdgeSyncServiceConfig -Site Main',
      'Set-EdgeSyncServiceConfig Main -LogPath ../../etc',
      'Set-EdgeSyncServiceConfig Main -OptionDuration 00:10:00',
      'Set-EdgeSyncServiceConfig Main -LockDuration 02:00:00',
    );
    assert.match(said, /Site +: Main\s+ConfigurationSyncInterval : 00:03:00/);
    assert.deepEqual(statuses(said, 'RecipientSyncInterval'), ['00:05:00', '00:01:00', '00:01:00', '00:01:00']);
    assert.match(said, /LockDuration +: 00:10:00/);
    assert.match(said, /LogEnabled +: True\s+LogLevel +: None\s+LogPath +: logs\/EdgeSync\s+LogMaxAge +: 30\.00:00:00/);
    assert.match(said, /LogLevel +: Medium[^]*LogMaxDirectorySize +: Unlimited\s+LogMaxFileSize +: 1 MB/);
    for (const refusal of [/leaves its folder/, /not implemented yet/, /01:00:00/]) assert.match(said, refusal);
  });
});

describe('slapd as the source', skip, () => {
  let slapd: SlapdSource;
  let one: Appliance;
  let inside: Inside;

  const initAs = (...args: string[]): Promise<string> =>
    inside.done(
      'init',
      ...['--source', slapd.url, '--bind-dn', slapd.bindDn, '--password-file', inside.file('password', 'secret\n')],
      ...args,
    );
  const init = (...args: string[]): Promise<string> => initAs('--domain', 'corp.example', ...args);
  const waiting = (): Promise<SubscriptionStatus> => statusOf(inside);
  const serviceLog = (): string => {
    const folder = join(one.state, 'logs');
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    assert.ok(files.length > 0);
    return files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1')).join('');
  };
  const exported = async (): Promise<string[]> => (await inside.done('export')).trimEnd().split('\n');

  before(async () => {
    inside = new Inside();
    [slapd, one] = await Promise.all([SlapdSource.start(people()), Appliance.start({ workers: 1 })]);
    assert.match(await initAs(), /no accepted domain is named \(--domain\)/);
    const named = await init();
    assert.match(named, /OpenLDAP at .*changes by content synchronization/);
    assert.doesNotMatch(named, /no accepted domain is named/);
    await inside.subscribe(one);
  });
  after(async () => {
    await inside?.[Symbol.asyncDispose]();
    await one?.[Symbol.asyncDispose]();
    await slapd?.[Symbol.asyncDispose]();
  });

  test('plan says what would change, writes nothing, and ends with 1; after apply it ends with 0', async () => {
    const plan = await inside.sync('plan');
    assert.equal(plan.status, 1, plan.error);
    assert.match(plan.out, new RegExp(`${one.name}: ${count} added, 0 changed, 0 removed`));
    assert.equal((await waiting()).recipients, 0);
    const { status, edges } = await inside.apply();
    assert.equal(status, 0);
    assert.equal(edges[0]?.recipients?.written, count);
    assert.equal((await waiting()).leaseUntil, null, 'it was given back');
    const again = await inside.sync('plan');
    assert.equal(again.status, 0, again.out);
  });

  test('the subscription file was used: neither it nor an altered one is taken again', async () => {
    const path = join(inside.folder, `${one.name}.xml`);
    const used = await inside.sync('subscribe', path, '--site', 'Main', '--address', '127.0.0.1');
    assert.equal(used.status, 1);
    assert.match(used.error, /it was used before/);
    writeFileSync(path, readFileSync(path, 'utf8').replace('<VersionNumber>1<', '<VersionNumber>2<'));
    const altered = await inside.sync('subscribe', path, '--site', 'Main', '--address', '127.0.0.1');
    assert.equal(altered.status, 1, altered.error);
    assert.match(altered.error, /it was altered, it was used before, or a newer one was made on the edge/);
    assert.equal((await inside.apply()).status, 0, 'the subscription in force is not harmed');
  });

  test('no file inside can be read by others, and no secret is in the log of the edge', async () => {
    const folder = join(inside.state, 'edge-sync');
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const path = join(folder, name);
      assert.equal(statSync(path).mode & 0o077, 0, path);
    }
    const { recipientKey } = JSON.parse(readFileSync(join(folder, 'edges', `${one.name}.json`), 'utf8')) as {
      recipientKey: string;
    };
    const dump = await command('directory', 'export', '--state', one.state, '--operational');
    for (const text of [dump.out, serviceLog(), one.output]) assert.ok(!text.includes(recipientKey));
    // Fifty recipients and more are one line, and none has one of its own.
    assert.match(serviceLog(), new RegExp(`"add":${count}.*LDAP writes of recipients`));
    assert.doesNotMatch(serviceLog(), /CN=Recipients,OU=MSExchangeGateway/);
    for (const line of [
      `msExchSafeSenderHash:: ${safe}`,
      `msExchBlockedSendersHash:: ${blocked}`,
      'msExchMessageHygieneSCLRejectThreshold: 7',
    ])
      assert.ok(dump.out.includes(`\n${line}\n`), line);
  });

  test('export gives every address for Postfix and as CSV', async () => {
    assert.deepEqual(
      (await exported()).toSorted(),
      Array.from({ length: count }, (_, i) => `user${i}@corp.example OK`).toSorted(),
    );
    const csv = await inside.done('export', '--format', 'csv');
    assert.match(csv, /^address,recipient\n/);
    assert.match(csv, /"user7@corp\.example","uid=user7,ou=People,dc=corp,dc=example"\n/i);
  });

  test('postmap looks addresses up in the export and in the socketmap', {
    skip: process.env['CI'] === 'true' ? false : postfixMissing() || false,
  }, async () => {
    const file = inside.file('recipients', await inside.done('export'));
    const look = (map: string, key: string): string => {
      try {
        return execFileSync('/usr/sbin/postmap', ['-q', key, map], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
        });
      } catch (error) {
        return `status ${(error as { status: number }).status}${(error as { stderr: string }).stderr}`;
      }
    };
    assert.equal(look(`texthash:${file}`, 'user3@corp.example'), 'OK\n');
    assert.equal(look(`texthash:${file}`, 'nobody@corp.example'), 'status 1');
    const port = await freePort();
    const service = await inside.start('socketmap', '--listen', `127.0.0.1:${port}`);
    const map = `socketmap:inet:127.0.0.1:${port}:recipients`;
    assert.equal(look(map, 'User3+news@Corp.Example'), 'OK\n');
    assert.equal(look(map, 'nobody@corp.example'), 'status 1');
    slapd.modify(addition('late'));
    await inside.apply();
    assert.equal(look(map, 'late@corp.example'), 'OK\n', 'what a run reads is answered without a restart');
    // What is no netstring ends its connection and nothing else.
    for (const octets of ['x:', '99999:', '-1:a,', '3:abcX', ':::', '5']) await refused(port, octets);
    assert.equal(look(map, 'user3@corp.example'), 'OK\n');
    await smtpdTakes(map, `texthash:${file}`);
    await ended(service);
    assert.equal(service.exitCode, 0);
  });

  test('run: what slapd changes is written at once, its intervals are minutes', async () => {
    const run = await inside.start('run');
    slapd.modify(addition('prompt'));
    await eventually('the new address', async () => (await exported()).join().includes('prompt@'));
    slapd.modify(deletion(9));
    await eventually('the deletion', async () => !(await exported()).join().includes('user9@'));
    // Connections that are lost are made again, and what happened meanwhile is found.
    await slapd.stop();
    await slapd.run();
    slapd.modify(addition('later'));
    await eventually('after a restart of the source', async () => (await exported()).join().includes('later@'));
    await ended(run);
    assert.equal(run.exitCode, 0);
  });

  test('a moved, a changed and a deleted entry arrive by content synchronization', async () => {
    slapd.modify(`dn: uid=user1,ou=People,${slapd.base}\nchangetype: modrdn\nnewrdn: uid=renamed\ndeleteoldrdn: 1\n`);
    slapd.modify(
      `dn: uid=user2,ou=People,${slapd.base}\nchangetype: modify\nreplace: proxyAddresses\nproxyAddresses: SMTP:other2@corp.example\n`,
    );
    slapd.modify(deletion(3));
    const { status, reading, edges } = await inside.apply();
    assert.equal(status, 0);
    assert.ok(reading.scanned < count, `${reading.scanned} objects were named, not all`);
    assert.equal(edges[0]?.recipients?.addressesLost, 2);
    const addresses = (await exported()).join();
    assert.match(addresses, /user1@/);
    assert.match(addresses, /other2@/);
    assert.doesNotMatch(addresses, /user[23]@/);
  });

  test('a source restored from a backup takes nothing away until --force', async () => {
    await slapd.stop();
    slapd.backup();
    await slapd.run();
    slapd.modify(addition('young'));
    assert.equal((await inside.apply()).status, 0);
    await slapd.stop();
    slapd.restore();
    await slapd.run();
    const { status, reading } = await inside.apply();
    assert.equal(status, 1);
    assert.match(reading.reasons.join(), /restored/);
    assert.match((await exported()).join(), /young@/);
    assert.equal((await inside.apply('--force')).status, 0);
    assert.doesNotMatch((await exported()).join(), /young@/);
  });

  test("slapd's size limit holds across pages: the read is incomplete, is told with the limits line, and deletes nothing", async () => {
    await slapd.stop();
    slapd.configure({ sizeLimit: 20, contentSync: false });
    await slapd.run();
    await init();
    const { status, reading } = await inside.apply('--full');
    assert.equal(status, 1);
    assert.match(reading.reasons.join(), /limits dn\.exact="<bind DN>" size=unlimited/);
    assert.ok((await exported()).length > count - 5);
  });

  test('without content synchronization changes come by modifyTimestamp and the ids of all', async () => {
    await slapd.stop();
    slapd.configure({ contentSync: false });
    await slapd.run();
    assert.match(await init(), /changes by modifyTimestamp/);
    assert.equal((await inside.apply()).status, 0);
    slapd.modify(deletion(5));
    slapd.modify(addition('fresh'));
    assert.equal((await inside.apply()).status, 0);
    const addresses = (await exported()).join();
    assert.match(addresses, /fresh@/);
    assert.doesNotMatch(addresses, /user5@/);
  });

  test('rekey goes over to a new account at once, and addresses are known as before', async () => {
    const account = async (): Promise<string> => (await waiting()).account;
    const before = await account();
    await inside.done('rekey', one.name);
    assert.equal(
      await account(),
      before.replace(/\d+$/, (number) => String(Number(number) + 1)),
    );
    const { status, edges } = await inside.apply('--full');
    assert.equal(status, 0);
    assert.equal(edges[0]?.recipients?.written, 0, 'the hashes did not change');
  });

  test('filter, bases and exclusions are applied inside', async () => {
    await init('--filter', '(!(uid=user7))', '--exclude', `uid=user8,ou=People,${slapd.base}`);
    const { status } = await inside.apply();
    assert.equal(status, 0);
    const addresses = (await exported()).join();
    assert.doesNotMatch(addresses, /user[78]@/);
    assert.match((await inside.sync('preview', 'user7@corp.example')).out, /does not match the filter/);
    assert.match((await inside.sync('preview', 'user8@corp.example')).out, /below an excluded base/);
  });

  test('unsubscribe on both sides takes what was replicated from the edge, and opens its cmdlets', async () => {
    await assert.rejects(one.shell('New-AcceptedDomain -Name Own -DomainName own.example'), /subscri/i);
    assert.match(await inside.done('unsubscribe', one.name), /Remove-EdgeSubscription/);
    const { status, error } = await inside.sync('apply');
    assert.equal(status, 2);
    assert.match(error, /no edge is subscribed/);
    await one.shell(`Remove-EdgeSubscription ${one.name} -Force`);
    const dump = await command('directory', 'export', '--state', one.state);
    assert.doesNotMatch(dump.out, /edgeHashedAddress|ESRA\./);
    assert.ok(!existsSync(join(one.state, 'edge-sync/recipient-key')));
    await one.shell('New-AcceptedDomain -Name Own -DomainName own.example');
    await eventually('nothing is left', async () => !(await one.shell('Get-EdgeSubscription')).includes(one.name));
  });
});

/** A real smtpd asks each map for recipients of the domain. */
async function smtpdTakes(map: string, other: string): Promise<void> {
  const settings = {
    relay_domains: 'corp.example',
    relay_recipient_maps: map,
    relay_transport: 'discard:',
    smtpd_recipient_restrictions: 'reject_unauth_destination',
    smtpd_relay_restrictions: 'reject_unauth_destination',
  };
  const [port, otherPort] = [await freePort(), await freePort()];
  const services = [`127.0.0.1:${otherPort} inet n - n - - smtpd -o relay_recipient_maps=${other}`];
  await using _postfix = await Postfix.start({ port, settings, services });
  for (const [at, asked] of [
    [port, map],
    [otherPort, other],
  ] as const) {
    const client = new Client(connect(at, '127.0.0.1'));
    await client.reply();
    await client.ask('EHLO sender.example');
    await client.ask('MAIL FROM:<sender@sender.example>');
    assert.match(await client.ask('RCPT TO:<user4@corp.example>'), /^250 /, asked);
    const unknown = await client.ask('RCPT TO:<nobody@corp.example>');
    assert.match(unknown, /^550 5\.1\.1 .*User unknown in relay recipient table/, asked);
    client.socket.destroy();
  }
}

/** Sends octets and waits until the other side hangs up or says that it waits for more. */
function refused(port: number, octets: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(octets));
    socket.setTimeout(60_000, () => reject(new Error(`'${octets}' was not answered by an end`)));
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
    socket.resume();
  });
}
