import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Writable } from 'node:stream';
import { after, test } from 'node:test';
import { DotUnstuffer } from '../../src/smtp/index.ts';
import type { EdgeSmtpConnection } from '../../src/smtp-send/connection/edge-smtp-connection.ts';
import { sendContent } from '../../src/smtp-send/content/content-sender.ts';
import fc from '../lib/properties.ts';
import { selfSigned } from '../lib/self-signed.ts';
import { FakeWork } from './fake-work.ts';
import { ScriptedPeer } from './scripted-peer.ts';
import { quick, senderBench } from './sender-bench.ts';

const folder = mkdtempSync(`${tmpdir()}/edge-content-`);
after(() => rmSync(folder, { recursive: true }));

const header = 'Subject: x\r\n\r\n';
const rows: readonly (readonly [name: string, content: string, wire: string])[] = [
  ['plain', `${header}a\r\nb\r\n`, `${header}a\r\nb\r\n`],
  ['dots at line starts', `${header}.\r\n..\r\n.a\r\n`, `${header}..\r\n...\r\n..a\r\n`],
  ['a dot as the very first octet', '.x: y\r\n\r\n', '..x: y\r\n\r\n'],
  ['no line end at the end', `${header}abc`, `${header}abc\r\n`],
  ['a dot as the last octet', `${header}abc\r\n.`, `${header}abc\r\n..\r\n`],
  ['empty', '', ''],
  ['bare LF and CR become CRLF', `${header}a\nb\rc\r\n`, `${header}a\r\nb\r\nc\r\n`],
  [
    'an end of data hidden behind a bare LF stays content',
    `${header}a\n.\nMAIL FROM:<x@y>\r\n`,
    `${header}a\r\n..\r\nMAIL FROM:<x@y>\r\n`,
  ],
];

for (const [name, content, wire] of rows) {
  for (const chunk of [undefined, 1, 7]) {
    test(`content: ${name}, ${chunk === undefined ? 'whole' : `in chunks of ${chunk}`}`, async () => {
      await using peer = await ScriptedPeer.start({ extensions: ['PIPELINING'] });
      const { sender } = senderBench({ smartHosts: [peer.smartHost] });
      const work = new FakeWork([{ content: Buffer.from(content) }, {}], chunk === undefined ? {} : { chunk });
      await sender.deliver(work);
      assert.equal(peer.messages[0]?.toString(), wire);
      assert.equal(peer.messages.length, 2, 'the next message follows on the same connection');
    });
  }
}

test('content of any octets arrives as it was, but for line ends', async () => {
  await using peer = await ScriptedPeer.start({ extensions: ['PIPELINING', '8BITMIME'] });
  const { sender } = senderBench({ smartHosts: [peer.smartHost], smtpMaxMessagesPerConnection: 0 });
  const piece = fc.constantFrom('\r', '\n', '.', '\r\n', '\r\n.', 'a', '\xff', 'hello');
  const contents = fc
    .sample(fc.array(piece, { maxLength: 30 }), 150)
    .map((pieces) => Buffer.from(pieces.join(''), 'latin1'));
  const work = new FakeWork(
    contents.map((content) => ({ content })),
    { chunk: 3 },
  );
  await sender.deliver(work);
  assert.equal(peer.messages.length, contents.length);
  contents.forEach((content, i) => {
    const { content: got } = new DotUnstuffer().push(
      Buffer.concat([peer.messages[i] ?? Buffer.alloc(0), Buffer.from('.\r\n')]),
    );
    const expected = content.toString('latin1').replaceAll(/\r\n|\r|\n/g, '\r\n');
    const ended = expected === '' || expected.endsWith('\r\n') ? expected : `${expected}\r\n`;
    assert.equal(got.toString('latin1'), ended);
  });
});

const blockBytes = 262_144;

/** A socket that looks at what it was given only when the system takes it, some turns later, and then a part at a time. */
class SlowSocket extends Writable {
  readonly taken: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, next: (error?: Error) => void): void {
    void this.#take(chunk).then(() => next());
  }

  async #take(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length; at += 100_000) {
      for (let turns = 0; turns < 3; turns += 1) await new Promise(setImmediate);
      this.taken.push(Buffer.from(chunk.subarray(at, at + 100_000)));
    }
  }
}

/** Four at once, with content of several blocks. `body`: how it is sent. */
async function sendFour(dots: boolean, body: '8BITMIME' | 'BINARYMIME'): Promise<void> {
  const send = async (): Promise<void> => {
    const text = randomBytes(750_000).toString('hex').replaceAll('000', '\r\n.');
    const whole = Buffer.from(`${header}${text}\r\n`);
    const facts = { leadingDots: dots };
    const [record] = new FakeWork([{ content: whole, facts, envelope: { body } }], { chunk: blockBytes }).records;
    assert.ok(record);
    const socket = new SlowSocket();
    const drained = async (): Promise<void> => {
      if (socket.writableNeedDrain) await once(socket, 'drain');
    };
    const connection = { socket, drained, expect: () => undefined, timeouts: {}, loss: undefined };
    await sendContent(connection as unknown as EdgeSmtpConnection, record.item, () => undefined);
    await new Promise<void>((resolve) => socket.end(resolve));
    const wire = Buffer.concat(socket.taken);
    const command = body === 'BINARYMIME' ? `BDAT ${whole.length} LAST\r\n` : '';
    assert.equal(wire.toString('latin1', 0, command.length), command);
    const got = wire.subarray(command.length);
    assert.ok(body === 'BINARYMIME' ? got.equals(whole) : unstuffed(got, dots).equals(whole), `${got.length} octets`);
  };
  await Promise.all([send(), send(), send(), send()]);
}

function unstuffed(wire: Buffer, dots: boolean): Buffer {
  if (dots) return new DotUnstuffer().push(wire).content;
  assert.equal(wire.toString('latin1', wire.length - 3), '.\r\n');
  return wire.subarray(0, -3);
}

test('blocks of large content are not filled again before they were sent', () => sendFour(false, '8BITMIME'));
test('nor those in which dots are doubled', () => sendFour(true, '8BITMIME'));
test('nor those that go as BDAT', () => sendFour(false, 'BINARYMIME'));

test('large content through TLS to four peers at once arrives as it was', async () => {
  const tls = selfSigned(folder, 'a.test');
  const long = Object.fromEntries(Object.keys(quick).map((phase) => [phase, 60_000]));
  const send = async (): Promise<void> => {
    await using peer = await ScriptedPeer.start({ tls, extensions: ['STARTTLS', 'PIPELINING', 'DSN'] });
    const { sender } = senderBench({ smartHosts: [peer.smartHost] }, { timeouts: long });
    const contents = [1_500_000, 400_001, blockBytes * 2].map((length) =>
      Buffer.from(`${header}${randomBytes(length / 2).toString('hex')}\r\n`),
    );
    const work = new FakeWork(
      contents.map((content) => ({ content })),
      { chunk: blockBytes },
    );
    await sender.deliver(work);
    for (const line of work.story.flat()) assert.match(line, /^delivered 250 /);
    assert.deepEqual(
      contents.map((content, i) => peer.messages[i]?.equals(content)),
      [true, true, true],
    );
  };
  await Promise.all([send(), send(), send(), send()]);
});
