/** Pipeline tracing: what is on the disk after messages of the traced sender and of others went through the agents. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PipelineTracing } from '../../src/agents/index.ts';
import { Categorizer } from '../../src/categorizer/index.ts';
import { testSnapshot, testSnapshotSource } from '../../src/config/index.ts';
import type { ReceiveAgent } from '../../src/pipeline/index.ts';
import type { NewMessage } from '../../src/queue/index.ts';
import { replies } from '../../src/smtp/index.ts';
import { MemorySpool } from '../lib/memory-spool.ts';
import { newMessage } from '../queue/lib/new-message.ts';
import { HandClock, internetSnapshot, Receiving } from '../smtp-receive/receiving.ts';

const marking: ReceiveAgent = {
  name: 'Marker',
  priority: 5,
  onEndOfHeaders: () => ({
    kind: 'continue',
    changes: { header: [{ kind: 'add', name: 'X-Marked', value: 'yes' }] },
  }),
};
const watching: ReceiveAgent = {
  name: 'Watcher',
  priority: 6,
  onEndOfHeaders: async () => ({ kind: 'continue' }),
  onEndOfData: () => ({
    kind: 'continue',
    changes: { header: [{ kind: 'remove', name: 'X-Marked' }] },
  }),
};
const refusing: ReceiveAgent = {
  name: 'Refuser',
  priority: 7,
  onEndOfHeaders: () => ({ kind: 'reject', reply: replies.messageTooLarge, reason: 'because' }),
};

/** What came is routed: by the categorizer, from a spool whose contents lie in the store ('small') or in files. */
async function routed(
  { message, content }: { readonly message: NewMessage; readonly content: Buffer },
  tracing: PipelineTracing,
  how: '' | 'small' | 'large' | 'again',
): Promise<void> {
  if (how === '') return;
  const spool = new MemorySpool({ thresholdBytes: how === 'large' ? 1 : 96 * 1024 });
  const writer = spool.begin();
  await writer.write(content);
  const kept = await writer.commit(message, 1);
  const copies: Promise<void>[] = [];
  const categorizer = new Categorizer(
    {
      snapshots: testSnapshotSource(testSnapshot({})),
      journal: { emit: () => undefined },
      clock: new HandClock(),
      contents: spool,
      tracing: {
        isOn: tracing.isOn,
        tracesRouting: (one) => tracing.tracesRouting(one),
        routed: async (one) => {
          const copy = tracing.routed(one);
          copies.push(copy);
          await copy;
        },
      },
    },
    'EdgeTransport',
  );
  const came = { ...kept, receivedAt: new HandClock().now() - (how === 'again' ? 1 : 0) };
  for (const one of [came, came]) categorizer.route(one, [0]);
  // At once: nothing of it may be read later.
  if (how === 'small') await spool.remove(kept.id);
  await Promise.all(copies);
}

/** Sends one message from a sender and returns the files of the traces, each folder's in a map of its own. */
async function traced(
  t: TestContext,
  {
    from = 'a@sender.example',
    sender = 'A@Sender.example',
    agents = [marking] as readonly ReceiveAgent[],
    blocked = false,
    messageId = '',
    route = '' as '' | 'small' | 'large' | 'again',
  },
) {
  const root = mkdtempSync(join(tmpdir(), 'tracing-'));
  t.after(() => rmSync(root, { recursive: true }));
  const folder = join(root, 'PipelineTracing');
  if (blocked) writeFileSync(folder, 'a file where the folder should be');
  const faults = new Map<string, string>();
  const tracing = new PipelineTracing({
    clock: new HandClock(),
    faults: {
      begin: (key: string, text: string) => void faults.set(key, text),
      end: (key: string) => void faults.delete(key),
    },
  });
  tracing.use({ sender, folder });
  await using edge = await Receiving.start({ snapshot: internetSnapshot(), agents: tracing.agents(agents) });
  const client = await edge.greeted();
  const answer = await client.message(`${messageId}Subject: x\r\n\r\nBody\r\n..dot\r\n`, ['user@example.test'], from);
  for (const one of edge.queue.kept) await routed(one, tracing, route);
  const snapshots = join(folder, 'MessageSnapshots');
  const folders = blocked || !existsSync(snapshots) ? [] : readdirSync(snapshots);
  const files = folders.map((one) => {
    assert.equal(statSync(join(snapshots, one)).mode & 0o777, 0o700);
    return new Map(
      readdirSync(join(snapshots, one))
        .toSorted()
        .map((name) => [name, readFileSync(join(snapshots, one, name), 'latin1')]),
    );
  });
  return { answer, files, faults, kept: edge.queue.kept.length };
}

