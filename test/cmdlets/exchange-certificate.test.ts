import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { issuerText, makeChains } from '../../certs/make.ts';
import { keyDigestOf, systemClock } from '../../src/base/index.ts';
import { CertificateStore } from '../../src/certificates/index.ts';
import { type AuditEntry, cmdletCatalogue, LocalCmdletRunner } from '../../src/cmdlets/index.ts';
import { internalServerCertificates, internalServerClass, internalServersPath } from '../../src/config/index.ts';
import type { DnsAnswer } from '../../src/dns/index.ts';
import { MutableEntry } from '../../src/ldap/index.ts';
import { Shell } from '../../src/shell/index.ts';
import { MemoryStore } from './lib/bench.ts';

const folder = mkdtempSync(`${tmpdir()}/edge-certificate-cmdlets-`);
after(() => rmSync(folder, { recursive: true }));
const noRecords = (async function* () {})();
const made = makeChains(Date.now(), ['good-rsa', 'good-ec', 'expired', 'wrong-name', 'comma-name']);
// With keys of their own.
const strangers = makeChains(Date.now(), ['wrong-name', 'comma-name']);
const put = (name: string, content: string | Buffer): string => {
  writeFileSync(`${folder}/${name}`, content, { mode: 0o600 });
  return `${folder}/${name}`;
};
const pemOf = (row: string): string => `${made.chains[row]?.keyPem ?? ''}${made.chains[row]?.chainPem ?? ''}`;
const pfxOf = (row: string): string => {
  const source = put(`${row}.pem`, pemOf(row));
  execFileSync('openssl', [
    'pkcs12',
    '-export',
    '-in',
    source,
    '-passout',
    'pass:geheim',
    '-name',
    'from pfx',
    '-out',
    `${folder}/${row}.pfx`,
  ]);
  return `${folder}/${row}.pfx`;
};

interface Outcome {
  readonly ok: boolean;
  readonly text: string;
}

const store = await CertificateStore.open({ folder: `${folder}/certificates`, clock: systemClock });
await store.ensureServerCertificate('edge1.contoso.com');
/** TLSA records of the tests, by name: usage, selector, matching type, hexadecimal data. */
const tlsaZone = new Map<string, readonly string[]>();
function zone(name: string): DnsAnswer {
  const records = (tlsaZone.get(name) ?? []).map((text) => {
    const [usage = '', selector = '', matchingType = '', data = ''] = text.split(' ');
    const certificate = Buffer.from(data, 'hex');
    const fields = {
      usage: Number(usage),
      selector: Number(selector),
      matchingType: Number(matchingType),
      certificate,
    };
    return { name, type: 'TLSA', ttl: 300, data: fields };
  });
  return { code: 'NOERROR', secure: true, records, aliases: [], ttl: 300 };
}
const counted = (successes: number, failures: number): string =>
  JSON.stringify({
    policies: [{ summary: { 'total-successful-session-count': successes, 'total-failure-session-count': failures } }],
  });
const waitingReport = {
  domain: 'a.example',
  day: '2026-11-25',
  id: '1@edge',
  report: counted(7, 2),
  due: Date.UTC(2026, 10, 26, 3),
  attempts: 0,
  submissions: [],
};
const sentReport = {
  ...waitingReport,
  domain: 'b.example',
  day: '2026-11-24',
  report: counted(1, 0),
  sentAt: Date.UTC(2026, 10, 25, 3),
  submissions: [{ uri: 'mailto:t@b.example', fault: '' }],
};
const receivedReport = {
  receivedAt: Date.UTC(2026, 10, 25, 4),
  from: 'tls@peer.example',
  report: {
    organization: 'Peer',
    contact: '',
    id: 'r1',
    begin: '',
    end: '',
    policies: [{ type: 'sts', domain: 'contoso.example', successes: 5, failed: 1, failures: [] }],
  },
};
const directory = new MemoryStore('edge');
const catalogue = cmdletCatalogue();
const changes: AuditEntry[] = [];
const shell = new Shell({
  cmdlets: catalogue,
  runner: new LocalCmdletRunner(
    catalogue,
    {
      store: directory,
      role: 'EdgeTransport',
      serverName: 'EDGE1',
      transport: undefined,
      auditTrail: { search: () => noRecords },
      folders: { refusal: () => Promise.resolve(undefined) },
      seal: (text: string) => `sealed:${text.length}`,
      trackingLog: { search: () => noRecords },
      certificates: async () => store,
      dns: { ask: async (name) => zone(name) },
      tlsReports: {
        waiting: async () => [waitingReport],
        sent: async () => [sentReport],
        received: async () => [
          receivedReport,
          { ...receivedReport, signature: { verdict: 'valid' as const, domain: 'peer.example', reason: '' } },
        ],
        dkimRecord: async () => 'v=DKIM1; p=x',
      },
    },
    { audited: (entry) => void changes.push(entry) },
  ),
  files: {
    read: (path) => readFile(path),
    write: (path, content) => writeFile(path, content),
    exists: async (path) => existsSync(path),
  },
  now: () => Date.now(),
});

