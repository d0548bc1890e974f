import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, systemClock } from '../../src/base/index.ts';
import { NotificationWriter, postmasterOf } from '../../src/categorizer/index.ts';
import { reportSettings, turnedOff } from '../../src/categorizer/report-settings.ts';
import { type Snapshot, testAcceptedDomain, testSnapshot, testSnapshotSource } from '../../src/config/index.ts';
import type { DecisionEvent } from '../../src/logs/index.ts';
import type { EnvelopeRecipient } from '../../src/mail/index.ts';
import { type NewMessage, type NotificationRequest, SpoolError, type StoredMessage } from '../../src/queue/index.ts';
import { type MessageWish, testMessage } from '../smtp-send/fake-work.ts';

interface Submitted {
  readonly message: NewMessage;
  readonly content: Buffer;
  readonly expiresAt: number;
}

interface BenchOptions {
  readonly streamed?: boolean;
  readonly full?: boolean;
  readonly largest?: number;
  readonly organization?: Partial<Snapshot['organization']>;
  readonly clock?: Clock;
}

function bench(content: Buffer, options: BenchOptions = {}) {
  const events: DecisionEvent[] = [];
  const submitted: Submitted[] = [];
  const calls: string[] = [];
  const writer = new NotificationWriter({
    submission: {
      begin() {
        const chunks: Buffer[] = [];
        return {
          id: 99,
          guid: '',
          write: (chunk) => void chunks.push(chunk),
          replaceHead: () => assert.fail('reports are written once'),
          async commit(message, expiresAt) {
            if (options.full === true) throw new SpoolError('the disk is full');
            submitted.push({ message, content: Buffer.concat(chunks), expiresAt });
            return { ...message, id: 99, guid: 'g' } as StoredMessage;
          },
          async abort() {
            calls.push('abort');
          },
        };
      },
    },
    contents: {
      content: () => (options.streamed === true ? undefined : content),
      async *stream() {
        for (let at = 0; at < content.length; at += 1_000) {
          calls.push('read');
          yield content.subarray(at, at + 1_000);
        }
      },
    },
    snapshots: testSnapshotSource(
      testSnapshot({
        acceptedDomains: [testAcceptedDomain({ domainName: 'corp.example', default: true })],
        organization: { ...testSnapshot().organization, ...options.organization },
      }),
    ),
    largest: () => options.largest ?? Number.POSITIVE_INFINITY,
    journal: { emit: (event) => void events.push(event) },
    clock: options.clock ?? systemClock,
  });
  return { writer, events, submitted, calls };
}

function request(
  kind: NotificationRequest['kind'],
  wish: MessageWish,
): { request: NotificationRequest; content: Buffer } {
  const { message, content } = testMessage(wish);
  const recipients = message.envelope.recipients.map((_, index) => ({
    index,
    reply: '550 5.1.1 No such user',
    remote: 'hub [192.0.2.1]:25',
  }));
  return { request: { kind, message, recipients }, content };
}
const recipient = (address: string, more: Partial<EnvelopeRecipient> = {}): EnvelopeRecipient => ({
  address,
  domain: address.slice(address.indexOf('@') + 1),
  ...more,
});

test('a failure is reported to the sender from the null sender', async () => {
  const { request: wanted, content } = request('failed', { recipients: ['a@x.test'] });
  const { writer, submitted, events } = bench(content);
  await writer.notify(wanted);
  const [report] = submitted;
  assert.equal(report?.message.envelope.from, '');
  assert.deepEqual(
    report.message.envelope.recipients.map(({ address }) => address),
    ['sender@example.org'],
  );
  assert.equal(report.message.origin.connector, 'DSN');
  assert.match(report.content.toString(), /^From:.*postmaster@corp\.example/m);
  assert.match(report.content.toString(), /Final-Recipient: *rfc822; *a@x\.test/i);
  assert.match(report.content.toString(), /Status: *5\.1\.1/);
  assert.equal(report.message.facts.size, report.content.length);
  assert.ok(Math.abs(report.expiresAt - Date.now() - 172_800_000) < 60_000, 'MessageExpirationTimeout of two days');
  assert.deepEqual(
    events.flatMap((event) =>
      event.kind !== 'notification' ? [] : [[event.action, event.to, event.recipients, event.suppressed]],
    ),
    [['failed', 'sender@example.org', ['a@x.test'], '']],
  );
});

