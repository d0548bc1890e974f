import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineCutter } from '../../src/base/index.ts';
import fc from '../lib/properties.ts';

test('lines come out whole however the octets are cut', () => {
  const lines = fc.array(fc.string({ unit: 'binary', maxLength: 50 }).map((text) => text.replaceAll('\n', '')));
  fc.assert(
    fc.property(lines, fc.array(fc.nat(), { maxLength: 20 }), (expected, cuts) => {
      const octets = Buffer.from(expected.map((line) => `${line}\n`).join(''));
      const places = [0, ...cuts.map((cut) => cut % (octets.length + 1)).sort((a, b) => a - b), octets.length];
      const cutter = new LineCutter();
      const found = places.slice(1).flatMap((end, i) => [...cutter.lines(octets.subarray(places[i], end), () => 1000)]);
      assert.deepEqual(found, expected);
      assert.equal(cutter.held, 0);
    }),
  );
});

test('a line that is too long is refused at the octet that is too much, complete or not', () => {
  for (const last of ['x', 'x\n']) {
    const cutter = new LineCutter();
    assert.deepEqual([...cutter.lines(Buffer.from('12345\n1234'), () => 5)], ['12345']);
    assert.throws(() => [...cutter.lines(Buffer.from(`5${last}`), () => 5)], /more than 5 octets in one line/);
  }
});

test('a long line is held by its octets, and comes out whole', () => {
  const cutter = new LineCutter();
  const long = 'äbc'.repeat(100_000);
  const octets = Buffer.from(`${long}\nnext\n`);
  const found: string[] = [];
  for (let at = 0; at < octets.length; at += 1_001) {
    found.push(...cutter.lines(octets.subarray(at, at + 1_001), () => 1e6));
    assert.ok(cutter.held <= 2 * (at + 1_001) + 65_536);
    assert.ok(found.length > 0 || cutter.held >= at);
  }
  assert.deepEqual(found, [long, 'next']);
});
