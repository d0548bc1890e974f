import assert from 'node:assert/strict';
import { test } from 'node:test';
import { internetSnapshot, Receiving } from '../smtp-receive/receiving.ts';
import { FakeWork, type MessageWish } from './fake-work.ts';
import { ScriptedPeer } from './scripted-peer.ts';
import { senderBench } from './sender-bench.ts';

const octets = Buffer.from(Array.from({ length: 4096 }, (_, i) => i & 255));
const content = Buffer.concat([
  Buffer.from(
    'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n',
  ),
  octets,
]);
const binary: MessageWish = {
  content,
  envelope: { body: 'BINARYMIME' },
  recipients: ['one@example.test'],
};

for (const chunk of [undefined, 100]) {
  test(`binary content goes by BDAT where BINARYMIME is offered, ${chunk ? 'as a stream' : 'from memory'}`, async () => {
    await using edge = await Receiving.start();
    const { sender } = senderBench({
      smartHosts: [`[127.0.0.1]:${edge.port}`],
    });
    // The same connection goes on with DATA, and with BDAT again.
    const work = new FakeWork(
      [binary, { id: 2, recipients: ['one@example.test'] }, { ...binary, id: 3 }],
      chunk === undefined ? {} : { chunk },
    );
    await sender.deliver(work);
    assert.deepEqual(
      work.story.map((outcomes) => outcomes[0]?.slice(0, 14)),
      Array(3).fill('delivered 250 '),
    );
    for (const kept of [edge.queue.kept[0], edge.queue.kept[2]]) {
      assert.ok(kept);
      assert.ok(kept.content.subarray(-content.length).equals(content));
      assert.equal(kept.message.envelope.body, 'BINARYMIME');
    }
  });
}

test('a recipient that is refused before BDAT is told, and the connection goes on', async () => {
  await using edge = await Receiving.start();
  const { sender } = senderBench({ smartHosts: [`[127.0.0.1]:${edge.port}`] });
  const work = new FakeWork([
    { ...binary, recipients: ['a@elsewhere.example'] },
    { ...binary, id: 2 },
  ]);
  await sender.deliver(work);
  assert.match(work.story[0]?.[0] ?? '', /^failed 550 5\.7\.54/);
  assert.match(work.story[1]?.[0] ?? '', /^delivered 250/);
});

test('a hop without BINARYMIME gets base64, told as a conversion', async () => {
  await using edge = await Receiving.start({
    snapshot: internetSnapshot({ binaryMimeEnabled: false }),
  });
  const { sender, of } = senderBench({
    smartHosts: [`[127.0.0.1]:${edge.port}`],
  });
  const work = new FakeWork([binary]);
  await sender.deliver(work);
  assert.match(work.story[0]?.[0] ?? '', /^delivered 250/);
  const text = edge.queue.kept[0]?.content.toString() ?? '';
  const [, encoded = ''] = /Content-Transfer-Encoding: base64\r\n\r\n([^]*)$/.exec(text) ?? [];
  assert.ok(Buffer.from(encoded, 'base64').equals(octets));
  assert.deepEqual(
    of('content-converted').map(({ changes }) => changes),
    [['binary to 8-bit']],
  );
});

test('a signed part that would have to change bounces with 5.6.3', async () => {
  await using peer = await ScriptedPeer.start();
  const { sender } = senderBench({ smartHosts: [peer.smartHost] });
  const signed = 'Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\na\0b\r\n--b\r\n\r\nsig\r\n--b--\r\n';
  const work = new FakeWork([{ ...binary, content: Buffer.from(signed) }]);
  await sender.deliver(work);
  assert.match(
    work.story[0]?.[0] ?? '',
    /^failed 554 5\.6\.3 The next hop does not offer BINARYMIME, and a signed part/,
  );
});
