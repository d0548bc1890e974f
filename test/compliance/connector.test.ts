/** A receive connector as the target of `edge tls test`: where it listens, and before it goes live. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { after, before, test } from 'node:test';
import type { Report } from '../../src/compliance/index.ts';
import { openConnectorPlaces } from '../../src/services/connector-trial/index.ts';
import { Appliance, type CommandResult } from '../lib/appliance.ts';
import { edgeHere } from '../lib/command-here.ts';

let appliance: Appliance;

before(async () => {
  appliance = await Appliance.prepare({
    workers: 1,
    lines: [
      'New-ReceiveConnector -Name Partners -Usage Custom -Bindings 127.0.0.1:$port -RemoteIPRanges 192.0.2.1 -TlsCipherProfile modern',
      'New-ReceiveConnector -Name "Not yet" -Usage Custom -Bindings 127.0.0.1:$port -RemoteIPRanges 192.0.2.2 -Enabled $false -AuthMechanism None',
      'New-SendConnector -Name "To the hub" -AddressSpaces "SMTP:*;1" -DNSRoutingEnabled $false -SmartHosts "[127.0.0.1]"',
    ],
  });
});
after(async () => {
  await appliance.stop();
  rmSync(dirname(appliance.state), { recursive: true, force: true });
});

const parts = { connectors: openConnectorPlaces };
const testing = (...args: string[]): Promise<CommandResult> =>
  edgeHere(['tls', 'test', ...args, '--state', appliance.state, '--parallel', '--reduced', '--json'], parts);
const reportOf = ({ out }: CommandResult): Report => JSON.parse(out) as Report;
const defaultName = async (): Promise<string> =>
  (await appliance.shell('(Get-ReceiveConnector | Where-Object { $_.Name -like "Default*" }).Name')).trim();

test('before the first start: its settings, without a certificate', async () => {
  const result = await testing('Partners');
  const { target, facts } = reportOf(result);
  assert.deepEqual(
    [target.asked, target.connector, target.host, target.address],
    ['Partners', 'Partners', hostname().toLowerCase(), '127.0.0.1'],
  );
  assert.notEqual(target.port, appliance.port);
  assert.equal(facts.mail?.starttls, 'not-offered');
  assert.match(result.error, /'Partners' is tested on a temporary socket .*: the service does not run/);
  assert.match(result.error, /'Partners' has no certificate to show/);
});

test('the running appliance: where it listens, else on a temporary socket with its own profile', async () => {
  await appliance.start();
  const listening = await testing(await defaultName());
  assert.equal(listening.error, '');
  const { target, facts } = reportOf(listening);
  assert.deepEqual([target.address, target.port], ['127.0.0.1', appliance.port]);
  assert.equal(facts.protocols.tls1_2, 'offered');

  const partners = await testing('partners');
  assert.match(partners.error, /its RemoteIPRanges leave out clients on this machine: 'Default .*' takes them/);
  const modern = reportOf(partners).facts;
  assert.deepEqual([modern.protocols.tls1_3, modern.protocols.tls1_2], ['offered', 'not-offered']);

  const disabled = await testing('Not yet', 'Partners');
  assert.match(disabled.error, /'Not yet' is tested on a temporary socket .*: the connector is disabled/);
  const [first] = disabled.out.split('\n');
  assert.equal((JSON.parse(first ?? '') as Report).facts.mail?.starttls, 'not-offered');
});

test('the stopped appliance: its certificates and the demanded name', async () => {
  await appliance.stop();
  const names = await appliance.shell(
    '(Get-ExchangeCertificate | ForEach-Object { "<I>" + $_.Issuer + "<S>" + $_.Subject })[0]',
  );
  const name = names.trim();
  await appliance.shell(`Set-ReceiveConnector Partners -TlsCertificateName '${name}'`);
  const result = await testing('Partners');
  assert.match(result.error, /temporary socket .*: the service does not run\n$/);
  const { facts, verdicts } = reportOf(result);
  assert.equal(facts.protocols.tls1_3, 'offered');
  assert.equal(verdicts['mail-baseline']?.['M-CERT-DEMAND']?.verdict, 'pass');
});

const wrong: readonly (readonly [readonly string[], RegExp])[] = [
  [['Partner'], /no receive connector\. Did you mean 'Partners'\? There are: '/],
  [['To the hub'], /a send connector: edge tls trap start/],
  [['127.0.0.1', '--connector'], /'127\.0\.0\.1' is no .*connector/],
];
for (const [args, reason] of wrong) {
  test(`no such connector: ${args.join(' ')}`, async () => {
    const { status, error } = await testing(...args);
    assert.equal(status, 64);
    assert.match(error, reason);
  });
}

test('without a state directory the name is refused with the reason', async () => {
  const { status, error } = await edgeHere(['tls', 'test', 'Partners', '--state', '/nonexistent/state'], parts);
  assert.equal(status, 64);
  assert.match(error, /'Partners' is no domain.* cannot be looked up in \/nonexistent\/state: /);
});
