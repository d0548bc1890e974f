/** A drained backlog gives disk and map back while the spool is in use. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { systemClock } from '../../src/base/index.ts';
import { LmdbSpool } from '../../src/queue/index.ts';
import { compactWhileOpen } from '../../src/queue/spool/compaction.ts';
import { Databases } from '../../src/queue/spool/databases.ts';
import { GroupCommit } from '../../src/queue/spool/group-commit.ts';
import { IdleCompaction } from '../../src/queue/spool/idle-compaction.ts';
import { StoreRoom } from '../../src/queue/spool/store-room.ts';
import { FakeClock } from './lib/fake-clock.ts';
import { put, readAll } from './lib/new-message.ts';

const large = Buffer.alloc(90_000, 'x');
const mapSize = 1024 ** 3;

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'edge-compact-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const sizeOf = (path: string): number => statSync(join(path, 'data.mdb')).size;

/** Octets of the store's files that this process maps, by their names: also those that were deleted. */
function mapped(path: string): number {
  const lines = readFileSync('/proc/self/maps', 'latin1').split('\n');
  const own = lines.filter((line) => line.includes(path) && line.includes('data.mdb'));
  return new Set(own.map((line) => line.split(/\s+/)[4])).size;
}

async function backlog(spool: LmdbSpool): Promise<void> {
  const messages = await Promise.all(Array.from({ length: 250 }, () => put(spool, {}, large)));
  await Promise.all(messages.map(({ id }) => spool.remove(id)));
}

test('a drained backlog gives disk and map back while messages come, and loses none of them', {
  timeout: 300_000,
}, async (t) => {
  const path = folder(t);
  const known = new Map<number, string>();
  {
    await using spool = await LmdbSpool.open({ path, clock: systemClock, mapSize });
    let coming = true;
    const session = async (): Promise<void> => {
      for (let i = 0; coming; i++) {
        const text = `message ${i}\r\n`;
        const { id } = await put(spool, {}, Buffer.from(text));
        known.set(id, text);
        // What is read meanwhile is there as well.
        assert.equal(spool.content(id)?.toString(), text);
        if (i % 3 === 0) {
          await spool.update(id, [{ status: 'pending', attempts: 7, due: 0, lastReply: '', delayNotified: false }]);
          assert.equal(spool.get(id)?.recipients[0]?.attempts, 7);
        }
      }
    };
    const sessions = [session(), session(), session()];
    // The second time works on what the first one left.
    for (let round = 0; round < 2; round++) {
      await backlog(spool);
      assert.ok(sizeOf(path) > 20_000_000, `${sizeOf(path)} octets`);
      const before = known.size;
      await spool.compact();
      assert.ok(sizeOf(path) < 10_000_000, `${sizeOf(path)} octets`);
      assert.equal(mapped(path), 1, 'only the new file is mapped');
      while (known.size < before + 20) await pause(5);
    }
    coming = false;
    await Promise.all(sessions);
    assert.equal(spool.count, known.size);
  }
  await using spool = await LmdbSpool.open({ path, clock: systemClock, mapSize });
  for (const [id, text] of known) assert.equal((await readAll(spool.stream(id))).toString(), text);
  assert.deepEqual(
    readdirSync(path).filter((name) => name.startsWith('compact')),
    [],
    'the next start takes the drafts away',
  );
});

test('a process that is killed while it compacts has lost nothing that was acknowledged', {
  timeout: 300_000,
}, async (t) => {
  const path = folder(t);
  const known = new Map<number, number>();
  for (let round = 0; round < 8; round++) {
    const child = spawn(process.execPath, [fileURLToPath(new URL('lib/compaction-child.ts', import.meta.url)), path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => void child.kill('SIGKILL'));
    let text = '';
    let aimed = false;
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (aimed || !text.includes('C\n')) return;
      aimed = true;
      // Into the copy, the renaming, the opening, and what follows.
      setTimeout(() => void child.kill('SIGKILL'), round * 6);
    });
    await once(child, 'close');
    for (const line of text.split('\n').slice(0, -1)) {
      const [what, id, crc] = line.split(' ');
      if (what === 'A') known.set(Number(id), Number(crc));
    }
    await using spool = await LmdbSpool.open({ path, clock: systemClock });
    for (const [id, crc] of known) {
      assert.ok(spool.get(id) !== undefined, `round ${round}: message ${id} was acknowledged and is lost`);
      assert.equal(crc32(await readAll(spool.stream(id))), crc, `round ${round}: content of ${id}`);
    }
  }
  assert.ok(known.size >= 8, `only ${known.size} messages came`);
});

test('a copy that fails leaves the store in use as it was', { timeout: 300_000 }, async (t) => {
  const path = folder(t);
  const databases = new Databases(path, mapSize);
  const room = await StoreRoom.open(join(path, 'data.mdb'), databases.extent);
  const commits = new GroupCommit({ root: databases.root, room }, systemClock);
  const keep = (id: number, content: Buffer): Promise<void> =>
    commits.add(() => void databases.contents.put(id, content), content.length);
  for (let id = 1; id <= 250; id++) await keep(id, large);
  await commits.add(() => {
    for (let id = 1; id <= 250; id++) void databases.contents.remove(id);
  });
  const before = sizeOf(path);
  databases.copy = () => Promise.reject(new Error('no room'));
  const failing = compactWhileOpen(path, databases, commits);
  const meanwhile = keep(1_000, Buffer.from('came meanwhile'));
  await assert.rejects(failing, /no room/);
  await meanwhile;
  assert.equal(databases.contents.get(1_000)?.toString(), 'came meanwhile');
  assert.ok(sizeOf(path) >= before);
  assert.deepEqual(readdirSync(path).sort(), ['data.mdb', 'lock.mdb']);
  await commits.drain();
  await commits[Symbol.asyncDispose]();
  await databases.close();
});

test('room is given back behind a busy time, once, and not while mail flows', async () => {
  const clock = new FakeClock();
  let transactions = 0;
  let compactions = 0;
  using _idle = new IdleCompaction(clock, {
    transactions: () => transactions,
    compact: async () => void compactions++,
  });
  const looks = async (count: number, each: number): Promise<number> => {
    const before = compactions;
    for (let i = 0; i < count; i++) {
      transactions += each;
      await clock.advance(10_000);
      await pause(0);
    }
    return compactions - before;
  };
  assert.equal(await looks(20, 1_000), 0, 'mail flows');
  assert.equal(await looks(3, 0), 1, 'half a minute without any');
  assert.equal(await looks(50, 0), 0, 'nothing has happened since');
  assert.equal(await looks(1, 5), 1, 'a few outcomes are no busy time');
  assert.equal(await looks(20, 1_000), 0, 'mail flows again');
  assert.equal(await looks(6, 0), 1, 'and ends');
});
