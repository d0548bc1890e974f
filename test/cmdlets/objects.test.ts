import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Bench, type Given } from './lib/bench.ts';

test('the recipients of a new authoritative domain are validated, those of a relay domain are not', async () => {
  const bench = new Bench();
  for (const [type, on] of [
    ['Authoritative', true],
    ['InternalRelay', false],
    ['ExternalRelay', false],
  ] as const) {
    await bench.run('New-AcceptedDomain', { Name: type, DomainName: `${type}.example`, DomainType: type });
    assert.equal(await bench.value('Get-AcceptedDomain', 'AddressBookEnabled', { Identity: type }), on);
  }
  await bench.run('New-AcceptedDomain', { Name: 'Plain', DomainName: 'plain.example' });
  assert.equal(await bench.value('Get-AcceptedDomain', 'AddressBookEnabled', { Identity: 'Plain' }), true);
});

describe('send connectors', () => {
  test('smart hosts switch DNS routing off by themselves', async () => {
    const bench = new Bench();
    const { objects } = await bench.run('New-SendConnector', {
      Name: 'Hub',
      AddressSpaces: 'example.com',
      SmartHosts: '10.0.0.1',
    });
    const text = ['AddressSpaces', 'SmartHosts', 'SmartHostsString', 'DNSRoutingEnabled', 'MaxMessageSize'].map(
      (name) => String(objects[0]?.get(name)),
    );
    assert.deepEqual(text, ['SMTP:example.com;1', '[10.0.0.1]', '[10.0.0.1]', 'false', '35 MB (36,700,160 bytes)']);
    assert.deepEqual(objects[0]?.get('Identity'), 'Hub');
  });

  test('an internal connector has no limit of size', async () => {
    const { objects } = await new Bench().run('New-SendConnector', {
      Name: 'In',
      Internal: true,
      AddressSpaces: '--',
      SmartHosts: 'hub',
    });
    assert.equal(String(objects[0]?.get('MaxMessageSize')), 'Unlimited');
  });

  const refused: readonly (readonly [given: Given, message: RegExp])[] = [
    [{}, /'AddressSpaces'\. It is needed/],
    [{ AddressSpaces: '*', DNSRoutingEnabled: false }, /DNSRoutingEnabled \$false needs SmartHosts/],
    [{ AddressSpaces: '*', SmartHosts: 'hub', DNSRoutingEnabled: true }, /SmartHosts need DNSRoutingEnabled \$false/],
    [{ AddressSpaces: '*', RequireTLS: true, IgnoreSTARTTLS: true }, /exclude each other/],
    [{ AddressSpaces: '*', Usage: 'Intern' }, /Did you mean 'Internal'|Did you mean 'Internet'/],
    [{ AddressSpaces: '*', AuthenticationCredential: 'x' }, /a credential is needed, as \(Get-Credential\) gives one/],
    [{ AddressSpaces: '*', TlsAuthLevel: 'DomainValidaton' }, /Did you mean 'DomainValidation'/],
  ];
  for (const [given, message] of refused) {
    test(`${JSON.stringify(given)} is refused`, async () => {
      assert.match((await new Bench().try('New-SendConnector', { Name: 'N', ...given })).error?.message ?? '', message);
    });
  }

  test('SourceTransportServers is taken on an Edge server with a warning', async () => {
    const { warnings } = await new Bench().run('New-SendConnector', {
      Name: 'N',
      AddressSpaces: '*',
      SourceTransportServers: 'EDGE1',
    });
    assert.deepEqual(warnings, ['The SourceTransportServers parameter has no effect on an Edge Transport server.']);
    const mailbox = await new Bench('mailbox').try('New-SendConnector', {
      Name: 'N',
      AddressSpaces: '*',
      SourceTransportServers: 'CN=EDGE1,CN=Servers',
    });
    assert.match(mailbox.error?.message ?? '', /not implemented yet/);
  });
});

describe('accepted domains', () => {
  test('the first is the default, MakeDefault moves it', async () => {
    const bench = new Bench();
    await bench.run('New-AcceptedDomain', { Name: 'A', DomainName: 'A.Example' });
    await bench.run('New-AcceptedDomain', { Name: 'B', DomainName: '*.b.example', DomainType: 'InternalRelay' });
    assert.equal(await bench.value('Get-AcceptedDomain', 'Default', { Identity: 'A' }), true);
    const { changes } = await bench.run('Set-AcceptedDomain', { Identity: 'B', MakeDefault: true });
    assert.equal(changes.length, 2);
    assert.deepEqual(
      (await bench.run('Get-AcceptedDomain')).objects.map((one) => [one.get('DomainName'), one.get('Default')]),
      [
        ['a.example', false],
        ['*.b.example', true],
      ],
    );
    assert.match(
      (await bench.try('Set-AcceptedDomain', { Identity: 'B', MakeDefault: false })).error?.message ?? '',
      /One domain must be the default/,
    );
    assert.match(
      (await bench.try('Remove-AcceptedDomain', { Identity: 'B' })).error?.message ?? '',
      /'B' is the default domain/,
    );
    await bench.run('Remove-AcceptedDomain', { Identity: 'A' });
    await bench.run('Remove-AcceptedDomain', { Identity: 'B' });
  });

  test('a domain is there once, and * is not authoritative', async () => {
    const bench = new Bench();
    await bench.run('New-AcceptedDomain', { Name: 'A', DomainName: 'a.example' });
    const twin = await bench.try('New-AcceptedDomain', { Name: 'B', DomainName: 'A.EXAMPLE' });
    assert.match(twin.error?.message ?? '', /a\.example is already there as 'A'/);
    const star = await bench.try('New-AcceptedDomain', { Name: 'C', DomainName: '*' });
    assert.match(star.error?.message ?? '', /cannot be Authoritative/);
    assert.match(
      (await bench.try('New-AcceptedDomain', { Name: 'D' })).error?.message ?? '',
      /'DomainName'\. It is needed/,
    );
  });
});

