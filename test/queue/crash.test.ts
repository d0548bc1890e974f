/** Kills with SIGKILL at any instant: what was acknowledged is there, whole; what was half done is gone. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { systemClock } from '../../src/base/index.ts';
import { LmdbSpool } from '../../src/queue/index.ts';
import { put, readAll } from './lib/new-message.ts';

/** Each kill comes after this many lines of the child: a point in its work, not in time. */
const kills = Number(process.env['EDGE_CRASH_KILLS'] ?? 12);

interface Known {
  crc: number;
  /** Of a revision that has begun. */
  revised: number | undefined;
  attempts: number;
  /** Its removal may have begun. */
  leaving: boolean;
  gone: boolean;
}

async function runUntil(path: string, seed: number, lines: number): Promise<string[]> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('lib/crash-child.ts', import.meta.url)), path, String(seed)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let text = '';
  let count = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    count = text.split('\n').length - 1;
    if (count >= lines) child.kill('SIGKILL');
  });
  // One that says nothing more is hung: it is ended, and its signal tells it from one that was killed by its lines.
  const hung = setTimeout(() => child.kill('SIGTERM'), 60_000);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(hung);
  assert.equal(signal, 'SIGKILL', `the child ended by itself with ${code}`);
  // A last line without its end was not said.
  return text.split('\n').slice(0, -1);
}

function learn(known: Map<number, Known>, lines: readonly string[]): void {
  for (const line of lines) {
    const [what, first, second] = line.split(' ');
    const id = Number(first);
    const message = known.get(id);
    if (what === 'A')
      known.set(id, { crc: Number(second), revised: undefined, attempts: 0, leaving: false, gone: false });
    else if (message === undefined) continue;
    else if (what === 'R') message.leaving = true;
    else if (what === 'G') message.gone = true;
    else if (what === 'V') message.revised = Number(second);
    else if (what === 'W' && message.revised !== undefined) {
      message.crc = message.revised;
      message.revised = undefined;
    } else if (what === 'U') message.attempts = Number(second);
  }
}

test(`${kills} kills lose nothing that was acknowledged`, { timeout: 600_000 }, async () => {
  const path = await mkdtemp(join(tmpdir(), 'edge-crash-'));
  try {
    const known = new Map<number, Known>();
    let highest = 0;
    let acknowledged = 0;
    for (let round = 0; round < kills; round++) {
      const lines = await runUntil(path, round + 1, 1 + ((round * 37) % 400));
      const ids = lines.filter((line) => line.startsWith('A ')).map((line) => Number(line.split(' ')[1]));
      acknowledged += ids.length;
      assert.ok(
        ids.every((id) => id > highest),
        'an id of an earlier run came again',
      );
      learn(known, lines);
      await using spool = await LmdbSpool.open({ path, clock: systemClock });
      await verify(spool, known, round);
      // Files of messages that are gone are gone too.
      const large = [...spool.list()].filter(({ id }) => spool.content(id) === undefined).map(({ id }) => String(id));
      assert.deepEqual((await readdir(join(path, 'content'))).sort(), large.sort());
      highest = Math.max(highest, ...ids, ...[...spool.list()].map(({ id }) => id));
      if (round % 10 === 9) await Promise.all([...spool.list()].map(({ id }) => discard(spool, known, id)));
    }
    assert.ok(acknowledged > kills, `only ${acknowledged} messages were acknowledged`);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
});

async function discard(spool: LmdbSpool, known: Map<number, Known>, id: number): Promise<void> {
  await spool.remove(id);
  known.delete(id);
}

async function verify(spool: LmdbSpool, known: Map<number, Known>, round: number): Promise<void> {
  for (const [id, { crc, revised, attempts, leaving, gone }] of known) {
    const message = spool.get(id);
    if (message === undefined) {
      assert.ok(leaving, `round ${round}: message ${id} was acknowledged and is lost`);
      known.delete(id);
      continue;
    }
    assert.ok(!gone, `round ${round}: message ${id} came back`);
    const found = crc32(await readAll(spool.stream(id)));
    // A revision under way was made or not, as a whole.
    assert.ok(found === crc || found === revised, `round ${round}: content of ${id}`);
    assert.equal(message.envelope.recipients[0]?.address.startsWith('b'), message.categorized === true);
    const entry = known.get(id);
    if (entry !== undefined) Object.assign(entry, { crc: found, revised: undefined });
    assert.ok((message.recipients[0]?.attempts ?? 0) >= attempts, `round ${round}: states of ${id}`);
  }
  // What nobody had an answer for may be there, but then it is whole.
  for (const { id, facts } of spool.list()) assert.equal((await readAll(spool.stream(id))).length, facts.size);
}

test('what a crash left half done is swept away', async () => {
  const path = await mkdtemp(join(tmpdir(), 'edge-sweep-'));
  try {
    let id: number;
    {
      await using spool = await LmdbSpool.open({ path, clock: systemClock });
      ({ id } = await put(spool, {}, Buffer.alloc(200_000, 'x')));
    }
    for (const name of ['987654321', '12.tmp', 'stranger']) await writeFile(join(path, 'content', name), 'left');
    await using spool = await LmdbSpool.open({ path, clock: systemClock });
    assert.deepEqual(await readdir(join(path, 'content')), [String(id)]);
    assert.equal((await readAll(spool.stream(id))).length, 200_000);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
});
