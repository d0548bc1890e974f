import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Clock, FaultReport } from '../../src/base/index.ts';
import { logFilesAmong } from '../../src/logs/files/log-files.ts';
import { readLines } from '../../src/logs/files/log-reader.ts';
import {
  archivedLogs,
  type DecisionEvent,
  FileJournal,
  findChains,
  type JournalSettings,
  LogArchiver,
  parseQuestion,
  searchTracking,
  type TrackingQuestion,
} from '../../src/logs/index.ts';
import fc from '../lib/properties.ts';

const faultless: FaultReport = { begin: (key, text) => assert.fail(`${key}: ${text}`), end: () => {} };
const start = Date.parse('2026-01-02T03:04:05Z');

/** A journal whose files can be compressed at once, and what searches say of it. */
class JournalForTest {
  readonly folder = mkdtempSync(join(tmpdir(), 'edge-search-'));
  now = start;
  readonly clock: Clock = { now: () => this.now, monotonic: () => this.now, after: () => ({ cancel: () => {} }) };
  readonly settings: JournalSettings;
  readonly journal: FileJournal;

  constructor(t: TestContext) {
    t.after(() => rmSync(this.folder, { recursive: true }));
    const limits = (name: string) => ({
      enabled: true,
      folder: join(this.folder, name),
      maxAge: 0,
      maxDirectorySize: 1e9,
      maxFileSize: 1e9,
    });
    this.settings = {
      tracking: { limits: limits('Tracking'), serverName: 'EDGE', subjectLogging: true },
      receiveProtocol: limits('Receive'),
      sendProtocol: limits('Send'),
      connectivity: limits('Connectivity'),
      decisionFolder: join(this.folder, 'Decisions'),
    };
    this.journal = new FileJournal(this.settings, { clock: this.clock, faults: faultless });
  }

  /** An hour later everything so far is compressed. */
  async archive(): Promise<void> {
    await this.journal.flush();
    this.now += 3_600_000;
    const archiver = new LogArchiver({
      clock: this.clock,
      faults: faultless,
      logs: () => archivedLogs(this.settings),
    });
    await archiver.look();
    await archiver[Symbol.asyncDispose]();
  }

  async why(about: string): Promise<string[]> {
    await this.journal.flush();
    const chains = await findChains(this.settings.decisionFolder, parseQuestion(about));
    return chains.map(({ title, events }) => `${title}: ${events.map(({ kind }) => kind).join(' ')}`);
  }

  async tracked(question: TrackingQuestion): Promise<Record<string, unknown>[]> {
    await this.journal.flush();
    const { folder } = this.settings.tracking.limits;
    const found = searchTracking(folder, question, new AbortController().signal);
    return (await Array.fromAsync(found)).map((row) => Object.fromEntries(row));
  }

  names(folder: string): string[] {
    return readdirSync(join(this.folder, folder)).sort();
  }
}

interface Mail {
  readonly id: number;
  readonly session: string;
  readonly from?: string;
  readonly to?: string;
  readonly messageId?: string;
  readonly subject?: string;
}

function mailEvents(at: number, { id, session, ...mail }: Mail): DecisionEvent[] {
  const { from = 'a@example.net', to = 'b@example.com', subject = 'Hello' } = mail;
  const { messageId = `<${id}@example.net>` } = mail;
  const guid = `6f0c2f61-6f3e-4b7c-9d4c-${String(id).padStart(12, '0')}`;
  const about = { guid, messageId, subject, from, recipients: [to], size: 1_000 };
  return [
    {
      kind: 'connector-chosen',
      at,
      session,
      message: 0,
      connector: 'Default',
      binding: '0.0.0.0:25',
      range: '0.0.0.0-255.255.255.255',
      local: '127.0.0.1:25',
      remote: '127.0.0.9:40000',
      passedOver: [],
    },
    {
      kind: 'message-queued',
      at: at + 1,
      session,
      message: id,
      ...about,
      reply: `250 2.6.0 ${messageId} [InternalId=${id}, Hostname=edge.example.com] Queued mail for delivery`,
      connector: 'Default',
      clientIp: '127.0.0.9',
      clientName: 'client',
      serverIp: '127.0.0.1',
      source: 'SMTP',
      reference: '',
    },
    {
      kind: 'delivered',
      at: at + 2,
      session,
      message: id,
      ...about,
      replies: ['250 2.0.0 Ok'],
      hop: 'hub',
      connector: 'To hub',
      remote: 'hub.example.com [127.0.0.1]:2525',
      local: '127.0.0.1',
      attempt: 1,
    },
    { kind: 'session-closed', at: at + 3, session, message: 0, reason: 'QUIT' },
  ];
}

