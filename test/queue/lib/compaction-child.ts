/**
 * A process that is killed while it compacts: it drains a backlog, takes messages all the while, prints `A id crc` once one is
 * on the disk, `C` before each compaction and `D` behind it.
 */
import { writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { systemClock } from '../../../src/base/index.ts';
import { LmdbSpool } from '../../../src/queue/index.ts';
import { put } from './new-message.ts';

const [path = ''] = process.argv.slice(2);
const spool = await LmdbSpool.open({ path, clock: systemClock });
const say = (line: string): void => void writeSync(1, `${line}\n`);
const large = Buffer.alloc(90_000, 'x');
let number = 0;

async function session(): Promise<void> {
  for (;;) {
    const content = Buffer.from(`message ${process.pid} ${number++}\r\n`);
    const { id } = await put(spool, {}, content);
    say(`A ${id} ${crc32(content)}`);
  }
}

for (let i = 0; i < 12; i++) void session();
for (;;) {
  const backlog = await Promise.all(Array.from({ length: 250 }, () => put(spool, {}, large)));
  await Promise.all(backlog.map(({ id }) => spool.remove(id)));
  say('C');
  await spool.compact();
  say('D');
}
