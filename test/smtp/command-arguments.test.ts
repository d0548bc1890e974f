import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type OfferedParameters, parseMailArgument, parseRcptArgument, SmtpError } from '../../src/smtp/index.ts';

const all: OfferedParameters = {
  size: true,
  eightBitMime: true,
  binaryMime: true,
  smtpUtf8: true,
  dsn: true,
  auth: true,
};

const none: OfferedParameters = {};

const mails: readonly [string, Record<string, unknown>][] = [
  ['FROM:<a@example.com>', {}],
  ['from:<a@example.com>', {}],
  ['FROM: <a@example.com>', {}],
  ['FROM:a@example.com', {}],
  ['FROM: a@example.com  SIZE=10', { size: 10 }],
  ['FROM:<a@example.com> ', {}],
  ['FROM:<a@example.com>  SIZE=10', { size: 10 }],
  ['FROM:<a@example.com> size=10 body=8bitmime', { size: 10, body: '8BITMIME' }],
  ['FROM:<a@example.com> BODY=7BIT', { body: '7BIT' }],
  ['FROM:<a@example.com> BODY=BINARYMIME', { body: 'BINARYMIME' }],
  ['FROM:<a@example.com> SMTPUTF8', { smtpUtf8: true }],
  ['FROM:<a@example.com> RET=HDRS ENVID=QQ314159', { ret: 'HDRS', envid: 'QQ314159' }],
  ['FROM:<a@example.com> RET=full ENVID=ab+2Bc+3Dd', { ret: 'FULL', envid: 'ab+c=d' }],
  ['FROM:<a@example.com> AUTH=<>', { auth: '' }],
  ['FROM:<a@example.com> AUTH=e+3Dmc2@example.com', { auth: 'e=mc2@example.com' }],
  ['FROM:<a@example.com> SIZE=99999999999999999999', { size: 1e20 }],
];
for (const [text, expected] of mails) {
  test(`MAIL ${text}`, () => {
    const { from, ...rest } = parseMailArgument(text, all);
    assert.equal(from?.address, 'a@example.com');
    assert.deepEqual(rest, { body: '7BIT', smtpUtf8: false, ...expected });
  });
}

test('BODY stands for either of its two extensions', () => {
  for (const offered of [{ eightBitMime: true }, { binaryMime: true }])
    assert.equal(parseMailArgument('FROM:<a@example.com> BODY=7BIT', { ...none, ...offered }).body, '7BIT');
  assert.throws(() => parseMailArgument('FROM:<a@example.com> BODY=7BIT', none), SmtpError);
});

test('the null sender, and an address in another script', () => {
  assert.equal(parseMailArgument('FROM:<>', all).from, null);
  assert.equal(parseMailArgument('FROM:<ü@münchen.de> SMTPUTF8', all).from?.address, 'ü@xn--mnchen-3ya.de');
});

const rcpts: readonly [string, Record<string, unknown>][] = [
  ['TO:<a@example.com>', {}],
  ['to: <a@example.com>', {}],
  ['TO:a@example.com NOTIFY=success', { notify: ['SUCCESS'] }],
  ['TO:<@r.example:a@example.com>', {}],
  ['TO:<a@example.com> NOTIFY=NEVER', { notify: ['NEVER'] }],
  ['TO:<a@example.com> NOTIFY=success,Delay', { notify: ['SUCCESS', 'DELAY'] }],
  ['TO:<a@example.com> ORCPT=rfc822;b+2Bc@example.com', { orcpt: 'rfc822;b+c@example.com' }],
  ['TO:<a@example.com> ORCPT=utf-8;m\\x{FC}ller@example.com', { orcpt: 'utf-8;müller@example.com' }],
  ['TO:<a@example.com> ORCPT=X400;/c+3DUS NOTIFY=FAILURE', { orcpt: 'X400;/c=US', notify: ['FAILURE'] }],
];
for (const [text, expected] of rcpts) {
  test(`RCPT ${text}`, () => {
    const { to, ...rest } = parseRcptArgument(text, all, false);
    assert.equal(to.address, 'a@example.com');
    assert.deepEqual(rest, expected);
  });
}

test('an address without angle brackets may be quoted, or Postmaster', () => {
  assert.equal(parseRcptArgument('TO:"a b>"@example.com', all, false).to.address, '"a b>"@example.com');
  assert.equal(parseRcptArgument('TO:postmaster', all, false).to.domain, '');
});

test('RCPT of Postmaster alone, and of UTF-8 when MAIL said so', () => {
  assert.deepEqual(parseRcptArgument('TO:<Postmaster>', all, false).to.domain, '');
  assert.equal(parseRcptArgument('TO:<ü@example.com>', all, true).to.utf8, true);
  assert.equal(parseRcptArgument('TO:<a@b.example> ORCPT=utf-8;ü@example.com', all, true).orcpt, 'utf-8;ü@example.com');
});

