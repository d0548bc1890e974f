import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Capabilities, noCapabilities, parseCapabilities } from '../../src/smtp-send/connection/capabilities.ts';
import { planEnvelope } from '../../src/smtp-send/transaction/envelope-plan.ts';
import { type MessageWish, testMessage } from './fake-work.ts';

const everything: Capabilities = {
  pipelining: true,
  eightBitMime: true,
  binaryMime: false,
  smtpUtf8: true,
  dsn: true,
  size: true,
  requireTls: false,
  maxSize: 1_000,
  oorg: true,
  mailMax: Number.POSITIVE_INFINITY,
  rcptMax: Number.POSITIVE_INFINITY,
  rcptDomainMax: Number.POSITIVE_INFINITY,
  auth: [],
};
const without = (...missing: (keyof Capabilities)[]): Capabilities => ({
  ...everything,
  ...Object.fromEntries(missing.map((key) => [key, noCapabilities[key]])),
});

interface Row {
  readonly name: string;
  readonly wish: MessageWish;
  readonly offered: Capabilities;
  /** Commands, or the reply that refuses the message; a recipient that is refused stands as its reply. */
  readonly says: readonly string[];
}

const rows: readonly Row[] = [
  {
    name: 'nothing offered, nothing said',
    wish: {
      envelope: { body: '8BITMIME', ret: 'FULL', envid: 'x', smtpUtf8: true },
    },
    offered: noCapabilities,
    says: ['MAIL FROM:<sender@example.org>', 'RCPT TO:<rcpt@example.com>'],
  },
  {
    name: 'SIZE, as offered',
    wish: {},
    offered: { ...noCapabilities, size: true },
    says: ['MAIL FROM:<sender@example.org> SIZE=45', 'RCPT TO:<rcpt@example.com>'],
  },
  {
    name: 'null sender',
    wish: { from: '' },
    offered: noCapabilities,
    says: ['MAIL FROM:<>', 'RCPT TO:<rcpt@example.com>'],
  },
  {
    name: 'too big for the peer',
    wish: { facts: { size: 1_001 } },
    offered: everything,
    says: ['552 5.3.4 The message has 1001 octets, hub takes 1000 at most'],
  },
  {
    name: 'as big as the peer takes',
    wish: { facts: { size: 1_000 } },
    offered: everything,
    says: ['MAIL FROM:<sender@example.org> SIZE=1000', 'RCPT TO:<rcpt@example.com>'],
  },
  {
    name: '8-bit content, 8BITMIME offered',
    wish: { facts: { eightBit: true } },
    offered: without('size'),
    says: ['MAIL FROM:<sender@example.org> BODY=8BITMIME', 'RCPT TO:<rcpt@example.com>'],
  },
  {
    name: 'declared 8-bit without being so: passed on',
    wish: { envelope: { body: '8BITMIME' } },
    offered: without('size'),
    says: ['MAIL FROM:<sender@example.org> BODY=8BITMIME', 'RCPT TO:<rcpt@example.com>'],
  },
  {
    name: 'UTF-8 recipient, SMTPUTF8 offered',
    wish: {
      recipients: [{ address: 'jürgen@example.com', domain: 'example.com' }],
    },
    offered: without('size'),
    says: ['MAIL FROM:<sender@example.org> SMTPUTF8', 'RCPT TO:<jürgen@example.com>'],
  },
  {
    name: 'UTF-8 recipient, SMTPUTF8 not offered: that one fails, the others go',
    wish: {
      recipients: ['a@example.com', { address: 'jürgen@example.com', domain: 'example.com' }],
    },
    offered: without('size', 'smtpUtf8'),
    says: [
      'MAIL FROM:<sender@example.org>',
      'RCPT TO:<a@example.com>',
      "553 5.6.7 hub does not offer SMTPUTF8, which the recipient's address needs",
    ],
  },
  {
    name: 'only the domain is UTF-8: A-labels, no SMTPUTF8 needed',
    wish: {
      recipients: [{ address: 'a@münchen.example', domain: 'xn--mnchen-3ya.example' }],
    },
    offered: without('size', 'smtpUtf8'),
    says: ['MAIL FROM:<sender@example.org>', 'RCPT TO:<a@xn--mnchen-3ya.example>'],
  },
  {
    name: 'UTF-8 sender, SMTPUTF8 not offered',
    wish: { from: 'jürgen@example.org' },
    offered: without('smtpUtf8'),
    says: ["553 5.6.7 hub does not offer SMTPUTF8, which the sender's address needs"],
  },
  {
    name: 'UTF-8 header, declared, SMTPUTF8 not offered',
    wish: {
      envelope: { smtpUtf8: true },
      facts: { utf8Header: true, eightBit: true },
    },
    offered: without('smtpUtf8'),
    says: ["554 5.6.7 hub does not offer SMTPUTF8, which the message's header needs"],
  },
  {
    name: '8-bit header that nobody declared: 8-bit content like any other',
    wish: { facts: { utf8Header: true, eightBit: true } },
    offered: without('smtpUtf8', 'size'),
    says: ['MAIL FROM:<sender@example.org> BODY=8BITMIME', 'RCPT TO:<rcpt@example.com>'],
  },
  {
    name: 'SMTPUTF8 declared and not needed: goes without where it is not offered',
    wish: { envelope: { smtpUtf8: true } },
    offered: without('smtpUtf8', 'size'),
    says: ['MAIL FROM:<sender@example.org>', 'RCPT TO:<rcpt@example.com>'],
  },
  {
    name: 'DSN: RET and ENVID for the message, NOTIFY and ORCPT for each recipient',
    wish: {
      envelope: { ret: 'HDRS', envid: 'a+b=c' },
      recipients: [
        {
          address: 'a@example.com',
          domain: 'example.com',
          notify: ['SUCCESS', 'FAILURE'],
          orcpt: 'rfc822;A+B@example.com',
        },
        { address: 'b@example.com', domain: 'example.com', notify: ['NEVER'] },
        'c@example.com',
      ],
    },
    offered: without('size'),
    says: [
      'MAIL FROM:<sender@example.org> RET=HDRS ENVID=a+2Bb+3Dc',
      'RCPT TO:<a@example.com> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;A+2BB@example.com',
      'RCPT TO:<b@example.com> NOTIFY=NEVER',
      'RCPT TO:<c@example.com>',
    ],
  },
];

