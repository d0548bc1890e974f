import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import { Categorizer } from '../../src/categorizer/index.ts';
import { testAcceptedDomain, testSendConnector, testSnapshot, testSnapshotSource } from '../../src/config/index.ts';
import type { DecisionEvent } from '../../src/logs/index.ts';
import { testMessage } from '../smtp-send/fake-work.ts';

const star = { type: 'SMTP', address: '*', cost: 1 };
const snapshot = testSnapshot({
  acceptedDomains: [testAcceptedDomain({ domainName: 'corp.example' })],
  sendConnectors: [
    testSendConnector({
      name: 'Inbound',
      addressSpaces: [{ ...star, address: '--' }],
      dnsRoutingEnabled: false,
      smartHosts: ['hub1', 'hub2'],
    }),
    testSendConnector({ name: 'Internet', addressSpaces: [star], maxMessageSize: 1_000 }),
  ],
});

const nothing = { content: () => undefined, stream: () => assert.fail('nobody reads') };

function bench() {
  const events: DecisionEvent[] = [];
  const source = testSnapshotSource(snapshot);
  const categorizer = new Categorizer(
    { snapshots: source, journal: { emit: (event) => void events.push(event) }, clock: systemClock, contents: nothing },
    'EdgeTransport',
  );
  return { events, source, categorizer };
}

test('every pending recipient stands in exactly one place, in groups of one next hop', () => {
  const { categorizer, events } = bench();
  const { message } = testMessage({
    recipients: ['a@corp.example', 'b@x.test', 'c@corp.example', 'd@y.test', 'e@x.test'],
  });
  const plan = categorizer.route(message, [0, 1, 3, 4, 2]);
  assert.deepEqual(
    plan.hops.map(({ hop, recipients }) => [hop.type, hop.domain, hop.connector, recipients]),
    [
      ['SmartHostConnectorDelivery', 'hub1,hub2', 'Inbound', [0, 2]],
      ['DnsConnectorDelivery', 'x.test', 'Internet', [1, 4]],
      ['DnsConnectorDelivery', 'y.test', 'Internet', [3]],
    ],
  );
  assert.deepEqual(plan.failed, []);
  assert.deepEqual(
    events.map(
      (event) => event.kind === 'route-chosen' && [event.message, event.session, event.recipients, event.connector],
    ),
    [
      [1, 'S1', ['a@corp.example', 'c@corp.example'], 'Inbound'],
      [1, 'S1', ['b@x.test', 'e@x.test'], 'Internet'],
      [1, 'S1', ['d@y.test'], 'Internet'],
    ],
  );
});

test('only the pending ones are routed', () => {
  const { categorizer } = bench();
  const { message } = testMessage({ recipients: ['a@corp.example', 'b@x.test'] });
  assert.deepEqual(
    categorizer.route(message, [1]).hops.map(({ recipients }) => recipients),
    [[1]],
  );
  assert.deepEqual(categorizer.route(message, []), { hops: [], failed: [] });
});

test('a message too large for every route fails for those recipients only', () => {
  const { categorizer } = bench();
  const { message } = testMessage({ recipients: ['a@corp.example', 'b@x.test', 'c@y.test'], facts: { size: 2_000 } });
  const plan = categorizer.route(message, [0, 1, 2]);
  assert.deepEqual(
    plan.hops.map(({ recipients }) => recipients),
    [[0]],
  );
  assert.deepEqual(
    plan.failed.map(({ recipient, reply }) => [recipient, reply.slice(0, 9)]),
    [
      [1, '550 5.3.4'],
      [2, '550 5.3.4'],
    ],
  );
});

test('a new snapshot is in force for the next message', () => {
  const { categorizer, source } = bench();
  const { message } = testMessage({ recipients: ['b@x.test'] });
  assert.equal(categorizer.route(message, [0]).hops[0]?.hop.connector, 'Internet');
  source.set(testSnapshot({ sendConnectors: [testSendConnector({ name: 'Other', addressSpaces: [star] })] }));
  assert.equal(categorizer.route(message, [0]).hops[0]?.hop.connector, 'Other');
});

test('the same message and configuration give the same plan', () => {
  const { message } = testMessage({ recipients: ['a@corp.example', 'b@x.test'] });
  assert.deepEqual(bench().categorizer.route(message, [0, 1]), bench().categorizer.route(message, [0, 1]));
});