const wholeChain = 'connector-chosen message-queued delivered session-closed';

const lineEnds = ['\u2028', '\u2029', '\u0085', '\v', '\f', '\r', '\n', '\r\n', '\x1c', '\x1e'];
for (const end of lineEnds) {
  test(`a subject with ${JSON.stringify(end)} makes no row and hides none`, async (t) => {
    const state = new JournalForTest(t);
    const subject = `hi${end}2026-01-01T00:00:00.000Z,,,,,,,SMTP,SEND,99,<forged@x>,,victim@example.com,,,,,,s,ceo@example.com`;
    for (const event of mailEvents(start, { id: 7, session: '00112233445566AA', subject })) state.journal.emit(event);
    for (let i = 0; i < 2; i++) {
      const rows = await state.tracked({});
      assert.deepEqual(
        rows.map((row) => [row['EventId'], row['Sender'], row['InternalMessageId']]),
        [
          ['RECEIVE', 'a@example.net', '7'],
          ['SEND', 'a@example.net', '7'],
        ],
      );
      assert.match(String(rows[0]?.['MessageSubject']), /^hi(?: {1,2}|<U\+001[CE]>)2026/);
      assert.deepEqual(await state.why('7'), [`message 7 <7@example.net>: ${wholeChain}`]);
      if (i === 0) await state.archive();
    }
    for (const folder of ['Tracking', 'Decisions']) {
      for (const name of state.names(folder)) {
        assert.match(name, /\.LOG\.zst$/);
        const text = execFileSync('zstd', ['-dc', join(state.folder, folder, name)], { encoding: 'utf8' });
        assert.doesNotMatch(text, /[\u0085\u2028\u2029\v\f\x1c\x1e]|\r(?!\n)|(?<!\r)\n/);
      }
    }
  });
}

test('a line ends with LF or CR LF and with nothing else, whatever was written', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-lines-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [file] = logFilesAmong(['A2026010203-1.LOG'], folder, 'A');
  assert.ok(file);
  const line = fc.string({ unit: 'binary' }).map((text) => text.replace(/[\r\n]/g, '').toWellFormed());
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n'))), async (lines) => {
      writeFileSync(file.path, lines.map(([text, end]) => text + end).join(''));
      const read = (await Array.fromAsync(readLines(file))).flat();
      assert.deepEqual(
        read,
        lines.map(([text]) => text),
      );
    }),
    { numRuns: 50 },
  );
});

test('a semicolon in a quoted local part or a reply makes no second recipient', async (t) => {
  const state = new JournalForTest(t);
  for (const event of mailEvents(start, { id: 7, session: '00112233445566AA', to: '"x;victim@y.example"@example.com' }))
    state.journal.emit(event);
  for (const row of await state.tracked({})) assert.equal((row['Recipients'] as string[]).length, 1);
});