const binary: readonly Row[] = [
  {
    name: 'BINARYMIME, where it is offered',
    wish: { envelope: { body: 'BINARYMIME' }, facts: { eightBit: true } },
    offered: { ...without('size'), binaryMime: true },
    says: ['MAIL FROM:<sender@example.org> BODY=BINARYMIME', 'RCPT TO:<rcpt@example.com>'],
  },
  {
    name: 'BINARYMIME, where it is not offered',
    wish: { envelope: { body: 'BINARYMIME' }, facts: { eightBit: true } },
    offered: without('size'),
    says: ['MAIL FROM:<sender@example.org> BODY=8BITMIME', 'RCPT TO:<rcpt@example.com>'],
  },
  {
    name: 'no BINARYMIME for a message that is none',
    wish: { facts: { eightBit: false } },
    offered: { ...without('size'), binaryMime: true },
    says: ['MAIL FROM:<sender@example.org>', 'RCPT TO:<rcpt@example.com>'],
  },
  {
    name: 'a sender that needs SMTPUTF8',
    wish: { from: 'j\u00fcrgen@example.org' },
    offered: without('size'),
    says: ['MAIL FROM:<j\u00fcrgen@example.org> SMTPUTF8', 'RCPT TO:<rcpt@example.com>'],
  },
  {
    name: 'a header that needs SMTPUTF8, where it is not offered and no address does',
    wish: { envelope: { smtpUtf8: true }, facts: { utf8Header: true } },
    offered: without('size', 'smtpUtf8'),
    says: ["554 5.6.7 hub does not offer SMTPUTF8, which the message's header needs"],
  },
  {
    name: 'an empty NOTIFY says nothing; without DSN no wish is told',
    wish: { recipients: [{ address: 'a@example.com', domain: 'example.com', notify: [] }] },
    offered: without('size'),
    says: ['MAIL FROM:<sender@example.org>', 'RCPT TO:<a@example.com>'],
  },
  {
    name: 'no DSN, no wishes',
    wish: {
      recipients: [{ address: 'a@example.com', domain: 'example.com', notify: ['NEVER'], orcpt: 'rfc822;a@b' }],
    },
    offered: without('size', 'dsn'),
    says: ['MAIL FROM:<sender@example.org>', 'RCPT TO:<a@example.com>'],
  },
];

