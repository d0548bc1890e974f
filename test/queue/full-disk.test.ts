/** A disk that is full: refused with SpoolError, nothing half stored, the process lives, and goes on when there is room. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import { LmdbSpool } from '../../src/queue/index.ts';
import { FakeClock } from './lib/fake-clock.ts';
import { put, readAll } from './lib/new-message.ts';

const mayMount = process.getuid?.() === 0;
const skip = !mayMount && process.env['CI'] === undefined ? 'needs root to mount a small file system' : false;

/** A file system of its own, of so many megabytes. */
async function smallDisk(megabytes: number): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'edge-full-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path], { encoding: 'utf8' });
  assert.equal(mounted.status, 0, mounted.stderr);
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      const gone = spawnSync('umount', [path], { encoding: 'utf8' });
      assert.equal(gone.status, 0, gone.stderr);
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** Fails the test for anything that would have ended the process. */
function watchRejections(): { readonly seen: unknown[] } & Disposable {
  const seen: unknown[] = [];
  const note = (error: unknown): void => void seen.push(error);
  process.on('unhandledRejection', note);
  return { seen, [Symbol.dispose]: () => void process.off('unhandledRejection', note) };
}

for (const [kind, size] of [
  ['small', 40_000],
  ['large', 700_000],
] as const) {
  test(`a full disk refuses ${kind} messages and loses none`, { skip, timeout: 300_000 }, async () => {
    using rejections = watchRejections();
    await using disk = await smallDisk(12);
    const path = join(disk.path, 'spool');
    const kept = new Map<number, Buffer>();
    {
      await using spool = await LmdbSpool.open({ path, clock: systemClock, minFreeBytes: 0 });
      let refused = 0;
      for (let i = 0; i < 2_000 && refused < 5; i++) {
        const content = Buffer.alloc(size, `${i}\r\n`);
        try {
          kept.set((await put(spool, {}, content)).id, content);
        } catch (error) {
          assert.ok(error instanceof Error && error.name === 'SpoolError', String(error));
          refused += 1;
        }
      }
      assert.equal(refused, 5);
      assert.ok(kept.size > 3);
      assert.equal(spool.count, kept.size);
      // Several sessions at once, all refused: each hears of it.
      const many = await Promise.allSettled(Array.from({ length: 8 }, () => put(spool, {}, Buffer.alloc(size * 4))));
      assert.deepEqual(new Set(many.map(({ status }) => status)), new Set(['rejected']));
      for (const id of [...kept.keys()].slice(0, 3)) {
        await spool.remove(id);
        kept.delete(id);
      }
      const content = Buffer.alloc(size, 'again');
      kept.set((await put(spool, {}, content)).id, content);
    }
    await using again = await LmdbSpool.open({ path, clock: systemClock, minFreeBytes: 0 });
    assert.deepEqual(
      [...again.list()].map(({ id }) => id),
      [...kept.keys()].sort((a, b) => a - b),
    );
    for (const [id, content] of kept) assert.ok(content.equals(await readAll(again.stream(id))), `message ${id}`);
    const files = kind === 'large' ? kept.size : 0;
    assert.equal((await readdir(join(path, 'content'))).length, files);
    assert.deepEqual(rejections.seen, []);
  });
}

test('on a full disk what is delivered makes room for what comes, again and again', {
  skip,
  timeout: 300_000,
}, async () => {
  await using disk = await smallDisk(16);
  await using spool = await LmdbSpool.open({ path: join(disk.path, 'spool'), clock: systemClock, minFreeBytes: 0 });
  const kept = new Map<number, Buffer>();
  let refused = 0;
  let acceptedWhenFull = 0;
  for (let i = 0; i < 1_500; i++) {
    // Sizes that go round: the free pages lie in runs that seldom fit.
    const content = Buffer.alloc(1_000 + ((i * 7_919) % 90_000), `${i}\r\n`);
    try {
      kept.set((await put(spool, {}, content)).id, content);
      if (refused > 0) acceptedWhenFull += 1;
    } catch (error) {
      assert.ok(error instanceof Error && error.name === 'SpoolError', String(error));
      refused += 1;
      const ids = [...kept.keys()];
      const leaving = [0, 1, 2, 3].flatMap((n) => ids[(i * 31 + n * 17) % ids.length] ?? []);
      await Promise.all([...new Set(leaving)].map((id) => spool.remove(id)));
      for (const id of leaving) kept.delete(id);
    }
  }
  assert.ok(refused > 5, `${refused} refused`);
  assert.ok(acceptedWhenFull > 200, `${acceptedWhenFull} accepted once it was full`);
  for (const [id, content] of kept) assert.ok(content.equals(await readAll(spool.stream(id))), `message ${id}`);
});

test('below its minimum of free room the spool says so, and looks again every two seconds', { skip }, async () => {
  await using disk = await smallDisk(32);
  const path = join(disk.path, 'spool');
  const clock = new FakeClock();
  const { bavail, bsize } = await statfs(disk.path);
  await using spool = await LmdbSpool.open({ path, clock, minFreeBytes: bavail * bsize - 12 * 1024 ** 2 });
  assert.equal(spool.accepting, true);
  const ballast = join(disk.path, 'ballast');
  await writeFile(ballast, Buffer.alloc(14 * 1024 ** 2));
  await clock.advance(1_999);
  assert.equal(spool.accepting, true);
  await clock.advance(1);
  assert.equal(spool.accepting, false);
  assert.throws(() => spool.begin(), { name: 'SpoolError' });
  await rm(ballast);
  await clock.advance(2_000);
  assert.equal(spool.accepting, true);
  await put(spool);
});