test('a bounce of a bounce is dropped, and the journal says so', async () => {
  const { request: wanted, content } = request('failed', { from: '' });
  const { writer, submitted, events } = bench(content);
  await writer.notify(wanted);
  assert.deepEqual(submitted, []);
  const [event] = events;
  assert.ok(event?.kind === 'notification' && event.suppressed !== '');
});

test('recipients that want no report are left out of it', async () => {
  const { request: wanted, content } = request('failed', {
    recipients: [
      recipient('a@x.test', { notify: ['NEVER'] }),
      recipient('b@x.test'),
      recipient('c@x.test', { notify: ['SUCCESS'] }),
    ],
  });
  const { writer, submitted, events } = bench(content);
  await writer.notify(wanted);
  assert.equal(submitted.length, 1);
  const text = submitted[0]?.content.toString() ?? '';
  assert.ok(text.includes('b@x.test') && !text.includes('a@x.test') && !text.includes('c@x.test'));
  const told = events.filter((event) => event.kind === 'notification');
  const addresses = (suppressed: boolean): string[] =>
    told.filter((event) => (event.suppressed !== '') === suppressed).flatMap(({ recipients }) => recipients);
  assert.deepEqual(addresses(true), ['a@x.test', 'c@x.test']);
  assert.deepEqual(addresses(false), ['b@x.test']);
});

test('success is reported only to those who asked', async () => {
  for (const [notify, reports] of [
    [undefined, 0],
    [['SUCCESS'], 1],
    [['FAILURE'], 0],
  ] as const) {
    const { request: wanted, content } = request('relayed', {
      recipients: [recipient('a@x.test', notify && { notify })],
    });
    const { writer, submitted } = bench(content);
    await writer.notify(wanted);
    assert.equal(submitted.length, reports, String(notify));
  }
});

test('RET=HDRS: of a big original no more than the header is read', async () => {
  const big = Buffer.from(`Subject: big\r\n\r\n${'body line\r\n'.repeat(10_000)}`);
  const { request: wanted, content } = request('failed', { content: big, envelope: { ret: 'HDRS' } });
  const { writer, submitted, calls } = bench(content, { streamed: true });
  await writer.notify(wanted);
  assert.deepEqual(calls, ['read']);
  const text = submitted[0]?.content.toString() ?? '';
  assert.ok(text.includes('Subject: big') && !text.includes('body line'));
});

test('a report that cannot be kept is aborted, and the caller hears of it', async () => {
  const { request: wanted, content } = request('failed', {});
  const { writer, calls, events } = bench(content, { full: true });
  await assert.rejects(writer.notify(wanted), SpoolError);
  assert.deepEqual(calls, ['abort']);
  assert.deepEqual(events, []);
});

const domains: readonly (readonly [
  name: string,
  domains: readonly Parameters<typeof testAcceptedDomain>[0][],
  address: string,
])[] = [
  ['the default domain', [{ domainName: 'a.test' }, { domainName: 'b.test', default: true }], 'postmaster@b.test'],
  ['the first one when none is the default', [{ domainName: 'a.test' }, { domainName: 'b.test' }], 'postmaster@a.test'],
  ['a wildcard without its star', [{ domainName: '*.a.test' }], 'postmaster@a.test'],
  ['* says nothing', [{ domainName: '*', domainType: 'InternalRelay' }], 'postmaster@edge1.example.net'],
  ['no accepted domain', [], 'postmaster@edge1.example.net'],
];
for (const [name, wishes, address] of domains) {
  test(`postmaster: ${name}`, () => {
    assert.equal(
      postmasterOf(testSnapshot({ acceptedDomains: wishes.map((wish) => testAcceptedDomain(wish)) })),
      address,
    );
  });
}

const big = Buffer.from(`Subject: big\r\nMessage-ID: <big@x>\r\n\r\n${'0123456789abcdef\r\n'.repeat(10_000)}`);

