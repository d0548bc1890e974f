/** What a worker writes down of itself, and that each setting of these logs reaches them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testSendConnector, testSnapshot } from '../../src/config/index.ts';
import type { StatePaths } from '../../src/processes/index.ts';
import type { QueueView } from '../../src/queue/index.ts';
import { journalSettings } from '../../src/server-state/index.ts';
import { StateRecords } from '../../src/services/transport/state-records.ts';
import { HandClock } from '../smtp-receive/receiving.ts';

const view = (identity: string, messageCount: number): QueueView => ({
  identity,
  deliveryType: 'DnsConnectorDelivery',
  status: 'Retry',
  messageCount,
  deferredMessageCount: 1,
  nextHopDomain: 'corp.example',
  nextHopConnector: 'Out',
  lastError: '451 4.4.1 No answer',
  retryCount: 1,
  firstRetryTime: 0,
  lastRetryTime: 0,
  nextRetryTime: 0,
  incomingRate: 0.5,
  outgoingRate: 0,
  velocity: -0.5,
  connections: 2,
});

test('queues that hold something and resources each minute, statistics each quarter of an hour, routes when they change', () => {
  const clock = new HandClock();
  const lines: string[] = [];
  using records = new StateRecords({
    clock,
    worker: 'worker 0',
    journal: { records: () => true, record: (kind, _, fields) => void lines.push(`${kind}: ${fields.join('|')}`) },
    queue: { queues: () => [view('3', 7), view('Submission', 0)] },
    pressure: {
      state: [{ resource: 'PrivateBytes', level: 'Medium', previous: 'Low', pressure: 73.25, transitions: 't' }],
    },
    numbers: () => [4, 7, 1000],
  });
  const addressSpaces = [{ type: 'SMTP', address: '*', cost: 5 }];
  const connectors = [
    { name: 'Out', addressSpaces, smartHosts: [] },
    { name: 'Off', enabled: false, addressSpaces },
  ];
  records.routes({ sendConnectors: connectors.map((one) => testSendConnector(one)) });
  assert.match(lines.splice(0).join(), /^routing: worker 0\|Out\|SMTP:\*\|5\|DNS\|\d+$/);
  clock.advance(60_000);
  assert.deepEqual(lines.splice(0), [
    'queue: worker 0|3|corp.example|Out|DnsConnectorDelivery|Retry|7|1|0.50|0.00|2|451 4.4.1 No answer',
    'resource: worker 0|PrivateBytes|Medium|Low|73.3|t',
    'statistics: worker 0|4|7|2|1000',
  ]);
  clock.advance(14 * 60_000);
  assert.equal(lines.splice(0).filter((line) => line.startsWith('statistics')).length, 0);
  clock.advance(60_000);
  assert.equal(lines.filter((line) => line.startsWith('statistics')).length, 1);
});

test('nothing is listed for a log that is off', () => {
  const clock = new HandClock();
  const never = (): never => assert.fail('asked for nothing');
  using _records = new StateRecords({
    clock,
    worker: 'worker 0',
    journal: { records: () => false, record: never },
    queue: { queues: never },
    pressure: {
      get state() {
        return never();
      },
    },
    numbers: never,
  });
  clock.advance(60_000);
});

const logs = [
  ['agent', 'agentLog'],
  ['dns', 'dnsLog'],
  ['queue', 'queueLog'],
  ['resource', 'resourceLog'],
  ['routing', 'routingTableLog'],
  ['statistics', 'serverStatisticsLog'],
] as const;
for (const [kind, name] of logs) {
  test(`the settings of ${name} are the limits of its log`, () => {
    const { server } = testSnapshot();
    const change = { Enabled: true, Path: 'logs/Mine', MaxAge: 11, MaxDirectorySize: 12, MaxFileSize: 13 };
    const changed = Object.fromEntries(Object.entries(change).map(([end, value]) => [`${name}${end}`, value]));
    const of = (more: object) =>
      journalSettings(testSnapshot({ server: { ...server, ...changed, ...more } }), {
        root: '/state',
        logs: '/state/logs',
      } as StatePaths).records?.[kind];
    const { maxFileSize, ...limits } = of({}) ?? {};
    assert.deepEqual(limits, { enabled: true, folder: '/state/logs/Mine', maxAge: 11, maxDirectorySize: 12 });
    // The routing table log has no parameter for it.
    if (kind !== 'routing') assert.equal(maxFileSize, 13);
    if (`${name}Enabled` in server) assert.equal(of({ [`${name}Enabled`]: false })?.enabled, false);
  });
}
