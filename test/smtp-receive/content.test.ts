import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReceiveConnector } from '../../src/config/index.ts';
import { SpoolError } from '../../src/queue/index.ts';
import { internetSnapshot, Receiving } from './receiving.ts';

/** The content as it was sent, without our Received field. */
function behindReceived(content: Buffer | undefined): string {
  const text = content?.toString('latin1') ?? '';
  const field = /^Received: [^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*/.exec(text);
  assert.ok(field, `no Received field: ${text.slice(0, 200)}`);
  return text.slice(field[0].length);
}

const head = 'Message-ID: <1@example.org>\r\nSubject: test\r\n\r\n';
const kept: readonly [title: string, sent: string, stored: string][] = [
  ['plain', `${head}text\r\n`, `${head}text\r\n`],
  ['dots', `${head}..\r\n...x\r\n..\r\n`, `${head}.\r\n..x\r\n.\r\n`],
  ['no body', 'Subject: test\r\n', 'Subject: test\r\n'],
  ['empty', '', ''],
  ['only the empty line', '\r\n', '\r\n'],
  ['8-bit and NUL', `${head}\xff\x00\x80\r\n`, `${head}\xff\x00\x80\r\n`],
  ['a line of 100,000', `${head}${'x'.repeat(100_000)}\r\n`, `${head}${'x'.repeat(100_000)}\r\n`],
  ['many lines', `${head}${'line\r\n'.repeat(20_000)}`, `${head}${'line\r\n'.repeat(20_000)}`],
  ['nothing but dots', `${head}${'..x\r\n'.repeat(20_000)}`, `${head}${'.x\r\n'.repeat(20_000)}`],
];
for (const [title, sent, stored] of kept) {
  test(`content is kept octet for octet: ${title}`, async () => {
    await using edge = await Receiving.start();
    const client = await edge.greeted();
    assert.match(await client.message(Buffer.from(sent, 'latin1')), /^250 2\.6\.0 /);
    const [message] = edge.queue.kept;
    assert.equal(behindReceived(message?.content), stored);
    const facts = message?.message.facts;
    assert.equal(facts?.size, message?.content.length);
    assert.equal(facts?.leadingDots, /(^|\r\n)\./.test(stored));
    assert.equal(facts?.eightBit, /[\x80-\xff]/.test(stored));
    const end = stored.startsWith('\r\n') ? 2 : stored.indexOf('\r\n\r\n') + 4;
    const received = (message?.content.length ?? 0) - stored.length;
    assert.equal(facts?.headerSize, received + (end < 4 && !stored.startsWith('\r\n') ? stored.length : end));
  });
}

for (const first of [' folded: no\r\n', '\tSubject: x\r\n', ' ', '\t\r\n\r\nbody\r\n']) {
  test(`content that begins with ${JSON.stringify(first)} does not join our Received field`, async () => {
    await using edge = await Receiving.start();
    const client = await edge.greeted();
    const sent = `${first}Subject: not ours\r\nx-\xe4: 1\r\n\r\nbody\r\n`;
    assert.match(await client.message(Buffer.from(sent, 'latin1')), /^250 2\.6\.0 /);
    const [message] = edge.queue.kept;
    assert.equal(behindReceived(message?.content), `\r\n${sent}`);
    const facts = message?.message.facts;
    assert.equal(message?.content.toString('latin1', facts?.headerSize), sent);
    assert.deepEqual([facts?.size, facts?.subject, facts?.utf8Header], [message?.content.length, '', false]);
  });
}

test('the envelope has what MAIL and RCPT said, and expires as the server says', async () => {
  await using edge = await Receiving.start();
  const client = await edge.greeted();
  await client.ask('MAIL FROM:<a@example.org> RET=HDRS ENVID=QQ+2B1 BODY=8BITMIME');
  await client.ask('RCPT TO:<One@example.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;old@example.test');
  await client.ask('RCPT TO:<"a b"@example.test> NOTIFY=NEVER');
  await client.ask('DATA');
  await client.ask('Subject: x\r\n\r\n.');
  const [kept1] = edge.queue.kept;
  assert.deepEqual(kept1?.message.envelope, {
    from: 'a@example.org',
    recipients: [
      {
        address: 'One@example.test',
        domain: 'example.test',
        notify: ['SUCCESS', 'DELAY'],
        orcpt: 'rfc822;old@example.test',
      },
      { address: '"a b"@example.test', domain: 'example.test', notify: ['NEVER'] },
    ],
    body: '8BITMIME',
    smtpUtf8: false,
    ret: 'HDRS',
    envid: 'QQ+1',
  });
  const { messageExpirationTimeout } = edge.snapshots.current.server;
  const queued = edge.of('message-queued')[0];
  assert.ok(Math.abs((kept1?.expiresAt ?? 0) - (queued?.at ?? 0) - messageExpirationTimeout * 1000) < 60_000);
  assert.equal(kept1?.message.origin.helo, 'client.example.org');
  assert.equal(kept1?.message.origin.session, queued?.session);
});

const received = (by: string): string => `Received: from x by ${by} with SMTP; Mon, 1 Jan 2026 00:00:00 +0000\r\n`;
const refused: readonly [title: string, connector: Partial<ReceiveConnector>, content: string, expected: RegExp][] = [
  ['too large', { maxMessageSize: 65_536 }, `${head}${'x'.repeat(78)}\r\n`.repeat(900), /^552 5\.3\.4 Message size/],
  ['header too large', { maxHeaderSize: 1000 }, `X: ${'x'.repeat(1000)}\r\n\r\n`, /^552 5\.3\.4 Message header size/],
  ['header without end', { maxHeaderSize: 1000 }, `X: y\r\n`.repeat(500), /^552 5\.3\.4 Message header size/],
  ['hops', { maxHopCount: 3 }, `${received('other.example').repeat(4)}\r\n`, /^554 5\.4\.6 Hop count exceeded/],
  ['local hops', { maxLocalHopCount: 2 }, `${received('mail.example.net').repeat(3)}\r\n`, /^554 5\.4\.6 /],
  ['bare LF in the header', {}, 'Subject: a\nTo: b\r\n\r\n', /^550 5\.6\.11 .*bare linefeeds/],
  ['bare CR', {}, `${head}a\rb\r\n`, /^550 5\.6\.11 .*bare carriage returns/],
  ['bare CR before the end', {}, `${head}a\r\r\n`, /^550 5\.6\.11 /],
];
for (const [title, connector, content, expected] of refused) {
  test(`content is refused, and the session goes on: ${title}`, async () => {
    await using edge = await Receiving.start({ snapshot: internetSnapshot(connector) });
    const client = await edge.greeted();
    const reply = await client.message(content);
    assert.match(reply, expected);
    assert.deepEqual([edge.queue.kept.length, edge.queue.aborted], [0, 1]);
    assert.equal(edge.of('command-refused')[0]?.reply, reply);
    assert.equal(edge.of('command-refused')[0]?.message, 1);
    assert.match(await client.message(head), /^250 2\.6\.0 <1@example\.org> \[InternalId=2,/);
  });
}

for (const [title, connector, content] of [
  ['hops at the limit', { maxHopCount: 3 }, `${received('other.example').repeat(3)}\r\n`],
  ['no limit of local hops', { maxLocalHopCount: 0 }, `${received('mail.example.net').repeat(9)}\r\n`],
  ['bare LF where the connector takes it', { bareLinefeedRejectionEnabled: false }, `${head}a\nb\rc\r\n`],
  ['a message of exactly the limit', { maxMessageSize: 65_536 }, `${head}${'x'.repeat(65_534 - head.length)}\r\n`],
] as const) {
  test(`content is taken: ${title}`, async () => {
    await using edge = await Receiving.start({ snapshot: internetSnapshot(connector) });
    assert.match(await (await edge.greeted()).message(content), /^250 2\.6\.0 /);
    assert.equal(edge.queue.kept[0]?.message.facts.bareLines, /[^\r]\n|\r[^\n]/.test(content));
  });
}

const spoolFull = (): SpoolError => new SpoolError('the spool is full', { cause: new Error('ENOSPC') });
test('a spool that fails gives 452 at DATA, in the content and at the end, and the session goes on', async () => {
  await using edge = await Receiving.start();
  const client = await edge.greeted();
  const { queue } = edge;
  const begin = queue.begin.bind(queue);
  queue.begin = () => {
    throw spoolFull();
  };
  assert.equal(await client.message(head), '452 4.3.1 Insufficient system resources');
  await client.ask('RSET');
  queue.begin = begin;
  queue.onWrite = () => Promise.reject(spoolFull());
  assert.equal(await client.message(head), '452 4.3.1 Insufficient system resources');
  queue.onWrite = () => {
    throw spoolFull();
  };
  assert.equal(await client.message(head), '452 4.3.1 Insufficient system resources');
  queue.onWrite = undefined;
  queue.onCommit = () => Promise.reject(spoolFull());
  assert.equal(await client.message(head), '452 4.3.1 Insufficient system resources');
  queue.onCommit = undefined;
  assert.match(await client.message(head), /^250 2\.6\.0 /);
  assert.equal(queue.kept.length, 1);
  for (const { reason } of edge.of('command-refused')) assert.equal(reason, 'the spool is full: ENOSPC');
});

test('a bug ends its session with 421, and no other', async () => {
  await using edge = await Receiving.start({ faultsExpected: true });
  const other = await edge.greeted();
  const client = await edge.greeted();
  edge.queue.onCommit = () => Promise.reject(new TypeError('boom'));
  assert.equal(await client.message(head), '421 4.3.0 Temporary server error. Please try again later');
  await client.end();
  assert.equal(edge.faults.length, 1);
  edge.queue.onCommit = undefined;
  assert.match(await other.message(head), /^250 2\.6\.0 /);
});

test('a writer that asks to wait is waited for, and the client with it', async () => {
  await using edge = await Receiving.start();
  const client = await edge.greeted();
  let waiting = 0;
  let most = 0;
  edge.queue.onWrite = async () => {
    most = Math.max(most, ++waiting);
    await new Promise(setImmediate);
    waiting--;
  };
  const body = `${head}${`${'x'.repeat(998)}\r\n`.repeat(5000)}`;
  assert.match(await client.message(body), /^250 2\.6\.0 /);
  assert.equal(most, 1);
  assert.equal(behindReceived(edge.queue.kept[0]?.content), body);
});