// A report is fitted to its way back: what it attaches, by the organization's limits and by the largest connector.
const fits: readonly (readonly [name: string, options: BenchOptions, from: string, original: string])[] = [
  ['whole by default', {}, 'a@outside.example', 'message/rfc822'],
  [
    'ExternalDsnMaxMessageAttachSize for senders outside',
    { organization: { externalDsnMaxMessageAttachSize: 1_000 } },
    'a@outside.example',
    'text/rfc822-headers',
  ],
  [
    'which says nothing of those inside',
    { organization: { externalDsnMaxMessageAttachSize: 1_000 } },
    'a@corp.example',
    'message/rfc822',
  ],
  [
    'InternalDsnMaxMessageAttachSize for senders inside',
    { organization: { internalDsnMaxMessageAttachSize: 1_000 } },
    'a@corp.example',
    'text/rfc822-headers',
  ],
  ['the largest way back takes less: the header', { largest: 10_000 }, 'a@outside.example', 'text/rfc822-headers'],
  ['it takes hardly anything: no original', { largest: 1_500 }, 'a@outside.example', ''],
];
for (const [name, options, from, original] of fits) {
  test(`a report attaches: ${name}`, async () => {
    const { request: wanted, content } = request('failed', { from, content: big, recipients: ['b@x.test'] });
    const { writer, submitted } = bench(content, options);
    await writer.notify(wanted);
    const text = submitted[0]?.content.toString() ?? '';
    const types = [...text.matchAll(/^Content-Type: (message\/rfc822|text\/rfc822-headers)$/gm)].map(
      ([, type]) => type,
    );
    assert.deepEqual(types, original === '' ? [] : [original]);
    assert.match(text, /^Status: 5\.1\.1\r$/m);
  });
}

test('the DSN event: the report is in the tracking log, with the message that it speaks of', async () => {
  const { request: wanted, content } = request('failed', { recipients: ['a@x.test'] });
  const { writer, events } = bench(content);
  await writer.notify(wanted);
  const queued = events.find((event) => event.kind === 'message-queued');
  const told = events.find((event) => event.kind === 'notification');
  assert.ok(queued?.kind === 'message-queued' && told?.kind === 'notification');
  assert.deepEqual([queued.source, queued.message, queued.reference], ['DSN', 99, '<test@example.org>']);
  assert.equal(told.report, queued.messageId);
});

test('a report of ours that cannot be delivered is told as lost, with the reason', async () => {
  const { request: wanted, content } = request('failed', { from: '' });
  const message = { ...wanted.message, origin: { ...wanted.message.origin, connector: 'DSN' } };
  const { writer, events } = bench(content);
  await writer.notify({ ...wanted, message });
  const [event] = events;
  assert.ok(event?.kind === 'notification');
  assert.equal(event.suppressed, 'it is itself a report, which is lost: 550 5.1.1 No such user');
});

test('a thousand failures of one message make a bounded number of reports, and every recipient is told of', async () => {
  const timers: (() => void)[] = [];
  const clock: Clock = {
    now: () => Date.now(),
    monotonic: () => 0,
    after: (_ms, call) => (timers.push(call), { cancel: () => undefined }),
  };
  const names = Array.from({ length: 1_000 }, (_, i) => `r${i}@x.test`);
  const { request: wanted, content } = request('failed', { recipients: names });
  const { writer, submitted } = bench(content, { clock });
  const written = wanted.recipients.map((one) => writer.notify({ ...wanted, recipients: [one] }));
  await Promise.all(written.slice(0, 10));
  assert.equal(submitted.length, 10);
  for (const ring of timers.splice(0)) ring();
  await Promise.all(written);
  assert.equal(submitted.length, 11);
  const text = submitted.map(({ content: report }) => report.toString()).join('');
  for (const name of names) assert.ok(text.includes(`Final-Recipient: rfc822;${name}\r\n`), name);
});

const outside = { domainName: '*' } as const;
const remoteOf = (overrides: object) =>
  [{ ...testSnapshot().remoteDomains[0], ...outside, ...overrides }] as Snapshot['remoteDomains'];
const switchedOff: readonly [title: string, kind: 'failed' | 'delayed' | 'relayed', overrides: Partial<Snapshot>][] = [
  [
    'ExternalDelayDsnEnabled',
    'delayed',
    { organization: { ...testSnapshot().organization, externalDelayDsnEnabled: false } },
  ],
  ['NDREnabled', 'failed', { remoteDomains: remoteOf({ ndrEnabled: false }) }],
  ['DeliveryReportEnabled', 'relayed', { remoteDomains: remoteOf({ deliveryReportEnabled: false }) }],
];
for (const [title, kind, overrides] of switchedOff) {
  test(`${title} off: no report, and the journal says why`, () => {
    assert.match(turnedOff(testSnapshot(overrides), kind, 'a@far.example') ?? '', new RegExp(title));
    assert.equal(turnedOff(testSnapshot(), kind, 'a@far.example'), undefined);
  });
}

