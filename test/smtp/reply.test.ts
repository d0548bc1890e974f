import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classify, oneLine, parseReply, type Reply, renderReply, replies, SmtpError } from '../../src/smtp/index.ts';
import fc from '../lib/properties.ts';

test('a reply of one line, of several, and without an enhanced code', () => {
  assert.equal(renderReply(replies.senderOk), '250 2.1.0 Sender OK\r\n');
  assert.equal(renderReply(replies.startMailInput), '354 Start mail input; end with <CRLF>.<CRLF>\r\n');
  assert.equal(
    renderReply(replies.ehlo('edge.example', '192.0.2.1', ['SIZE 37748736', 'PIPELINING'])),
    '250-edge.example Hello [192.0.2.1]\r\n250-SIZE 37748736\r\n250 PIPELINING\r\n',
  );
  assert.equal(renderReply({ code: 550, detail: '7.1', lines: ['a', 'b'] }), '550-5.7.1 a\r\n550 5.7.1 b\r\n');
});

// The wording administrators and scripts search for: Exchange's; the codes: the RFC's.
const wording: readonly [Reply, string][] = [
  [replies.unableToRelay, '550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain'],
  [replies.cannotSendAsSender, '550 5.7.60 SMTP; Client does not have permissions to send as this sender'],
  [replies.notAuthenticated, '530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM'],
  [replies.mustStartTls, '530 5.7.0 Must issue a STARTTLS command first'],
  [replies.sendHelloFirst, '503 5.5.2 Send hello first'],
  [replies.unrecognizedCommand, '500 5.3.3 Unrecognized command'],
  [replies.tooManyHops, '554 5.4.6 Hop count exceeded - possible mail loop'],
  [replies.messageTooLarge, '552 5.3.4 Message size exceeds fixed maximum message size'],
  [replies.tooManyRecipients, '452 4.5.3 Too many recipients'],
  [replies.insufficientResources(''), '452 4.3.1 Insufficient system resources'],
  [replies.insufficientResources('UsedDiskSpace'), '452 4.3.1 Insufficient system resources (UsedDiskSpace)'],
  [replies.closing, '221 2.0.0 Service closing transmission channel'],
  [replies.startTls, '220 2.0.0 SMTP server ready'],
  [replies.userUnknown, '550 5.1.1 User unknown'],
  [replies.invalidSenderAddress, '501 5.1.7 Invalid address'],
  [replies.messageExpired, '550 5.4.7 QUEUE.Expired; message expired'],
  [
    replies.certificateValidationFailure('UntrustedRoot'),
    '454 4.7.5 Certificate validation failure, Reason:UntrustedRoot',
  ],
  [
    replies.queued('<a@b>', 7, 'edge.example'),
    '250 2.6.0 <a@b> [InternalId=7, Hostname=edge.example] Queued mail for delivery',
  ],
];
for (const [reply, text] of wording) test(text, () => assert.equal(oneLine(reply), text));

test('every reply of the table renders, reads back, and is class 2 to 5', () => {
  for (const [name, entry] of Object.entries(replies)) {
    const make = entry as unknown;
    const reply = typeof make === 'function' ? (make as (...a: unknown[]) => Reply)('x', 'y', ['z']) : (make as Reply);
    assert.deepEqual(parseReply(renderReply(reply)), reply, name);
  }
});

const refused: readonly [string, Reply][] = [
  ['a line break', { code: 550, detail: '7.1', lines: ['no\r\n250 yes'] }],
  ['a lone CR', { code: 550, lines: ['no\r250 yes'] }],
  ['NUL', { code: 550, lines: ['a\0b'] }],
  ['no line', { code: 550, lines: [] }],
  ['a code below 200', { code: 120, lines: ['x'] }],
  ['a code above 599', { code: 600, lines: ['x'] }],
  ['a fraction', { code: 250.5, lines: ['x'] }],
  ['a detail with its class', { code: 550, detail: '5.7.1', lines: ['x'] }],
];
for (const [what, reply] of refused)
  test(`${what} is not rendered`, () => assert.throws(() => renderReply(reply), RangeError));

const read: readonly [string, Reply | undefined][] = [
  ['250 2.1.0 OK\r\n', { code: 250, detail: '1.0', lines: ['OK'] }],
  ['250 2.1.0 OK', { code: 250, detail: '1.0', lines: ['OK'] }],
  ['250\r\n', { code: 250, lines: [''] }],
  ['250 \r\n', { code: 250, lines: [''] }],
  ['550 5.7.1', { code: 550, detail: '7.1', lines: [''] }],
  ['550-5.7.1 a\r\n550-5.7.1\r\n550 5.7.1 b\r\n', { code: 550, detail: '7.1', lines: ['a', '', 'b'] }],
  ['550-5.7.1 a\n550 b\n', { code: 550, detail: '7.1', lines: ['a', 'b'] }],
  ['550 4.7.1 liar', { code: 550, lines: ['4.7.1 liar'] }],
  ['550 5.7.1234 x', { code: 550, lines: ['5.7.1234 x'] }],
  ['354 3.0.0 go', { code: 354, lines: ['3.0.0 go'] }],
  ['250-a\r\n251 b', undefined],
  ['250-a\r\n', undefined],
  ['250 a\r\n250 b', undefined],
  ['25 a', undefined],
  ['250a', undefined],
  ['120 a', undefined],
  ['', undefined],
  ['hello', undefined],
];
for (const [text, reply] of read) {
  test(`read ${JSON.stringify(text)}`, () => assert.deepEqual(parseReply(text), reply));
}

test('what is rendered reads back', () => {
  const line = fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n\0]/.test(text) && !/^[245]\.\d/.test(text));
  const reply = fc.record(
    {
      code: fc.integer({ min: 200, max: 599 }).filter((code) => code < 300 || code >= 400),
      detail: fc.tuple(fc.nat(7), fc.nat(99)).map(([a, b]) => `${a}.${b}`),
      lines: fc.array(line, { minLength: 1, maxLength: 4 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(fc.property(reply, (one) => assert.deepEqual(parseReply(renderReply(one)), one)));
  fc.assert(fc.property(fc.string(), (text) => void parseReply(text)));
});

test('classes and derived enhanced codes', () => {
  assert.deepEqual([250, 354, 451, 550, 700, 99].map(classify), [
    'success',
    'intermediate',
    'transient',
    'permanent',
    'transient',
    'transient',
  ]);
});

test('an SmtpError keeps cause and reason to itself', () => {
  const cause = new Error('disk sda1');
  const error = new SmtpError(replies.insufficientResources(''), 'write failed', { cause });
  assert.equal(error.message, '452 4.3.1 Insufficient system resources');
  assert.doesNotMatch(renderReply(error.reply), /disk|write failed/);
  assert.equal(error.cause, cause);
  assert.equal(error.reason, 'write failed');
});
