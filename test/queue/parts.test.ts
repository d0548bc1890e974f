import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ReadGarbage } from '../../src/base/index.ts';
import { retryDelayMs } from '../../src/queue/dispatch/retry-plan.ts';
import type { QueueSettings } from '../../src/queue/index.ts';
import { ContentFolder } from '../../src/queue/spool/content-folder.ts';
import { IdSource } from '../../src/queue/spool/id-source.ts';
import {
  decodeHead,
  decodeRecord,
  decodeStates,
  encodeRecord,
  encodeStates,
} from '../../src/queue/spool/record-codec.ts';
import { RateMeter } from '../../src/queue/table/rate-meter.ts';
import { TimeHeap } from '../../src/queue/table/time-heap.ts';
import fc from '../lib/properties.ts';
import { edgeSettings } from './lib/bench.ts';
import { elaborate } from './lib/new-message.ts';

test('the heap of times is a sorted list, whatever is put in, moved and taken out', () => {
  const step = fc.record({ entry: fc.nat(20), time: fc.option(fc.nat(50), { nil: undefined }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const heap = new TimeHeap<{ slot: number; name: number }>();
      const entries = Array.from({ length: 21 }, (_, name) => ({ slot: -1, name }));
      const model = new Map<number, number>();
      for (const { entry, time } of steps) {
        const chosen = entries[entry] ?? assert.fail();
        if (time === undefined) {
          heap.delete(chosen);
          model.delete(entry);
        } else {
          heap.set(chosen, time);
          model.set(entry, time);
        }
        assert.equal(heap.size, model.size);
        assert.equal(heap.earliest, Math.min(Number.POSITIVE_INFINITY, ...model.values()));
      }
      let last = Number.NEGATIVE_INFINITY;
      for (let one = heap.take(50); one !== undefined; one = heap.take(50)) {
        const time = model.get(one.name) ?? assert.fail();
        assert.ok(time >= last);
        last = time;
        model.delete(one.name);
      }
      assert.equal(model.size, 0);
    }),
  );
});

test('retry intervals: glitch, transient, then the long one', () => {
  const table: readonly (readonly [Partial<QueueSettings>, readonly number[]])[] = [
    [{}, [60, 60, 60, 60, 600, 600, 600, 600, 600, 600, 1_800, 1_800]],
    [{ queueGlitchRetryCount: 0 }, [600, 600, 600, 600, 600, 600, 1_800]],
    [{ queueGlitchRetryCount: 0, transientFailureRetryCount: 0 }, [1_800, 1_800]],
    [{ queueGlitchRetryCount: 1, queueGlitchRetryInterval: 5, transientFailureRetryCount: 1 }, [5, 600, 1_800]],
  ];
  for (const [changed, seconds] of table) {
    assert.deepEqual(
      seconds.map((_, i) => retryDelayMs(i + 1, { ...edgeSettings, ...changed }) / 1_000),
      seconds,
    );
  }
});

test('rates are those of about the last minute', () => {
  const meter = new RateMeter();
  const begin = 60_000 * 1_000;
  for (let i = 0; i < 120; i++) meter.add(begin + i);
  assert.equal(meter.perSecond(begin + 30_000), 2);
  assert.equal(meter.perSecond(begin + 90_000), 1);
  assert.equal(meter.perSecond(begin + 200_000), 0);
});

test('ids are handed out only when they are reserved', async () => {
  const limits: number[] = [];
  let failing = false;
  const source = await IdSource.from(10, async (limit) => {
    if (failing) throw new Error('full');
    limits.push(limit);
  });
  assert.equal(source.next(), 10);
  failing = true;
  let last = 10;
  assert.throws(
    () => {
      for (;;) last = source.next();
    },
    { name: 'SpoolError' },
  );
  assert.equal(last, (limits.at(-1) ?? 0) - 1);
  failing = false;
  await new Promise<void>((resolve) => setImmediate(resolve));
  assert.throws(() => source.next());
  await new Promise<void>((resolve) => setImmediate(resolve));
  assert.equal(source.next(), last + 1);
});

test('records and states survive the codec, and damage is told', () => {
  const record = decodeRecord(7, encodeRecord(elaborate, { guid: 'guid', receivedAt: 1, expiresAt: 2 }));
  assert.deepEqual(record, { ...elaborate, id: 7, guid: 'guid', receivedAt: 1, expiresAt: 2 });
  const head = { head: Buffer.from([0, 13, 10, 255]), octets: 70 };
  const replaced = encodeRecord(elaborate, { ...record, categorized: true }, head);
  assert.deepEqual(decodeRecord(7, replaced), { ...record, categorized: true });
  assert.deepEqual(decodeHead(7, replaced), head);
  // An older program that does not look for the head must not send the file as it is.
  assert.match(replaced.toString(), /^\[2,/);
  const states = (['pending', 'delivered', 'relayed', 'failed'] as const).map((status, attempts) => ({
    status,
    attempts,
    due: Number.MAX_SAFE_INTEGER,
    lastReply: 'ä"\\',
    delayNotified: attempts > 1,
  }));
  assert.deepEqual(decodeStates(7, encodeStates(states)), states);
  for (const octets of ['', '[9]', '{', '[99,"guid"]']) {
    assert.throws(() => decodeRecord(7, Buffer.from(octets)), { name: 'SpoolError' }, octets);
  }
});

test('buffers that a large content was read into are collected while it is read', async () => {
  const path = mkdtempSync(join(tmpdir(), 'edge-content-'));
  try {
    let collected = 0;
    const folder = new ContentFolder(path, new ReadGarbage(() => (collected += 1)));
    const file = await folder.create(1);
    await file.write(Buffer.alloc(13 * 1024 ** 2));
    await file.close();
    let length = 0;
    for await (const chunk of folder.stream(1, 0)) length += chunk.length;
    assert.equal(length, 13 * 1024 ** 2);
    assert.equal(collected, 2);
  } finally {
    rmSync(path, { recursive: true });
  }
});
