/** Postfix as the peer in both directions: DANE over signed zones, certificates of clients, and its policy maps. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SMTPServer } from 'smtp-server';
import { sendMessage } from '../../src/lab/lab-client.ts';
import { associationOf } from '../../src/tls/index.ts';
import { Appliance, eventually } from '../lib/appliance.ts';
import { needs } from '../lib/peers.ts';
import { freePort } from '../lib/ports.ts';
import { Postfix, withResolvConf } from '../lib/postfix.ts';
import { ScriptedSink } from '../lib/scripted-sink.ts';
import { type DnsWorld, startDns } from '../lib/signed-zone.ts';
import { Client } from '../smtp-receive/receiving.ts';

const address53 = `127.54.${process.pid % 200}.${1 + (Math.floor(process.pid / 200) % 250)}`;
const strangeKey = `3 1 1 ${'ab'.repeat(32)}`;
const certificates = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** '3 1 1 …', and the form that Postfix's fingerprints of keys have. */
function keyOf(pem: string): { readonly tlsa: string; readonly fingerprint: string } {
  const data = associationOf(new X509Certificate(pem), { selector: 1, matchingType: 1 }) ?? Buffer.alloc(0);
  const pairs = data.toString('hex').toUpperCase().match(/../g) ?? [];
  return { tlsa: `3 1 1 ${data.toString('hex')}`, fingerprint: pairs.join(':') };
}

interface Way {
  /** Recipients are of this domain below corp.test. */
  readonly domain: string;
  readonly host: string;
  /** Line of smtp_tls_policy_maps. */
  readonly policy: string;
  /** What Postfix says of the delivery. */
  readonly says: RegExp;
}