test('the remote domain for all others stays', async () => {
  const bench = new Bench();
  await bench.run('New-RemoteDomain', { Name: 'Partner', DomainName: 'partner.example' });
  await bench.run('Remove-RemoteDomain', { Identity: 'Partner' });
  assert.match(
    (await bench.try('Remove-RemoteDomain', { Identity: 'Default' })).error?.message ?? '',
    /cannot be removed/,
  );
});

describe('services', () => {
  test('a folder that the service cannot write to is refused with the reason, whatever the parameter is', async () => {
    const bench = new Bench();
    const tried: string[] = [];
    bench.folders = {
      refusal: async (path) => {
        tried.push(path);
        return 'it is on the moon';
      },
    };
    const parameters = [
      'MessageTrackingLogPath',
      'ReceiveProtocolLogPath',
      'SendProtocolLogPath',
      'ConnectivityLogPath',
    ];
    for (const parameter of parameters) {
      const { error, changes } = await bench.try('Set-TransportService', { [parameter]: '/proc/edge/tracking' });
      assert.equal(
        error?.message,
        `The ${parameter} '/proc/edge/tracking' cannot be used: it is on the moon. Nothing was changed.`,
      );
      assert.deepEqual(changes, []);
    }
    assert.equal(tried.length, parameters.length);
    await bench.run('Set-TransportService', { MessageRetryInterval: '00:10:00' });
    assert.equal(tried.length, parameters.length);
  });

  test('Set-TransportService needs no identity, and takes the names of the server', async () => {
    const bench = new Bench();
    await bench.run('Set-TransportService', { MessageRetryInterval: '00:10:00', QueueGlitchRetryCount: 2 });
    for (const Identity of ['EDGE1', 'edge1.example.net']) {
      assert.equal(String(await bench.value('Get-TransportService', 'MessageRetryInterval', { Identity })), '00:10:00');
    }
    assert.match(
      (await bench.try('Set-TransportService', { Identity: 'EDGE2', PoisonThreshold: 3 })).error?.message ?? '',
      /Did you mean 'EDGE1'/,
    );
  });

  test('TransportServer is the same with a notice', async () => {
    const { objects, warnings } = await new Bench().run('Get-TransportServer');
    assert.equal(objects[0]?.typeName, 'TransportServer');
    assert.match(warnings[0] ?? '', /Use the TransportService cmdlets instead/);
  });

  test('the organization is the only one of its kind', async () => {
    const bench = new Bench();
    assert.equal(String(await bench.value('Get-TransportConfig', 'MaxSendSize')), '10 MB (10,485,760 bytes)');
    const { warnings } = await bench.run('Set-TransportConfig', {
      MaxSendSize: '20MB',
      ShadowRedundancyEnabled: false,
    });
    assert.equal(String(await bench.value('Get-TransportConfig', 'MaxSendSize')), '20 MB (20,971,520 bytes)');
    assert.match(warnings.join('\n'), /ShadowRedundancyEnabled is kept, and has no effect: shadow redundancy/);
  });

  test('Front End and Mailbox Transport exist on a Mailbox server only', async () => {
    const mailbox = new Bench('mailbox');
    assert.equal(await mailbox.value('Get-FrontendTransportService', 'Identity'), 'EDGE1\\Frontend');
    assert.equal(
      await mailbox.value('Get-MailboxTransportService', 'Identity', { Identity: 'EDGE1' }),
      'EDGE1\\Mailbox',
    );
    assert.deepEqual((await new Bench().run('Get-FrontendTransportService')).objects, []);
  });

  test('Get-ExchangeServer shows role and name', async () => {
    const { objects } = await new Bench().run('Get-ExchangeServer', { Identity: 'edge1' });
    const shown = ['Name', 'Fqdn', 'ServerRole', 'IsEdgeServer', 'Domain'].map((name) => objects[0]?.get(name));
    assert.deepEqual(shown, ['EDGE1', 'edge1.example.net', 'Edge', true, 'example.net']);
  });

  test('DomainController is accepted with a warning', async () => {
    const { warnings } = await new Bench().run('Get-TransportService', { DomainController: 'dc1' });
    assert.match(warnings[0] ?? '', /DomainController has no effect/);
  });
});
