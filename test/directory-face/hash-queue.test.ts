import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HashQueue } from '../../src/directory/face/access/hash-queue.ts';

/** A hash that ends when the test says so. */
function work() {
  const { promise, resolve } = Promise.withResolvers<void>();
  let began = false;
  return {
    run: (): Promise<void> => {
      began = true;
      return promise;
    },
    end: resolve,
    get began(): boolean {
      return began;
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('strangers who guess from many addresses never hold up a source that is known', async () => {
  const queue = new HashQueue();
  const guesses = Array.from({ length: 64 }, () => work());
  const guessed = guesses.map((guess, i) => queue.run({ source: `192.0.2.${i}`, known: false }, guess.run));
  await turn();
  assert.equal(guesses.filter(({ began }) => began).length, 1, 'one place is kept free');
  const own = work();
  const checked = queue.run({ source: '198.51.100.1', known: true }, own.run);
  await turn();
  assert.ok(own.began, 'who is known begins at once, however many wait');
  const stranger = { source: '203.0.113.1', known: false };
  await assert.rejects(queue.run(stranger, work().run), { code: 'busy' });
  own.end();
  for (const guess of guesses) guess.end();
  await Promise.all([checked, ...guessed]);
  await queue.run(stranger, () => Promise.resolve());
});

test('one address has four places among strangers, and gets them back', async () => {
  const queue = new HashQueue();
  const requester = { source: '192.0.2.1', known: false };
  const guesses = Array.from({ length: 4 }, () => work());
  const guessed = guesses.map(({ run }) => queue.run(requester, run));
  await assert.rejects(queue.run(requester, work().run), { code: 'busy' });
  const other = work();
  const waits = queue.run({ source: '192.0.2.2', known: false }, other.run);
  for (const { end } of [...guesses, other]) end();
  await Promise.all([...guessed, waits]);
  await queue.run(requester, () => Promise.resolve());
});

test('a hash that fails gives its place back', async () => {
  const queue = new HashQueue();
  for (let i = 0; i < 100; i += 1)
    await assert.rejects(
      queue.run({ source: '192.0.2.1', known: false }, () => Promise.reject(new Error('no memory'))),
      /no memory/,
    );
  await queue.run(undefined, () => Promise.resolve());
});
