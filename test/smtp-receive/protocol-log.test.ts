import assert from 'node:assert/strict';
import { test } from 'node:test';
import { internetSnapshot, Receiving } from './receiving.ts';

const verbose = internetSnapshot({
  protocolLoggingLevel: 'Verbose',
  maxProtocolErrors: Infinity,
});

test('Verbose writes the conversation in the form of Exchange, and never the content', async () => {
  await using edge = await Receiving.start({ snapshot: verbose });
  const client = await edge.greeted();
  await client.message('Subject: secret\r\n\r\nsecret\r\n');
  await client.ask('QUIT');
  await client.end();
  const lines = edge.of('protocol-line').map(({ event, data, context }) => `${event},${data},${context}`);
  assert.deepEqual(
    lines.map((line) => line.replace(/at \w{3}, .*,/, 'at DATE,')),
    [
      '+,,',
      '*,SMTPSubmit SMTPAcceptAnySender SMTPAcceptAuthoritativeDomainSender AcceptRoutingHeaders,Set Session Permissions',
      '>,220 mail.example.net Microsoft ESMTP MAIL Service ready at DATE,',
      '<,EHLO client.example.org,',
      '>,250  mail.example.net Hello [127.0.0.1] SIZE 37748736 PIPELINING DSN ENHANCEDSTATUSCODES 8BITMIME BINARYMIME CHUNKING SMTPUTF8,',
      '<,MAIL FROM:<sender@example.org>,',
      '>,250 2.1.0 Sender OK,',
      '<,RCPT TO:<user@example.test>,',
      '>,250 2.1.5 Recipient OK,',
      '<,DATA,',
      '>,354 Start mail input; end with <CRLF>.<CRLF>,',
      '>,250 2.6.0 <00000000-0000-4000-8000-000000000001@edge1.example.net> [InternalId=1, Hostname=edge1.example.net] Queued mail for delivery,',
      '<,QUIT,',
      '>,221 2.0.0 Service closing transmission channel,',
      '-,,Local',
    ],
  );
  const [first] = edge.of('protocol-line');
  assert.deepEqual([first?.direction, first?.connector], ['receive', 'Internet']);
  for (const endpoint of [first?.local, first?.remote]) assert.match(endpoint ?? '', /^127\.0\.0\.1:\d+$/);
  assert.doesNotMatch(JSON.stringify(edge.of('protocol-line')), /secret/);
});

test('credentials are written nowhere, not even those that come as lines of their own', async () => {
  await using edge = await Receiving.start({ snapshot: verbose });
  const client = await edge.connect();
  await client.reply();
  for (const line of [
    'AUTH PLAIN c2VjcmV0',
    'c2VjcmV0',
    'EHLO x',
    'AUTH PLAIN c2VjcmV0',
    'AUTH LOGIN',
    'c2VjcmV0',
    'c2VjcmV0',
  ])
    await client.ask(line);
  await client.ask('NOOP');
  await client.ask('unmasked');
  const told = JSON.stringify(edge.events);
  assert.doesNotMatch(told, /c2VjcmV0/);
  assert.match(told, /AUTH PLAIN \*\*\*\*/);
  assert.match(told, /unmasked/);
});

test('a client that goes is told from one that is sent away', async () => {
  await using edge = await Receiving.start({ snapshot: verbose });
  const gone = await edge.greeted();
  gone.socket.end();
  await gone.end();
  const reset = await edge.greeted();
  reset.socket.resetAndDestroy();
  while (edge.of('session-closed').length < 2) await new Promise(setImmediate);
  const ends = edge.of('protocol-line').filter(({ event }) => event === '-');
  assert.deepEqual(
    ends.map(({ context }) => context),
    ['Remote', 'Remote(ECONNRESET)'],
  );
});

test('None writes no line', async () => {
  await using edge = await Receiving.start();
  await (await edge.greeted()).message('Subject: x\r\n\r\n');
  assert.equal(edge.of('protocol-line').length, 0);
});
