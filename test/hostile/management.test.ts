/**
 * Callers of the management endpoint, before and after they have proved who they are: they cost the directory process a bounded
 * amount of memory, and others are served meanwhile. In `make test` a short form; `make hostile` sends 100 MB in each phase.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Appliance, edge } from '../lib/appliance.ts';
import { full, processesOf, type Row, Siege, timed } from './lib/siege.ts';

let appliance: Appliance | undefined;
let siege: Siege;
before(async () => {
  appliance = await Appliance.start({ workers: 1 });
  await served();
  siege = new Siege([(await processesOf(appliance.state)).get('directory') ?? 0], served);
});
after(() => appliance?.[Symbol.asyncDispose]());

const endpoint = (name: string): string => join(appliance?.state ?? '', 'management', name);

const served = (): Promise<Record<string, number>> =>
  timed({
    'edge status': async () => {
      const { status, out, error } = await edge('status', '--state', appliance?.state ?? '');
      assert.equal(status, 0, out + error);
    },
  });

/** Proves who calls, as the client does. */
async function prove(socket: Socket): Promise<void> {
  const [challenge] = (await once(socket, 'data')) as [Buffer];
  mkdirSync(endpoint(join('callers', (JSON.parse(String(challenge)) as { prove: string }).prove)), { mode: 0o700 });
  socket.write('{"proved":true}\n');
  await once(socket, 'data');
}

// One account has 64 connections at the most, and the one that asks for the status is the same.
const proved = () => ({ to: endpoint('socket'), phase: 'clear', connections: 40, before: prove }) as const;
const octets = (count: number) => (): Buffer => Buffer.alloc(count, 0x61);

const attacks: Readonly<Record<string, Row>> = {
  'before a proof, a line that never ends': () => ({
    to: endpoint('socket'),
    phase: 'clear',
    connections: 40,
    payload: octets(65_536),
  }),
  'a request that never ends': () => ({ ...proved(), payload: octets(65_536) }),
  'a request that never ends, octet by octet': () => ({
    ...proved(),
    payload: octets(10_000),
    pieceBytes: 1,
    totalBytes: full ? 1_500_000 : 50_000,
  }),
  'requests whose answers nobody reads': () => ({
    ...proved(),
    deaf: true,
    payload: () => Buffer.from('{"id":1,"method":"status","params":null}\n'.repeat(500)),
    totalBytes: full ? 4_000_000 : 100_000,
  }),
};

for (const [name, attack] of Object.entries(attacks)) {
  test(`${name}: bounded memory, others are served`, { timeout: 600_000 }, (t) => siege.endures(t, attack));
}

test('the process that was attacked is the one that began', async () => {
  assert.equal((await processesOf(appliance?.state ?? '')).get('directory'), siege.pids[0]);
});