/** Lines of one session, up to the first that fails. */
async function run(...lines: string[]): Promise<Outcome> {
  let text = '';
  for (const line of lines) {
    for await (const piece of shell.run(line, { width: 120, colour: false })) {
      if (piece.kind === 'end' && !piece.ok) return { ok: false, text };
      if (piece.kind !== 'progress' && piece.kind !== 'end') text += piece.text;
    }
  }
  return { ok: true, text };
}

async function ok(...lines: string[]): Promise<string> {
  const result = await run(...lines);
  assert.ok(result.ok, `${lines.join('\n')}\n${result.text}`);
  return result.text;
}

async function fails(line: string, says: RegExp): Promise<void> {
  const result = await run(line);
  assert.equal(result.ok, false, result.text);
  // Errors are broken at the width of the window.
  assert.match(result.text.replace(/\s+/g, ' '), says);
}

/** One property of Format-List; long values go on in the next line. */
function value(out: string, name: string): string {
  return new RegExp(`^${name} +: (.*)$`, 'm').exec(out.replace(/\n {10,}/g, ' '))?.[1] ?? '';
}

const password = '-Password (ConvertTo-SecureString geheim -AsPlainText -Force)';
const connector = "'EDGE1\\Default internal receive connector EDGE1'";

test('a new appliance has an RSA and an ECDSA certificate, shown as Exchange shows them', async () => {
  const out = await ok('Get-ExchangeCertificate | Sort-Object KeyAlgorithm | Format-List');
  const names = [...out.matchAll(/^(\w+) +:/gm)].map(([, name]) => name);
  assert.deepEqual(names.slice(0, 14), [
    ...['AccessRules', 'CertificateDomains', 'HasPrivateKey', 'IsSelfSigned', 'Issuer', 'NotAfter', 'NotBefore'],
    ...['PublicKeySize', 'RootCAType', 'SerialNumber', 'Services', 'Status', 'Subject', 'Thumbprint'],
  ]);
  assert.match(out, /PublicKeySize +: 256[^]*PublicKeySize +: 2048/);
  assert.equal([...out.matchAll(/Services +: SMTP/g)].length, 2);
  assert.equal(value(out, 'Status'), 'Valid');
});

