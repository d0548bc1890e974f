/** AUTH against the accounts of the directory: through worker, supervisor and directory process. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Appliance, edge, eventually } from '../lib/appliance.ts';
import { needs, swaks } from '../lib/peers.ts';

let appliance: Appliance;
before(async () => {
  appliance = await Appliance.start({
    workers: 2,
    lines: [
      "New-ReceiveConnector Users -Usage Custom -Bindings '127.0.0.1:$port' -RemoteIPRanges 127.0.0.1 -AuthMechanism Tls,BasicAuth -PermissionGroups ExchangeUsers,AnonymousUsers -AuthTarpitInterval 0",
      'New-AcceptedDomain corp.example -DomainName corp.example',
      "Add-ADPermission Users -User 'NT AUTHORITY\\Authenticated Users' -ExtendedRights ms-Exch-SMTP-Accept-Any-Sender",
    ],
  });
  const file = join(appliance.state, '..', 'password');
  writeFileSync(file, 'correct horse\n', { mode: 0o600 });
  for (const [name, role] of [
    ['device', 'Readers'],
    ['boss', 'Administrators'],
  ] as const) {
    const made = await edge(
      'directory',
      'account',
      'add',
      name,
      '--role',
      role,
      '--password-file',
      file,
      '--state',
      appliance.state,
    );
    assert.equal(made.status, 0, made.error);
  }
});
after(() => appliance[Symbol.asyncDispose]());

const logOn = (user: string, password: string, ...more: string[]): { status: number; text: string } =>
  swaks(
    ...[
      '--server',
      '127.0.0.1',
      '--port',
      String(appliance.port),
      '--from',
      'a@corp2.example',
      '--to',
      'x@far.example',
    ],
    ...['--auth-user', user, '--auth-password', password, '--quit-after', 'RCPT', ...more],
  );

for (const mechanism of ['LOGIN', 'PLAIN']) {
  test(`an account of the directory relays behind AUTH ${mechanism}`, needs('swaks'), () => {
    const { status, text } = logOn('device', 'correct horse', '--auth', mechanism);
    assert.equal(status, 0, text);
    assert.match(text, /235 2\.7\.0 Authentication successful/);
    assert.match(text, /250 2\.1\.5 Recipient OK/);
  });
}

test('a wrong password, an unknown name and an administrator of the directory get one answer', needs('swaks'), () => {
  for (const [name, password] of [
    ['device', 'wrong'],
    ['nobody,CN=x', 'wrong'],
    ['boss', 'correct horse'],
  ] as const) {
    assert.match(logOn(name, password).text, /535 5\.7\.8 Authentication unsuccessful/, name);
  }
  const logs = join(appliance.state, 'logs');
  const files = readdirSync(logs, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.ok(files.length > 0);
  for (const { parentPath, name } of files)
    assert.ok(!/correct horse|Y29ycmVjdCBob3JzZ/.test(readFileSync(join(parentPath, name), 'latin1')));
});

test(
  'a right of one account is given by its name, shown by its name, and of no other account',
  needs('swaks'),
  async () => {
    const file = join(appliance.state, '..', 'password');
    const add = ['directory', 'account', 'add', 'printer', '--role', 'Readers', '--password-file', file];
    assert.equal((await edge(...add, '--state', appliance.state)).status, 0);
    const server = (await appliance.shell('(Get-ExchangeServer).Name')).trim();
    await appliance.shell(
      `Add-ADPermission Users -User PRINTER -ExtendedRights ms-Exch-SMTP-Accept-Authoritative-Domain-Sender`,
    );
    const shown = await appliance.shell(`(Get-ADPermission Users -User '${server}\\printer').User`);
    assert.equal(shown.trim(), `${server}\\printer`);
    const from = (user: string): string => logOn(user, 'correct horse', '--from', 'a@corp.example').text;
    assert.match(from('printer'), /250 2\.1\.0 Sender OK/);
    await eventually('the right, by name', async () =>
      /Authoritative-Domain-Sender granted to printer: Allow \S+ to printer\n/.test(
        (await edge('why', 'a@corp.example', '--state', appliance.state)).out,
      ),
    );
    assert.match(from('device'), /550 5\.7\.60/);
    await assert.rejects(
      appliance.shell(`Add-ADPermission Users -User '${server}\\nobody' -ExtendedRights ms-Exch-SMTP-Submit`),
      /has no account/,
    );
  },
);

test(
  'Test-ReceiveConnector answers for an account as the session does, and its line gives the account the right',
  needs('swaks'),
  async () => {
    const ask = async (user: string): Promise<string> =>
      appliance.shell(
        `Test-ReceiveConnector 127.0.0.1 -LocalEndpoint 127.0.0.1:$port -UseTls -User ${user} -MailFrom b@corp.example | Where-Object {$_.Item -like 'MAIL*' -or $_.Item -eq 'AUTH LOGIN'} | ForEach-Object {$_.Result; $_.Reason; $_.Remedy}`,
      );
    const server = (await appliance.shell('(Get-ExchangeServer).Name')).trim();
    const said = (await ask('device')).trim().split('\n');
    assert.match(said[1] ?? '', /account .*\\device has the SID S-1-9-[\d-]+ and is a member of .*\\Readers/);
    assert.match(said.join('\n'), /550 5\.7\.60/);
    const line = said.at(-1) ?? '';
    assert.match(line, /^Add-ADPermission '.*Users' -User '.*\\device' -ExtendedRights ms-Exch-SMTP-Accept-/);
    await appliance.shell(line);
    assert.match(await ask(`'${server}\\DEVICE'`), /250 2\.1\.0 Sender OK/);
    const sid = /S-1-9-[\d-]+/.exec(said.join())?.[0] ?? '';
    assert.match(await ask(sid), /250 2\.1\.0 Sender OK/);
    assert.match(logOn('device', 'correct horse', '--from', 'b@corp.example').text, /250 2\.1\.0 Sender OK/);
    assert.match(await ask('nobody'), /has no account or group of that name[^]*550 5\.7\.60[^]*Authenticated Users/);
  },
);

test('AUTH EXTERNAL: an account is who shows its certificate, by openssl', needs('openssl'), async () => {
  const folder = join(appliance.state, '..');
  const openssl = (args: readonly string[], input = ''): string =>
    execFileSync('openssl', args, { cwd: folder, input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
  for (const name of ['device', 'stranger'])
    openssl(
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ${name}.key -out ${name}.pem -subj /CN=${name}`.split(
        ' ',
      ),
    );
  const exported = await edge('directory', 'export', '--state', appliance.state);
  const dn = /^dn: (CN=device,.*)$/im.exec(exported.out.replaceAll('\n ', ''))?.[1] ?? assert.fail(exported.error);
  const value = new X509Certificate(readFileSync(join(folder, 'device.pem'))).raw.toString('base64');
  const change = `dn: ${dn}\nchangetype: modify\nadd: userCertificate\nuserCertificate:: ${value}\n-\n`;
  writeFileSync(join(folder, 'certificate.ldif'), change);
  const imported = await edge('directory', 'import', join(folder, 'certificate.ldif'), '--state', appliance.state);
  assert.equal(imported.status, 0, imported.error);
  await appliance.shell('Set-ReceiveConnector Users -ExternalAuthEnabled $true');
  const said = (name: string): string =>
    openssl(
      `s_client -starttls smtp -connect 127.0.0.1:${appliance.port} -cert ${name}.pem -key ${name}.key -quiet -ign_eof -crlf`.split(
        ' ',
      ),
      'EHLO client.example\nAUTH EXTERNAL =\nMAIL FROM:<a@corp2.example>\nRCPT TO:<x@far.example>\nQUIT\n',
    );
  assert.match(said('device'), /235 2\.7\.0 [^]*250 2\.1\.0 [^]*250 2\.1\.5 /);
  assert.match(said('stranger'), /535 5\.7\.8 /);
});
