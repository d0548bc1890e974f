import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LdapError } from '../../src/ldap/index.ts';
import { Bench, defaultConnector, type Given, hash } from './lib/bench.ts';

const printer = { Name: 'Printer', Bindings: '127.0.0.1:2526', RemoteIPRanges: '127.0.0.9' };

describe('Get-ReceiveConnector', () => {
  test('shows the properties that Exchange shows, in its order', async () => {
    const { objects } = await new Bench().run('Get-ReceiveConnector');
    const shown = objects[0]?.entries().map(([name]) => name) ?? [];
    assert.deepEqual(shown.slice(0, 64), [
      'AuthMechanism',
      'Banner',
      'BinaryMimeEnabled',
      'Bindings',
      'ChunkingEnabled',
      'DefaultDomain',
      'DeliveryStatusNotificationEnabled',
      'EightBitMimeEnabled',
      'SmtpUtf8Enabled',
      'BareLinefeedRejectionEnabled',
      'LimitsEnabled',
      'ExternalAuthEnabled',
      'DomainSecureEnabled',
      'EnhancedStatusCodesEnabled',
      'LongAddressesEnabled',
      'OrarEnabled',
      'SuppressXAnonymousTls',
      'ProxyEnabled',
      'AdvertiseClientSettings',
      'Fqdn',
      'ServiceDiscoveryFqdn',
      'TlsCertificateName',
      'Comment',
      'Enabled',
      'ConnectionTimeout',
      'ConnectionInactivityTimeout',
      'MessageRateLimit',
      'MessageRateSource',
      'MaxInboundConnection',
      'MaxInboundConnectionPerSource',
      'MaxInboundConnectionPercentagePerSource',
      'MaxHeaderSize',
      'MaxHopCount',
      'MaxLocalHopCount',
      'MaxLogonFailures',
      'MaxMessageSize',
      'MaxProtocolErrors',
      'MaxRecipientsPerMessage',
      'PermissionGroups',
      'PipeliningEnabled',
      'ProtocolLoggingLevel',
      'RemoteIPRanges',
      'RequireEHLODomain',
      'RequireTLS',
      'EnableAuthGSSAPI',
      'ExtendedProtectionPolicy',
      'LiveCredentialEnabled',
      'TlsDomainCapabilities',
      'TlsSenderCertificateName',
      'ClientEku',
      'TlsRevocation',
      'TlsTrustedAuthorities',
      'TlsMinVersion',
      'TlsCipherProfile',
      'Server',
      'TransportRole',
      'RejectReservedTopLevelRecipientDomains',
      'RejectReservedSecondLevelRecipientDomains',
      'RejectSingleLabelRecipientDomains',
      'AcceptConsumerMail',
      'SizeEnabled',
      'TarpitInterval',
      'AuthTarpitInterval',
      'MaxAcknowledgementDelay',
    ]);
    const text = (name: string) => String(objects[0]?.get(name));
    assert.equal(text('AuthMechanism'), 'Tls, ExchangeServer');
    assert.equal(text('MaxMessageSize'), '36 MB (37,748,736 bytes)');
    assert.equal(text('ConnectionTimeout'), '00:05:00');
    assert.equal(text('PermissionGroups'), 'AnonymousUsers, ExchangeServers, Partners');
    assert.equal(text('Identity'), `EDGE1\\${defaultConnector}`);
    assert.equal(objects[0]?.get('Acl'), null);
  });

  const identities: readonly (readonly [identity: string, count: number])[] = [
    [defaultConnector, 1],
    [defaultConnector.toUpperCase(), 1],
    [`EDGE1\\${defaultConnector}`, 1],
    ['Default*', 1],
    ['*\\Default*EDGE?', 1],
    ['EDGE1\\*', 1],
    ['nothing*', 0],
  ];
  for (const [identity, count] of identities) {
    test(`-Identity '${identity}' finds ${count}`, async () => {
      const { objects } = await new Bench().run('Get-ReceiveConnector', { Identity: identity });
      assert.equal(objects.length, count);
    });
  }

  test('finds by DN, GUID and an object of the pipeline', async () => {
    const bench = new Bench();
    const [connector] = (await bench.run('Get-ReceiveConnector')).objects;
    for (const identity of [connector, connector?.get('DistinguishedName'), connector?.get('Guid')]) {
      assert.equal(await bench.value('Get-ReceiveConnector', 'Name', { Identity: identity }), defaultConnector);
    }
  });

  test('a name that is not there is refused with the nearest', async () => {
    const { error } = await new Bench().try('Get-ReceiveConnector', {
      Identity: 'Default internal receive conector EDGE1',
    });
    assert.equal(error?.id, 'ManagementObjectNotFoundException');
    assert.equal(
      error?.message,
      `The operation couldn't be performed because object 'Default internal receive conector EDGE1' couldn't be found on 'EDGE1'. Did you mean '${defaultConnector}'?`,
    );
  });

  test('-Server takes short and full name, and no other', async () => {
    const bench = new Bench();
    for (const server of ['edge1', 'edge1.example.net']) {
      assert.equal((await bench.run('Get-ReceiveConnector', { Server: server })).objects.length, 1);
    }
    assert.match(
      (await bench.try('Get-ReceiveConnector', { Server: 'EDGE2' })).error?.message ?? '',
      /Did you mean 'EDGE1'/,
    );
  });

  test('an entry that cannot be read is left out with a warning that says why', async () => {
    const bench = new Bench();
    bench.store.entries
      .find(({ dn }) => dn.startsWith('CN=Default internal'))
      ?.set('msExchSmtpReceiveMaxHopCount', ['x']);
    const { objects, warnings } = await bench.run('Get-ReceiveConnector');
    assert.equal(objects.length, 0);
    assert.match(warnings[0] ?? '', /msExchSmtpReceiveMaxHopCount 'x' is not an integer/);
  });
});