test('a request goes to an authority and its answer comes back; the key never leaves', async () => {
  const file = `${folder}/request.pem`;
  await ok(
    `$request = New-ExchangeCertificate -GenerateRequest -SubjectName 'CN=mail.contoso.com, O="Contoso, Inc.", C=US' -DomainName mail.contoso.com,contoso.com -KeyAlgorithm ECDSA -FriendlyName 'Contoso mail'`,
    `Set-Content -Path ${file} -Value $request`,
  );
  const shown = execFileSync('openssl', ['req', '-in', file, '-noout', '-text', '-verify'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  }).toString();
  assert.match(shown, /DNS:mail\.contoso\.com, DNS:contoso\.com/);
  assert.match(shown, /id-ecPublicKey/);
  assert.match(
    await ok("Get-ExchangeCertificate | Where-Object {$_.Status -eq 'PendingRequest'} | Format-List"),
    /FriendlyName +: Contoso mail/,
  );
  const [ca, key] = [put('ca.pem', made.issuing.pem), put('ca.key', made.issuing.keyPem)];
  const issued = `${folder}/issued.pem`;
  execFileSync(
    'openssl',
    ['x509', '-req', '-in', file, '-CA', ca, '-CAkey', key, '-days', '30', '-copy_extensions', 'copy', '-out', issued],
    { stdio: 'pipe' },
  );
  const out = await ok(
    `Import-ExchangeCertificate -FileData ([System.IO.File]::ReadAllBytes('${issued}')) | Format-List`,
  );
  assert.deepEqual(
    [value(out, 'HasPrivateKey'), value(out, 'Status'), value(out, 'Services')],
    ['True', 'Untrusted', 'None'],
  );
  assert.equal(value(out, 'TlsCertificateName'), `<I>${issuerText}<S>CN=mail.contoso.com, O="Contoso, Inc.", C=US`);
  assert.doesNotMatch(await ok('Get-ExchangeCertificate | Format-List Status'), /PendingRequest/);
  await fails(
    `Export-ExchangeCertificate -Thumbprint ${value(out, 'Thumbprint')} -BinaryEncoded ${password}`,
    /not exportable/,
  );
});

test('an authority that is imported is trusted from then on', async () => {
  const root = put('root.pem', made.rootPem);
  const ca = put('issuing.pem', made.issuing.pem);
  for (const file of [root, ca]) {
    const out = await ok(
      `Import-ExchangeCertificate -FileData ([System.IO.File]::ReadAllBytes('${file}')) | Format-List`,
    );
    assert.equal(value(out, 'RootCAType'), 'Registry');
  }
  const out = await ok('Get-ExchangeCertificate -DomainName mail.contoso.com | Format-List');
  assert.deepEqual([value(out, 'Status'), value(out, 'RootCAType')], ['Valid', 'Registry']);
});

test('PFX in and out, with the right password only', async () => {
  const file = pfxOf('good-rsa');
  const data = `-FileData ([System.IO.File]::ReadAllBytes('${file}'))`;
  await fails(
    `Import-ExchangeCertificate ${data} -Password (ConvertTo-SecureString wrong -AsPlainText -Force)`,
    /wrong password/,
  );
  await fails(`Import-ExchangeCertificate ${data}`, /-Password/);
  const out = await ok(`Import-ExchangeCertificate ${data} ${password} -PrivateKeyExportable $true | Format-List`);
  const thumbprint = value(out, 'Thumbprint');
  assert.equal(value(out, 'FriendlyName'), 'from pfx');
  assert.equal(statSync(`${folder}/certificates/${thumbprint}.pem`).mode & 0o777, 0o600);
  await ok(
    `$pfx = Export-ExchangeCertificate -Thumbprint ${thumbprint} -BinaryEncoded ${password}`,
    `[System.IO.File]::WriteAllBytes('${folder}/out.pfx', $pfx.FileData)`,
  );
  const text = execFileSync('openssl', ['pkcs12', '-in', `${folder}/out.pfx`, '-passin', 'pass:geheim', '-nodes'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  }).toString();
  assert.match(text, /PRIVATE KEY/);
  assert.ok(changes.length > 0);
});

for (const [what, file, says] of [
  [
    'another key',
    put('mismatch.pem', (made.chains['good-rsa']?.keyPem ?? '') + (made.chains['good-ec']?.chainPem ?? '')),
    /No certificate belongs to the private key/,
  ],
  ['rubbish', put('rubbish.bin', 'rubbish'), /no certificate/i],
  ['no key at all', put('bare.pem', strangers.chains['wrong-name']?.chainPem ?? ''), /No private key belongs/],
] as const) {
  test(`bad input is refused and nothing changes: ${what}`, async () => {
    const before = await ok('(Get-ExchangeCertificate).Count');
    await fails(`Import-ExchangeCertificate -FileData ([System.IO.File]::ReadAllBytes('${file}'))`, says);
    assert.equal(await ok('(Get-ExchangeCertificate).Count'), before);
  });
}