test('settings of reports are those of inside or outside; an internal remote domain is inside', () => {
  const organization = {
    ...testSnapshot().organization,
    externalDsnReportingAuthority: 'out.example',
    internalDsnReportingAuthority: 'in.example',
    externalPostmasterAddress: 'pm@out.example',
  };
  const acceptedDomains = [testAcceptedDomain({ domainName: 'corp.example' })];
  const snapshot = testSnapshot({ organization, acceptedDomains });
  const shown = (snap: Snapshot, domain: string) => [
    reportSettings(snap, domain).authority,
    reportSettings(snap, domain).postmaster,
  ];
  assert.deepEqual(shown(snapshot, 'far.example'), ['out.example', 'pm@out.example']);
  assert.deepEqual(shown(snapshot, 'corp.example'), ['in.example', null]);
  const internal = testSnapshot({ organization, acceptedDomains, remoteDomains: remoteOf({ isInternal: true }) });
  assert.deepEqual(shown(internal, 'far.example'), ['in.example', null]);
});

const worded: readonly (readonly [
  title: string,
  organization: Partial<Snapshot['organization']>,
  from: string,
  subject: RegExp,
])[] = [
  ['the language of the sender', {}, 'a@outside.example', /^Subject: Non remis/m],
  [
    'without detection outside',
    { externalDsnLanguageDetectionEnabled: false },
    'a@outside.example',
    /^Subject: Undel/m,
  ],
  [
    'the default language outside',
    { externalDsnLanguageDetectionEnabled: false, externalDsnDefaultLanguage: 'de-DE' },
    'a@outside.example',
    /^Subject: Unzustellbar/m,
  ],
  [
    'the default language inside',
    { internalDsnLanguageDetectionEnabled: false, internalDsnDefaultLanguage: 'es-ES' },
    'a@corp.example',
    /^Subject: No se puede entregar/m,
  ],
  ['a language without texts', { internalDsnDefaultLanguage: 'ja-JP' }, 'a@corp.example', /^Subject: Non remis/m],
];
for (const [title, organization, from, subject] of worded)
  test(`a report is written in ${title}`, async () => {
    const content = Buffer.from('Accept-Language: fr-FR, de;q=0.5\r\nSubject: x\r\n\r\n');
    const { request: wanted } = request('failed', { from, content });
    const { writer, submitted } = bench(content, { organization });
    await writer.notify(wanted);
    assert.match(submitted[0]?.content.toString() ?? '', subject);
  });

test('DsnSendHtml: outside and inside have a switch each', async () => {
  for (const [from, field] of [
    ['a@outside.example', 'externalDsnSendHtml'],
    ['a@corp.example', 'internalDsnSendHtml'],
  ] as const)
    for (const on of [true, false]) {
      const { request: wanted, content } = request('failed', { from });
      const { writer, submitted } = bench(content, { organization: { [field]: on } });
      await writer.notify(wanted);
      assert.equal(submitted[0]?.content.includes('\r\nContent-Type: text/html;'), on, field);
    }
});

test('JournalingReportNdrTo: what is said of a journal report goes there, even when it has no sender', async () => {
  const organization = { journalingReportNdrTo: 'journal@corp.example' };
  for (const [fields, from, to] of [
    ['X-MS-Journal-Report:\r\n', '', 'journal@corp.example'],
    ['X-MS-Journal-Report:\r\n', 'a@corp.example', 'journal@corp.example'],
    ['', 'a@corp.example', 'a@corp.example'],
  ] as const) {
    const content = Buffer.from(`${fields}Subject: x\r\n\r\n`);
    const { request: wanted } = request('failed', { from, content });
    const { writer, submitted } = bench(content, { organization });
    await writer.notify(wanted);
    assert.equal(submitted[0]?.message.envelope.recipients[0]?.address, to);
  }
});

test('GenerateCopyOfDSNFor: the postmaster gets the report too', async () => {
  const { request: wanted, content } = request('failed', {});
  const { writer, submitted } = bench(content, {
    organization: { generateCopyOfDSNFor: ['5.1.1', '5.0.0', '5.4.4', '5.7.1'] },
  });
  await writer.notify({
    ...wanted,
    recipients: wanted.recipients.map((one) => ({ ...one, reply: '550 5.1.1 secret' })),
  });
  const to = submitted.map(({ message }) => message.envelope.recipients.map(({ address }) => address));
  assert.equal(to.length, 2);
  assert.match(to[1]?.[0] ?? '', /^postmaster@/);
  assert.match(submitted[0]?.content.toString() ?? '', /Diagnostic-Code: smtp;550 5\.1\.1 secret/);
});
