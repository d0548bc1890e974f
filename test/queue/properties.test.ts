/** Whatever next hops, disks and crashes do: each recipient ends exactly once, and nobody who failed goes unreported. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecipientOutcome } from '../../src/queue/index.ts';
import { memoryDisk } from '../lib/memory-spool.ts';
import fc from '../lib/properties.ts';
import { Bench, later, never, ok } from './lib/bench.ts';
import { FakeClock, quiet } from './lib/fake-clock.ts';

const outcomes = {
  delivered: ok,
  relayed: { kind: 'relayed', reply: '250 OK' },
  deferred: later,
  failed: never,
} as const;

type Act =
  | { readonly do: 'settle'; readonly kinds: readonly (keyof typeof outcomes)[] }
  | { readonly do: 'release' | 'drop' | 'refuse' | 'throw' };

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      kinds: fc.array(
        fc.constantFrom('delivered' as const, 'relayed' as const, 'deferred' as const, 'failed' as const),
        { minLength: 4, maxLength: 4 },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('release' as const, 'drop' as const, 'refuse' as const, 'throw' as const),
    }),
  },
);

const message = fc.array(fc.constantFrom('x', 'y', 'z', 'noroute'), { minLength: 1, maxLength: 4 });

test('every recipient ends once, whatever happens', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { minLength: 1, maxLength: 8 }),
      fc.array(act, { maxLength: 40 }),
      fc.array(fc.boolean(), { maxLength: 30 }),
      fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 3 }),
      async (messages, acts, faults, crashes) => {
        const disk = memoryDisk();
        const ended = new Map<string, number>();
        const reported = new Map<string, number>();
        const count = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + 1);
        let step = 0;
        let fault = 0;
        const make = (clock: FakeClock): Bench => {
          const bench = new Bench({ disk, clock });
          bench.notify = async ({ kind, message: { id }, recipients }) => {
            if (faults[fault++] === true) throw new Error('no room for the report');
            if (kind === 'failed') for (const { index } of recipients) count(reported, `${id}:${index}`);
          };
          bench.deliver = async (work) => {
            for (let item = await work.next(0); item !== undefined; item = await work.next(0)) {
              const now: Act = acts[step++] ?? {
                do: 'settle',
                kinds: ['delivered', 'delivered', 'delivered', 'delivered'],
              };
              if (now.do === 'settle') {
                const { kinds } = now;
                const said = item.recipients.map((_, i): RecipientOutcome => outcomes[kinds[i] ?? 'delivered']);
                const { id } = item.message;
                item.recipients.forEach((index, i) => {
                  if (said[i]?.kind !== 'deferred') count(ended, `${id}:${index}`);
                });
                item.settle(said, 'x');
              } else if (now.do === 'refuse') return { kind: 'failed', reply: '421 no' };
              else if (now.do === 'throw') throw new Error('a bug');
              else if (now.do === 'drop') return { kind: 'done' };
              else item.release();
            }
            return { kind: 'done' };
          };
          return bench;
        };
        let bench = make(new FakeClock());
        const expected: string[] = [];
        for (const domains of messages) {
          const recipients = domains.map((domain, i) => `r${i}@${domain}.test`);
          const { id } = await bench.submit({ recipients });
          domains.forEach((_, i) => expected.push(`${id}:${i}`));
        }
        for (const minutes of crashes) {
          await bench.clock.advance(minutes * 60_000);
          // The writes under way come to their end; a spool is only left behind by a process that is gone.
          await quiet();
          const dead = bench;
          bench = make(new FakeClock(dead.clock.now()));
          dead.deliver = () => new Promise(() => undefined);
          dead.spool.failing = true;
          await bench.queue.start();
        }
        // Long enough for every retry, too short for an expiry.
        await bench.clock.advance(40 * 3_600_000);
        assert.deepEqual([...disk.messages.keys()], [], 'nothing is left');
        const failed = (key: string): boolean => reported.has(key);
        for (const key of expected) {
          const ends = ended.get(key) ?? 0;
          assert.ok(ends >= 1 || failed(key), `${key} ended ${ends} times`);
          // A crash between an outcome and its report repeats the attempt; without one, there is exactly one end.
          if (crashes.length === 0) {
            assert.ok(ends <= 1, `${key} ended ${ends} times`);
            assert.ok((reported.get(key) ?? 0) <= 1, `${key} was reported ${reported.get(key)} times`);
          }
        }
      },
    ),
    { numRuns: 150 },
  );
});

test('failed recipients, and only they, are reported', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('delivered' as const, 'failed' as const), { minLength: 1, maxLength: 6 }),
      async (kinds) => {
        const bench = new Bench();
        bench.deliver = async (work) => {
          const item = await work.next(0);
          item?.settle(
            item.recipients.map((index) => outcomes[kinds[index] ?? 'delivered']),
            'x',
          );
          return { kind: 'done' };
        };
        const { id } = await bench.send({ recipients: kinds.map((_, i) => `r${i}@x.test`) });
        const failures = [...kinds.keys()].filter((i) => kinds[i] === 'failed');
        assert.deepEqual(bench.reports, failures.length === 0 ? [] : [`failed ${id}: ${failures.join(',')}`]);
        assert.deepEqual(bench.statuses(id), ['gone']);
      },
    ),
    { numRuns: 100 },
  );
});