test('one in use is not removed, and it is said by whom; with another one of the name it is', async () => {
  const out = await ok(
    `Import-ExchangeCertificate -FileData ([System.IO.File]::ReadAllBytes('${put('comma.pem', pemOf('comma-name'))}')) | Format-List`,
  );
  const thumbprint = value(out, 'Thumbprint');
  const name = value(out, 'TlsCertificateName');
  await ok(
    `Enable-ExchangeCertificate ${thumbprint} -Services SMTP -Force`,
    `Set-ReceiveConnector ${connector} -TlsCertificateName '${name}'`,
  );
  await fails(`Remove-ExchangeCertificate ${thumbprint} -Confirm:$false`, /default SMTP certificate/);
  const other = value(
    await ok("Get-ExchangeCertificate | Where-Object {$_.IsSelfSigned -and $_.KeyAlgorithm -eq 'RSA'} | Format-List"),
    'Thumbprint',
  );
  await ok(`Enable-ExchangeCertificate ${other} -Services SMTP -Force`);
  await fails(
    `Remove-ExchangeCertificate ${thumbprint} -Confirm:$false`,
    /is used by receive connector .*Default internal.*TlsCertificateName/,
  );
  const rows = await ok(`Test-TlsCertificateSelection ${connector} | Format-List Selected,Thumbprint,Reason`);
  assert.equal(value(rows, 'Selected'), 'True');
  assert.equal(value(rows, 'Thumbprint'), thumbprint);
  assert.match(rows, /Selected +: False[^]*issuer or subject is not that of TlsCertificateName/);
  const later = await ok(`Test-TlsCertificateSelection ${connector} -At 2049-01-01 | Format-List Selected,Reason`);
  assert.match(later.replace(/\s+/g, ' '), /expired on .* no better one is there/);
  await ok(
    `Set-ReceiveConnector ${connector} -TlsCertificateName $null`,
    `Remove-ExchangeCertificate ${thumbprint} -Confirm:$false`,
  );
});

test('a renewal that no longer matches a connector is told, with the line that mends it', async () => {
  const out = await ok(
    `Import-ExchangeCertificate -FileData ([System.IO.File]::ReadAllBytes('${put('first.pem', pemOf('good-rsa'))}')) | Format-List`,
  );
  await ok(
    `Enable-ExchangeCertificate ${value(out, 'Thumbprint')} -Services SMTP -Force`,
    `Set-ReceiveConnector ${connector} -TlsCertificateName '${value(out, 'TlsCertificateName')}'`,
  );
  const renewal = `${strangers.chains['comma-name']?.keyPem ?? ''}${strangers.chains['comma-name']?.chainPem ?? ''}`;
  const result = await run(
    `Import-ExchangeCertificate -FileData ([System.IO.File]::ReadAllBytes('${put('renewal.pem', renewal)}'))`,
  );
  assert.ok(result.ok);
  assert.match(
    result.text.replace(/\s+/g, ' '),
    /WARNING: .*Set-ReceiveConnector '.*Default internal.*' -TlsCertificateName '<I>.*Contoso, Inc\./,
  );
});

test('Set-ReceiveConnector tells, before it is done, that TLSA records hold none of the certificate that it names', async () => {
  const shown = await ok(
    "Get-ExchangeCertificate | Where-Object {$_.IsSelfSigned -and $_.KeyAlgorithm -eq 'RSA'} | Format-List",
  );
  const line = `Set-ReceiveConnector ${connector} -TlsCertificateName '${value(shown, 'TlsCertificateName')}'`;
  tlsaZone.clear();
  tlsaZone.set('_25._tcp.edge1.contoso.com', [`3 1 1 ${'0'.repeat(64)}`]);
  await ok(`Set-ReceiveConnector ${connector} -Fqdn edge1.contoso.com`);
  const asked = await run(line);
  assert.equal(asked.ok, false, asked.text);
  const told = (await run(`${line} -Confirm:$false`)).text.replace(/\s+/g, ' ');
  assert.match(told, /WARNING: The TLSA records of _25\._tcp\.edge1\.contoso\.com hold none of this certificate/);
  tlsaZone.clear();
  await ok(`Set-ReceiveConnector ${connector} -TlsCertificateName $null`);
  assert.doesNotMatch(await ok(line), /TLSA/);
  await ok(`Set-ReceiveConnector ${connector} -TlsCertificateName $null`);
});

