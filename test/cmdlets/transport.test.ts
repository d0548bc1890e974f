import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CmdletObject, parseOpath } from '../../src/cmdlets/index.ts';
import { Bench, type Given } from './lib/bench.ts';
import { FakeTransport } from './lib/fake-transport.ts';

const identities = async (name: string, given: Given) =>
  (await new Bench('edge', new FakeTransport()).run(name, given)).objects.map((one) => one.get('Identity'));

describe('choosing queues and messages', () => {
  const cases: readonly (readonly [cmdlet: string, given: Given, found: readonly string[]])[] = [
    ['Get-Queue', {}, ['Submission', '3', '4']],
    ['Get-Queue', { Identity: 'EDGE1\\3' }, ['3']],
    ['Get-Queue', { Identity: '3' }, ['3']],
    ['Get-Queue', { Identity: '.\\submission' }, ['Submission']],
    ['Get-Queue', { Identity: 'EDGE1\\*' }, ['Submission', '3', '4']],
    ['Get-Queue', { Filter: "Status -eq 'Retry'" }, ['3']],
    ['Get-Queue', { Filter: '{MessageCount -gt 1 -and NextHopDomain -like "[[]*"}' }, []],
    ['Get-Queue', { Filter: 'MessageCount -gt 1 -and NextHopDomain -like "*127*"' }, ['4']],
    ['Get-Queue', { SortOrder: '-MessageCount', ResultSize: 1 }, ['3']],
    ['Get-Queue', { Include: 'Internal' }, []],
    ['Get-Queue', { Exclude: 'external' }, []],
    ['Get-Message', {}, ['3\\11', '3\\12', '4\\13']],
    ['Get-Message', { Queue: 'EDGE1\\3' }, ['3\\11', '3\\12']],
    ['Get-Message', { Queue: '4' }, ['4\\13']],
    ['Get-Message', { Filter: "FromAddress -like '*@example.net' -or Status -ne 'Ready'" }, ['3\\12', '4\\13']],
    ['Get-Message', { Filter: 'Size -ge 99', SortOrder: ['+Size'] }, ['4\\13', '3\\12']],
    ['Get-Message', { Filter: "DateReceived -gt '2026-01-01T12:00:00Z'" }, ['3\\12']],
    ['Get-Message', { Filter: "-not (Status -eq 'Suspended')" }, ['3\\11', '3\\12']],
    ['Get-Message', { ResultSize: 'Unlimited', SortOrder: '-DateReceived,+Size' }, ['3\\12', '3\\11', '4\\13']],
  ];
  for (const [cmdlet, given, found] of cases) {
    test(`${cmdlet} ${JSON.stringify(given)}`, async () => {
      assert.deepEqual(
        await identities(cmdlet, given),
        found.map((one) => `EDGE1\\${one}`),
      );
    });
  }

  const refused: readonly (readonly [cmdlet: string, given: Given, message: RegExp])[] = [
    ['Get-Queue', { Identity: '9' }, /The queue '9' doesn't exist on 'EDGE1'/],
    ['Get-Queue', { Server: 'EDGE2' }, /'EDGE2' is not this server/],
    ['Get-Queue', { Filter: 'Statu -eq 1' }, /There is no property 'Statu'\. Did you mean 'Status'/],
    ['Get-Queue', { Filter: "Status -is 'Retry'" }, /Where '-is' stands, one of -eq .* belongs/],
    ['Get-Queue', { Filter: "Status -eq 'Retry" }, /quotation mark is left open/],
    ['Get-Queue', { Filter: '(MessageCount -eq 1' }, /It ends where '\)' belongs/],
    ['Get-Queue', { Filter: 'Status -eq' }, /It ends where a value belongs/],
    ['Get-Queue', { SortOrder: '+Sise' }, /There is no property 'Sise'/],
    // Also while there is nothing to show: names come from the table, not from what is found.
    ['Get-Queue', { Identity: '*nothing*', SortOrder: '+Sise' }, /There is no property 'Sise'/],
    ['Get-Queue', { Filter: "Subject -eq 'x'" }, /There is no property 'Subject'/],
    ['Get-Message', { Queue: 'none', Filter: "NextHopDomain -eq 'x'" }, /There is no property 'NextHopDomain'/],
    ['Get-Message', { Queue: 'none', SortOrder: '-Velocity' }, /There is no property 'Velocity'/],
    ['Get-Queue', { ResultSize: 'many' }, /neither a number nor Unlimited/],
    ['Get-Queue', { BookmarkIndex: 1 }, /BookmarkIndex is not implemented yet/],
    ['Retry-Queue', {}, /It names the queue/],
    ['Remove-Message', {}, /It names the message/],
    ['Redirect-Message', { Server: 'EDGE1' }, /'Target'. It is needed/],
    ['Redirect-Message', { Server: 'EDGE2', Target: 'a.example' }, /Did you mean 'EDGE1'/],
    ['Redirect-Message', { Server: 'EDGE1', Target: 'edge1.example.net' }, /is this server itself/],
    ['Redirect-Message', { Server: 'EDGE1', Target: 'not a host' }, /is not a domain/],
    ['Get-QueueDigest', { DetailsLevel: 'All' }, /'all' is not one of None, Normal, Verbose/],
    ['Get-QueueDigest', { Timeout: '00:00:10' }, /Timeout is not implemented yet/],
    ['Get-MessageTrackingLog', { Server: 'EDGE2' }, /'EDGE2' is not this server/],
    ['Get-QueueDigest', { GroupBy: 'Size' }, /'Size' is not one of/],
  ];
  for (const [cmdlet, given, message] of refused) {
    test(`${cmdlet} ${JSON.stringify(given)} is refused`, async () => {
      const { error } = await new Bench('edge', new FakeTransport()).try(cmdlet, given);
      assert.match(error?.message ?? '', message);
    });
  }
});

describe('acting', () => {
  const cases: readonly (readonly [cmdlet: string, given: Given, done: readonly unknown[]])[] = [
    ['Suspend-Queue', { Identity: '3' }, ['suspend', ['EDGE1\\3'], { resubmit: false }]],
    ['Resume-Queue', { Identity: 'EDGE1\\4' }, ['resume', ['EDGE1\\4'], { resubmit: false }]],
    ['Retry-Queue', { Filter: "Status -eq 'Retry'", Resubmit: true }, ['retry', ['EDGE1\\3'], { resubmit: true }]],
    ['Suspend-Message', { Identity: 'EDGE1\\3\\11' }, ['suspend', ['EDGE1\\3\\11']]],
    ['Resume-Message', { Filter: "Status -eq 'Suspended'" }, ['resume', ['EDGE1\\4\\13']]],
    ['Remove-Message', { Identity: 'EDGE1\\3\\12' }, ['removeWithReport', ['EDGE1\\3\\12']]],
    ['Redirect-Message', { Server: 'EDGE1', Target: 'a.example,10.0.0.9' }, ['redirect', ['a.example', '[10.0.0.9]']]],
    ['Remove-Message', { Identity: '3\\12', WithNDR: false }, ['remove', ['EDGE1\\3\\12']]],
  ];
  for (const [cmdlet, given, done] of cases) {
    test(`${cmdlet} ${JSON.stringify(given)}`, async () => {
      const transport = new FakeTransport();
      transport.scarce = 'Low';
      await new Bench('edge', transport).run(cmdlet, given);
      assert.deepEqual(
        transport.done.map((one) => JSON.parse(one) as unknown),
        [done],
      );
    });
  }

  test('nothing is resubmitted under back pressure, and the queue is tried without', async () => {
    const transport = new FakeTransport();
    const { error } = await new Bench('edge', transport).try('Retry-Queue', { Identity: '3', Resubmit: true });
    assert.match(error?.message ?? '', /Nothing is resubmitted under back pressure: PrivateBytes is Medium/);
    assert.deepEqual(transport.done, []);
    await new Bench('edge', transport).run('Retry-Queue', { Identity: '3' });
    assert.equal(transport.done.length, 1);
  });

  test('what delivers nothing is left alone, with a word about it', async () => {
    const transport = new FakeTransport();
    const { warnings, changes } = await new Bench('edge', transport).run('Suspend-Queue', { Identity: 'Submission' });
    assert.match(warnings[0] ?? '', /EDGE1\\Submission delivers nothing/);
    assert.deepEqual([changes, transport.done], [[], []]);
  });

  test('what was done is told to the audit log, without the subject', async () => {
    const bench = new Bench('edge', new FakeTransport());
    const changes = [
      ...(await bench.run('Suspend-Queue', { Identity: '3' })).changes,
      ...(await bench.run('Remove-Message', { Identity: '3\\12' })).changes,
    ];
    assert.deepEqual(
      changes.map(({ object, properties }) => [
        object,
        properties.map(({ name, before, after }) => [name, before, after]),
      ]),
      [
        ['EDGE1\\3', [['Status', 'Retry', 'Suspended']]],
        [
          'EDGE1\\3\\12',
          [
            ['Status', 'Ready', 'Removed'],
            ['InternetMessageId', '<1@example.com>', '<1@example.com>'],
            ['FromAddress', 'c@example.net', 'c@example.net'],
          ],
        ],
      ],
    );
  });

  test('-WhatIf does nothing', async () => {
    const transport = new FakeTransport();
    const bench = new Bench('edge', transport);
    bench.goAhead = false;
    const { asked } = await bench.run('Remove-Message', { Filter: 'Size -gt 0' });
    assert.deepEqual([asked.length, asked[0]?.impact, transport.done], [3, 'High', []]);
  });

  test('without the service there are no queues', async () => {
    const { error } = await new Bench().try('Get-Queue');
    assert.deepEqual([error?.id, error?.category], ['TransportServiceNotRunning', 'ResourceUnavailable']);
  });
});

test('Get-QueueDigest sums up', async () => {
  const { objects } = await new Bench('edge', new FakeTransport()).run('Get-QueueDigest', { GroupBy: 'Status' });
  assert.deepEqual(
    objects.map((one) => [one.get('GroupByValue'), one.get('MessageCount')]),
    [
      ['Retry', 12],
      ['Ready', 2],
    ],
  );
});

test('Get-QueueDigest shows as much of the queues as is asked for', async () => {
  const shown = async (DetailsLevel: string) =>
    (
      await new Bench('edge', new FakeTransport()).run('Get-QueueDigest', { GroupBy: 'Status', DetailsLevel })
    ).objects.map((one) => one.get('Details'))[0];
  assert.deepEqual(await shown('None'), []);
  assert.deepEqual(await shown('Normal'), ['EDGE1\\3']);
  assert.deepEqual(await shown('Verbose'), ['EDGE1\\3 Retry 12 DnsConnectorDelivery example.com 451 later']);
});

test('whoever reads mail by Export-Message is in the audit log', async () => {
  const { changes } = await new Bench('edge', new FakeTransport()).run('Export-Message', { Identity: 'EDGE1\\3\\11' });
  assert.deepEqual(
    changes.map(({ object, properties }) => [object, properties.map(({ name }) => name)]),
    [['EDGE1\\3\\11', ['InternetMessageId', 'FromAddress']]],
  );
});

test('Export-Message gives the content', async () => {
  const { objects } = await new Bench('edge', new FakeTransport()).run('Export-Message', { Identity: 'EDGE1\\3\\11' });
  assert.equal(String(objects[0]?.get('FileData')), 'Subject: EDGE1\\3\\11\r\n\r\n');
});

test('Get-Message shows recipients when asked', async () => {
  const given = { Identity: '3\\11', IncludeRecipientInfo: true };
  const { objects } = await new Bench('edge', new FakeTransport()).run('Get-Message', given);
  assert.deepEqual(objects[0]?.get('Recipients'), ['b@example.org;Ready;']);
});

test('Get-MessageTrackingLog hands its question on and stops at ResultSize', async () => {
  const transport = new FakeTransport();
  const bench = new Bench('edge', transport);
  bench.trackingLog = { search: (query) => transport.tracking(query) };
  const { objects, warnings } = await bench.run('Get-MessageTrackingLog', {
    Start: '2026-01-01T00:00:00Z',
    Sender: 'a@example.com',
    Recipients: 'b@example.org, c@example.org',
    EventId: 'SEND',
    ResultSize: 2,
  });
  assert.equal(objects.length, 2);
  assert.match(warnings[0] ?? '', /more results than 2/);
  assert.deepEqual(transport.query, {
    start: new Date('2026-01-01T00:00:00Z'),
    sender: 'a@example.com',
    recipients: ['b@example.org', 'c@example.org'],
    eventId: 'SEND',
  });
  const bad = await new Bench('edge', transport).try('Get-MessageTrackingLog', { Start: 'yesterday-ish' });
  assert.match(bad.error?.message ?? '', /is not a date such as/);
});

test('Test-SmtpConnectivity asks every endpoint of every connector', async () => {
  const transport = new FakeTransport();
  transport.greetings.set('127.0.0.1:2531', '421 4.3.2 Service not available');
  const bench = new Bench('edge', transport);
  const given = { Usage: 'Custom', RemoteIPRanges: '127.0.0.9' };
  await bench.run('New-ReceiveConnector', { ...given, Name: 'Relay', Bindings: ['127.0.0.1:2531', '[::1]:2532'] });
  await bench.run('New-ReceiveConnector', { ...given, Name: 'Off', Bindings: '127.0.0.1:2533', Enabled: false });
  const { objects } = await bench.run('Test-SmtpConnectivity', { Identity: 'EDGE1' });
  assert.deepEqual(
    objects.map((one) => ['ReceiveConnector', 'EndPoint', 'StatusCode'].map((name) => String(one.get(name)))),
    [
      ['EDGE1\\Default internal receive connector EDGE1', '127.0.0.1:25', 'Success'],
      ['EDGE1\\Off', '127.0.0.1:2533', 'Disabled'],
      ['EDGE1\\Relay', '127.0.0.1:2531', 'UnexpectedResponse'],
      ['EDGE1\\Relay', '[::1]:2532', 'UnableToConnect'],
    ],
  );
  assert.match(String(objects[3]?.get('Details')), /ECONNREFUSED/);
  assert.match(
    (await bench.try('Test-SmtpConnectivity', { Identity: 'EDGE2' })).error?.message ?? '',
    /Did you mean 'EDGE1'/,
  );
});

test('Get-TransportPipeline', async () => {
  const { objects } = await new Bench('edge', new FakeTransport()).run('Get-TransportPipeline');
  assert.deepEqual(objects[0]?.entries(), [
    ['Event', 'OnConnectEvent'],
    ['TransportAgents', ['Connection Filtering Agent']],
  ]);
});

describe('OPATH', () => {
  const object = new CmdletObject('x', [
    ['Name', "O'Brien"],
    ['Count', 10],
    ['On', true],
    ['Empty', null],
    ['List', ['a', 'b']],
  ]);
  const cases: readonly (readonly [filter: string, matches: boolean])[] = [
    ["Name -eq 'o''brien'", true],
    ["name -LIKE 'O*N'", true],
    ["Name -notlike '?''*'", false],
    ['Count -gt 9', true],
    ["Count -lt '10'", false],
    ['Count -le 10 -and Count -ge 10', true],
    ['Count -ne 10 -or On -eq $true', true],
    ['On -eq $false', false],
    ['Empty -eq $null', true],
    ['Name -ne $null', true],
    ["List -contains 'B'", true],
    ['-not(Count -eq 10)', false],
    ['Count -eq 1 -or Count -eq 2 -and On -eq $true', false],
    ['(Count -eq 10 -or Count -eq 2) -and On -eq $true', true],
    ["Name \u2013eq \u2018O''Brien\u2019", true],
  ];
  for (const [filter, matches] of cases) {
    test(`${filter}: ${matches}`, () => {
      const names = object.entries().map(([name]) => name);
      assert.equal(parseOpath(filter, names)(object), matches);
    });
  }

  test('deep nesting is refused, not a crash', () => {
    assert.throws(() => parseOpath('('.repeat(100_000), ['Name']), /nested deeper/);
  });
});

test('Get-ExchangeDiagnosticInfo shows the resources of back pressure, and names what else it lacks', async () => {
  const bench = new Bench('edge', new FakeTransport());
  const given = { Process: 'EdgeTransport', Component: 'resourceThrottling' };
  const { objects } = await bench.run('Get-ExchangeDiagnosticInfo', given);
  const [meter] = objects;
  assert.deepEqual(
    ['Resource', 'CurrentResourceUse', 'PreviousResourceUse', 'Pressure', 'Worker'].map((name) => meter?.get(name)),
    ['PrivateBytes', 'Medium', 'Low', 72.5, 'worker 0'],
  );
  const { error } = await bench.try('Get-ExchangeDiagnosticInfo', { ...given, Component: 'MessageResubmission' });
  assert.match(error?.message ?? '', /-Process EdgeTransport -Component ResourceThrottling/);
});
