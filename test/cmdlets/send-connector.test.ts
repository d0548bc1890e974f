import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CmdletObject, SecureString } from '../../src/cmdlets/index.ts';
import { sendConnector } from '../../src/config/index.ts';
import { Bench } from './lib/bench.ts';

const credential = (userName: unknown, password: unknown): CmdletObject =>
  new CmdletObject('System.Management.Automation.PSCredential', [
    ['UserName', userName],
    ['Password', password],
  ]);
const relay = { Name: 'Relay', AddressSpaces: '*', SmartHosts: '[192.0.2.1]' };

test('a password for the smart hosts is sealed before it is written, and shown to nobody', async () => {
  const bench = new Bench('edge');
  const given = {
    ...relay,
    SmartHostAuthMechanism: 'BasicAuth',
    AuthenticationCredential: credential('us er', new SecureString('pass word')),
  };
  const made = await bench.try('New-SendConnector', given);
  assert.equal(made.error, undefined);
  const [entry] = bench.store.entries.filter((one) => one.values('cn')[0] === 'Relay');
  assert.deepEqual(entry?.values('msExchSmtpOutboundSecurityCredential'), ['sealed:9 us%20er']);
  assert.ok(!JSON.stringify([made.changes, made.objects]).includes('pass word'));
  const { objects } = await bench.try('Get-SendConnector', { Identity: 'Relay' });
  assert.equal(objects[0]?.get('AuthenticationCredential'), 'System.Management.Automation.PSCredential');
  const cleared = await bench.try('Set-SendConnector', {
    Identity: 'Relay',
    SmartHostAuthMechanism: 'None',
    AuthenticationCredential: null,
  });
  assert.equal(cleared.error, undefined);
});

for (const [what, value] of [
  ['a text', 'user:secret'],
  ['no user', credential('', new SecureString('x'))],
  ['a password in clear', credential('u', 'secret')],
  ['two lines', credential('u', new SecureString('a\r\nRCPT TO:<x>'))],
] as const) {
  test(`AuthenticationCredential: ${what} is refused`, async () => {
    const { error } = await new Bench('edge').try('New-SendConnector', { ...relay, AuthenticationCredential: value });
    assert.match(error?.message ?? '', /credential is needed|one line each/);
    assert.doesNotMatch(error?.message ?? '', /secret/);
  });
}

test('a password in clear is never written', () => {
  const { syntax } = sendConnector.properties.authenticationCredential;
  assert.throws(() => syntax.write({ userName: 'u', sealed: '', clear: 'p' }), RangeError);
});

describe('values that act, and those that cannot', () => {
  const out = { Name: 'Out', AddressSpaces: '*', DNSRoutingEnabled: false, SmartHosts: 'relay.example' };

  test('smart hosts behind a line of their own are externally secured', async () => {
    const bench = new Bench();
    await bench.run('New-SendConnector', { ...out, SmartHostAuthMechanism: 'ExternalAuthoritative' });
    assert.equal(String(await bench.value('Get-SendConnector', 'SmartHostAuthMechanism')), 'ExternalAuthoritative');
  });

  for (const value of ['DowngradeCustomFailures', 'UpgradeCustomFailures'])
    test(`ErrorPolicies ${value} says why it is not taken`, async () => {
      const { error } = await new Bench().try('New-SendConnector', { ...out, ErrorPolicies: value });
      assert.match(error?.message ?? '', new RegExp(`which failures ${value} is about is not published`));
    });
});