test('Get-TlsReport prints what waits and what was sent, Get-TlsReportKey the record of the key', async () => {
  const out = await ok('Get-TlsReport | Format-List');
  assert.match(out, /a\.example\s[^]*State +: Waiting\s+SuccessfulSessions +: 7\s+FailedSessions +: 2/);
  assert.match(out, /State +: Sent[^]*Submissions +: \{mailto:t@b\.example: taken\}/);
  assert.equal(await ok('(Get-TlsReport b.example).Day'), '2026-11-24\n');
  assert.match(
    (await run('Get-TlsReport -Received | Format-List')).text,
    /WARNING: 1 reports? without[^]*Domain +: contoso\.example\s+Organization +: Peer[^]*FailedSessions +: 1[^]*Sender +: tls@peer\.example\s+SignedBy +: peer\.example\s+Signature +: valid/,
  );
  assert.equal(
    (await ok('Get-TlsReport -Received -All | ForEach-Object { $_.Signature }')).trim(),
    'valid\nnot judged',
  );
  assert.equal(await ok('Get-TlsReport -Received -All -Domain other.example'), '');
  assert.match(await ok('(Get-TlsReportKey).Line'), /^edge-tlsrpt\._domainkey\.DOMAIN\. IN TXT "v=DKIM1; p=x"/);
});

test('the cmdlets do not touch files of the caller by path, and say what to write instead', async () => {
  await fails('Import-ExchangeCertificate -FileName /tmp/x', /ReadAllBytes/);
  await fails('New-ExchangeCertificate -KeySize 1024', /1024/);
  await fails('Get-ExchangeCertificate -Thumbprint 00FF', /was not found/);
  await fails('Set-ReceiveConnector ' + connector + " -TlsCertificateName '<I>CN=a<S>'", /Fqdn/);
});

test('Get-TlsaRecord prints what openssl makes of the keys, and says what the DNS has', async () => {
  tlsaZone.clear();
  const shown = await ok('Get-TlsaRecord | Format-List');
  const name = value(shown, 'Name');
  assert.match(name, /^_25\._tcp\./);
  assert.equal(value(shown, 'Published'), 'No');
  const thumbprint = value(shown, 'Thumbprint');
  const entry = store.list().find((one) => one.thumbprint === thumbprint);
  assert.ok(entry);
  const certificate = put('tlsa.pem', entry.chainPem);
  const key = execFileSync('openssl', ['x509', '-in', certificate, '-noout', '-pubkey']);
  const der = execFileSync('openssl', ['pkey', '-pubin', '-outform', 'DER'], { input: key });
  const hash = execFileSync('openssl', ['dgst', '-sha256', '-r'], { input: der }).toString().slice(0, 64);
  assert.match(shown.replace(/\n\s+/g, ''), new RegExp(`${name.replaceAll('.', '\\.')}\\. ?IN TLSA 3 1 1 ${hash}`));
  tlsaZone.set(name, [`3 1 1 ${hash}`, `3 1 1 ${'0'.repeat(64)}`]);
  const after = await ok('Get-TlsaRecord | Format-List Published');
  assert.match(after, /Published +: Yes\b[^]*Published +: Yes, of no certificate that is shown/);
});

test('a certificate that no TLSA record knows is not enabled without a question', async () => {
  const [host = ''] = /^_25\._tcp\.(.*)$/.exec(value(await ok('Get-TlsaRecord | Format-List'), 'Name'))?.slice(1) ?? [];
  const make = async (): Promise<string> =>
    value(
      await ok(
        `New-ExchangeCertificate -SubjectName "CN=${host}" -DomainName ${host} -Services None -Force | Format-List Thumbprint`,
      ),
      'Thumbprint',
    );
  const [unknown, announced] = [await make(), await make()];
  const shown = await ok(`Get-TlsaRecord ${announced} | Format-List Record,Published`);
  const own = /Record +: (3 1 1 [^]*?)\n\w/.exec(shown)?.[1];
  assert.ok(own);
  tlsaZone.set(`_25._tcp.${host}`, [own.replace(/\n\s+/g, ''), `3 1 1 ${'0'.repeat(64)}`]);
  const told = await ok(`Enable-ExchangeCertificate ${unknown} -Services SMTP -Force`);
  assert.match(
    told.replace(/\s+/g, ' '),
    /TLSA records of _25\._tcp\.\S+ hold none of this certificate.*two times their TTL/,
  );
  assert.doesNotMatch(await ok(`Enable-ExchangeCertificate ${announced} -Services SMTP -Force`), /TLSA/);
  tlsaZone.clear();
});

