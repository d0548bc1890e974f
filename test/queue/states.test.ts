import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/base/index.ts';
import { findChains } from '../../src/logs/index.ts';
import { LmdbSpool } from '../../src/queue/index.ts';
import { decodeHead, decodeRecord, decodeStates } from '../../src/queue/spool/record-codec.ts';
import { elaborate, put, readAll } from './lib/new-message.ts';

const states = fileURLToPath(new URL('../states/', import.meta.url));

// One small state of each format that a version of this program has written stays in test/states for ever.

test('a spool record and its states of version 1 are read', () => {
  const record = decodeRecord(7, readFileSync(join(states, 'spool-record-v1.json')));
  // Version 1 knew no demand of the message itself (REQUIRETLS).
  const { tls: _, ...envelope } = elaborate.envelope;
  assert.deepEqual(record, {
    ...elaborate,
    envelope,
    id: 7,
    guid: '6f0c2f61-6f3e-4b7c-9d4c-0a3a5c1f0001',
    receivedAt: 1_767_323_045_678,
    expiresAt: 1_767_495_845_678,
  });
  const [first, second] = decodeStates(7, readFileSync(join(states, 'spool-states-v1.json')));
  assert.deepEqual([first?.status, second?.status, second?.attempts], ['delivered', 'pending', 3]);
});

test('a spool record of version 2 is read, with the head that it holds', () => {
  const octets = readFileSync(join(states, 'spool-record-v2.json'));
  const { categorized, facts, envelope } = decodeRecord(7, octets);
  assert.deepEqual([categorized, facts.headerSize, envelope.recipients.length], [true, 38, 2]);
  const { octets: replaced, head } = decodeHead(7, octets) ?? assert.fail('it has no head');
  assert.deepEqual([replaced, head.toString()], [23, 'X-Agent: 1\r\nSubject: a kept header\r\n\r\n']);
  assert.equal(decodeHead(7, readFileSync(join(states, 'spool-record-v1.json'))), undefined);
});

test('a spool record of a later version is refused with the reason', () => {
  assert.throws(() => decodeRecord(7, Buffer.from('[3,"guid"]')), /message 7 has a record of version 3/);
});

for (const hour of ['2026010203', '2026010204']) {
  test(`decisions written in format ${hour.at(-1) === '3' ? 1 : 2} are read`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'edge-states-'));
    t.after(() => rmSync(folder, { recursive: true }));
    await cp(join(states, `DECISION${hour}-1.LOG`), join(folder, `DECISION${hour}-1.LOG`));
    const chains = await findChains(folder, { kind: 'message', text: '77' });
    assert.deepEqual(
      chains.map(({ events }) => events.map(({ kind }) => kind)),
      [['connector-chosen', 'message-queued']],
    );
  });
}

test('after a drained backlog the next start gives the disk back, and loses nothing', {
  timeout: 300_000,
}, async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'edge-compact-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  const size = (): number => statSync(join(path, 'data.mdb')).size;
  const content = Buffer.alloc(60_000, 'x');
  const given: number[] = [];
  {
    await using spool = await LmdbSpool.open({ path, clock: systemClock });
    const ids: number[] = [];
    for (let i = 0; i < 20; i++) {
      const stored = await Promise.all(Array.from({ length: 50 }, () => put(spool, {}, content)));
      ids.push(...stored.map(({ id }) => id));
    }
    given.push(...ids);
    await Promise.all(ids.slice(0, -2).map((id) => spool.remove(id)));
    assert.ok(size() > 60_000_000);
  }
  // A crash in the middle of the copy left this behind.
  writeFileSync(join(path, 'compact'), 'cut');
  await using spool = await LmdbSpool.open({ path, clock: systemClock });
  assert.ok(size() < 8_000_000, `${size()} octets`);
  const left = [...spool.list()];
  assert.equal(left.length, 2);
  for (const { id } of left) assert.deepEqual(await readAll(spool.stream(id)), content);
  const next = await put(spool);
  assert.ok(next.id > Math.max(...given), 'no id is used twice');
});
