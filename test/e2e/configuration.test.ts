import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { get } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Appliance, eventually, edge as run, serverName } from '../lib/appliance.ts';
import { needs } from '../lib/peers.ts';
import { freePort } from '../lib/ports.ts';

/** Greets on a new connection; gives the banner and what EHLO offers. */
async function ehlo(port: number, host = '127.0.0.1'): Promise<string> {
  const socket = connect({ port, host });
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
    if (/^220 /m.test(text) && !text.includes('250')) socket.write('EHLO a.example\r\n');
    if (/^250 /m.test(text) && !socket.writableEnded) socket.end('QUIT\r\n');
  });
  await new Promise((resolve, reject) => {
    socket.once('close', resolve);
    socket.once('error', reject);
  });
  return text;
}

describe('configuration in force', needs('ldapsearch'), () => {
  let edge: Appliance;
  const connector = 'Default internal receive connector';
  before(async () => {
    edge = await Appliance.start();
  });
  after(async () => edge?.[Symbol.asyncDispose]());

  const ldapi = (): string => `ldapi://${encodeURIComponent(join(edge.state, 'run/ldapi'))}`;
  const ldap = (tool: string, args: string[], input = ''): string =>
    execFileSync(tool, ['-H', ldapi(), '-Y', 'EXTERNAL', '-Q', ...args], {
      encoding: 'utf8',
      input,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  const connectorDn = (): string =>
    /^dn: (.*)$/m.exec(
      ldap('ldapsearch', ['-LLL', '-o', 'ldif-wrap=no', '-b', '', `(cn=${connector} ${serverName()})`, 'cn']),
    )?.[1] ?? '';
  const modify = (...lines: string[]): string =>
    ldap('ldapmodify', [], `dn: ${connectorDn()}\nchangetype: modify\n${lines.join('\n')}\n`);

  test('a certificate that is not there is a fault at once, and over when the name is mended', async () => {
    const status = async (): Promise<string> => (await run('status', '--state', edge.state)).out;
    const named = (name: string): Promise<string> =>
      edge.shell(`Set-ReceiveConnector "${connector} $server" -TlsCertificateName ${name} -Confirm:$false`);
    await named("'<I>CN=Nobody<S>CN=nothing.example'");
    await eventually('the fault', async () => /FAULT.* has no certificate to show/.test(await status()));
    await named('$null');
    await eventually('its end', async () => !(await status()).includes('has no certificate to show'));
  });

  test('a change by cmdlet is in force in every worker at once, sessions stay', async () => {
    const kept = connect({ port: edge.port, host: '127.0.0.1' });
    await new Promise((resolve) => kept.once('data', resolve));
    await edge.shell(`Set-ReceiveConnector "${connector} $server" -Banner "220 changed by cmdlet"`);
    await eventually('the banner in every worker', async () => {
      const banners = await Promise.all(Array.from({ length: 16 }, () => ehlo(edge.port)));
      return banners.every((text) => text.startsWith('220 changed by cmdlet'));
    });
    kept.write('NOOP\r\n');
    assert.match(await new Promise((resolve) => kept.once('data', (chunk) => resolve(String(chunk)))), /^250/);
    kept.destroy();
  });

  test('a change by ldapmodify is in force too', async () => {
    modify('replace: msExchSmtpReceiveMaxMessageSize', 'msExchSmtpReceiveMaxMessageSize: 1048576');
    await eventually('SIZE 1048576', async () => (await ehlo(edge.port)).includes('SIZE 1048576'));
    assert.match(
      await edge.shell(`(Get-ReceiveConnector "${connector} $server").MaxMessageSize`),
      /1 MB \(1,048,576 bytes\)/,
    );
  });

  test('an entry that does not decode is reported; its last good state stays in force', async () => {
    modify('replace: msExchSmtpReceiveRemoteIPRanges', 'msExchSmtpReceiveRemoteIPRanges: nonsense');
    await eventually('the fault in edge status', async () =>
      /msExchSmtpReceiveRemoteIPRanges/.test((await run('status', '--state', edge.state)).out),
    );
    const { status, out } = await run('status', '--state', edge.state);
    assert.equal(status, 1);
    assert.ok(out.includes(connectorDn()), out);
    assert.match(await ehlo(edge.port), /^220 /);
    modify('replace: msExchSmtpReceiveRemoteIPRanges', 'msExchSmtpReceiveRemoteIPRanges: 0.0.0.0-255.255.255.255');
    await eventually('no fault', async () => (await run('status', '--state', edge.state)).status === 0);
  });

  test('bindings are added and taken away while it runs', async () => {
    const other = await Appliance.prepare();
    await using _ = other;
    await edge.shell(
      `Set-ReceiveConnector "${connector} $server" -Bindings 127.0.0.1:${edge.port},127.0.0.1:${other.port}`,
    );
    await eventually('the new binding', async () => (await ehlo(other.port).catch(() => '')).startsWith('220'));
    await edge.shell(`Set-ReceiveConnector "${connector} $server" -Bindings 127.0.0.1:${edge.port}`);
    await eventually('the binding is gone', async () => (await ehlo(other.port).catch(() => 'refused')) === 'refused');
    assert.match(await ehlo(edge.port), /^220/);
  });

  test('our own MTA-STS policy is served where the administrator says, and checked', async () => {
    const port = await freePort();
    await edge.shell('New-AcceptedDomain -Name Sts -DomainName sts.test -DomainType Authoritative');
    await edge.shell(
      'New-ExchangeCertificate -KeyAlgorithm ECDSA -SubjectName CN=sts -DomainName mta-sts.sts.test -Services SMTP -Force',
    );
    const set = `Set-TransportService $server -MtaStsPolicyMode Testing -MtaStsPolicyMx mx.sts.test`;
    await edge.shell(`${set} -MtaStsPolicyBindings 127.0.0.1:${port}`);
    const fetched = (): Promise<string> =>
      new Promise((resolve) => {
        const options = { host: '127.0.0.1', port, servername: 'mta-sts.sts.test', rejectUnauthorized: false };
        const headers = { host: 'mta-sts.sts.test' };
        const call = get({ ...options, agent: false, path: '/.well-known/mta-sts.txt', headers }, (response) => {
          response.on('data', (chunk) => resolve(String(chunk)));
        });
        call.on('error', ({ message }) => resolve(message));
      });
    await eventually('the policy', async () =>
      (await fetched()).startsWith('version: STSv1\r\nmode: testing\r\nmx: mx.sts.test\r\n'),
    );
    assert.match(
      (await run('status', '--state', edge.state)).out,
      /^ {2}https {2}127\.0\.0\.1:\d+ \(MTA-STS policy\)$/m,
    );
    assert.match(
      await edge.shell('Test-MtaStsPolicy | Format-List Line,Faults'),
      /_mta-sts\.sts\.test\. IN TXT "v=STSv1; id=\w{20};"[^]*is\s+self-signed/,
    );
    await edge.shell('Set-TransportService $server -MtaStsPolicyBindings $null');
    await eventually('nobody there', async () => (await fetched()).includes('ECONNREFUSED'));
    await edge.shell('Remove-AcceptedDomain Sts -Confirm:$false');
  });

  test('a binding that cannot be opened is told by the cmdlet, and by the status', async () => {
    const said = async (line: string): Promise<string> =>
      (await run('shell', '--state', edge.state, '-c', line)).error.replace(/\s+/g, ' ');
    const taken = `127.0.0.1:${edge.ldapPort}`;
    const line = `New-ReceiveConnector -Name Taken -Usage Custom -RemoteIPRanges 127.0.0.0/8 -Bindings ${taken}`;
    assert.match(await said(line), /WARNING: 127\.0\.0\.1:\d+ cannot be bound: another program listens there/);
    assert.match(
      await said('Set-ReceiveConnector Taken -Bindings 192.0.2.77:2525'),
      /cannot be bound: the address is not on this machine/,
    );
    assert.match((await run('status', '--state', edge.state)).out, /192\.0\.2\.77:2525 cannot be bound/);
    assert.equal(await said(`Set-ReceiveConnector Taken -Bindings 127.44.0.7:${edge.port}`), '');
    await edge.shell('Remove-ReceiveConnector Taken -Confirm:$false');
  });

  test('connectors on one address and on all addresses of a port both serve, in either order', async () => {
    const own = '127.44.0.9';
    const onAll = `Set-ReceiveConnector "${connector} $server" -Bindings 0.0.0.0:${edge.port}`;
    const relay = `New-ReceiveConnector -Name Relay -Usage Custom -RemoteIPRanges 127.0.0.0/8 -Banner "220 relay" -Bindings ${own}:${edge.port}`;
    const bothServe = async (): Promise<boolean> =>
      (await ehlo(edge.port, own).catch(() => '')).startsWith('220 relay') &&
      (await ehlo(edge.port, '127.44.0.8').catch(() => '')).startsWith('220 changed');
    for (const lines of [
      [relay, onAll],
      [onAll, relay],
    ]) {
      for (const line of lines) await edge.shell(line);
      await eventually('both bindings', bothServe);
      assert.doesNotMatch((await run('status', '--state', edge.state)).out, /cannot be bound/);
      await edge.shell(
        `Remove-ReceiveConnector Relay -Confirm:$false; Set-ReceiveConnector "${connector} $server" -Bindings 127.0.0.1:${edge.port}`,
      );
      await eventually('the binding is gone', async () => (await ehlo(edge.port, own).catch(() => '')) === '');
    }
  });

  test('the nine octets that end an unguarded server end nothing here', async () => {
    const socket = connect({ port: edge.ldapPort, host: '127.0.0.1' });
    socket.on('error', () => {});
    socket.resume();
    socket.end(Buffer.from('3084ffffffff020101', 'hex'));
    await new Promise((resolve) => socket.once('close', resolve));
    assert.match(
      ldap('ldapsearch', ['-LLL', '-b', '', '-s', 'base', '(objectClass=*)', 'namingContexts']),
      /namingContexts: /,
    );
  });
});