test('a TlsCertificateName that nothing satisfies is told at once, with what is missing', async () => {
  const nobody = await ok(`Set-ReceiveConnector ${connector} -TlsCertificateName '<I>CN=Nobody<S>CN=nobody'`);
  assert.match(
    nobody.replace(/\s+/g, ' '),
    /'Default internal receive connector EDGE1' offers no STARTTLS until a certificate satisfies the TlsCertificateName: no certificate here has this issuer and subject\./,
  );
  const spare = await store.makeSelfSigned({
    subject: [[{ oid: '2.5.4.3', value: 'spare' }]],
    dnsNames: ['spare.contoso.com'],
    algorithm: 'ECDSA',
    keyBits: 256,
    friendlyName: '',
    exportable: true,
    services: [],
  });
  const name = `Set-ReceiveConnector ${connector} -TlsCertificateName '<I>CN=spare<S>CN=spare'`;
  assert.match((await ok(name)).replace(/\s+/g, ' '), /: \S.* is not enabled for SMTP: Enable-ExchangeCertificate/);
  await ok(`Enable-ExchangeCertificate ${spare.thumbprint} -Services SMTP -Force`);
  await ok(`Set-ReceiveConnector ${connector} -TlsCertificateName $null`);
  assert.equal(await ok(name), '');
  assert.equal(await ok(`Set-ReceiveConnector ${connector} -TlsCertificateName $null`), '');
});

test('tables show whole thumbprints, to be copied into the next line', async () => {
  const [{ thumbprint } = { thumbprint: '' }] = store.list();
  assert.match(await ok('Get-ExchangeCertificate'), new RegExp(`^${thumbprint} `, 'm'));
  assert.match(await ok('Test-TlsCertificateSelection'), new RegExp(` ${thumbprint} `));
});

test('Get-DirectTrustServer: the internal servers with keys and certificates, and the connectors that know them', async () => {
  assert.equal(await ok('Get-DirectTrustServer'), '');
  await fails('Get-DirectTrustServer hub9', /EdgeSync delivered no server 'hub9'/);
  const [current] = store.list();
  assert.ok(current);
  const { der, thumbprint, subjectText } = current.certificate;
  directory.entries.push(
    new MutableEntry(`CN=hub1,${internalServersPath},${directory.configurationDn}`)
      .set('objectClass', ['top', internalServerClass])
      .set('cn', ['hub1'])
      .set('networkAddress', ['ncacn_ip_tcp:HUB1.corp.example'])
      .set(internalServerCertificates, [der, Buffer.from('no certificate')]),
  );
  const out = await ok('Get-DirectTrustServer HUB1 | Format-List');
  assert.equal(value(out, 'Name'), 'hub1.corp.example');
  assert.ok(out.replace(/\s+/g, '').includes(keyDigestOf(der) ?? 'none'), out);
  const certificates = value(out, 'Certificates');
  assert.ok(certificates.includes(`${thumbprint}, ${subjectText}, until 20`), certificates);
  assert.match(certificates, /this is no X\.509 certificate: no key is trusted by it/);
  assert.match(value(out, 'ReceiveConnectors'), /Default internal receive connector EDGE1/);
  assert.equal(await ok('Get-DirectTrustServer hub1.corp.example | Format-List'), out);
  await ok(`Set-ReceiveConnector ${connector} -AuthMechanism Tls`);
  const warned = (await ok('Get-DirectTrustServer')).replace(/\s+/g, ' ');
  assert.match(warned, /No receive connector recognizes them: Set-ReceiveConnector -AuthMechanism Tls,ExchangeServer/);
  assert.match(warned, /hub1\.corp\.example/);
});