for (const { name, wish, offered, says } of [...rows, ...binary]) {
  test(`envelope: ${name}`, () => {
    const { message } = testMessage(wish);
    const plan = planEnvelope({ message, recipients: message.envelope.recipients.map((_, i) => i) }, offered, 'hub');
    const said =
      plan.kind === 'refused' ? [plan.reply] : [plan.mail, ...plan.rcpts, ...plan.refused.map(({ reply }) => reply)];
    assert.deepEqual(said, says);
  });
}

test('positions choose recipients, and stay those of the item', () => {
  const { message } = testMessage({
    recipients: ['a@example.com', 'b@example.com', 'c@example.com'],
  });
  const plan = planEnvelope({ message, recipients: [2, 0] }, noCapabilities, 'hub', [1]);
  assert.deepEqual(plan.kind === 'send' && [plan.rcpts, plan.recipients], [['RCPT TO:<a@example.com>'], [1]]);
});

test('a position that the item does not have is a bug', () => {
  const { message } = testMessage({ recipients: ['a@example.com', 'b@example.com'] });
  assert.throws(() => planEnvelope({ message, recipients: [0] }, noCapabilities, 'hub', [1]), {
    message: 'the item has no recipient 1',
  });
});

test('an address that would end the command early is a bug, not a command', () => {
  const { message } = testMessage({
    recipients: [
      {
        address: 'a@example.com>\r\nRCPT TO:<b@evil.test',
        domain: 'example.com',
      },
    ],
  });
  assert.throws(() => planEnvelope({ message, recipients: [0] }, noCapabilities, 'hub'), RangeError);
});

const offers: readonly (readonly [name: string, reply: string, Partial<Capabilities>])[] = [
  [
    'a full one',
    '250-hub\n250-PIPELINING\n250-8BITMIME\n250-DSN\n250-SMTPUTF8\n250 SIZE 5',
    { ...everything, maxSize: 5, oorg: false },
  ],
  ['only a greeting', '250 hub', noCapabilities],
  ['lower case', '250-hub\n250 pipelining', { ...noCapabilities, pipelining: true }],
  ['SIZE without a number', '250-hub\n250 SIZE', { ...noCapabilities, size: true }],
  ['SIZE 0: no fixed limit', '250-hub\n250 SIZE 0', { ...noCapabilities, size: true }],
  ['SIZE with rubbish', '250-hub\n250 SIZE many', { ...noCapabilities, size: true }],
  ['keywords in the greeting', '250-DSN SIZE PIPELINING\n250 HELP', noCapabilities],
  ['a keyword that only begins alike', '250-hub\n250-DSNX\n250 X-PIPELINING', noCapabilities],
  ['XOORG', '250-hub\n250 XOORG', { ...noCapabilities, oorg: true }],
  [
    'LIMITS',
    '250-hub\n250 LIMITS MAILMAX=3 x rcptmax=2 RCPTDOMAINMAX=1',
    { ...noCapabilities, mailMax: 3, rcptMax: 2, rcptDomainMax: 1 },
  ],
  ['LIMITS with rubbish', '250-hub\n250 LIMITS MAILMAX=0 RCPTMAX=many RCPTDOMAINMAX=1234567', noCapabilities],
  ['AUTH in both spellings', '250-hub\n250-AUTH LOGIN plain\n250 AUTH=LOGIN', { ...noCapabilities, auth: ['LOGIN'] }],
];

for (const [name, reply, capabilities] of offers) {
  test(`EHLO: ${name}`, () => assert.deepEqual(parseCapabilities(reply), capabilities));
}
