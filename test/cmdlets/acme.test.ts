import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { systemClock } from '../../src/base/index.ts';
import { hookVariable, renewalIdOf } from '../../src/certificates/acme/index.ts';
import { CertificateStore } from '../../src/certificates/index.ts';
import { type AuditEntry, cmdletCatalogue, LocalCmdletRunner } from '../../src/cmdlets/index.ts';
import type { DnsAnswer } from '../../src/dns/index.ts';
import { acmeAdministration } from '../../src/management/index.ts';
import { Shell } from '../../src/shell/index.ts';
import { associationOf, readCertificate } from '../../src/tls/index.ts';
import { Pebble } from '../lib/pebble.ts';
import { needs } from '../lib/peers.ts';
import { RenewalAuthority } from '../lib/renewal-authority.ts';
import { MemoryStore } from './lib/bench.ts';

const host = 'mx.acme.test';
const connector = '"EDGE1\\Default internal receive connector EDGE1"';

interface Outcome {
  readonly ok: boolean;
  readonly text: string;
}

describe('certificates by ACME, from pebble', needs('pebble'), () => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-acme-'));
  const certificates = join(folder, 'certificates');
  const changes: AuditEntry[] = [];
  /** TLSA records of _25._tcp.mx.acme.test: keys' digests, and their time to live. */
  const zone = { keys: [] as Buffer[], ttl: 0 };
  /** Made anew it remembers nothing of what authorities said. */
  let administration = acmeAdministration(certificates);
  let pebble: Pebble;
  let store: CertificateStore;
  let shell: Shell;

  before(async () => {
    pebble = await Pebble.start();
    process.env[hookVariable] = pebble.hook;
    store = await CertificateStore.open({ folder: certificates, clock: systemClock });
    await store.ensureServerCertificate(host);
    await store.importCertificates(Buffer.from(pebble.authority));
    const catalogue = cmdletCatalogue();
    const environment = {
      store: new MemoryStore('edge'),
      role: 'EdgeTransport' as const,
      serverName: 'EDGE1',
      transport: undefined,
      auditTrail: { search: async function* () {} },
      seal: () => '',
      trackingLog: { search: async function* () {} },
      folders: { refusal: () => Promise.resolve(undefined) },
      certificates: () => Promise.resolve(store),
      acme: {
        orders: () => administration.orders(),
        keep: (orders: Parameters<typeof administration.keep>[0]) => administration.keep(orders),
        renewalTime: (...asked: Parameters<typeof administration.renewalTime>) => administration.renewalTime(...asked),
        request: (...asked: Parameters<typeof administration.request>) => administration.request(...asked),
      },
      dns: { ask: (name: string) => Promise.resolve(answer(name)) },
    };
    shell = new Shell({
      cmdlets: catalogue,
      runner: new LocalCmdletRunner(catalogue, environment, { audited: (entry) => void changes.push(entry) }),
      files: {
        read: () => Promise.reject(new Error('no files')),
        write: () => Promise.resolve(),
        exists: () => Promise.resolve(false),
      },
      now: () => Date.now(),
    });
    await ok(`Set-ReceiveConnector ${connector} -Fqdn ${host} -TlsCertificateName '<I>CN=mx<S>CN=mx'`);
  });
  after(async () => {
    Reflect.deleteProperty(process.env, hookVariable);
    await store?.[Symbol.asyncDispose]();
    await pebble?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  function answer(name: string): DnsAnswer {
    const keys = name === `_25._tcp.${host}` ? zone.keys : [];
    const records = keys.map((certificate) => ({
      name,
      type: 'TLSA',
      ttl: zone.ttl,
      data: { usage: 3, selector: 1, matchingType: 1, certificate },
    }));
    return { code: 'NOERROR', secure: true, records, aliases: [], ttl: zone.ttl } as unknown as DnsAnswer;
  }
  async function run(line: string): Promise<Outcome> {
    let text = '';
    for await (const piece of shell.run(line, { width: 200, colour: false })) {
      if (piece.kind === 'end') return { ok: piece.ok, text };
      if (piece.kind !== 'progress') text += piece.text;
    }
    return { ok: true, text };
  }
  async function ok(line: string): Promise<string> {
    const result = await run(line);
    assert.ok(result.ok, `${line}\n${result.text}`);
    return result.text;
  }
  async function fails(line: string, says: RegExp): Promise<void> {
    const result = await run(line);
    assert.equal(result.ok, false, result.text);
    assert.match(result.text.replace(/\s+/g, ' '), says);
  }
  const order = `New-AcmeCertificate -DomainName ${host} -DirectoryUrl $url -Contact a@acme.test -TermsOfServiceAgreed`;
  const connectorName = async (): Promise<string> =>
    (await ok(`(Get-ReceiveConnector ${connector}).TlsCertificateName`)).trim();
  const current = async (): Promise<string> => (await ok('(Get-AcmeCertificate).Thumbprint')).trim();
  const digestOf = (thumbprint: string): Buffer => {
    const entry = store.list().find((one) => one.thumbprint === thumbprint);
    assert.ok(entry, `there is no ${thumbprint}`);
    const form = { selector: 1, matchingType: 1 };
    return associationOf(new X509Certificate(entry.certificate.der), form) ?? Buffer.alloc(0);
  };

  test('what is refused before anybody is asked', async () => {
    await ok(`$url = '${pebble.directoryUrl}'`);
    await fails(order.replace(' -TermsOfServiceAgreed', ''), /TermsOfServiceAgreed/);
    await fails(order.replace('$url', 'http://localhost/dir'), /no address such as https/);
    await fails(order.replace(host, '*.acme.test'), /wildcard needs Dns01/);
    await fails(order.replace(host, 'no_host'), /not a host name/);
    assert.deepEqual(existsSync(join(certificates, 'acme.json')), false);
  });

  test('http-01: the certificate is taken up, and the connector that named its predecessor names it', async () => {
    assert.equal(await connectorName(), '<I>CN=mx<S>CN=mx');
    const text = (await ok(order)).replace(/\s+/g, ' ');
    assert.match(text, /now names the certificate that came by ACME/);
    const thumbprint = await current();
    assert.match(await connectorName(), /^<I>CN=Pebble Intermediate CA \w+<S>/);
    const entry = store.list().find((one) => one.thumbprint === thumbprint);
    assert.deepEqual([entry?.services, entry?.friendlyName, entry?.certificate.keyType], [['SMTP'], 'ACME', 'ec']);
    assert.match(entry?.chainPem ?? '', /(-----BEGIN CERTIFICATE-----[^]*){2}/);
    const shown = await ok(
      `Test-TlsCertificateSelection ${connector} | Where-Object { $_.Selected } | Format-List Thumbprint`,
    );
    assert.match(shown, new RegExp(thumbprint));
    assert.deepEqual(
      pebble.calls.map((line) => line.replace(/\/\S+/, '')),
      [`add http-01 ${host}`, `remove http-01 ${host}`],
    );
    assert.equal(statSync(join(certificates, 'acme-account.key')).mode & 0o777, 0o600);
    assert.ok(changes.some((entry) => JSON.stringify(entry).includes('TlsCertificateName')));
    assert.deepEqual(store.requests(), []);
  });

  test('nothing is due; a renewal keeps the key, and with it the TLSA records', async () => {
    const before = await current();
    assert.equal((await ok('Update-AcmeCertificate')).trim(), '');
    assert.equal(await current(), before);
    zone.keys = [digestOf(before)];
    zone.ttl = 3_600;
    await ok('Update-AcmeCertificate -Force');
    const after = await current();
    assert.notEqual(after, before);
    assert.deepEqual(digestOf(after), digestOf(before));
  });

  test('a new key is held back until its TLSA records stand beside the old ones for two TTLs', async () => {
    const before = await current();
    const name = await connectorName();
    const text = (await ok('Update-AcmeCertificate -NewKey')).replace(/\s+/g, ' ');
    assert.match(text, /hold none of this certificate.* Publish '3 1 1 [0-9a-f]{64}' beside them/);
    assert.equal(await current(), before);
    assert.equal(await connectorName(), name);
    const held = (await ok('(Get-AcmeCertificate).Held')).trim();
    assert.match(held, /^[0-9A-F]{40}, its TLSA records are missing$/);
    const [next = ''] = held.split(',');
    zone.keys = [digestOf(before), digestOf(next)];
    await ok('Update-AcmeCertificate');
    assert.match(await ok('(Get-AcmeCertificate).Held'), /are seen since/);
    assert.equal(await current(), before, 'two TTLs are not over');
    await ok('Update-AcmeCertificate');
    assert.equal(await current(), before);
    zone.ttl = 0.001;
    await ok('Update-AcmeCertificate');
    assert.equal(await current(), next);
    assert.deepEqual(store.list().find(({ thumbprint }) => thumbprint === next)?.services, ['SMTP']);
  });

  test('dns-01, RSA, several names', async () => {
    await ok(
      `New-AcmeCertificate a.acme.test,*.acme.test -DirectoryUrl $url -Challenge Dns01 -KeyAlgorithm RSA -TermsOfServiceAgreed`,
    );
    const entry = store.list().find(({ certificate }) => certificate.dnsNames.includes('*.acme.test'));
    assert.deepEqual([entry?.certificate.keyType, entry?.certificate.dnsNames.length], ['rsa', 2]);
    assert.ok(pebble.calls.includes('add dns-01 _acme-challenge.a.acme.test'));
    await ok('Remove-AcmeCertificate a.acme.test,*.acme.test -Confirm:$false');
    assert.equal((await ok('(Get-AcmeCertificate | Measure-Object).Count')).trim(), '1');
  });

  test('keys of both algorithms are shown when the TLSA records of both are there', async () => {
    const [ecdsa] = [await current()];
    zone.keys = [];
    await ok(`${order} -KeyAlgorithm RSA`);
    const rsa = store
      .list()
      .find(
        ({ certificate, friendlyName }) =>
          friendlyName === 'ACME' && certificate.keyType === 'rsa' && certificate.dnsNames[0] === host,
      );
    assert.ok(rsa);
    zone.keys = [digestOf(ecdsa), digestOf(rsa.thumbprint)];
    zone.ttl = 0.001;
    await ok('Update-AcmeCertificate -NewKey');
    const held = (await ok('(Get-AcmeCertificate).Held'))
      .trim()
      .split('\n')
      .map((line) => line.slice(0, 40));
    assert.equal(held.length, 2, held.join());
    const shown = async (): Promise<string> => (await ok('(Get-AcmeCertificate).Thumbprint')).trim();
    const before = await shown();
    // That of one alone moves neither.
    zone.keys.push(digestOf(held[0] ?? ''));
    for (let i = 0; i < 2; i++) await ok('Update-AcmeCertificate');
    assert.equal(await shown(), before);
    zone.keys.push(digestOf(held[1] ?? ''));
    for (let i = 0; i < 3; i++) await ok('Update-AcmeCertificate');
    assert.deepEqual((await shown()).split('\n'), held);
    await ok(`Remove-AcmeCertificate ${host} -KeyAlgorithm RSA -Confirm:$false`);
    zone.keys = [];
  });

  test('another authority, which wants to know its customer: told that the issuer changed, connectors follow', async () => {
    const account = { keyId: 'customer-1', key: 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W' };
    await using other = await Pebble.start(account);
    await store.importCertificates(Buffer.from(other.authority));
    process.env[hookVariable] = other.hook;
    const line = order.replace('$url', `'${other.directoryUrl}'`);
    await fails(line, /externalAccountBinding/);
    const name = await connectorName();
    const text = await ok(
      `${line} -ExternalAccountKeyId ${account.keyId} -ExternalAccountKey (ConvertTo-SecureString ${account.key} -AsPlainText -Force)`,
    );
    assert.match(
      text.replace(/\s+/g, ' '),
      /The authority changed the issuer: it was CN=Pebble Intermediate CA \w+, it is CN=Pebble Intermediate CA \w+.*now names the certificate that came by ACME/,
    );
    assert.notEqual(await connectorName(), name);
    const files = JSON.stringify(await acmeAdministration(certificates).orders());
    assert.ok(!files.includes(account.key), 'the key is not kept');
    assert.ok(!JSON.stringify(changes).includes(account.key), 'the key is in no log');
    // The account is there now.
    await ok('Update-AcmeCertificate -Force');
    process.env[hookVariable] = pebble.hook;
    await ok(order);
  });

  test('the authority says when to renew, and is told what a new certificate replaces (RFC 9773)', async () => {
    await using authority = new RenewalAuthority(pebble);
    await authority.start();
    await store.importCertificates(Buffer.from(authority.authority));
    const hour = 3_600_000;
    const window = (from: number, to: number): string =>
      JSON.stringify({
        suggestedWindow: {
          start: new Date(Date.now() + from).toISOString(),
          end: new Date(Date.now() + to).toISOString(),
        },
        explanationURL: 'https://authority.test/revoked',
      });
    const idOf = (thumbprint: string): string => {
      const entry = store.list().find((one) => one.thumbprint === thumbprint);
      return renewalIdOf(entry?.certificate ?? { der: Buffer.alloc(0), serialNumber: '' }) ?? '';
    };
    const first = await current();
    const line = order.replace('$url', `'${authority.directoryUrl}'`);
    authority.answer = { status: 200, text: window(hour, 2 * hour) };
    await ok(line);
    const second = await current();
    assert.deepEqual(authority.replaced, [idOf(first)]);
    assert.deepEqual(await ok('Update-AcmeCertificate'), '');
    assert.deepEqual(authority.asked.at(-1), idOf(second));
    const found = store.list().find((one) => one.thumbprint === second);
    const [wish] = await administration.orders();
    assert.ok(found && wish);
    const signal = new AbortController().signal;
    const { at: due } = await administration.renewalTime(wish, found.certificate, undefined, signal);
    assert.ok(due > Date.now() + hour - 60_000 && due < Date.now() + 2 * hour, String(due));
    assert.equal((await ok('(Get-AcmeCertificate).RenewAfterBy')).trim(), 'Authority');

    // Asked again no sooner than in a minute: another appliance, as it were, which has not asked yet, hears that it is over.
    const asked = authority.asked.length;
    authority.answer = { status: 200, text: window(-2 * hour, -hour) };
    assert.deepEqual(await ok('Update-AcmeCertificate'), '');
    assert.equal(authority.asked.length, asked);
    administration = acmeAdministration(certificates);
    authority.refusesReplaced = true;
    const text = (await ok('Update-AcmeCertificate')).replace(/\s+/g, ' ');
    assert.match(
      text,
      /The authority asks to renew the certificate for mx\.acme\.test: https:\/\/authority\.test\/revoked/,
    );
    assert.notEqual(await current(), second);
    assert.deepEqual(authority.replaced.slice(1), [idOf(second), ''], 'refused, it is ordered without');

    const third = await current();
    const useless = [
      '',
      '{',
      '[]',
      '{"suggestedWindow":7}',
      '{"suggestedWindow":{"start":"x","end":"y"}}',
      `{"a":"${'b'.repeat(70_000)}"}`,
    ];
    const answers = [
      ...useless.map((one) => ({ status: 200, text: one })),
      { status: 500, text: window(-2 * hour, -hour) },
    ];
    for (const answer of [...answers, { status: 200, text: window(-hour, -2 * hour) }]) {
      administration = acmeAdministration(certificates);
      authority.answer = answer;
      assert.equal(await ok('Update-AcmeCertificate'), '', answer.text.slice(0, 50));
      assert.equal((await ok('(Get-AcmeCertificate).RenewAfterBy')).trim(), 'Rule');
    }
    assert.equal(await current(), third);
    authority.refusesReplaced = false;
    await ok(order);
  });

  test('the identifier of a certificate is that of RFC 9773 §4.1', () => {
    const path = join(folder, 'numbered.pem');
    const key = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      join(folder, 'numbered.key'),
    ];
    const extension = (value: string): string[] => ['-addext', `authorityKeyIdentifier=${value}`];
    const made = (...more: string[]): ReturnType<typeof readCertificate> => {
      const args = ['req', '-x509', ...key, '-subj', '/CN=x', '-set_serial', '0x87654321', ...more, '-out', path];
      execFileSync('openssl', args, { stdio: 'pipe' });
      return readCertificate(readFileSync(path, 'utf8'));
    };
    const certificate = made(...extension('keyid:always'));
    const shown = execFileSync('openssl', ['x509', '-in', path, '-noout', '-ext', 'authorityKeyIdentifier']).toString();
    const [, hex = ''] = /((?:[0-9A-F]{2}:){19}[0-9A-F]{2})/.exec(shown) ?? [];
    const keyIdentifier = Buffer.from(hex.replaceAll(':', ''), 'hex').toString('base64url');
    assert.equal(renewalIdOf(certificate), `${keyIdentifier}.AIdlQyE`);
    assert.equal(renewalIdOf(made(...extension('none'))), undefined);
  });

  test('a certificate without a subject: the connector is re-pointed to its Fqdn', async () => {
    const path = (name: string): string => join(folder, name);
    const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { stdio: 'pipe' });
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=CA', '-keyout', path('ca.key'), '-out', path('ca.pem'));
    openssl('req', '-new', ...key, '-subj', '/', '-keyout', path('bare.key'), '-out', path('bare.csr'));
    writeFileSync(path('bare.ext'), `subjectAltName=critical,DNS:${host}\n`);
    const authority = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-days', '2', '-extfile', path('bare.ext')];
    // The newest is chosen, by whole seconds: pebble's last one may be of this very second.
    const newest = Math.max(...store.list().map((one) => one.certificate.notBefore));
    await setTimeout(Math.max(0, newest + 1000 - Date.now()));
    openssl('x509', '-req', '-in', path('bare.csr'), ...authority, '-out', path('bare.pem'));
    const { thumbprint } = await store.importPem(
      readFileSync(path('bare.key'), 'utf8') + readFileSync(path('bare.pem'), 'utf8'),
    );
    const orders = await administration.orders();
    await administration.keep(orders.map((one) => ({ ...one, held: { thumbprint, services: ['SMTP'] } })));
    assert.match(await connectorName(), /^<I>/);
    await ok('Update-AcmeCertificate');
    assert.equal(await connectorName(), '');
    const shown = await ok(
      `Test-TlsCertificateSelection ${connector} | Where-Object { $_.Selected } | Format-List Thumbprint`,
    );
    assert.match(shown, new RegExp(thumbprint));
    await administration.keep(orders);
  });

  test('a hook that fails, or is not set: the reason is told, nothing changes, no request is left', async () => {
    const before = [await current(), await connectorName(), store.list().length];
    // A new account: of a hundred orders of one that has shown its control, pebble asks about one no more, whatever it is told.
    rmSync(join(certificates, 'acme-account.key'));
    const bad = join(folder, 'bad-hook');
    writeFileSync(bad, '#!/bin/sh\necho "no such zone" >&2\nexit 3\n', { mode: 0o755 });
    process.env[hookVariable] = bad;
    await fails('Update-AcmeCertificate -Force', /ended with 3: no such zone/);
    process.env[hookVariable] = '';
    await fails('Update-AcmeCertificate -Force', /EDGE_ACME_HOOK/);
    process.env[hookVariable] = pebble.hook;
    assert.match(await ok('(Get-AcmeCertificate).Failure'), /EDGE_ACME_HOOK/);
    assert.deepEqual([await current(), await connectorName(), store.list().length], before);
    assert.deepEqual(store.requests(), []);
  });

  test('acme.json that is damaged is not written over', async () => {
    writeFileSync(join(certificates, 'acme.json'), '{"orders":');
    await fails('Get-AcmeCertificate', /damaged/);
    await fails(order, /damaged/);
  });
});
