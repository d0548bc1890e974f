import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AuditTrail } from '../../src/cmdlets/index.ts';
import type { AdminAuditQuestion, AdminAuditRecord } from '../../src/logs/index.ts';
import { Bench, type Given } from './lib/bench.ts';

const record = (at: number): AdminAuditRecord => ({
  at,
  who: 'root (alice by sudo)',
  server: 'EDGE1',
  via: 'store',
  cmdlet: 'Set-ReceiveConnector',
  object: 'EDGE1\\Relay',
  dn: 'CN=Relay',
  parameters: [{ name: 'Banner', value: '220 x' }],
  line: "Set-ReceiveConnector Relay -Banner '220 x'",
  properties: [{ name: 'Banner', before: '220 w', after: '220 x' }],
  succeeded: true,
  error: '',
});

/** A trail of five records that remembers what it was asked. */
function benchWithTrail() {
  const asked: AdminAuditQuestion[] = [];
  const auditTrail: AuditTrail = {
    async *search(question) {
      asked.push(question);
      for (const at of [5, 4, 3, 2, 1]) yield record(at * 1000);
    },
  };
  const bench = new Bench();
  bench.auditTrail = auditTrail;
  return { bench, asked };
}

describe('Search-AdminAuditLog', () => {
  const asks: readonly (readonly [given: Given, question: AdminAuditQuestion])[] = [
    [{}, {}],
    [
      { Cmdlets: ['Set-ReceiveConnector', 'New-SendConnector'], ObjectIds: 'Relay, Hub', UserIds: 'root' },
      { cmdlets: ['Set-ReceiveConnector', 'New-SendConnector'], objects: ['Relay', 'Hub'], users: ['root'] },
    ],
    [
      { IsSuccess: false, Parameters: 'Banner' },
      { parameters: ['Banner'], succeeded: false },
    ],
    [
      { StartDate: '01/24/2026', EndDate: '2026-02-12T00:00:00Z' },
      { start: new Date(2026, 0, 24), end: new Date('2026-02-12T00:00:00Z') },
    ],
  ];
  for (const [given, question] of asks) {
    test(`${JSON.stringify(given)} asks for it`, async () => {
      const { bench, asked } = benchWithTrail();
      await bench.run('Search-AdminAuditLog', given);
      assert.deepEqual(asked, [question]);
    });
  }

  test('ResultSize and StartIndex page through', async () => {
    const { bench } = benchWithTrail();
    const { objects, warnings } = await bench.run('Search-AdminAuditLog', { StartIndex: 1, ResultSize: 2 });
    assert.deepEqual(
      objects.map((one) => (one.get('RunDate') as Date).getTime()),
      [4000, 3000],
    );
    assert.match(warnings[0] ?? '', /more results than 2/);
  });

  test('nobody outside the organization ran anything', async () => {
    const { bench, asked } = benchWithTrail();
    assert.deepEqual((await bench.run('Search-AdminAuditLog', { ExternalAccess: true })).objects, []);
    assert.deepEqual(asked, []);
  });

  test('an event has the properties of Exchange, and the line', async () => {
    const { bench } = benchWithTrail();
    const { objects } = await bench.run('Search-AdminAuditLog', { ResultSize: 1 });
    const [event] = objects;
    const shown = ['ObjectModified', 'CmdletName', 'Line', 'Caller', 'Succeeded', 'OriginatingServer'];
    assert.deepEqual(
      shown.map((name) => event?.get(name)),
      [
        'EDGE1\\Relay',
        'Set-ReceiveConnector',
        "Set-ReceiveConnector Relay -Banner '220 x'",
        'root (alice by sudo)',
        true,
        'EDGE1 (service stopped)',
      ],
    );
    assert.equal(String(event?.get('ModifiedProperties')), 'Banner');
  });

  const refused: readonly (readonly [given: Given, message: RegExp])[] = [
    [{ ResultSize: 0 }, /'0' is not a whole number from 1 to 250000/],
    [{ ResultSize: 'Unlimited' }, /'Unlimited' is not a whole number/],
    [{ StartIndex: -1 }, /'-1' is not a whole number from 0/],
    [{ StartDate: 'the day before' }, /is not a date such as/],
    [{ StartDate: '2026-02-01', EndDate: '2026-01-01' }, /must not be later than EndDate/],
  ];
  for (const [given, message] of refused) {
    test(`${JSON.stringify(given)} is refused`, async () => {
      const { error } = await benchWithTrail().bench.try('Search-AdminAuditLog', given);
      assert.match(error?.message ?? '', message);
    });
  }
});

describe('Write-AdminAuditLog', () => {
  test('a comment is written, whole', async () => {
    assert.equal((await new Bench().run('Write-AdminAuditLog', { Comment: 'x'.repeat(500) })).changes.length, 1);
  });
  const refused: readonly (readonly [comment: string, message: RegExp])[] = [
    [' ', /A text is needed/],
    ['x'.repeat(501), /501 characters; 500 are the most/],
  ];
  for (const [Comment, message] of refused) {
    test(`${Comment.length} characters are refused`, async () => {
      assert.match((await new Bench().try('Write-AdminAuditLog', { Comment })).error?.message ?? '', message);
    });
  }
  test('-WhatIf writes nothing', async () => {
    const bench = new Bench();
    bench.goAhead = false;
    assert.deepEqual((await bench.run('Write-AdminAuditLog', { Comment: 'x' })).changes, []);
  });
});
