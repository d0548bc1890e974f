import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Clock, FaultReport } from '../../src/base/index.ts';
import {
  connectivityFields,
  type DecisionEvent,
  eventKinds,
  FileJournal,
  findChains,
  type JournalSettings,
  parseCsvLine,
  parseQuestion,
  protocolFields,
  sentenceOf,
  trackingFields,
} from '../../src/logs/index.ts';
import { sampleEvents } from './sample-events.ts';

const faultless: FaultReport = { begin: (key, text) => assert.fail(`${key}: ${text}`), end: () => {} };
const clock: Clock = {
  now: () => Date.parse('2026-01-02T03:04:05Z'),
  monotonic: () => 0,
  after: () => ({ cancel: () => {} }),
};

function settingsIn(folder: string): JournalSettings {
  const limits = (name: string) => ({
    enabled: true,
    folder: join(folder, name),
    maxAge: 0,
    maxDirectorySize: 1e9,
    maxFileSize: 1e9,
  });
  return {
    tracking: { limits: limits('MessageTracking'), serverName: 'EDGE', subjectLogging: true },
    receiveProtocol: limits('SmtpReceive'),
    sendProtocol: limits('SmtpSend'),
    connectivity: limits('Connectivity'),
    records: {
      agent: limits('Agent'),
      dns: limits('Dns'),
      queue: { ...limits('Queue'), enabled: false },
      resource: limits('Resource'),
      routing: limits('Routing'),
      statistics: limits('Statistics'),
    },
    decisionFolder: join(folder, 'Decisions'),
  };
}

async function written(
  t: { after(call: () => void): void },
  events: readonly DecisionEvent[] = sampleEvents,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'edge-journal-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const journal = new FileJournal(settingsIn(folder), { clock, faults: faultless });
  for (const event of events) journal.emit(event);
  await journal.close();
  return folder;
}

function rows(folder: string): Record<string, string>[] {
  const [name = ''] = readdirSync(folder);
  const lines = readFileSync(join(folder, name), 'utf8').trimEnd().split('\r\n');
  const fields = (lines.find((line) => line.startsWith('#Fields: ')) ?? '').slice(9).split(',');
  return lines
    .filter((line) => !line.startsWith('#'))
    .map((line) => Object.fromEntries(parseCsvLine(line).map((value, i) => [fields[i] ?? '?', value])));
}

test('every kind of event has a sample and a sentence', () => {
  assert.deepEqual(sampleEvents.map(({ kind }) => kind).sort(), [...eventKinds].sort());
  for (const event of sampleEvents) assert.ok(sentenceOf(event).length > 3, event.kind);
});

test('tracking: fields in order, one row for each fact about a message', async (t) => {
  const found = rows(join(await written(t), 'MessageTracking'));
  assert.deepEqual(Object.keys(found[0] ?? {}), [...trackingFields]);
  assert.deepEqual(
    found.map((row) => `${row['source']} ${row['event-id']}`),
    ['AGENT DROP', 'SMTP RECEIVE', 'SMTP SEND', 'SMTP DEFER', 'SMTP FAIL'],
  );
  const [dropped, received, sent] = found;
  assert.deepEqual([dropped?.['source-context'], dropped?.['recipient-status']], ['Rules', 'the subject']);
  assert.equal(received?.['client-ip'], '127.0.0.9');
  assert.equal(received['original-client-ip'], '192.0.2.9');
  assert.equal(received?.['connector-id'], 'EDGE\\Default');
  assert.equal(received?.['message-subject'], 'Hello, "world"');
  assert.equal(received?.['internal-message-id'], '77');
  assert.equal(sent?.['server-ip'], '127.0.0.1');
  assert.equal(sent?.['server-hostname'], 'hub.example.com');
  assert.equal(sent?.['recipient-status'], '250 2.0.0 Ok');
});

test('subjects stay out of the tracking log when subject logging is off', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-journal-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const settings = settingsIn(folder);
  const journal = new FileJournal(
    { ...settings, tracking: { ...settings.tracking, subjectLogging: false } },
    { clock, faults: faultless },
  );
  for (const event of sampleEvents) journal.emit(event);
  await journal.close();
  for (const row of rows(join(folder, 'MessageTracking'))) assert.equal(row['message-subject'], '');
});