const refusedMails: readonly [text: string, reply: string, offered?: OfferedParameters][] = [
  ['', '501 5.5.4'],
  ['<a@example.com>', '501 5.5.4'],
  ['FROM <a@example.com>', '501 5.5.4'],
  ['TO:<a@example.com>', '501 5.5.4'],
  ['FROM:', '501 5.1.7'],
  ['FROM:a@example.com,b@example.com', '501 5.1.7'],
  ['FROM:a@example.com>', '501 5.1.7'],
  ['FROM:a@example.com<b@example.com>', '501 5.1.7'],
  ['FROM:@r.example:a@example.com', '501 5.1.7'],
  ['FROM:a', '501 5.1.7'],
  ['FROM:Postmaster', '501 5.1.7'],
  ['FROM:a@example.com b@example.com', '501 5.5.4'],
  ['FROM:a@example.com\tSIZE=1', '501 5.1.7'],
  ['FROM:<a>', '501 5.1.7'],
  ['FROM:<Postmaster>', '501 5.1.7'],
  ['FROM:<x@foreign.invalid x@example.test>', '501 5.1.7'],
  ['FROM:<a@example.com>SIZE=1', '501 5.1.7'],
  ['FROM:<a@example.com>,<b@example.com>', '501 5.1.7'],
  ['FROM:<a@example.com> <b@example.com>', '501 5.5.4'],
  ['FROM:<a@example.com> SIZE', '501 5.5.4'],
  ['FROM:<a@example.com> SIZE=', '501 5.5.4'],
  ['FROM:<a@example.com> SIZE=-1', '501 5.5.4'],
  ['FROM:<a@example.com> SIZE=1e3', '501 5.5.4'],
  ['FROM:<a@example.com> SIZE=999999999999999999999', '501 5.5.4'],
  ['FROM:<a@example.com> SIZE=1 SIZE=1', '501 5.5.4'],
  ['FROM:<a@example.com> SIZE=1 size=2', '501 5.5.4'],
  ['FROM:<a@example.com> BODY=9BIT', '501 5.5.4'],
  ['FROM:<a@example.com> SMTPUTF8=yes', '501 5.5.4'],
  ['FROM:<a@example.com> RET=BODY', '501 5.5.4'],
  ['FROM:<a@example.com> ENVID=a+0D+0AX', '501 5.5.4'],
  ['FROM:<a@example.com> ENVID=a+zz', '501 5.5.4'],
  ['FROM:<a@example.com> ENVID=a+FF', '501 5.5.4'],
  [`FROM:<a@example.com> ENVID=${'a'.repeat(101)}`, '501 5.5.4'],
  ['FROM:<a@example.com> AUTH=nobody', '501 5.5.4'],
  ['FROM:<a@example.com> -X=1', '501 5.5.4'],
  ['FROM:<a@example.com> X==1', '501 5.5.4'],
  ['FROM:<a@example.com> SIZE=1\tBODY=7BIT', '501 5.5.4'],
  ['FROM:<a@example.com> XUNKNOWN', '555 5.5.4'],
  ['FROM:<a@example.com> XUNKNOWN=1', '555 5.5.4'],
  ['FROM:<a@example.com> CONSTRUCTOR', '555 5.5.4'],
  ['FROM:<a@example.com> NOTIFY=NEVER', '555 5.5.4'],
  ['FROM:<a@example.com> SIZE=1', '555 5.5.4', none],
  ['FROM:<a@example.com> BODY=7BIT', '555 5.5.4', none],
  ['FROM:<a@example.com> BODY=BINARYMIME', '555 5.5.4', { eightBitMime: true }],
  ['FROM:<a@example.com> RET=HDRS', '555 5.5.4', none],
  ['FROM:<a@example.com> AUTH=<>', '555 5.5.4', none],
  ['FROM:<a@example.com> SMTPUTF8', '555 5.5.4', none],
  ['FROM:<ü@example.com>', '553 5.6.7'],
  ['FROM:<a@münchen.de>', '553 5.6.7'],
];
for (const [text, reply, offered = all] of refusedMails) {
  test(`MAIL ${text.slice(0, 60)} is answered ${reply}`, () => {
    assert.throws(
      () => parseMailArgument(text, offered),
      (error) => error instanceof SmtpError && error.message.startsWith(reply),
    );
  });
}

const refusedRcpts: readonly [text: string, reply: string, offered?: OfferedParameters][] = [
  ['FROM:<a@example.com>', '501 5.5.4'],
  ['TO:<>', '501 5.1.3'],
  ['TO:<a@example.com', '501 5.1.3'],
  ['TO:<x@foreign.invalid x@example.test>', '501 5.1.3'],
  ['TO:<a@example.com> NOTIFY=', '501 5.5.4'],
  ['TO:<a@example.com> NOTIFY=NEVER,SUCCESS', '501 5.5.4'],
  ['TO:<a@example.com> NOTIFY=SUCCESS,SUCCESS', '501 5.5.4'],
  ['TO:<a@example.com> NOTIFY=ALWAYS', '501 5.5.4'],
  ['TO:<a@example.com> NOTIFY=SUCCESS NOTIFY=DELAY', '501 5.5.4'],
  ['TO:<a@example.com> ORCPT=a@example.com', '501 5.5.4'],
  ['TO:<a@example.com> ORCPT=rfc822;', '501 5.5.4'],
  ['TO:<a@example.com> ORCPT=rfc822;a+0A@example.com', '501 5.5.4'],
  ['TO:<a@example.com> ORCPT=utf-8;a\\x{A}b', '501 5.5.4'],
  ['TO:<a@example.com> ORCPT=utf-8;a\\x{110000}b', '501 5.5.4'],
  ['TO:<a@example.com> ORCPT=utf-8;a\\x{D800}b', '501 5.5.4'],
  [`TO:<a@example.com> ORCPT=rfc822;${'a'.repeat(500)}`, '501 5.5.4'],
  ['TO:<a@example.com> SIZE=1', '555 5.5.4'],
  ['TO:<a@example.com> NOTIFY=NEVER', '555 5.5.4', none],
  ['TO:<ü@example.com>', '553 5.6.7'],
];
for (const [text, reply, offered = all] of refusedRcpts) {
  test(`RCPT ${text.slice(0, 60)} is answered ${reply}`, () => {
    assert.throws(
      () => parseRcptArgument(text, offered, false),
      (error) => error instanceof SmtpError && error.message.startsWith(reply) && error.reason !== '',
    );
  });
}
