/** What every spool engine must do. `engine` opens the same place again and again: what was durable must be there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockPool } from '../../src/base/index.ts';
import type { RecipientState, Spool, SpoolWriter } from '../../src/queue/index.ts';
import fc from '../lib/properties.ts';
import { elaborate, inTwoDays, newMessage, put, readAll } from './lib/new-message.ts';

/** A place where spools are kept. */
export interface Place extends AsyncDisposable {
  open(): Promise<Spool>;
}

const large = Buffer.alloc(700_001, 'abcdefghij\r\n');
const delivered: RecipientState = {
  status: 'delivered',
  attempts: 1,
  due: 0,
  lastReply: '250 2.0.0 OK',
  delayNotified: false,
};
const deferred: RecipientState = {
  status: 'pending',
  attempts: 3,
  due: 1_800_000_000_123,
  lastReply: '451 4.3.0 "später" \u{1F600}',
  delayNotified: true,
};

/** Runs the suite against one engine. */
export function spoolContract(name: string, place: () => Promise<Place>): void {
  const spec = (title: string, run: (place: Place) => Promise<void>): void => {
    test(`${name}: ${title}`, { timeout: 300_000 }, async () => {
      await using here = await place();
      await run(here);
    });
  };

  spec('a message comes back as it was, after a reopening too', async (here) => {
    const content = Buffer.from([0, 255, 13, 10, 46, 13, 10]);
    let id: number;
    {
      await using spool = await here.open();
      const writer = spool.begin();
      await writer.write(content.subarray(0, 3));
      await writer.write(content.subarray(3));
      const expiresAt = Date.now() + inTwoDays;
      const stored = await writer.commit(elaborate, expiresAt);
      id = stored.id;
      assert.equal(stored.guid, writer.guid);
      assert.equal(stored.expiresAt, expiresAt);
      assert.deepEqual(writer.content, content);
      assert.deepEqual(spool.get(id), stored);
      assert.deepEqual({ ...elaborate }, { envelope: stored.envelope, origin: stored.origin, facts: stored.facts });
    }
    await using again = await here.open();
    const { envelope, origin, facts, recipients, ...rest } = again.get(id) ?? assert.fail('it is gone');
    assert.deepEqual({ envelope, origin, facts }, elaborate);
    assert.equal(rest.id, id);
    assert.deepEqual(
      recipients.map(({ status, attempts, due }) => ({ status, attempts, due })),
      elaborate.envelope.recipients.map(() => ({ status: 'pending', attempts: 0, due: 0 })),
    );
    assert.deepEqual(again.content(id), content);
    assert.deepEqual(await readAll(again.stream(id)), content);
    assert.deepEqual(await readAll(again.stream(id, 5)), content.subarray(5));
  });

  spec('a large message is streamed, from any octet', async (here) => {
    let id: number;
    {
      await using spool = await here.open();
      const writer = spool.begin();
      for (let at = 0; at < large.length; at += 65_537) await writer.write(large.subarray(at, at + 65_537));
      id = (await writer.commit(newMessage({ size: large.length }), Date.now() + inTwoDays)).id;
      assert.equal(writer.content, undefined);
    }
    await using again = await here.open();
    assert.equal(again.content(id), undefined);
    for (const start of [0, 1, 262_144, 700_000, 700_001, 800_000]) {
      assert.ok(large.subarray(start).equals(await readAll(again.stream(id, start))), `from ${start}`);
    }
    for await (const chunk of again.stream(id)) assert.ok(chunk.length <= 262_144);
    for await (const _ of again.stream(id)) break;
    await again.remove(id);
    assert.equal(again.get(id), undefined);
    await assert.rejects(readAll(again.stream(id)), { name: 'SpoolError' });
  });

  spec('large messages that are written and read at the same time share blocks, not octets', async (here) => {
    await using spool = await here.open();
    const blocks = new BlockPool(262_144, 2);
    /** In chunks of all kinds: single octets, odd ones, more than two blocks at once. */
    const sizes = [1, 700_000, 65_536, 262_144, 3, 262_145, 100_000];
    const contents = Array.from({ length: 6 }, (_, i) => Buffer.alloc(1_500_000 + i, `message ${i} of six\r\n`));
    const write = async (content: Buffer, turn: number): Promise<number> => {
      const writer = spool.begin();
      const given = spool.begin();
      for (let at = 0, i = turn; at < content.length; i += 1) {
        const size = sizes[i % sizes.length] ?? 1;
        await writer.write(content.subarray(at, at + size));
        await given.write(Buffer.alloc(size, 'x'));
        at += size;
      }
      await given.abort();
      return (await writer.commit(newMessage({ size: content.length }), Date.now() + inTwoDays)).id;
    };
    const ids = await Promise.all(contents.map(write));
    const read = async (id: number): Promise<Buffer> => {
      const parts: Buffer[] = [];
      for await (const chunk of spool.stream(id, 0, blocks)) {
        assert.ok(chunk.length <= 262_144);
        await new Promise(setImmediate);
        parts.push(Buffer.from(chunk));
        blocks.give(chunk);
      }
      return Buffer.concat(parts);
    };
    for (const [i, content] of (await Promise.all(ids.map(read))).entries())
      assert.ok(contents[i]?.equals(content), `message ${i}`);
    assert.ok(contents[0]?.equals(await readAll(spool.stream(ids[0] ?? 0))), 'read without blocks');
  });

  spec('an empty message is a message', async (here) => {
    await using spool = await here.open();
    const writer = spool.begin();
    const { id } = await writer.commit(newMessage(), 1);
    assert.equal(spool.content(id)?.length, 0);
    assert.equal((await readAll(spool.stream(id))).length, 0);
  });

  spec('ids ascend over reopenings, and are not used twice', async (here) => {
    const ids: number[] = [];
    for (let round = 0; round < 4; round++) {
      await using spool = await here.open();
      const given = spool.begin();
      ids.push(given.id);
      await given.abort();
      const stored = await put(spool);
      ids.push(stored.id);
      await spool.remove(stored.id);
    }
    assert.deepEqual(
      ids,
      ids.toSorted((a, b) => a - b),
    );
    assert.equal(new Set(ids).size, ids.length);
  });

  spec('what was aborted, or never committed, leaves nothing', async (here) => {
    const left: SpoolWriter[] = [];
    {
      await using spool = await here.open();
      for (const content of [Buffer.from('small'), large]) {
        const writer = spool.begin();
        await writer.write(content);
        await writer.abort();
        await writer.abort();
        await assert.rejects(writer.commit(newMessage(), 1));
        const open = spool.begin();
        await open.write(content);
        left.push(open);
      }
      assert.equal(spool.count, 0);
    }
    await using again = await here.open();
    assert.equal(again.count, 0);
    assert.deepEqual([...again.list()], []);
    // A file that nobody closes would be closed by the collection of garbage, which complains.
    for (const writer of left) await writer.abort();
  });

  spec('a writer commits once', async (here) => {
    await using spool = await here.open();
    const writer = spool.begin();
    await writer.commit(newMessage(), 1);
    await assert.rejects(writer.commit(newMessage(), 1));
    assert.throws(() => writer.write(Buffer.from('x')));
    await writer.abort();
    assert.equal(spool.count, 1);
  });

  spec('the beginning of a content is replaced before its commit', async (here) => {
    for (const content of [Buffer.from('Old: 1\r\n\r\nbody'), large]) {
      const head = Buffer.from('New: two\r\n\r\n');
      const whole = Buffer.concat([head, content.subarray(10)]);
      let id: number;
      {
        await using spool = await here.open();
        const writer = spool.begin();
        await writer.write(content);
        writer.replaceHead({ head, octets: 10 });
        id = (await writer.commit(newMessage({ size: whole.length }), 1)).id;
        if (writer.content !== undefined) assert.deepEqual(writer.content, whole);
      }
      await using again = await here.open();
      for (const start of [0, 5, head.length, head.length + 3, whole.length])
        assert.ok(whole.subarray(start).equals(await readAll(again.stream(id, start))), `from ${start}`);
      assert.equal(again.get(id)?.categorized, undefined);
    }
  });

  spec(
    'a revision replaces envelope, facts, states and the beginning of the content, again and again',
    async (here) => {
      const heads = ['First: a longer header than before\r\n\r\n', 'X: 2\r\n\r\n', 'Third: one\r\nMore: two\r\n\r\n'];
      for (const body of [Buffer.from('body'), large]) {
        let previous = Buffer.from('Old: 1\r\n\r\n');
        let id: number;
        {
          await using spool = await here.open();
          id = (await put(spool, {}, Buffer.concat([previous, body]))).id;
        }
        for (const [round, text] of heads.entries()) {
          const head = Buffer.from(text);
          const { envelope, facts } = newMessage({
            recipients: [`${round}@example.com`, 'b@example.com'],
            size: round,
          });
          const recipients = [{ ...deferred, attempts: round }, delivered];
          {
            await using spool = await here.open();
            // One octet of the body stays in the header's place, to be sure that the parts need not agree.
            const octets = previous.length - (round === 1 ? 1 : 0);
            const revised = await spool.revise(id, { envelope, facts, recipients, replaced: { head, octets } });
            assert.deepEqual(revised, spool.get(id));
            previous = round === 1 ? Buffer.concat([head, previous.subarray(octets)]) : head;
          }
          await using again = await here.open();
          const message = again.get(id) ?? assert.fail('it is gone');
          assert.deepEqual([message.envelope, message.facts, message.recipients], [envelope, facts, recipients]);
          assert.equal(message.categorized, true);
          const whole = Buffer.concat([previous, body]);
          assert.ok(whole.equals(await readAll(again.stream(id))), `round ${round}`);
          assert.ok(whole.subarray(7).equals(await readAll(again.stream(id, 7))));
          if (body !== large) assert.deepEqual(again.content(id), whole);
        }
        await using again = await here.open();
        const { envelope, facts } = newMessage();
        await again.revise(id, { envelope, facts, recipients: [deferred] });
        assert.ok(Buffer.concat([previous, body]).equals(await readAll(again.stream(id))), 'the head stays');
        await again.remove(id);
        assert.equal(await again.revise(id, { envelope, facts, recipients: [] }), undefined);
      }
    },
  );

  spec('update keeps the states, and only those', async (here) => {
    let id: number;
    {
      await using spool = await here.open();
      ({ id } = await put(spool, { recipients: ['a@example.com', 'b@example.com'] }));
      await spool.update(id, [delivered, deferred]);
      assert.deepEqual(spool.get(id)?.recipients, [delivered, deferred]);
    }
    await using again = await here.open();
    const message = again.get(id) ?? assert.fail('it is gone');
    assert.deepEqual(message.recipients, [delivered, deferred]);
    assert.deepEqual(
      message.envelope.recipients.map(({ address }) => address),
      ['a@example.com', 'b@example.com'],
    );
  });

  spec('calls for one message take effect in their order', async (here) => {
    await using spool = await here.open();
    const { id } = await put(spool);
    const states = Array.from({ length: 50 }, (_, attempts) => [{ ...deferred, attempts }]);
    await Promise.all(states.map((state) => spool.update(id, state)));
    assert.equal(spool.get(id)?.recipients[0]?.attempts, 49);
    await Promise.all([
      spool.update(id, [delivered]),
      spool.remove(id),
      spool.update(id, [deferred]),
      spool.remove(id),
    ]);
    assert.equal(spool.get(id), undefined);
    assert.equal(spool.count, 0);
  });

  spec('what is not there is no fault', async (here) => {
    await using spool = await here.open();
    await spool.remove(4711);
    await spool.update(4711, [delivered]);
    assert.equal(spool.get(4711), undefined);
    assert.equal(spool.content(4711), undefined);
    assert.equal(spool.count, 0);
    await assert.rejects(readAll(spool.stream(4711)), { name: 'SpoolError' });
  });

  spec('list has every message in order of id, also while others come and go', async (here) => {
    await using spool = await here.open();
    const stored = await Promise.all(Array.from({ length: 600 }, () => put(spool)));
    const ids = stored.map(({ id }) => id).sort((a, b) => a - b);
    const seen: number[] = [];
    for (const message of spool.list()) {
      seen.push(message.id);
      if (seen.length === 10) {
        await put(spool);
        await spool.remove(ids[500] ?? 0);
      }
    }
    assert.deepEqual(
      seen.filter((id) => id <= (ids.at(-1) ?? 0) && id !== ids[500]),
      ids.filter((_, i) => i !== 500),
    );
    assert.equal(spool.count, 600);
  });

  spec('crash notes are kept over reopenings', async (here) => {
    {
      await using spool = await here.open();
      assert.equal(spool.crashNotes.read().size, 0);
      spool.crashNotes.write(new Map([[7, 2]]));
    }
    await using again = await here.open();
    assert.deepEqual([...again.crashNotes.read()], [[7, 2]]);
    again.crashNotes.write(new Map());
    assert.equal(again.crashNotes.read().size, 0);
  });

  spec('nothing is taken after closing', async (here) => {
    const spool = await here.open();
    const writer = spool.begin();
    await spool[Symbol.asyncDispose]();
    await assert.rejects(writer.commit(newMessage(), 1), { name: 'SpoolError' });
    assert.throws(() => spool.begin(), { name: 'SpoolError' });
    await using again = await here.open();
    assert.equal(again.count, 0);
  });

  spec('any series of steps leaves what a map would hold', async (here) => {
    const step = fc.oneof(
      fc.record({ act: fc.constant('put' as const), size: fc.nat(3_000) }),
      fc.record({ act: fc.constant('put' as const), size: fc.integer({ min: 90_000, max: 300_000 }) }),
      fc.record({ act: fc.constantFrom('update' as const, 'remove' as const), which: fc.nat(30), attempts: fc.nat(9) }),
      fc.record({ act: fc.constant('reopen' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        let spool = await here.open();
        for (const { id } of [...spool.list()]) await spool.remove(id);
        const model = new Map<number, { content: Buffer; attempts: number }>();
        for (const one of steps) {
          if (one.act === 'put') {
            const content = Buffer.alloc(one.size, `${one.size}.`);
            model.set((await put(spool, {}, content)).id, { content, attempts: 0 });
          } else if (one.act === 'reopen') {
            await spool[Symbol.asyncDispose]();
            spool = await here.open();
          } else {
            const id = [...model.keys()][one.which] ?? 0;
            const kept = model.get(id);
            if (one.act === 'remove') {
              await spool.remove(id);
              model.delete(id);
            } else {
              await spool.update(id, [{ ...deferred, attempts: one.attempts }]);
              if (kept !== undefined) kept.attempts = one.attempts;
            }
          }
        }
        const found = [...spool.list()];
        assert.deepEqual(
          found.map((message) => [message.id, message.recipients[0]?.attempts]),
          [...model].map(([id, { attempts }]) => [id, attempts]),
        );
        for (const [id, { content }] of model) assert.ok(content.equals(await readAll(spool.stream(id))));
        await spool[Symbol.asyncDispose]();
      }),
      { numRuns: 25 },
    );
  });
}