test('protocol and connectivity logs carry their fields', async (t) => {
  const folder = await written(t);
  const [line] = rows(join(folder, 'SmtpReceive'));
  assert.deepEqual(Object.keys(line ?? {}), [...protocolFields]);
  assert.equal(line?.['connector-id'], 'EDGE\\Default');
  assert.equal(line?.['sequence-number'], '0');
  const connections = rows(join(folder, 'Connectivity'));
  assert.deepEqual(Object.keys(connections[0] ?? {}), [...connectivityFields]);
  assert.deepEqual(
    connections.map((row) => row['direction']),
    ['+', '>', '-'],
  );
});

const questions: readonly string[] = [
  '00112233445566AA',
  '00112233445566aa',
  '77',
  '<1@example.net>',
  '6f0c2f61-6f3e-4b7c-9d4c-0a3a5c1f0001',
  'b@example.com',
  'B@EXAMPLE.COM',
];
for (const question of questions) {
  test(`why ${question} finds the whole chain`, async (t) => {
    const chains = await findChains(join(await written(t), 'Decisions'), parseQuestion(question));
    assert.equal(chains.length, 1);
    const kinds = chains[0]?.events.map(({ kind }) => kind) ?? [];
    // Protocol lines and what agents decide have logs of their own; everything else is there, in order.
    assert.deepEqual(
      kinds,
      sampleEvents.map(({ kind }) => kind).filter((kind) => kind !== 'protocol-line' && kind !== 'agent-acted'),
    );
  });
}

test('a decision begins with its head, however the event was made', async (t) => {
  const at = 1_767_323_045_678;
  const path = await written(t, [
    { at, session: '', message: 0, kind: 'queue-state', hop: 'h', status: 'Retry', reason: 'r', retryAt: 0 },
    { usn: 5, kind: 'configuration-applied', problems: [], message: 0, session: '', at },
  ]);
  const names = readdirSync(join(path, 'Decisions'));
  const lines = names.flatMap((name) => readFileSync(join(path, 'Decisions', name), 'utf8').split('\r\n'));
  const head = (kind: string): string => `{"at":${at},"session":"","message":0,"kind":"${kind}",`;
  assert.ok(lines.includes(`${head('queue-state')}"hop":"h","status":"Retry","reason":"r","retryAt":0}`));
  assert.ok(lines.includes(`${head('configuration-applied')}"usn":5,"problems":[]}`));
});

test('why finds nothing about what was not seen, and refuses what is no question', async (t) => {
  assert.deepEqual(await findChains(join(await written(t), 'Decisions'), parseQuestion('nobody@example.org')), []);
  assert.throws(() => parseQuestion('who?'), /is none of: a session id/);
});

test('the agent log has one line for each decision, which stands in no other log twice', async (t) => {
  const folder = await written(t);
  const [line, ...more] = rows(join(folder, 'Agent'));
  assert.equal(more.length, 0);
  assert.deepEqual(
    ['RemoteEndpoint', 'EnteredOrgFromIP', 'Recipient', 'Agent', 'Event', 'Action', 'SmtpResponse'].map(
      (name) => line?.[name],
    ),
    [
      ...['198.51.100.7:40000', '198.51.100.7', 'nobody@example.test', 'Recipient Filter Agent', 'OnRcptCommand'],
      ...['RejectCommand', '550 5.1.1 User unknown'],
    ],
  );
  const [decisions = ''] = readdirSync(join(folder, 'Decisions'));
  assert.doesNotMatch(readFileSync(join(folder, 'Decisions', decisions), 'utf8'), /agent-acted/);
});

test('the other logs are written where they are on, and nowhere else', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-journal-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const journal = new FileJournal(settingsIn(folder), { clock, faults: faultless });
  assert.deepEqual([journal.records('dns'), journal.records('queue')], [true, false]);
  journal.record('dns', clock.now(), ['internal', 'MX corp.example', '10 mx.corp.example', 3]);
  journal.record('queue', clock.now(), ['worker 0']);
  await journal.close();
  const [line] = rows(join(folder, 'Dns'));
  assert.deepEqual(
    [line?.['date-time'], line?.['outcome'], line?.['milliseconds']],
    ['2026-01-02T03:04:05.000Z', '10 mx.corp.example', '3'],
  );
  assert.ok(!readdirSync(folder).includes('Queue'));
});