test('a copy as it came, one before and one behind each agent, of the whole message', async (t) => {
  const { answer, files } = await traced(t, { agents: [marking, watching] });
  assert.match(answer, /^250 /);
  const [trace] = files;
  assert.deepEqual(
    [...(trace ?? [])].map(([name, text]) => [
      name,
      /^X-MessageSnapshot-Source: (.*)\r$/m.exec(text)?.[1],
      text.includes('\r\nX-Marked: yes\r\n'),
    ]),
    [
      ['Original.eml', 'Original', false],
      ['SmtpReceive0001.eml', 'OnEndOfHeaders', false],
      ['SmtpReceive0002.eml', 'OnEndOfHeaders,Marker', true],
      ['SmtpReceive0003.eml', 'OnEndOfHeaders,Watcher', true],
      ['SmtpReceive0004.eml', 'OnEndOfData', true],
      ['SmtpReceive0005.eml', 'OnEndOfData,Watcher', false],
    ],
  );
  for (const text of trace?.values() ?? []) {
    assert.match(text, /^X-CreatedBy: MessageSnapshot-Begin injected headers\r\nX-MessageSnapshot-UTC-Time: \d{4}-/);
    assert.match(text, /\r\nX-Sender: a@sender\.example\r\nX-Receiver: [^\r]+\r\nX-EndOfInjectedXHeaders: MessageSnap/);
    assert.ok(text.endsWith('Subject: x\r\n\r\nBody\r\n.dot\r\n'), text);
  }
});

for (const route of ['small', 'large'] as const)
  for (const messageId of ['', 'Message-ID: <m@sender.example>\r\n'])
    test(`its routing stands in the same folder: ${route}, ${messageId.trim()}`, async (t) => {
      const { files } = await traced(t, { route, messageId });
      const [trace] = files;
      assert.equal(files.length, 1);
      const names = ['Original', 'Routing0001', 'Routing0002', 'SmtpReceive0001', 'SmtpReceive0002'];
      assert.deepEqual(
        [...(trace?.keys() ?? [])],
        names.map((name) => `${name}.eml`),
      );
      for (const [name, source] of [
        ['Routing0001.eml', 'OnSubmittedMessage'],
        ['Routing0002.eml', 'OnCategorizedMessage'],
      ] as const) {
        const text = trace?.get(name) ?? '';
        assert.match(
          text,
          new RegExp(`\\r\\nX-MessageSnapshot-Source: ${source}\\r\\nX-Sender: a@sender.example\\r\\n`),
        );
        // As it lies in the spool: with the trace field of this server.
        assert.match(text, /injected headers\r\nReceived: from .*X-Marked: yes\r\n.*Body\r\n\.dot\r\n$/s);
      }
    });

test('a message that came before the tracing was on is not traced; nor is one of another sender', async (t) => {
  const { files } = await traced(t, { route: 'again' });
  assert.deepEqual(
    files.flatMap((one) => [...one.keys()]).filter((name) => name.startsWith('Routing')),
    [],
  );
  assert.deepEqual((await traced(t, { route: 'small', from: 'b@sender.example' })).files, []);
});

test('what came by no session has a folder with the original of its own, readable by its owner alone', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'tracing-'));
  t.after(() => rmSync(root, { recursive: true }));
  const told: string[] = [];
  const faults = { begin: (_: string, text: string) => void told.push(text), end: () => undefined };
  const tracing = new PipelineTracing({ clock: new HandClock(), faults });
  const header = Buffer.from('Received: by edge (pickup)\r\nSubject: x\r\n\r\n');
  const origin = { session: '', connector: 'PICKUP', localAddress: '', remoteAddress: '', helo: '' };
  const wish = newMessage({ from: 'a@sender.example', recipients: ['b@x.test'] });
  const facts = { ...wish.facts, size: header.length + 3, headerSize: header.length };
  const message = { ...wish, origin: { ...wish.origin, ...origin }, facts };
  const content = Buffer.concat([header, Buffer.from('x\r\n')]);
  await routed({ message, content }, tracing, 'small');
  assert.deepEqual(readdirSync(root), [], 'off: nothing is kept');
  tracing.use({ sender: 'a@sender.example', folder: root });
  await routed({ message, content }, tracing, 'small');
  const [folder = ''] = readdirSync(join(root, 'MessageSnapshots'));
  const names = readdirSync(join(root, 'MessageSnapshots', folder));
  assert.deepEqual(names.toSorted(), ['Original.eml', 'Routing0001.eml', 'Routing0002.eml']);
  for (const name of names) {
    const path = join(root, 'MessageSnapshots', folder, name);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.ok(readFileSync(path, 'latin1').endsWith(content.toString('latin1')));
  }
  tracing.use({ sender: 'a@sender.example', folder: '/dev/null/no' });
  await routed({ message, content }, tracing, 'small');
  assert.match(told.join(), /^pipeline tracing cannot write: ENOTDIR/);
});

test('of another sender nothing is kept; <> means the null sender', async (t) => {
  assert.deepEqual((await traced(t, { from: 'b@sender.example' })).files, []);
  assert.deepEqual((await traced(t, { from: 'a@sender.example', sender: '<>' })).files, []);
  assert.equal((await traced(t, { from: '', sender: '<>' })).files.length, 1);
});

test('a message that an agent refuses leaves what was seen of it', async (t) => {
  const { answer, files, kept } = await traced(t, { agents: [marking, refusing] });
  assert.match(answer, /^552 /);
  assert.equal(kept, 0);
  assert.deepEqual(
    [...(files[0]?.keys() ?? [])],
    ['Original.eml', 'SmtpReceive0001.eml', 'SmtpReceive0002.eml', 'SmtpReceive0003.eml'],
  );
});

test('a folder that cannot be written is a fault, and the message is taken', async (t) => {
  const { answer, faults, kept } = await traced(t, { blocked: true });
  assert.match(answer, /^250 /);
  assert.equal(kept, 1);
  assert.match(faults.get('pipeline tracing') ?? '', /cannot write: ENOTDIR/);
});
