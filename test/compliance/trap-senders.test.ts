/** The trap against senders as they are: a send connector of ours that validates, and Postfix with two policies. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Trap, trapAddressCount, trapKinds } from '../../src/compliance/index.ts';
import { Appliance, eventually } from '../lib/appliance.ts';
import { type EximPolicy, startEximRelay } from '../lib/exim.ts';
import { needs } from '../lib/peers.ts';
import { freePort } from '../lib/ports.ts';
import { Postfix, withResolvConf } from '../lib/postfix.ts';
import { startDns } from '../lib/signed-zone.ts';

const names = Object.keys(trapKinds);

async function startTrap(network: string, port: number, policyPort = 0): Promise<Trap> {
  const trap = new Trap({
    domain: 'trap.test',
    addresses: Array.from({ length: trapAddressCount }, (_, i) => `${network}.${i + 1}`),
    port,
    policyPort,
    now: Date.now(),
    idleMs: 20_000,
  });
  await trap.start();
  return trap;
}

/** One message to every endpoint, by a server that relays for us. The trap lives in this process: nothing may block it. */
async function sendAll(trap: Trap, port: number): Promise<void> {
  const to = trap.endpoints.map(({ recipient }) => recipient).join(',');
  const args = ['--server', '127.0.0.1', '--port', String(port), '--from', 'a@client.test', '--to', to];
  await new Promise<void>((resolve) =>
    execFile('swaks', [...args, '--helo', 'client.test', '--timeout', '30'], () => resolve()),
  );
}

const outcomes = (trap: Trap): Record<string, string> =>
  Object.fromEntries(
    trap
      .results()
      .map(({ endpoint, outcome, fellBack }) => [
        endpoint,
        `${outcome.replace(/ by TLS.*/, ' by TLS')}${fellBack ? ', fell back' : ''}`,
      ]),
  );
const cameEverywhere = (trap: Trap): boolean =>
  trap.results().every(({ outcome, attempts }) => attempts > 0 && outcome !== 'never came');

/** What a sender that must have TLS from a server whom a trusted authority names may deliver to. */
const validated = Object.fromEntries(
  Object.entries(trapKinds).map(([name, { refusedBy }]) => [
    name,
    refusedBy.includes('validation') ? 'given up' : 'delivered by TLS',
  ]),
);

const sender = needs('swaks', 'root');
let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'edge-trap-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

test(
  'our send connector with RequireTLS and DomainValidation delivers where the certificate holds',
  sender,
  async () => {
    const port = await freePort();
    await using trap = await startTrap('127.0.93', port);
    const root = join(folder, 'root.pem');
    writeFileSync(root, trap.rootPem);
    await using appliance = await Appliance.prepare({
      workers: 1,
      lines: [
        'Get-ReceiveConnector | Add-ADPermission -User "NT AUTHORITY\\ANONYMOUS LOGON" -ExtendedRights ms-Exch-SMTP-Accept-Any-Recipient | Out-Null',
        `Import-ExchangeCertificate -FileData ([IO.File]::ReadAllBytes('${root}')) | Out-Null`,
        ...trap.endpoints.map(
          ({ name, domain, host, address }) =>
            `New-SendConnector -Name ${name} -AddressSpaces "SMTP:${domain};1" -DNSRoutingEnabled $false -SmartHosts "[${address}]" -Port ${port} -RequireTLS $true -TlsAuthLevel DomainValidation -TlsDomain ${host} | Out-Null`,
        ),
      ],
    });
    await appliance.start();
    await sendAll(trap, appliance.port);
    await eventually('an attempt at every endpoint', () => cameEverywhere(trap), 60_000);
    assert.deepEqual(outcomes(trap), validated);
  },
);

const dnsPeers = needs('swaks', 'nsd', 'unbound', 'ldns-signzone', 'root');

const published: readonly (readonly [by: 'dane' | 'mta-sts', what: string, network: string, modes: string])[] = [
  ['dane', 'TLSA records of the signed zone', '127.0.98', '-SmtpDaneMode Opportunistic -MtaStsMode None'],
  ['mta-sts', 'MTA-STS policies', '127.0.99', '-SmtpDaneMode None -MtaStsMode Opportunistic'],
];
for (const [by, what, network, modes] of published) {
  test(`our send connector by DNS holds to the ${what}, and to nothing else`, dnsPeers, async () => {
    const port = await freePort();
    await using trap = await startTrap(network, port, by === 'mta-sts' ? 443 : 0);
    await using world = await startDns(
      [
        { name: 'trap.test', records: trap.zone() },
        // No reports back: RFC 7505. Without an answer a stop would wait for it.
        { name: 'client.test', records: ['@ IN MX 0 .'], signing: 'unsigned' },
        { name: 'expired.test', records: [`mx IN A ${network}.1`], signing: 'expired' },
      ],
      { address53: `${network}.53` },
    );
    const root = join(folder, `${by}-root.pem`);
    writeFileSync(root, trap.rootPem);
    await using appliance = await Appliance.prepare({
      workers: 1,
      lines: [
        'Get-ReceiveConnector | Add-ADPermission -User "NT AUTHORITY\\ANONYMOUS LOGON" -ExtendedRights ms-Exch-SMTP-Accept-Any-Recipient | Out-Null',
        `Import-ExchangeCertificate -FileData ([IO.File]::ReadAllBytes('${root}')) | Out-Null`,
        `New-SendConnector -Name All -Usage Internet -TargetIPRanges 127.0.0.0/8 -AddressSpaces "SMTP:*;1" -Port ${port} ${modes} | Out-Null`,
        'Set-TransportService $server -DnssecGoodTestName mx.good.trap.test -DnssecBadTestName mx.expired.test',
      ],
    });
    appliance.options = { ...appliance.options, behind: withResolvConf(world.resolvConf ?? '') };
    await appliance.start();
    await sendAll(trap, appliance.port);
    const wanted = Object.fromEntries(
      Object.entries(trapKinds).map(([name, { refusedBy, starttls, oldTls, sts }]) => {
        // A host that the policy does not name is not even called.
        if (by === 'mta-sts' && sts === 'other-host') return [name, 'never came'];
        if (refusedBy.includes(by)) return [name, 'given up'];
        if (starttls === 'absent' || starttls === 'masked') return [name, 'delivered in clear'];
        const broken = starttls === 'broken' || oldTls === true;
        return [name, broken ? 'delivered in clear, fell back' : 'delivered by TLS'];
      }),
    );
    await eventually('the outcomes', () => JSON.stringify(outcomes(trap)) === JSON.stringify(wanted), 90_000).catch(
      () => undefined,
    );
    assert.deepEqual(outcomes(trap), wanted);
    if (by === 'mta-sts')
      assert.match(
        (await appliance.shell('Get-Queue | Format-List LastError')).replaceAll(/\s+/g, ' '),
        /MX hosts of 'sts-wrong-mx\.trap\.test' failed MTA-STS validation: mx\.sts-wrong-mx\.trap\.test is none of other\./,
      );
  });
}

