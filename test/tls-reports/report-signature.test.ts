/** Who signed a report that came by mail: keys of the domain that reports, for mail or for reports alone. */
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { dkimSign } from 'mailauth/lib/dkim/sign.js';
import { type DnsAsker, DnsFailure } from '../../src/dns/index.ts';
import { judgeSignature } from '../../src/tls-reports/report-signature.ts';

const pair = (bits: number) => generateKeyPairSync('rsa', { modulusLength: bits });
const [good, other, weak] = [pair(2048), pair(2048), pair(512)];
const pem = (one: ReturnType<typeof pair>): string =>
  one.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const p = (one: ReturnType<typeof pair>): string =>
  createPublicKey(one.privateKey).export({ type: 'spki', format: 'der' }).toString('base64');

const message = (from = 'From: TLS <tls@mail.peer.test>'): string =>
  [
    from,
    'To: reports@example.test',
    'Subject: Report Domain: example.test',
    'Date: Thu, 26 Nov 2026 08:00:00 +0000',
  ].join('\r\n') + '\r\n\r\nA report.\r\n';

async function signed(
  text: string,
  domain: string,
  key = good,
  more: { maxBodyLength?: number } = {},
): Promise<string> {
  const one = { signingDomain: domain, selector: 's1', privateKey: pem(key), ...more };
  const { signatures } = await dkimSign(Buffer.from(text), { ...one, signatureData: [one] });
  assert.match(signatures, /^DKIM-Signature:/);
  return signatures + text;
}

const asked: string[] = [];
/** A zone with this record for every key; a code: what the question fails with. */
function dnsWith(record: string): DnsAsker {
  return {
    ask: (name, type) => {
      asked.push(`${type} ${name}`);
      if (/^[A-Z]+$/.test(record)) return Promise.reject(new DnsFailure(record, name));
      const records = record === '' ? [] : [{ name, type, data: [Buffer.from(record)] }];
      const answer = { code: 'NOERROR', secure: false, records, aliases: [], ttl: 60 };
      return Promise.resolve(answer as unknown as Awaited<ReturnType<DnsAsker['ask']>>);
    },
  };
}
const record = (tags = '', key = good): string => `v=DKIM1; k=rsa; ${tags}p=${p(key)}`;
const fold = (many: number, text: string): string => `${'DKIM-Signature: v=1; a=rsa-sha256\r\n'.repeat(many)}${text}`;

const rows: readonly (readonly [
  name: string,
  mail: () => string | Promise<string>,
  record: string,
  verdict: string,
  says: RegExp,
])[] = [
  ['its own domain', () => signed(message(), 'mail.peer.test'), record(), 'valid', /^mail\.peer\.test$/],
  ['the domain above', () => signed(message(), 'peer.test'), record(), 'valid', /^peer\.test$/],
  ['a key for mail and reports', () => signed(message(), 'peer.test'), record('s=email:tlsrpt; '), 'valid', /./],
  ['a key for reports alone', () => signed(message(), 'peer.test'), record('s=tlsrpt; '), 'valid', /./],
  ['a key for something else', () => signed(message(), 'peer.test'), record('s=other; '), 'invalid', /no key|key/i],
  ['nobody', () => message(), record(), 'missing', /not signed/],
  ['a stranger', () => signed(message(), 'evil.test'), record(), 'invalid', /evil\.test signed for mail\.peer\.test/],
  ['a look-alike below', () => signed(message(), 'x.mail.peer.test'), record(), 'invalid', /signed for/],
  ['half a name', () => signed(message(), 'eer.test'), record(), 'invalid', /signed for/],
  ['another key', () => signed(message(), 'peer.test'), record('', other), 'invalid', /bad signature/],
  ['a weak key', () => signed(message(), 'peer.test', weak), record('', weak), 'invalid', /./],
  [
    'a body that was changed',
    async () => `${await signed(message(), 'peer.test')}More.\r\n`,
    record(),
    'invalid',
    /body hash/,
  ],
  [
    'a part of the body',
    async () => `${await signed(message(), 'peer.test', good, { maxBodyLength: 5 })}More.\r\n`,
    record(),
    'invalid',
    /part of the body/,
  ],
  [
    'a header that was changed',
    async () => (await signed(message(), 'peer.test')).replace('example.test\r\nDate', 'example.test!\r\nDate'),
    record(),
    'invalid',
    /bad signature/,
  ],
  ['no record', () => signed(message(), 'peer.test'), '', 'invalid', /key/],
  ['a record without a key', () => signed(message(), 'peer.test'), 'v=DKIM1; p=', 'invalid', /key/],
  ['a DNS that fails', () => signed(message(), 'peer.test'), 'SERVFAIL', 'unknown', /cannot be read now/],
  ['what is no signature', () => fold(1, message()), record(), 'invalid', /./],
  ['more than are looked at', () => fold(6, message()), record(), 'invalid', /of 6 signatures none/],
  [
    'two authors',
    () => signed(message('From: a@peer.test\r\nFrom: b@evil.test'), 'evil.test'),
    record(),
    'invalid',
    /author/,
  ],
  [
    'two authors in one field',
    () => signed(message('From: a@peer.test, b@evil.test'), 'evil.test'),
    record(),
    'invalid',
    /author/,
  ],
  ['no author', () => fold(1, message('X: y')), record(), 'invalid', /author/],
];
for (const [name, mail, zone, verdict, says] of rows) {
  test(`signed by ${name}: ${verdict}`, async () => {
    const found = await judgeSignature(Buffer.from(await mail()), dnsWith(zone));
    assert.equal(found.verdict, verdict, found.reason);
    assert.match(verdict === 'valid' ? found.domain : found.reason, says);
    assert.equal(found.reason === '', verdict === 'valid');
  });
}

test('the best of several signatures counts, and strangers are not asked without bound', async () => {
  const twice = await signed(await signed(message(), 'peer.test'), 'list.test', other);
  const found = await judgeSignature(Buffer.from(twice), dnsWith(record()));
  assert.deepEqual([found.verdict, found.domain], ['valid', 'peer.test']);
  assert.deepEqual(asked.slice(-2).sort(), ['TXT s1._domainkey.list.test', 'TXT s1._domainkey.peer.test']);
  const before = asked.length;
  await judgeSignature(Buffer.from(fold(1_000, message())), dnsWith(record()));
  assert.equal(asked.length, before);
});
