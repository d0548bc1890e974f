/** Pipeline tracing: what is on the disk after messages of the traced sender and of others went through the agents. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { tracedAgents } from '../../src/agents/index.ts';
import type { ReceiveAgent } from '../../src/pipeline/index.ts';
import { replies } from '../../src/smtp/index.ts';
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

/** Sends one message from a sender and returns the files of the traces, each folder's in a map of its own. */
async function traced(
  t: TestContext,
  {
    from = 'a@sender.example',
    sender = 'A@Sender.example',
    agents = [marking] as readonly ReceiveAgent[],
    blocked = false,
  },
) {
  const root = mkdtempSync(join(tmpdir(), 'tracing-'));
  t.after(() => rmSync(root, { recursive: true }));
  const folder = join(root, 'PipelineTracing');
  if (blocked) writeFileSync(folder, 'a file where the folder should be');
  const faults = new Map<string, string>();
  const parts = {
    sender,
    folder,
    clock: new HandClock(),
    faults: {
      begin: (key: string, text: string) => void faults.set(key, text),
      end: (key: string) => void faults.delete(key),
    },
  };
  await using edge = await Receiving.start({ snapshot: internetSnapshot(), agents: tracedAgents(agents, parts) });
  const client = await edge.greeted();
  const answer = await client.message('Subject: x\r\n\r\nBody\r\n..dot\r\n', ['user@example.test'], from);
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
