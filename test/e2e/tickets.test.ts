/** A client that comes back to another worker resumes its session there: the workers share the secret of their tickets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { Appliance, eventually } from '../lib/appliance.ts';

let appliance: Appliance;
before(async () => {
  appliance = await Appliance.start({ workers: 2 });
});
after(() => appliance[Symbol.asyncDispose]());

/** A handshake behind STARTTLS; `session` of one before. */
async function handshake(session?: Buffer): Promise<{ reused: boolean; session: Buffer }> {
  const clear = connect(appliance.port, '127.0.0.1');
  try {
    let text = '';
    const reply = async (): Promise<void> => {
      while (!/^\d{3} .*\r\n$/m.test(text)) text += String(((await once(clear, 'data')) as [Buffer])[0]);
      text = '';
    };
    await reply();
    clear.write('EHLO client.test\r\n');
    await reply();
    clear.write('STARTTLS\r\n');
    await reply();
    const socket = connectTls({ socket: clear, rejectUnauthorized: false, ...(session && { session }) });
    const ticket = session === undefined ? (once(socket, 'session') as Promise<[Buffer]>) : undefined;
    await once(socket, 'secureConnect');
    socket.resume();
    const reused = socket.isSessionReused();
    return { reused, session: (await ticket)?.[0] ?? session ?? Buffer.alloc(0) };
  } finally {
    clear.destroy();
  }
}

/** Whether 12 connections, which the kernel deals out among the workers, all resume. */
async function allResume(session: Buffer): Promise<boolean[]> {
  const reused: boolean[] = [];
  for (let i = 0; i < 12; i++) reused.push((await handshake(session)).reused);
  return [...new Set(reused)];
}

test('a session is resumed on every worker', async () => {
  const { reused, session } = await handshake();
  assert.equal(reused, false);
  assert.deepEqual(await allResume(session), [true]);
});

test('a worker that came back shares the secret too', async () => {
  const { session } = await handshake();
  const [first] = appliance.workers();
  assert.ok(first);
  process.kill(first, 'SIGKILL');
  await eventually('another worker came', () => {
    const workers = appliance.workers();
    return workers.length === 2 && !workers.includes(first);
  });
  assert.deepEqual(await allResume(session), [true]);
});
