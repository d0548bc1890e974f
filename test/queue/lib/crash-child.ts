/**
 * A process that is killed in the middle of its work. It commits messages to the spool and prints `A id crc` once commit() has
 * resolved; it settles some and prints `R id` before it begins the removal, `U id attempts` once an update has resolved, `V id crc`
 * before it begins a revision and `W id` once that has resolved.
 */
import { writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { systemClock } from '../../../src/base/index.ts';
import { LmdbSpool } from '../../../src/queue/index.ts';
import { newMessage, put } from './new-message.ts';

const [path = '', seed = '1'] = process.argv.slice(2);
const spool = await LmdbSpool.open({ path, clock: systemClock, thresholdBytes: 96 * 1024 });
let random = Number(seed);
const next = (below: number): number => {
  random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
  return Math.floor((random / 2_147_483_648) * below);
};
const say = (line: string): void => void writeSync(1, `${line}\n`);

async function session(): Promise<void> {
  for (;;) {
    const size = next(8) === 0 ? 100_000 + next(400_000) : next(8_000);
    const content = Buffer.alloc(size, `${next(1_000_000)}\r\n`);
    const { id } = await put(spool, {}, content);
    say(`A ${id} ${crc32(content)}`);
    const fate = next(4);
    if (fate === 0) {
      say(`R ${id}`);
      await spool.remove(id);
      say(`G ${id}`);
    } else if (fate === 2 && next(2) === 0) {
      const head = Buffer.from(`X-Agent: ${next(1_000)}\r\n`);
      const octets = Math.min(10, size);
      const revised = Buffer.concat([head, content.subarray(octets)]);
      const { envelope, facts } = newMessage({ recipients: ['b@example.com'], size: revised.length });
      const state = { status: 'pending', attempts: 0, due: 0, lastReply: '', delayNotified: false } as const;
      say(`V ${id} ${crc32(revised)}`);
      await spool.revise(id, { envelope, facts, recipients: [state], replaced: { head, octets } });
      say(`W ${id}`);
    } else if (fate === 1) {
      const attempts = 1 + next(100);
      const state = { status: 'pending', attempts, due: 5, lastReply: 'x', delayNotified: false } as const;
      await spool.update(id, [state]);
      say(`U ${id} ${attempts}`);
    }
  }
}

say('ready');
await Promise.all(Array.from({ length: 12 }, session));
