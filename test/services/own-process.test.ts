/** A directory service and a transport worker in the process of the test, which is their supervisor. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { Bus, channelPair, toProcess, toSupervisor } from '../../src/processes/index.ts';
import { bindSocket } from '../../src/processes/listen-sockets.ts';
import type { Service } from '../../src/services/child-process.ts';
import { openDirectoryService } from '../../src/services/directory/directory-service.ts';
import { openTransportWorker } from '../../src/services/transport/transport-worker.ts';
import { eventually, serverName } from '../lib/appliance.ts';
import { freePort } from '../lib/ports.ts';
import { shellHere } from '../lib/shell-here.ts';

type SupervisorSide = Bus<typeof toProcess, typeof toSupervisor>;

/** One service with the supervisor's end of its channel. */
interface Running {
  readonly service: Service;
  readonly bus: SupervisorSide;
  readonly ended: Promise<void>;
}

const faults: unknown[] = [];
let state = '';
let port = 0;

before(async () => {
  state = mkdtempSync(join(tmpdir(), 'edge-own-process-'));
  port = await freePort();
  const lines = [
    `ConfigureAdam.ps1 -LdapPort ${await freePort()} -SslPort ${await freePort()}`,
    `Set-ReceiveConnector "Default internal receive connector ${serverName()}" -Bindings 127.0.0.1:${port}`,
    'New-AcceptedDomain -Name Corp -DomainName corp.example -DomainType Authoritative',
  ];
  const { status, error } = await shellHere({ state, lines });
  assert.equal(status, 0, error);
});
after(() => rmSync(state, { recursive: true, force: true }));

async function run(open: typeof openDirectoryService, listen: (bus: SupervisorSide) => void): Promise<Running> {
  const [ours, theirs] = channelPair();
  const bus: SupervisorSide = new Bus(ours, { out: toProcess, in: toSupervisor }, (error) => void faults.push(error));
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  bus.handle('ready', () => ready.resolve());
  listen(bus);
  const options = { state, role: 'EdgeTransport', index: 0, workers: 1 } as const;
  const service = await open(options, theirs, () => ended.resolve());
  await ready.promise;
  return { service, bus, ended: ended.promise };
}

/** Says each line when the last one is answered; the first characters of the answers. */
async function converse(lines: readonly string[]): Promise<string[]> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    const codes: string[] = [];
    let next = 0;
    for await (const line of createInterface({ input: socket })) {
      if (line[3] === '-') continue;
      codes.push(line.slice(0, 3));
      const said = lines[next++];
      if (said === undefined) break;
      socket.write(`${said}\r\n`);
    }
    return codes;
  } finally {
    socket.destroy();
  }
}

test('both run in one process: mail is taken, a change of the configuration is in force, and both end', {
  timeout: 300_000,
}, async () => {
  const bindings = Promise.withResolvers<readonly { readonly address: string; readonly port: number }[]>();
  const changes: number[] = [];
  const workers: SupervisorSide[] = [];
  const directory = await run(openDirectoryService, (bus) => {
    bus.handle('bindings', (list) => bindings.resolve(list));
    bus.handle('ticket-secret', () => undefined);
    bus.handle('certificates-changed', () => undefined);
    bus.handle('changed', (usn) => {
      changes.push(usn);
      for (const worker of workers) worker.notify('changed', usn);
    });
  });
  const worker = await run(openTransportWorker, (bus) => {
    bus.handle('check-logon', () => ({ kind: 'unavailable', name: '', sids: [] }));
  });
  workers.push(worker.bus);
  try {
    const [binding] = await bindings.promise;
    assert.deepEqual(binding, { address: '127.0.0.1', port, use: 'smtp' });
    await worker.bus.request(
      'listen',
      { address: '127.0.0.1', port, use: 'smtp' },
      { handle: bindSocket({ address: '127.0.0.1', port }) },
    );
    const message = [
      'EHLO test',
      'MAIL FROM:<a@example.org>',
      'RCPT TO:<b@corp.example>',
      'DATA',
      'Subject: x\r\n\r\nx\r\n.',
    ];
    assert.deepEqual(await converse([...message, 'QUIT']), ['220', '250', '250', '250', '354', '250', '221']);
    const change = 'New-AcceptedDomain -Name Other -DomainName other.example -DomainType InternalRelay';
    const { status, error } = await shellHere({ state, lines: [change] });
    assert.equal(status, 0, error);
    assert.ok(changes.length > 0, 'the worker was told');
    const lines = ['EHLO test', 'MAIL FROM:<a@example.org>', 'RCPT TO:<b@other.example>', 'QUIT'];
    await eventually('the new domain is accepted', async () => (await converse(lines))[3] === '250');
  } finally {
    worker.bus.notify('stop', undefined);
    await worker.ended;
    directory.bus.notify('stop', undefined);
    await directory.ended;
  }
  assert.deepEqual(faults, []);
});