describe('New-ReceiveConnector', () => {
  const presets: readonly (readonly [given: Given, groups: string, auth: string, bindings: string, ranges: string])[] =
    [
      [{ Usage: 'Custom', ...printer }, 'None', 'Tls', '127.0.0.1:2526', '127.0.0.9'],
      [{ Custom: true, ...printer }, 'None', 'Tls', '127.0.0.1:2526', '127.0.0.9'],
      [printer, 'None', 'Tls', '127.0.0.1:2526', '127.0.0.9'],
      [
        { Name: 'N', Internet: true, Bindings: '127.0.0.1:2526' },
        'AnonymousUsers',
        'Tls',
        '127.0.0.1:2526',
        '0.0.0.0-255.255.255.255',
      ],
      [
        { Name: 'N', Usage: 'internal', RemoteIPRanges: '10.0.0.0/8' },
        'ExchangeServers',
        'Tls, ExchangeServer',
        '0.0.0.0:25',
        '10.0.0.0/8',
      ],
      [{ Usage: 'Partner', ...printer }, 'Partners', 'Tls', '127.0.0.1:2526', '127.0.0.9'],
      [
        { ...printer, AuthMechanism: 'None', PermissionGroups: 'AnonymousUsers' },
        'AnonymousUsers',
        'None',
        '127.0.0.1:2526',
        '127.0.0.9',
      ],
    ];
  for (const [given, groups, auth, bindings, ranges] of presets) {
    test(`${JSON.stringify(given)}`, async () => {
      const { objects, changes, asked } = await new Bench().run('New-ReceiveConnector', given);
      const [made] = objects;
      const text = ['PermissionGroups', 'AuthMechanism', 'Bindings', 'RemoteIPRanges'].map((name) =>
        String(made?.get(name)),
      );
      assert.deepEqual(text, [groups, auth, bindings, ranges]);
      assert.deepEqual([made?.get('Fqdn'), made?.get('BareLinefeedRejectionEnabled')], ['edge1.example.net', true]);
      assert.match(String(made?.get('Guid')), /^[0-9a-f-]{36}$/);
      assert.equal(changes[0]?.object, `EDGE1\\${String(given['Name'])}`);
      assert.deepEqual(
        asked.map(({ action, impact }) => [action, impact]),
        [['Creating Receive connector', 'Medium']],
      );
    });
  }

  test('Partners alone may use no sender: the line says so, and the one that it names mends it', async () => {
    const bench = new Bench();
    const { warnings } = await bench.run('New-ReceiveConnector', { Usage: 'Partner', ...printer });
    assert.match(warnings.join(), /refuses every sender of a partner \(550 5\.7\.60\)/);
    const [, Identity, User, ExtendedRights] =
      /Add-ADPermission '(.*?)' -User '(.*?)' -ExtendedRights (\S+)\.$/.exec(warnings.join()) ?? [];
    await bench.run('Add-ADPermission', { Identity, User, ExtendedRights });
    for (const PermissionGroups of ['Partners', 'Partners, AnonymousUsers', 'AnonymousUsers']) {
      const set = await bench.run('Set-ReceiveConnector', { Identity, PermissionGroups });
      assert.doesNotMatch(set.warnings.join(), /refuses every sender/, PermissionGroups);
    }
  });

  const refused: readonly (readonly [given: Given, message: RegExp])[] = [
    [{ Usage: 'Client', Name: 'N', RemoteIPRanges: '10.0.0.1' }, /Client is not available on an Edge Transport server/],
    [{ Usage: 'Custum', ...printer }, /'Custum' is not one of Custom.*Did you mean 'Custom'/],
    [{ Custom: true, Internet: true, ...printer }, /Custom and Internet exclude each other/],
    [{ Usage: 'Internal', ...printer }, /Usage Internal always listens on 0\.0\.0\.0:25.*Usage Custom/],
    [{ Usage: 'Internet', ...printer }, /Usage Internet always serves 0\.0\.0\.0-255\.255\.255\.255/],
    [{ Name: 'N', RemoteIPRanges: '10.0.0.1' }, /'Bindings'\. Usage Custom needs it/],
    [{ Name: 'N', Bindings: '127.0.0.1:2526' }, /'RemoteIPRanges'\. Usage Custom needs it/],
    [{ ...printer, Name: '' }, /A name is needed/],
    [{ ...printer, Name: 'x'.repeat(65) }, /65 characters; 64 are the most/],
    [{ ...printer, Name: defaultConnector.toLowerCase() }, /already exists/],
    [{ ...printer, MaxMessageSize: '1KB' }, /'MaxMessageSize'.*outside the range from 64 KB/],
    [
      { ...printer, Bindings: '0.0.0.0:25', RemoteIPRanges: '0.0.0.0-255.255.255.255' },
      /conflict with the settings on Receive connector "Default internal receive connector EDGE1".*same as/,
    ],
    [{ ...printer, MaxHopCoun: 3 }, /The parameter MaxHopCoun is not implemented yet/],
    [{ ...printer, DefaultDomain: 'x' }, /object 'x' couldn't be found/],
    [{ ...printer, LongAddressesEnabled: true }, /can't be used on an Edge Transport server/],
  ];
  for (const [given, message] of refused) {
    test(`${JSON.stringify(given).slice(0, 90)} is refused and changes nothing`, async () => {
      const bench = new Bench();
      const { error, changes } = await bench.try('New-ReceiveConnector', given);
      assert.match(error?.message ?? '', message);
      assert.deepEqual([bench.store.log, changes], [[], []]);
    });
  }

  test('names with commas and quotes become names of entries', async () => {
    const bench = new Bench();
    const name = 'From "A", B + C';
    await bench.run('New-ReceiveConnector', { ...printer, Name: name });
    assert.equal(await bench.value('Get-ReceiveConnector', 'Name', { Identity: name }), name);
    await bench.run('Remove-ReceiveConnector', { Identity: name });
  });

  test('TransportRole is taken on an Edge server with a warning, and means something on a Mailbox server', async () => {
    const { warnings } = await new Bench().run('New-ReceiveConnector', {
      ...printer,
      TransportRole: 'FrontendTransport',
    });
    assert.deepEqual(warnings, ['The TransportRole parameter has no effect on an Edge Transport server.']);
    const { objects } = await new Bench('mailbox').run('New-ReceiveConnector', {
      ...printer,
      TransportRole: 'FrontendTransport',
    });
    assert.equal(objects[0]?.get('TransportRole'), 'FrontendTransport');
  });

  test('two roles cannot share an endpoint on a Mailbox server', async () => {
    const given = { ...printer, Bindings: '0.0.0.0:2525', TransportRole: 'FrontendTransport' };
    const { error } = await new Bench('mailbox').try('New-ReceiveConnector', given);
    assert.equal(error?.id, 'ReceiveConnectorRoleConflictException');
    assert.match(error?.message ?? '', /"Default EDGE1"\. Receive connectors assigned to different Transport roles/);
  });
});

describe('Set-ReceiveConnector', () => {
  test('writes what changes, and tells the audit log old and new', async () => {
    const bench = new Bench();
    const { changes } = await bench.run('Set-ReceiveConnector', {
      Identity: defaultConnector,
      MaxMessageSize: '50MB',
      PipeliningEnabled: '$false',
      RequireTLS: false,
    });
    assert.deepEqual(changes[0]?.properties, [
      { name: 'MaxMessageSize', before: '36 MB (37,748,736 bytes)', after: '50 MB (52,428,800 bytes)' },
      { name: 'PipeliningEnabled', before: 'true', after: 'false' },
    ]);
    assert.match(bench.store.log[0] ?? '', /: msExchSmtpReceiveMaxMessageSize, msExchSmtpReceiveProtocolOptions$/);
  });

  test('nothing to do is said', async () => {
    const bench = new Bench();
    const { warnings } = await bench.run('Set-ReceiveConnector', { Identity: defaultConnector, MaxHopCount: 60 });
    assert.match(warnings[0] ?? '', /no settings of 'EDGE1\\Default.*' have been modified/);
    assert.deepEqual(bench.store.log, []);
  });

  test('-WhatIf and a declined -Confirm change nothing', async () => {
    const bench = new Bench();
    bench.goAhead = false;
    const { asked, changes } = await bench.run('Set-ReceiveConnector', { Identity: defaultConnector, MaxHopCount: 30 });
    assert.deepEqual(asked, [
      { action: 'Setting Receive connector', target: `EDGE1\\${defaultConnector}`, impact: 'Medium' },
    ]);
    assert.deepEqual([bench.store.log, changes], [[], []]);
  });

  test('lists take @{Add; Remove}', async () => {
    const bench = new Bench();
    await bench.run('New-ReceiveConnector', { ...printer, RemoteIPRanges: ['127.0.0.9', '127.0.0.10'] });
    const change = hash({ Add: ['127.0.0.11', '127.0.0.9'], Remove: '127.0.0.10' });
    await bench.run('Set-ReceiveConnector', { Identity: 'Printer', RemoteIPRanges: change });
    assert.deepEqual(await bench.value('Get-ReceiveConnector', 'RemoteIPRanges', { Identity: 'Printer' }), [
      '127.0.0.9',
      '127.0.0.11',
    ]);
    const gone = await bench.try('Set-ReceiveConnector', {
      Identity: 'Printer',
      RemoteIPRanges: hash({ Remove: '10.9.9.9' }),
    });
    assert.match(gone.error?.message ?? '', /'10\.9\.9\.9' is not among its values: 127\.0\.0\.9, 127\.0\.0\.11/);
    const wrong = await bench.try('Set-ReceiveConnector', {
      Identity: 'Printer',
      RemoteIPRanges: hash({ Addd: '10.9.9.9' }),
    });
    assert.match(wrong.error?.message ?? '', /keys Add and Remove, not 'Addd'/);
  });

  test('a new name moves the entry', async () => {
    const bench = new Bench();
    await bench.run('New-ReceiveConnector', printer);
    await bench.run('Set-ReceiveConnector', { Identity: 'Printer', Name: 'Scanner', MaxHopCount: 30 });
    assert.equal(await bench.value('Get-ReceiveConnector', 'MaxHopCount', { Identity: 'EDGE1\\Scanner' }), 30);
    await bench.run('Set-ReceiveConnector', { Identity: 'Scanner', Name: 'EDGE1' });
    await bench.run('Set-ReceiveConnector', { Identity: 'EDGE1\\EDGE1', Name: "$& costs $'" });
    await bench.run('Set-ReceiveConnector', { Identity: "$& costs $'", Name: 'Scanner' });
    const taken = await bench.try('Set-ReceiveConnector', { Identity: 'Scanner', Name: defaultConnector });
    assert.equal(taken.error?.category, 'ResourceExists');
  });

  const refused: readonly (readonly [given: Given, message: RegExp])[] = [
    [{ ConnectionInactivityTimeout: '00:05:00' }, /must be less than ConnectionTimeout/],
    [{ AuthMechanism: 'BasicAuthRequireTLS' }, /use -AuthMechanism Tls,BasicAuth,BasicAuthRequireTLS/],
    [{ AuthMechanism: 'Tsl' }, /Did you mean 'Tls'/],
    [{ PermissionGroups: 'AnonymousUser' }, /Did you mean 'AnonymousUsers'/],
    [{ ProtocolLoggingLevel: 'Verbos' }, /'Verbos' is not one of None, Verbose\. Did you mean 'Verbose'/],
    [{ MaxHopCount: 501 }, /501 is outside the range from 1 to 500/],
    [{ MaxHopCount: null }, /not \$null/],
    [{ TlsDomainCapabilities: 'a.example:AcceptOorgProtocol' }, /XOORG is not offered/],
    [{ Banner: '220 Grüße' }, /Only ASCII characters can stand in a greeting/],
    [{ Banner: `220 ${'x'.repeat(507)}` }, /It has 511 characters; a reply line has at most 510/],
    [{ ProxyEnabled: true }, /ProxyEnabled of a Receive connector cannot be set/],
  ];
  for (const [given, message] of refused) {
    test(`${JSON.stringify(given)} is refused`, async () => {
      const bench = new Bench();
      const { error } = await bench.try('Set-ReceiveConnector', { Identity: defaultConnector, ...given });
      assert.match(error?.message ?? '', message);
      assert.deepEqual(bench.store.log, []);
    });
  }

  test('SuppressXAnonymousTls is kept; $false is told that nothing is offered', async () => {
    const bench = new Bench();
    const on = await bench.run('Set-ReceiveConnector', { Identity: defaultConnector, SuppressXAnonymousTls: true });
    assert.deepEqual(on.warnings, []);
    assert.equal(String(await bench.value('Get-ReceiveConnector', 'SuppressXAnonymousTls')), 'true');
    const off = await bench.run('Set-ReceiveConnector', { Identity: defaultConnector, SuppressXAnonymousTls: false });
    assert.match(off.warnings.join(), /^X-ANONYMOUSTLS is never offered/);
    assert.equal(String(await bench.value('Get-ReceiveConnector', 'SuppressXAnonymousTls')), 'false');
  });

  test('DefaultDomain is an accepted domain by any of its names, and kept as the domain', async () => {
    const bench = new Bench();
    await bench.run('New-AcceptedDomain', { Name: 'Corp', DomainName: 'corp.example' });
    await bench.run('New-AcceptedDomain', { Name: 'All of it', DomainName: '*.wide.example' });
    const guid = await bench.value('Get-AcceptedDomain', 'Guid', { Identity: 'Corp' });
    const [object] = (await bench.run('Get-AcceptedDomain', { Identity: 'Corp' })).objects;
    for (const name of ['Corp', 'CORP.example', guid, object]) {
      await bench.run('Set-ReceiveConnector', { Identity: defaultConnector, DefaultDomain: name });
      assert.equal(String(await bench.value('Get-ReceiveConnector', 'DefaultDomain')), 'corp.example');
      await bench.run('Set-ReceiveConnector', { Identity: defaultConnector, DefaultDomain: null });
      assert.equal(await bench.value('Get-ReceiveConnector', 'DefaultDomain'), null);
    }
    const wide = await bench.try('Set-ReceiveConnector', { Identity: defaultConnector, DefaultDomain: 'All of it' });
    assert.match(wide.error?.message ?? '', /no single domain/);
  });

  test('a greeting of the longest length, and one from before its rules', async () => {
    const bench = new Bench();
    await bench.run('Set-ReceiveConnector', { Identity: defaultConnector, Banner: `220 ${'x'.repeat(506)}` });
    bench.store.entries
      .find(({ dn }) => dn.startsWith('CN=Default internal'))
      ?.set('msExchSmtpReceiveBanner', ['220 Grüße']);
    assert.equal(await bench.value('Get-ReceiveConnector', 'Banner'), '220 Grüße');
    await bench.run('Set-ReceiveConnector', { Identity: defaultConnector, MaxHopCount: 30 });
  });

  test('an open relay is named with its range when it is made by RemoteIPRanges', async () => {
    const bench = new Bench();
    await bench.run('New-ReceiveConnector', { ...printer, PermissionGroups: 'AnonymousUsers' });
    const right = { User: 'Anonymous Logon', ExtendedRights: 'ms-Exch-SMTP-Accept-Any-Recipient' };
    assert.deepEqual((await bench.run('Add-ADPermission', { Identity: 'Printer', ...right })).warnings, []);
    const { warnings } = await bench.run('Set-ReceiveConnector', {
      Identity: 'Printer',
      RemoteIPRanges: '127.0.0.0/8',
    });
    assert.match(warnings[0] ?? '', /'EDGE1\\Printer' is an open relay for 127\.0\.0\.0\/8/);
  });

  test('what the directory refuses is said', async () => {
    const bench = new Bench();
    bench.store.refusal = new LdapError('unwillingToPerform', 'the store is read-only');
    const { error, changes } = await bench.try('Set-ReceiveConnector', { Identity: defaultConnector, MaxHopCount: 30 });
    assert.equal(error?.id, 'ADOperationException');
    assert.match(error?.message ?? '', /the store is read-only/);
    assert.deepEqual(changes, []);
  });
});

describe('Remove-ReceiveConnector', () => {
  test('asks with high impact and removes', async () => {
    const bench = new Bench();
    const { asked } = await bench.run('Remove-ReceiveConnector', { Identity: defaultConnector });
    assert.equal(asked[0]?.impact, 'High');
    assert.deepEqual((await bench.run('Get-ReceiveConnector')).objects, []);
  });

  test('takes no wildcards', async () => {
    assert.equal(
      (await new Bench().try('Remove-ReceiveConnector', { Identity: '*' })).error?.category,
      'ObjectNotFound',
    );
  });
});
