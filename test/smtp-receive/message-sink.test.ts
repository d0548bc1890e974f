/** The contract of a message sink, by one that keeps nothing: what a proxy to another server needs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Reply, replies, SmtpError } from '../../src/smtp/index.ts';
import type { MessageSink, SinkContent } from '../../src/smtp-receive/index.ts';
import { Receiving } from './receiving.ts';

const hubReply: Reply = { code: 250, detail: '6.0', lines: ['Queued at the hub'] };
const later = <T>(value: T): Promise<T> => new Promise((resolve) => setImmediate(() => resolve(value)));

/** A sink that passes on, and notes what was asked of it. */
function passingSink(commit: () => Promise<Reply>): { sink: MessageSink; story: string[] } {
  const story: string[] = [];
  const content: SinkContent = {
    id: 0,
    guid: '00000000-0000-4000-8000-000000000001',
    write: (chunk) => later(void story.push(`${chunk.length > 0 ? 'content' : 'nothing'}`)),
    replaceHead: () => assert.fail('no agent changes a header'),
    commit: ({ envelope }) => (story.push(`commit ${envelope.recipients.length}`), commit()),
    discard: () => hubReply,
    abort: async () => void story.push('content abort'),
  };
  const sink: MessageSink = {
    accepting: { ok: true },
    begin: ({ from }) => {
      story.push(`MAIL ${from}`);
      return {
        recipient: ({ address }) => {
          story.push(`RCPT ${address}`);
          return later(
            address.startsWith('no') ? { reply: replies.userUnknown, reason: 'the hub does not know it' } : undefined,
          );
        },
        content: () => content,
        abort: () => void story.push('abort'),
      };
    },
  };
  return { sink, story };
}

test('recipients get the verdict of the sink, the message its reply', async () => {
  const { sink, story } = passingSink(() => later(hubReply));
  await using edge = await Receiving.start({ sink });
  const client = await edge.greeted();
  await client.ask('MAIL FROM:<a@example.org>');
  assert.match(await client.ask('RCPT TO:<no@example.test>'), /^550 5\.1\.1 /);
  assert.match(await client.ask('RCPT TO:<yes@example.test>'), /^250 /);
  await client.ask('DATA');
  assert.equal(await client.ask('Subject: x\r\n\r\nbody\r\n.'), '250 2.6.0 Queued at the hub');
  assert.deepEqual(story.slice(0, 3), ['MAIL a@example.org', 'RCPT no@example.test', 'RCPT yes@example.test']);
  assert.equal(story.at(-1), 'commit 1');
  assert.equal(edge.of('message-queued').length, 0);
});

const refusals: readonly (readonly [title: string, commit: () => Promise<Reply>, reply: string])[] = [
  ['a reply that refuses', () => later({ code: 451, detail: '4.1', lines: ['Later'] }), '451 4.4.1 Later'],
  ['an SmtpError', () => Promise.reject(new SmtpError(replies.messageTooLarge, 'a test')), '552 5.3.4'],
];
for (const [title, commit, reply] of refusals) {
  test(`${title} at the end of the data is the answer to the client`, async () => {
    const { sink } = passingSink(commit);
    await using edge = await Receiving.start({ sink });
    const client = await edge.greeted();
    assert.ok((await client.message('Subject: x\r\n\r\n')).startsWith(reply));
    assert.match(await client.ask('NOOP'), /^250 /);
  });
}

for (const end of ['RSET', 'EHLO again.example', 'QUIT']) {
  test(`a transaction that ends with ${end} is given up`, async () => {
    const { sink, story } = passingSink(() => later(hubReply));
    await using edge = await Receiving.start({ sink });
    const client = await edge.greeted();
    await client.ask('MAIL FROM:<>');
    await client.ask(end);
    assert.deepEqual(story, ['MAIL ', 'abort']);
  });
}
