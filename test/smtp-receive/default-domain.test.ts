/** DefaultDomain: addresses that come without a domain. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anonymousAcl, internetSnapshot, Receiving } from './receiving.ts';

test('is appended to sender and recipients that have none, in all spellings, and to nothing else', async () => {
  await using edge = await Receiving.start({ snapshot: internetSnapshot({ defaultDomain: 'example.test' }) });
  const client = await edge.greeted();
  assert.equal(await client.ask('MAIL FROM:<scanner>'), '250 2.1.0 Sender OK');
  for (const recipient of ['<bob>', 'carol', '<"d e">', '<Postmaster>', '<user@example.test>', '<BOB>'])
    assert.equal(await client.ask(`RCPT TO:${recipient}`), '250 2.1.5 Recipient OK');
  for (const wrong of ['<bob@>', '<@>', '<b b>', '<.>'])
    assert.equal(await client.ask(`RCPT TO:${wrong}`), '501 5.1.3 Invalid address');
  assert.match(await client.ask('RCPT TO:<bob@elsewhere>'), /^550 5\.7\.54/);
  assert.match(await client.ask('DATA'), /^354/);
  assert.match(await client.ask('Subject: x\r\n\r\nx\r\n.'), /^250 2\.6\.0/);
  const { from, recipients } = edge.queue.kept[0]?.message.envelope ?? assert.fail();
  assert.equal(from, 'scanner@example.test');
  assert.deepEqual(
    recipients.map(({ address }) => address),
    ['bob', 'carol', '"d e"', 'Postmaster', 'user', 'BOB'].map((name) => `${name}@example.test`),
  );
  assert.match(await client.ask('MAIL FROM:<>'), /^250/);
});

test('gives no right that the whole address would not have', async () => {
  const acl = anonymousAcl.filter(({ right }) => right !== 'ms-Exch-SMTP-Accept-Authoritative-Domain-Sender');
  await using edge = await Receiving.start({ snapshot: internetSnapshot({ defaultDomain: 'example.test', acl }) });
  const client = await edge.greeted();
  assert.match(await client.ask('MAIL FROM:<scanner>'), /^550 5\.7\.60/);
  await client.ask('MAIL FROM:<a@example.org>');
  assert.match(await client.ask('RCPT TO:<bob>'), /^250/);
});

test('without it only Postmaster has no domain', async () => {
  await using edge = await Receiving.start({ snapshot: internetSnapshot({}) });
  const client = await edge.greeted();
  assert.equal(await client.ask('MAIL FROM:<scanner>'), '501 5.1.7 Invalid address');
  await client.ask('MAIL FROM:<a@example.org>');
  assert.equal(await client.ask('RCPT TO:<bob>'), '501 5.1.3 Invalid address');
  assert.equal(await client.ask('RCPT TO:<postmaster>'), '250 2.1.5 Recipient OK');
});
