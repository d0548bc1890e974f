import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { giveBackWhenIdle, type ProcessMemory } from '../../src/processes/index.ts';
import { FakeClock } from '../queue/lib/fake-clock.ts';

const mb = 1024 ** 2;

class FakeMemory implements ProcessMemory {
  cpu = 0;
  octets = 60 * mb;
  collected = 0;
  cpuMs(): number {
    return this.cpu;
  }
  resident(): number {
    return this.octets;
  }
  collect(): void {
    this.collected += 1;
    this.octets -= 10 * mb;
  }
}

test('memory is given back once after each busy time that made it grow', async () => {
  const clock = new FakeClock();
  const memory = new FakeMemory();
  using _watch = giveBackWhenIdle(memory, clock);
  const after = async (seconds: number, cpuMs: number, grown: number): Promise<number> => {
    memory.cpu += cpuMs;
    memory.octets += grown * mb;
    await clock.advance(seconds * 1000);
    return memory.collected;
  };
  assert.equal(await after(5, 3_000, 40), 0, 'busy');
  assert.equal(await after(25, 10, 0), 0, 'idle, but not for long');
  assert.equal(await after(5, 10, 0), 1, 'idle, and it had grown');
  assert.equal(await after(60, 10, 0), 1, 'idle, as large as it was left');
  assert.equal(await after(5, 10, 7), 1, 'grown too little');
  assert.equal(await after(5, 10, 2), 2, 'grown enough by and by');
  assert.equal(await after(5, 151, 50), 2, 'too busy');
  assert.equal(await after(25, 0, 0), 2, 'busy a moment ago');
  assert.equal(await after(5, 0, 0), 3, 'idle again');
});

test('the runtime has the collection that is asked for', () => {
  const script = `
    import { ownMemory } from ${JSON.stringify(new URL('../../src/processes/idle-memory.ts', import.meta.url).href)};
    let much = Array.from({ length: 400_000 }, (_, i) => ({ i }));
    const before = ownMemory.resident();
    much = undefined;
    ownMemory.collect();
    console.log(before - ownMemory.resident());`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--expose-gc', '--input-type=module-typescript', '-e', script],
    {
      encoding: 'utf8',
    },
  );
  assert.ok(Number(stdout) > 4 * mb, `${stdout} ${stderr}`);
});