describe('Postfix, with DNSSEC', needs('root', 'postfix', 'nsd', 'unbound', 'ldns-signzone'), () => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-postfix-tls-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), `${text}\n`);
    return join(folder, name);
  };
  let edge: Appliance;
  let postfix: Postfix;
  let world: DnsWorld;
  let hub: ScriptedSink;
  /** From Postfix to the appliance. */
  let ways: readonly Way[] = [];
  let number = 0;
  /** Of a next hop that is not there at first, with the key of Postfix. */
  let requiringPort = 0;

  before(async () => {
    // Postfix reads anchors as its own account.
    chmodSync(folder, 0o755);
    hub = await ScriptedSink.listen();
    const [port, demandingPort] = [await freePort(), await freePort()];
    requiringPort = await freePort();
    execFileSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=elsewhere.example', '-keyout', join(folder, 'key'), '-out', join(folder, 'cert')],
    ]);
    const ownKey = keyOf(readFileSync(join(folder, 'cert'), 'utf8'));
    const common = '-Usage Internet -TargetIPRanges 127.0.0.0/8';
    edge = await Appliance.prepare({
      workers: 1,
      lines: [
        'New-AcceptedDomain -Name Corp -DomainName *.corp.test -DomainType InternalRelay',
        `New-SendConnector -Name Hub -Usage Internal -AddressSpaces "SMTP:--;1" -DNSRoutingEnabled $false -SmartHosts "[127.0.0.1]" -Port ${hub.port}`,
        `New-SendConnector -Name Outside ${common} -AddressSpaces "SMTP:*;1" -Port ${port} -SmtpDaneMode Mandatory`,
        'New-ExchangeCertificate -SubjectName "CN=client.edge.test" -DomainName client.edge.test -Force | Out-Null',
        `New-SendConnector -Name Known ${common} -AddressSpaces "SMTP:known.hub.test;1" -Port ${demandingPort} -SmtpDaneMode Mandatory -TlsCertificateName '<I>CN=client.edge.test<S>CN=client.edge.test'`,
        `New-SendConnector -Name Requiring ${common} -AddressSpaces "SMTP:requiring.hub.test;1" -Port ${requiringPort} -SmtpDaneMode Opportunistic`,
        `New-SendConnector -Name Unknown ${common} -AddressSpaces "SMTP:unknown.hub.test;1" -Port ${demandingPort} -SmtpDaneMode Mandatory`,
        'Add-ADPermission "Default internal receive connector $server" -User "NT AUTHORITY\\ANONYMOUS LOGON" -ExtendedRights ms-Exch-SMTP-Accept-Any-Recipient | Out-Null',
        'Set-TransportService $server -TlsReportContact tls@edge.test',
        'Set-TransportService $server -DnssecGoodTestName mx.hub.test -DnssecBadTestName mx.expired.test',
      ],
    });
    const state = join(edge.state, 'certificates');
    const shown = readdirSync(state).flatMap(
      (name) => readFileSync(join(state, name), 'utf8').match(certificates) ?? [],
    );
    const own = shown.filter((pem) => !new X509Certificate(pem).subject.includes('client.edge.test'));
    const client = shown.filter((pem) => new X509Certificate(pem).subject.includes('client.edge.test'));
    const anchors = file('anchors', own.join('\n'));
    const server = new X509Certificate(own[0] ?? '').subject.replace('CN=', '');
    ways = [
      { domain: 'dane', host: 'edge.test', policy: 'dane-only', says: /status=sent/ },
      { domain: 'wrong-key', host: 'bad.edge.test', policy: 'dane-only', says: /deferred.*not verified/ },
      { domain: 'no-tlsa', host: 'none.edge.test', policy: 'dane-only', says: /deferred.*non DNSSEC|deferred.*TLSA/ },
      { domain: 'expired', host: 'expired.test', policy: 'dane', says: /deferred.*name service error/i },
      {
        domain: 'print',
        host: '[print.edge.test]',
        policy: `fingerprint match=${own.map((pem) => keyOf(pem).fingerprint).join('|')}`,
        says: /status=sent/,
      },
      {
        domain: 'other-print',
        host: '[print2.edge.test]',
        policy: `fingerprint match=${ownKey.fingerprint}`,
        says: /deferred.*not verified/,
      },
      {
        domain: 'name',
        host: '[name.edge.test]',
        policy: `secure match=${server} tafile=${anchors}`,
        says: /status=sent/,
      },
      {
        domain: 'other-name',
        host: '[name2.edge.test]',
        policy: `secure match=other.example tafile=${anchors}`,
        says: /deferred.*not verified/,
      },
      {
        domain: 'no-anchor',
        host: '[name3.edge.test]',
        policy: `verify match=${server}`,
        says: /deferred.*not verified/,
      },
    ];
    const below = (name: string, ...records: string[]): string[] => [
      `${name} IN MX 10 mx-${name}`,
      `mx-${name} IN A 127.0.0.1`,
      ...records.map((record) => `_${edge.port}._tcp.mx-${name} IN TLSA ${record}`),
    ];
    const hubHost = (name: string, at: number, record: string): string[] => [
      `${name} IN MX 10 mx-${name}`,
      `mx-${name} IN A 127.0.0.1`,
      `_${at}._tcp.mx-${name} IN TLSA ${record}`,
    ];
    world = await startDns(
      [
        {
          name: 'edge.test',
          records: [
            '@ IN MX 10 mx',
            'mx IN A 127.0.0.1',
            ...own.map((pem) => `_${edge.port}._tcp.mx IN TLSA ${keyOf(pem).tlsa}`),
            ...below('bad', strangeKey),
            ...below('none'),
            ...['print', 'print2', 'name', 'name2', 'name3'].map((name) => `${name} IN A 127.0.0.1`),
          ],
        },
        {
          name: 'hub.test',
          records: [
            'mx IN A 127.0.0.1',
            ...hubHost('good', port, ownKey.tlsa),
            ...hubHost('bad', port, strangeKey),
            ...hubHost('known', demandingPort, ownKey.tlsa),
            ...hubHost('unknown', demandingPort, ownKey.tlsa),
            ...hubHost('requiring', requiringPort, ownKey.tlsa),
          ],
        },
        { name: 'expired.test', records: ['@ IN MX 10 mx', 'mx IN A 127.0.0.1'], signing: 'expired' },
      ],
      { address53 },
    );
    const nextHop = ({ host }: Way): string => `${host}:${edge.port}`;
    postfix = await Postfix.start({
      port,
      resolvConf: world.resolvConf,
      settings: {
        smtp_dns_support_level: 'dnssec',
        smtp_host_lookup: 'dns',
        dnssec_probe: '',
        smtp_tls_loglevel: '1',
        smtp_tls_fingerprint_digest: 'sha256',
        smtp_tls_policy_maps: `texthash:${file('policies', ways.map((way) => `${nextHop(way)} ${way.policy}`).join('\n'))}`,
        transport_maps: `texthash:${file(
          'transport',
          ['.hub.test discard:', ...ways.map((way) => `${way.domain}.corp.test smtp:${nextHop(way)}`)].join('\n'),
        )}`,
        smtpd_tls_security_level: 'may',
        smtpd_tls_loglevel: '1',
        smtpd_tls_chain_files: `${join(folder, 'key')}, ${join(folder, 'cert')}`,
      },
      services: [
        `127.0.0.1:${demandingPort} inet n - n - - smtpd`,
        '  -o smtpd_tls_security_level=encrypt -o smtpd_tls_req_ccert=yes',
        `  -o smtpd_tls_CAfile=${file('clients', client.join('\n'))} -o smtpd_tls_fingerprint_digest=sha256`,
        `  -o relay_clientcerts=texthash:${file('clientcerts', `${keyOf(client[0] ?? '').fingerprint} known`)}`,
        '  -o smtpd_relay_restrictions=permit_tls_clientcerts,reject',
        '  -o smtpd_recipient_restrictions=permit_tls_clientcerts,reject',
      ],
    });
    edge.options = { ...edge.options, behind: withResolvConf(world.resolvConf) };
    await edge.start();
  });
  after(async () => {
    await edge?.[Symbol.asyncDispose]();
    await postfix?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
    await hub?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Sends one message; gives its recipient. */
  async function send(port: number, domain: string): Promise<string> {
    const to = `u${++number}@${domain}`;
    const content = Buffer.from(
      `From: a@s.example\r\nTo: ${to}\r\nSubject: ${number}\r\nMessage-ID: <${number}@s.example>\r\n\r\nx\r\n`,
    );
    await sendMessage('127.0.0.1', port, { from: 'a@s.example', to: [to], parameters: '', content });
    return to;
  }
  const lastError = async (domain: string): Promise<string> =>
    (await edge.shell(`(Get-Queue | Where-Object { $_.NextHopDomain -eq '${domain}' }).LastError`)).replace(
      /\s+/g,
      ' ',
    );
  const said = (to: string): string =>
    postfix.log.split('\n').find((line) => line.includes(`to=<${to}>`) && line.includes('status=')) ?? '';

  test('Postfix delivers to the appliance where its TLSA records, fingerprints and policy maps are met, and nowhere else', async () => {
    const sent = await Promise.all(
      ways.map(async (way) => ({ way, to: await send(postfix.port, `${way.domain}.corp.test`) })),
    );
    for (const { way, to } of sent) {
      await eventually(`Postfix's word on ${to}`, () => said(to) !== '');
      assert.match(said(to), way.says, way.domain);
    }
    const good = sent.filter(({ way }) => way.says.test('status=sent'));
    await eventually('the messages behind the appliance', () => hub.taken.length >= good.length);
    assert.deepEqual(hub.taken.flatMap(({ to }) => to).sort(), good.map(({ to }) => to).sort());
    for (const host of ['mx.edge.test', 'print.edge.test', 'name.edge.test'])
      assert.match(postfix.log, new RegExp(`Verified TLS connection established to ${host.replaceAll('.', '\\.')}\\[`));
  });

  test('the appliance delivers to Postfix where TLSA records are met, and defers where they are not', async () => {
    const [good, bad] = [await send(edge.port, 'good.hub.test'), await send(edge.port, 'bad.hub.test')];
    await eventually('the message in Postfix', () => /status=sent/.test(said(good)));
    await eventually('the deferral', async () =>
      /451 4\.7\.323 .*the chain meets none of 3 1 1 abab/.test(await lastError('bad.hub.test')),
    );
    assert.equal(said(bad), '');
  });

  test('smtpd_tls_req_ccert: the certificate of the connector gets in, none does not', async () => {
    const [known, unknown] = [await send(edge.port, 'known.hub.test'), await send(edge.port, 'unknown.hub.test')];
    await eventually('the message in Postfix', () => /status=sent/.test(said(known)));
    assert.match(postfix.log, /Trusted TLS connection established from \S+: .* client-signature/);
    await eventually('the refusal', async () =>
      /No client certificate presented/.test(await lastError('unknown.hub.test')),
    );
    assert.equal(said(unknown), '');
  });

  test('REQUIRETLS outlives a restart in the queue, and reaches the stock smtp-server behind it', async () => {
    const to = `u${++number}@requiring.hub.test`;
    const sender = connect(edge.port, '127.0.0.1');
    const client = new Client(sender);
    await client.reply();
    await client.ask('EHLO s.example');
    assert.match(await client.ask('STARTTLS'), /^220/);
    await client.secure('');
    assert.match(await client.ask('EHLO s.example'), /^250[ -]REQUIRETLS$/m);
    assert.match(await client.ask('MAIL FROM:<a@s.example> REQUIRETLS'), /^250/);
    assert.match(await client.ask(`RCPT TO:<${to}>`), /^250/);
    assert.match(await client.ask('DATA'), /^354/);
    assert.match(await client.ask('Subject: sealed\r\n\r\nx\r\n.'), /^250/);
    sender.destroy();
    await eventually('the wait', async () => /4\.4\.\d|refused/.test(await lastError('requiring.hub.test')));
    await edge.stop();
    const taken: { readonly to: string; readonly required: boolean; readonly secure: boolean }[] = [];
    const server = new SMTPServer({
      key: readFileSync(join(folder, 'key')),
      cert: readFileSync(join(folder, 'cert')),
      authOptional: true,
      disabledCommands: ['AUTH'],
      hideREQUIRETLS: false,
      onData: (stream, { envelope, secure }, callback) => {
        stream.resume();
        stream.on('end', () => {
          const { mailFrom, rcptTo } = envelope;
          const required = mailFrom !== false && mailFrom.args !== false && 'REQUIRETLS' in mailFrom.args;
          taken.push({ to: rcptTo[0]?.address ?? '', required, secure });
          callback(null);
        });
      },
    });
    const listener = server.listen(requiringPort, '127.0.0.1');
    try {
      await edge.start();
      await edge.shell('Get-Queue | Retry-Queue');
      await eventually('the message behind the restart', () => taken.length > 0);
      assert.deepEqual(taken, [{ to, required: true, secure: true }]);
      const chains = await edge.why(to);
      const reached = chains.flatMap(({ events }) => events).filter(({ kind }) => kind === 'tls-reached');
      assert.ok(
        reached.some((event) => event.kind === 'tls-reached' && event.level === 'dane' && event.direction === 'send'),
        JSON.stringify(chains),
      );
    } finally {
      listener.close();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    }
  });

  test('what went well and what did not is counted for the TLS reports', async () => {
    await edge.stop();
    const folder = join(edge.state, 'tls-reports');
    const [name = ''] = readdirSync(folder);
    const { domains } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
      domains: [string, { policy: { type: string }; successes: number; failures: { type: string }[] }[]][];
    };
    const counts = domains.map(([domain, [one]]) => [domain, one?.policy.type, one?.successes, one?.failures[0]?.type]);
    assert.deepEqual(counts.slice(0, 2), [
      ['good.hub.test', 'tlsa', 1, undefined],
      ['bad.hub.test', 'tlsa', 0, 'tlsa-invalid'],
    ]);
  });
});
