import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import { NotificationWriter, postmasterOf } from '../../src/categorizer/index.ts';
import { testAcceptedDomain, testSnapshot, testSnapshotSource } from '../../src/config/index.ts';
import type { DecisionEvent } from '../../src/logs/index.ts';
import type { EnvelopeRecipient } from '../../src/mail/index.ts';
import { type NewMessage, type NotificationRequest, SpoolError, type StoredMessage } from '../../src/queue/index.ts';
import { type MessageWish, testMessage } from '../smtp-send/fake-work.ts';

interface Submitted {
  readonly message: NewMessage;
  readonly content: Buffer;
  readonly expiresAt: number;
}

function bench(content: Buffer, options: { readonly streamed?: boolean; readonly full?: boolean } = {}) {
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
          async commit(message, expiresAt) {
            if (options.full === true) throw new SpoolError('the disk is full');
            submitted.push({ message, content: Buffer.concat(chunks), expiresAt });
            return message as StoredMessage;
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
      testSnapshot({ acceptedDomains: [testAcceptedDomain({ domainName: 'corp.example', default: true })] }),
    ),
    journal: { emit: (event) => void events.push(event) },
    clock: systemClock,
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
    events.map(
      (event) => event.kind === 'notification' && [event.action, event.to, event.recipients, event.suppressed],
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
