import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { sendMessage } from '../../src/lab/lab-client.ts';
import { Appliance, eventually, edge as run } from '../lib/appliance.ts';
import { needs } from '../lib/peers.ts';
import { freePort } from '../lib/ports.ts';
import { Daemon } from '../lib/program.ts';

/** A client that stays in a session. */
class Client {
  readonly socket: Socket;
  #lines: AsyncIterator<string>;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' });
    this.#lines = createInterface({ input: this.socket })[Symbol.asyncIterator]();
  }

  /** Sends a line (none: only reads) and gives the last line of the reply. */
  async say(line?: string): Promise<string> {
    if (line !== undefined) this.socket.write(`${line}\r\n`);
    for (;;) {
      const { value, done } = (await this.#lines.next()) as IteratorResult<string, undefined>;
      if (done === true) return 'closed';
      if (value[3] !== '-') return value;
    }
  }
}

const corp = 'New-AcceptedDomain -Name Corp -DomainName corp.example -DomainType Authoritative';

describe('the processes of an appliance', () => {
  /** Of those tests that leave it running; the last of them stops it. */
  let edge: Appliance;
  before(async () => {
    edge = await Appliance.start({ lines: [corp] });
  });
  after(() => edge[Symbol.asyncDispose]());

  test('a second start on the same state is refused, with who holds it', async () => {
    const second = await run('start', '--state', edge.state);
    assert.equal(second.status, 2);
    assert.match(second.error, new RegExp(`is in use by process ${edge.pid}`));
  });

  test('status tells bindings, processes and queues', async () => {
    const { status, out } = await run('status', '--state', edge.state);
    assert.equal(status, 0, out);
    assert.match(out, new RegExp(`smtp +127\\.0\\.0\\.1:${edge.port}`));
    assert.match(out, new RegExp(`ldap +127\\.0\\.0\\.1:${edge.ldapPort}`));
  });

  test('SIGHUP opens the logs anew', async () => {
    const folder = join(edge.state, 'logs');
    const log = join(folder, 'service.log');
    await eventually('a service log', () => statSync(log, { throwIfNoEntry: false }) !== undefined);
    renameSync(log, `${log}.old`);
    process.kill(edge.pid, 'SIGHUP');
    await eventually('a new service log', () => statSync(log, { throwIfNoEntry: false }) !== undefined);
    await eventually('it says so', () => /logs are opened anew/.test(edge.output));
  });

  test('a worker that is killed comes back; sessions of the other go on', async () => {
    const clients = Array.from({ length: 12 }, () => new Client(edge.port));
    for (const client of clients) assert.match(await client.say(), /^220 /);
    const before = edge.workers();
    const victim = before[0] ?? 0;
    process.kill(victim, 'SIGKILL');
    const replies = await Promise.all(clients.map((client) => client.say('EHLO client.example').catch(() => 'closed')));
    assert.ok(
      replies.some((reply) => reply.startsWith('250')),
      'sessions of the worker that lives go on',
    );
    await eventually('the worker is back', () => {
      const now = edge.workers();
      return now.length === 2 && !now.includes(victim);
    });
    await eventually('every new connection is served', async () => {
      const greetings = await Promise.all(Array.from({ length: 8 }, () => new Client(edge.port).say()));
      return greetings.every((greeting) => greeting.startsWith('220'));
    });
    for (const client of clients) client.socket.destroy();
  });

  test('status tells that nothing runs', async () => {
    await edge.stop();
    const stopped = await run('status', '--state', edge.state);
    assert.equal(stopped.status, 2);
    assert.match(stopped.error, /nothing runs on .*edge start/);
  });

  test('SIGTERM: a message in DATA finishes, other sessions get 421, exit status 0', async () => {
    await using edge = await Appliance.start({ lines: [corp], workers: 1 });
    const sender = new Client(edge.port);
    const idle = new Client(edge.port);
    await sender.say();
    await idle.say();
    await sender.say('EHLO a.example');
    await sender.say('MAIL FROM:<a@a.example>');
    await sender.say('RCPT TO:<b@corp.example>');
    assert.match(await sender.say('DATA'), /^354/);
    sender.socket.write('Subject: x\r\n\r\n');
    const stopped = edge.stop();
    assert.match(await idle.say(), /^421 4\.3\.2/);
    assert.match(await sender.say('hello\r\n.'), /^250 2\.6\.0/);
    assert.equal(await stopped, 0);
    // What was answered 250 is still there after the next start.
    await edge.start();
    await eventually('the message in the queue', async () => {
      const { out } = await run('status', '--state', edge.state, '--json');
      const { workers } = JSON.parse(out) as { workers: { messages: number }[] };
      return workers.reduce((sum, { messages }) => sum + messages, 0) === 1;
    });
  });

  test('root binds, everything else runs as the account named', needs('root'), async () => {
    await using edge = await Appliance.start({ lines: [corp], user: 'nobody', workers: 1 });
    const { out } = await run('status', '--state', edge.state, '--json');
    const { processes, pid } = JSON.parse(out) as { processes: { name: string; pid: number }[]; pid: number };
    const uidOf = (id: number): string =>
      /^Uid:\s+(\d+)\s+(\d+)/m
        .exec(readFileSync(`/proc/${id}/status`, 'utf8'))
        ?.slice(1, 3)
        .join() ?? '';
    assert.equal(uidOf(pid), '0,0');
    for (const process of processes) assert.equal(uidOf(process.pid), '65534,65534', process.name);
    await sendMessage('127.0.0.1', edge.port, {
      from: 'a@a.example',
      to: ['b@corp.example'],
      parameters: '',
      content: Buffer.from('Subject: x\r\n\r\nx\r\n'),
    });
  });

  test('the service manager is told when it is ready and when it stops', needs('systemd-notify'), async () => {
    await using edge = await Appliance.prepare({ workers: 1 });
    const socket = join(edge.state, '..', 'notify');
    // Datagrams of the service manager's protocol are read by Python: the runtime has no unix datagram sockets.
    const script = `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); print('bound', file=sys.stderr, flush=True)
while True: print(s.recv(4096).decode().replace('\\n', ' '), file=sys.stderr, flush=True)`;
    const up = (said: string): boolean => said.includes('bound');
    await using listener = await Daemon.start('/usr/bin/python3', ['-c', script, socket], { up });
    process.env['NOTIFY_SOCKET'] = socket;
    try {
      await edge.start();
    } finally {
      delete process.env['NOTIFY_SOCKET'];
    }
    await eventually('READY=1', () => listener.said.includes('READY=1'));
    await edge.stop();
    await eventually('STOPPING=1', () => listener.said.includes('STOPPING=1'));
  });

  test('a port that is taken is named, and had as soon as it is free', async () => {
    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    await using second = await Appliance.prepare({ workers: 1 });
    await second.shell(
      `Set-ReceiveConnector "Default internal receive connector $server" -Bindings 127.0.0.1:${second.port},127.0.0.1:${port}`,
    );
    await second.start();
    assert.match(second.output, new RegExp(`127\\.0\\.0\\.1:${port} cannot be bound: another program listens there`));
    other.close();
    await eventually('the binding', async () => /listens now/.test(second.output));
    assert.match(await new Client(port).say(), /^220/);
  });

  test('a state directory that cannot be used says why', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'edge-e2e-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'file'), '');
    const asRoot = process.getuid?.() === 0;
    const state = join(folder, 'file', 'state');
    const { status, error } = await run('start', '--state', state, ...(asRoot ? ['--user', 'root'] : []));
    assert.equal(status, 2);
    assert.match(error, /file: a file is where a folder should be/);
  });

  test('an account that cannot reach its files is named before anything starts', needs('root'), async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'edge-e2e-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const { status, error } = await run('start', '--state', join(folder, 'state'), '--user', 'nobody');
    assert.equal(status, 2);
    assert.match(error, new RegExp(`'nobody', who may not enter ${folder}: choose another --state`));
  });
});
