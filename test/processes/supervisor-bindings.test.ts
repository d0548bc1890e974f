/** What a supervisor binds for a directory process that was broken into: nothing but the ports that it may; and a start that is stopped. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ChildPlan, Supervisor } from '../../src/processes/index.ts';
import { eventually } from '../lib/appliance.ts';
import { freePort } from '../lib/ports.ts';

const door = fileURLToPath(new URL('../../src/processes/index.ts', import.meta.url));

/** A process that does as `own` says with its bus. */
function child(folder: string, name: string, own: string): ChildPlan {
  const entry = join(folder, `${name}.mjs`);
  const common = `import net from 'node:net'; import { Bus, channelToParent, toProcess, toSupervisor } from '${door}';
    const bus = new Bus(channelToParent(), { out: toSupervisor, in: toProcess }, () => {});
    bus.handle('stop', () => process.exit(0)); process.on('disconnect', () => process.exit(1));`;
  writeFileSync(entry, `${common}\n${own}\nbus.notify('ready');`);
  return { name, entry, arguments: [], nodeOptions: ['--disable-warning=ExperimentalWarning'] };
}

function reached(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

test('a binding on a port that is not allowed is a fault, the others listen', { timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-bindings-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [allowed, refused] = [await freePort(), await freePort()];
  const wanted = [allowed, refused].map((port) => ({ address: '127.0.0.1', port, use: 'smtp' }));
  const said: string[] = [];
  const supervisor = new Supervisor({
    directory: child(folder, 'directory', `setTimeout(() => bus.notify('bindings', ${JSON.stringify(wanted)}));`),
    workers: [child(folder, 'worker', "bus.handle('listen', (_, socket) => void net.createServer().listen(socket));")],
    log: { info: () => {}, warn: (text) => said.push(text) },
    relayed: [],
    mayBind: (port) => port === allowed,
  });
  t.after(() => supervisor.stop());
  const told = 'cannot be bound: the service may not bind this port; edge start --allow-port permits it';
  assert.deepEqual(await supervisor.start(), [
    { binding: `127.0.0.1:${allowed}`, use: 'smtp', open: true, fault: '' },
    { binding: `127.0.0.1:${refused}`, use: 'smtp', open: false, fault: `127.0.0.1:${refused} ${told}` },
  ]);
  assert.deepEqual(said, [`127.0.0.1:${refused} ${told}`]);
  assert.deepEqual([await reached(allowed), await reached(refused)], [true, false]);
});

test('a wildcard gives way to one of its addresses without a fault', { timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-bindings-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const port = await freePort();
  const bindings = (address: string) => JSON.stringify([{ address, port, use: 'smtp' }]);
  const said: string[] = [];
  const supervisor = new Supervisor({
    directory: child(
      folder,
      'directory',
      `bus.handle('reopen-logs', () => bus.notify('bindings', ${bindings('127.0.0.1')}));
      setTimeout(() => bus.notify('bindings', ${bindings('0.0.0.0')}));`,
    ),
    // It is busy when it hears that it is to close.
    workers: [
      child(
        folder,
        'worker',
        `const open = new Map();
        bus.handle('listen', ({ address }, socket) => void open.set(address, net.createServer().listen(socket)));
        bus.handle('reopen-logs', () => {});
        bus.handle('unlisten', async ({ address }) => {
          await new Promise((resume) => setTimeout(resume, 200));
          open.get(address).close();
        });`,
      ),
    ],
    log: { info: () => {}, warn: (text) => said.push(text) },
    relayed: [],
    mayBind: () => true,
  });
  t.after(() => supervisor.stop());
  await supervisor.start();
  supervisor.reopenLogs();
  await eventually('the other binding', () => supervisor.bindings()[0]?.binding.startsWith('127.') === true);
  await eventually('it listens', async () => supervisor.bindings()[0]?.open === true && (await reached(port)));
  assert.deepEqual(
    [said, supervisor.bindings()],
    [[], [{ binding: `127.0.0.1:${port}`, use: 'smtp', open: true, fault: '' }]],
  );
});

test('a start that is stopped before it was ready waits for nothing any more', { timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'edge-stopped-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const entry = join(folder, 'directory.mjs');
  // It says that it runs, and is never ready.
  writeFileSync(
    entry,
    "console.log('here'); setInterval(() => {}, 1000); process.on('disconnect', () => process.exit(1));",
  );
  const running = Promise.withResolvers<void>();
  const plan = { name: 'directory', entry, arguments: [], nodeOptions: [] };
  const supervisor = new Supervisor({
    directory: plan,
    workers: [{ ...plan, name: 'worker' }],
    log: { info: () => running.resolve(), warn: () => {} },
    relayed: [],
    mayBind: () => false,
  });
  const started = assert.rejects(supervisor.start(), /stopped before it was ready/);
  await running.promise;
  const stopping = supervisor.stop();
  await started;
  for (const { pid } of supervisor.processes()) if (pid > 0) process.kill(pid, 'SIGKILL');
  await stopping;
  assert.deepEqual(
    supervisor.processes().map(({ pid }) => pid),
    [0, 0],
  );
});