const levels: readonly (readonly [level: string, network: string, expected: (name: string) => string])[] = [
  ['secure', '127.0.94', (name) => validated[name] ?? ''],
  [
    'may',
    '127.0.95',
    (name) => {
      const { starttls, oldTls } = trapKinds[name] ?? assert.fail(name);
      if (starttls === 'absent' || starttls === 'masked') return 'delivered in clear';
      return starttls === 'broken' || oldTls === true ? 'delivered in clear, fell back' : 'delivered by TLS';
    },
  ],
];
for (const [level, network, expected] of levels) {
  test(`Postfix with the policy '${level}'`, needs('postfix', 'swaks', 'root'), async () => {
    const port = await freePort();
    await using trap = await startTrap(network, port);
    const path = (name: string): string => join(folder, `${level}-${name}`);
    const lines = (make: (domain: string, host: string, address: string) => string): string =>
      trap.endpoints.map(({ domain, host, address }) => `${make(domain, host, address)}\n`).join('');
    writeFileSync(path('root.pem'), trap.rootPem);
    writeFileSync(
      path('transport'),
      lines((domain, _, address) => `${domain} smtp:[${address}]:${port}`),
    );
    writeFileSync(
      path('policy'),
      lines((_, host, address) => `[${address}]:${port} ${level === 'may' ? level : `${level} match=${host}`}`),
    );
    await using postfix = await Postfix.start({
      port: await freePort(),
      settings: {
        transport_maps: `texthash:${path('transport')}`,
        smtp_tls_policy_maps: `texthash:${path('policy')}`,
        smtp_tls_CAfile: path('root.pem'),
        smtp_tls_security_level: 'may',
        smtp_tls_protocols: '>=TLSv1.2',
        smtp_tls_mandatory_protocols: '>=TLSv1.2',
        // It falls back to clear text for messages that waited so long.
        queue_run_delay: '1s',
        minimal_backoff_time: '1s',
        maximal_backoff_time: '2s',
      },
    });
    await sendAll(trap, postfix.port);
    const wanted = Object.fromEntries(names.map((name) => [name, expected(name)]));
    await eventually('an attempt at every endpoint', () => cameEverywhere(trap), 60_000);
    await eventually('the outcomes', () => JSON.stringify(outcomes(trap)) === JSON.stringify(wanted), 90_000).catch(
      () => undefined,
    );
    assert.deepEqual(outcomes(trap), wanted);
  });
}

/** Exim by GnuTLS, which still takes TLS 1.0 when nobody says otherwise. */
const eximPolicies: readonly (readonly [policy: EximPolicy, network: string, expected: (name: string) => string])[] = [
  ['verified', '127.0.96', (name) => validated[name] ?? ''],
  [
    'opportunistic',
    '127.0.97',
    (name) => {
      const { starttls } = trapKinds[name] ?? assert.fail(name);
      if (starttls === 'absent' || starttls === 'masked') return 'delivered in clear';
      return starttls === 'broken' ? 'delivered in clear, fell back' : 'delivered by TLS';
    },
  ],
];
for (const [policy, network, expected] of eximPolicies) {
  test(`Exim, ${policy}`, needs('exim', 'swaks', 'root'), async () => {
    const port = await freePort();
    await using trap = await startTrap(network, port);
    const own = mkdtempSync(join(tmpdir(), 'edge-trap-exim-'));
    try {
      chmodSync(own, 0o755);
      await using exim = await startEximRelay(await freePort(), own, {
        to: port,
        policy,
        rootPem: trap.rootPem,
        routes: trap.endpoints,
      });
      await sendAll(trap, exim.port);
      const wanted = Object.fromEntries(names.map((name) => [name, expected(name)]));
      await eventually('an attempt at every endpoint', () => cameEverywhere(trap), 60_000).catch(() => undefined);
      await eventually('the outcomes', () => JSON.stringify(outcomes(trap)) === JSON.stringify(wanted), 90_000).catch(
        () => undefined,
      );
      assert.deepEqual(outcomes(trap), wanted);
    } finally {
      rmSync(own, { recursive: true, force: true });
    }
  });
}