test('no cell of the tracking log begins as a formula, and a reader gets the text as it was', async (t) => {
  const state = new JournalForTest(t);
  const subject = '=HYPERLINK("http://x.example")';
  for (const event of mailEvents(start, { id: 7, session: '00112233445566AA', subject, from: '+a@example.net' }))
    state.journal.emit(event);
  const [row] = await state.tracked({});
  assert.equal(row?.['MessageSubject'], subject);
  assert.equal(row?.['Sender'], '+a@example.net');
  const [name = ''] = state.names('Tracking');
  assert.doesNotMatch(readFileSync(join(state.folder, 'Tracking', name), 'utf8'), /(^|,)"?[=+\-@]/m);
});

test('what a stranger wrote is cut at 256 characters, and a search by the long id still finds it', async (t) => {
  const state = new JournalForTest(t);
  const messageId = `<${'x'.repeat(600)}@example.net>`;
  const mail = { id: 7, session: '00112233445566AA', messageId, subject: 's'.repeat(5_000) };
  for (const event of mailEvents(start, mail)) state.journal.emit(event);
  assert.equal((await state.why(messageId)).length, 1);
  const [row] = await state.tracked({ messageId });
  assert.equal(String(row?.['MessageSubject']).length, 256);
  assert.equal(String(row?.['MessageId']).length, 256);
});

// What was logged, and what finds it: canonical forms are compared, not spellings.
const searches: readonly [logged: Partial<Mail>, questions: readonly string[], others: readonly string[]][] = [
  [
    { to: 'u@bücher.example' },
    ['u@bücher.example', 'U@BÜCHER.EXAMPLE', 'u@bu\u0308cher.example', 'u@xn--bcher-kva.example', 'u@bücher.example.'],
    ['xu@bücher.example', 'u@bucher.example', 'u@bücher.example.org'],
  ],
  [{ to: 'u@xn--bcher-kva.example' }, ['u@bücher.example', 'U@XN--BCHER-KVA.example'], []],
  [{ to: 'gru\u0308n@example.com' }, ['grün@example.com', 'GRÜN@EXAMPLE.COM'], ['grun@example.com']],
  [{ from: 'Bob@Example.NET' }, ['bob@example.net'], ['ob@example.net', 'bob@example.ne']],
  [{ from: "o'neil@example.net" }, ["O'Neil@example.net"], ['neil@example.net']],
];
for (const [logged, questions, others] of searches) {
  test(`${JSON.stringify(logged)} is found by ${questions.join(', ')}`, async (t) => {
    const state = new JournalForTest(t);
    for (const event of mailEvents(start, { id: 7, session: '00112233445566AA', ...logged })) state.journal.emit(event);
    for (const _ of ['as it is written', 'compressed']) {
      for (const question of questions) {
        assert.deepEqual(await state.why(question), [`message 7 <7@example.net>: ${wholeChain}`], question);
        const asked = logged.to === undefined ? { sender: question } : { recipients: [question] };
        assert.equal((await state.tracked(asked)).length, 2, question);
      }
      for (const question of others) {
        assert.deepEqual(await state.why(question), [], question);
        const asked = logged.to === undefined ? { sender: question } : { recipients: [question] };
        assert.deepEqual(await state.tracked(asked), [], question);
      }
      await state.archive();
    }
  });
}

test('a message is found by everything that our own 250 names', async (t) => {
  const state = new JournalForTest(t);
  for (const event of mailEvents(start, { id: 771, session: '00112233445566AA' })) state.journal.emit(event);
  for (const event of mailEvents(start, { id: 772, session: '00112233445566AB', messageId: '' }))
    state.journal.emit(event);
  const reply = '250 2.6.0 <771@example.net> [InternalId=771, Hostname=edge.example.com] Queued mail for delivery';
  for (const question of [reply, '<771@EXAMPLE.net>', '771', 'InternalId=771']) {
    assert.deepEqual(await state.why(question), [`message 771 <771@example.net>: ${wholeChain}`], question);
  }
  const guid = '6f0c2f61-6f3e-4b7c-9d4c-000000000772';
  for (const question of [`<${guid}@edge.example.com>`, guid, guid.toUpperCase()]) {
    assert.deepEqual(await state.why(question), [`message 772 ${guid}: ${wholeChain}`], question);
  }
});

test('files that cannot hold the answer are not opened, and the one that does is', async (t) => {
  const state = new JournalForTest(t);
  for (let hour = 0; hour < 20; hour++) {
    for (let i = 0; i < 5; i++) {
      const id = hour * 100 + i + 1;
      const session = id.toString(16).toUpperCase().padStart(16, '0');
      for (const event of mailEvents(state.now, { id, session, to: `r${id}@example.com` })) state.journal.emit(event);
    }
    await state.archive();
  }
  const wanted = state.names('Decisions').find((name) => name.startsWith('DECISION2026010211'));
  assert.ok(wanted);
  // Hours that must not matter hold nothing that can be read.
  for (const folder of ['Decisions', 'Tracking']) {
    for (const name of state.names(folder)) {
      if (name.includes('2026010211')) continue;
      const path = join(state.folder, folder, name);
      const octets = readFileSync(path);
      octets.fill(0, 0, 64);
      writeFileSync(path, octets);
    }
  }
  assert.deepEqual(await state.why('803'), [`message 803 <803@example.net>: ${wholeChain}`]);
  assert.deepEqual(await state.why('R803@example.com'), [`message 803 <803@example.net>: ${wholeChain}`]);
  assert.equal((await state.tracked({ messageId: '<803@example.net>' })).length, 2);
  assert.equal((await state.tracked({ recipients: ['r803@example.com'] })).length, 2);
});

test('a file that holds the answer is read once: its summary, then its text', async (t) => {
  const state = new JournalForTest(t);
  for (const event of mailEvents(state.now, { id: 7, session: 'A7', to: 'r7@example.com' })) state.journal.emit(event);
  await state.archive();
  const { open } = fsPromises;
  const opened: string[] = [];
  fsPromises.open = (path, ...rest) => {
    opened.push(String(path));
    return open(path, ...rest);
  };
  syncBuiltinESMExports();
  t.after(() => {
    fsPromises.open = open;
    syncBuiltinESMExports();
  });
  assert.deepEqual(await state.why('r7@example.com'), [`message 7 <7@example.net>: ${wholeChain}`]);
  assert.equal(opened.filter((path) => path.includes('DECISION')).length, 2, opened.join('\n'));
});

test('a flood of refusals and of sessions without mail washes away only its like', async (t) => {
  const state = new JournalForTest(t);
  for (const event of mailEvents(start, { id: 7, session: '00112233445566AA' })) state.journal.emit(event);
  const [chosen] = mailEvents(start, { id: 8, session: '00112233445566FF' });
  for (let i = 0; i < 500; i++) {
    const session = i.toString(16).toUpperCase().padStart(16, 'F');
    assert.ok(chosen);
    state.journal.emit({ ...chosen, session });
    const head = { at: start + i, session, message: 0 };
    state.journal.emit({ kind: 'sender-accepted', ...head, from: 'spam@example.org' });
    state.journal.emit({ kind: 'command-refused', ...head, command: 'RCPT', reply: '550', reason: 'no relay' });
    state.journal.emit({ kind: 'session-closed', ...head, reason: 'QUIT' });
  }
  await state.journal.flush();
  const [messages, sessions] = ['DECISION', 'SESSION'].map((prefix) => {
    const [name = ''] = state.names('Decisions').filter((one) => one.startsWith(prefix));
    return readFileSync(join(state.folder, 'Decisions', name), 'utf8').split('\r\n').length - 2;
  });
  assert.deepEqual([messages, sessions], [4, 2_000]);
  assert.deepEqual(await state.why('7'), [`message 7 <7@example.net>: ${wholeChain}`]);
  assert.equal((await state.why('spam@example.org')).length, 10);
});

test('what came about in one millisecond is told in the order in which it did', async (t) => {
  const state = new JournalForTest(t);
  const [chosen] = mailEvents(start, { id: 8, session: '00112233445566FF' });
  assert.ok(chosen);
  const head = { at: start, session: chosen.session, message: 0 };
  const right = { right: 'ms-Exch-SMTP-Accept-Any-Sender', principal: 'x', granted: false, by: 'no entry' };
  state.journal.emit({ ...chosen, at: start });
  state.journal.emit({ kind: 'right-checked', ...head, ...right });
  state.journal.emit({
    kind: 'command-refused',
    ...head,
    command: 'MAIL FROM:<a@x>',
    reply: '550',
    reason: right.right,
  });
  state.journal.emit({ kind: 'session-closed', ...head, reason: 'QUIT' });
  await state.journal.flush();
  const kinds = async (question: string) =>
    (await findChains(join(state.folder, 'Decisions'), parseQuestion(question)))[0]?.events.map(({ kind }) => kind);
  assert.deepEqual(await kinds(chosen.session), [
    'connector-chosen',
    'right-checked',
    'command-refused',
    'session-closed',
  ]);
  const session = '00112233445566EE';
  state.journal.emit({ ...chosen, at: start, session });
  state.journal.emit({ ...head, session, kind: 'right-checked', ...right, granted: true });
  state.journal.emit({ ...head, session, message: 9, kind: 'sender-accepted', from: 'a@x.example' });
  await state.journal.flush();
  assert.deepEqual(await kinds('9'), ['connector-chosen', 'right-checked', 'sender-accepted']);
});

test('decisions of a later version are refused with the reason, those of the first are read', async (t) => {
  const state = new JournalForTest(t);
  for (const event of mailEvents(start, { id: 7, session: '00112233445566AA' })) state.journal.emit(event);
  await state.journal.flush();
  const [name = ''] = state.names('Decisions');
  const path = join(state.folder, 'Decisions', name);
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace(/^.*\r\n/, ''));
  assert.equal((await state.why('7')).length, 1);
  writeFileSync(path, text.replace(/^\{"edgeDecisions":\d+/, '{"edgeDecisions":99'));
  await assert.rejects(state.why('7'), /was written by a later version of Edge \(format 99/);
});

test('a crash between the making of an archive and the end of its source loses and doubles nothing', async (t) => {
  const state = new JournalForTest(t);
  for (const event of mailEvents(start, { id: 7, session: '00112233445566AA' })) state.journal.emit(event);
  await state.journal.flush();
  const saved = state
    .names('Tracking')
    .map((name) => [name, readFileSync(join(state.folder, 'Tracking', name))] as const);
  await state.archive();
  for (const [name, octets] of saved) writeFileSync(join(state.folder, 'Tracking', name), octets);
  assert.equal((await state.tracked({})).length, 2);
  await state.archive();
  assert.deepEqual(state.names('Tracking'), [`${saved[0]?.[0]}.zst`]);
});

test('a file that is still written to is not compressed', async (t) => {
  const state = new JournalForTest(t);
  for (const event of mailEvents(start, { id: 7, session: '00112233445566AA' })) state.journal.emit(event);
  await state.journal.flush();
  const [name = ''] = state.names('Tracking');
  utimesSync(join(state.folder, 'Tracking', name), state.now / 1_000 + 3_600, state.now / 1_000 + 3_600);
  await state.archive();
  assert.deepEqual(state.names('Tracking'), [name]);
});

test('a message leads to the connections that it went by or waited for, and to no others', async (t) => {
  const state = new JournalForTest(t);
  const [message, session] = [4711, '00112233445566AA'];
  const emit = (at: number, ofSession: string, kind: string, facts: object, id = 0): void =>
    state.journal.emit({ at: start + at, session: ofSession, message: id, kind, ...facts } as unknown as DecisionEvent);
  const hop = 'mx.test:SMTP';
  const reached = (peer: string) => ({
    direction: 'send',
    protocol: 'TLSv1.3',
    cipher: 'x',
    level: 'dane',
    peer,
    demanded: `TLSA records of ${peer}`,
  });
  const delivery = { guid: 'g', messageId: '', subject: '', from: '', size: 1, hop, connector: 'Out', local: '' };
  const outcome = { ...delivery, recipients: ['b@mx.test'], replies: ['250 ok'], attempt: 1 };
  const remote = 'mx.mx.test [192.0.2.1]:25';
  const dial = (at: number, own: string, ofHop: string, address: string): void => {
    emit(at, own, 'tls-reached', reached(own));
    emit(at, own, 'connection-opened', { hop: ofHop, host: 'mx', remote: address, local: '' });
  };
  dial(-50, 'B000000000000000', hop, '192.0.2.1:25');
  emit(-10, 'B000000000000000', 'connection-closed', { hop, host: 'mx', messages: 1, bytes: 1 });
  const route = { recipients: ['b@mx.test'], hop, connector: 'Out', because: '*', passedOver: [] };
  emit(0, session, 'route-chosen', route, message);
  emit(1, 'F000000000000000', 'tls-failed', { direction: 'send', reason: 'no key fits', consequence: 'it waits' });
  emit(1, 'F000000000000000', 'connection-failed', { hop, host: 'mx', reason: 'no key fits' });
  emit(1, '', 'queue-state', { hop, status: 'Retry', reason: '451 4.7.323', retryAt: start + 5 });
  emit(1, '', 'queue-state', { hop: 'other', status: 'Retry', reason: 'other', retryAt: start + 5 });
  dial(5, 'A000000000000000', hop, '192.0.2.1:25');
  dial(5, 'C000000000000000', 'other.test', '192.0.2.1:25');
  dial(5, 'D000000000000000', hop, '192.0.2.9:25');
  emit(6, session, 'delivered', { ...outcome, remote }, message);
  emit(9, 'A000000000000000', 'connection-closed', { hop, host: 'mx', messages: 1, bytes: 1 });
  emit(10, 'E000000000000000', 'connection-failed', { hop, host: 'mx', reason: 'later' });
  await state.journal.flush();
  for (const archived of [false, true]) {
    if (archived) await state.archive();
    const [chain] = await findChains(state.settings.decisionFolder, parseQuestion(String(message)));
    assert.deepEqual(
      chain?.events.map((event) => `${event.session.slice(0, 1)} ${event.kind}`),
      [
        '0 route-chosen',
        'F tls-failed',
        'F connection-failed',
        ' queue-state',
        'A tls-reached',
        'A connection-opened',
        '0 delivered',
        'A connection-closed',
      ],
    );
  }
});
