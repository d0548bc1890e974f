import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { openEnvironment } from '../../src/directory/store/files/environment.ts';
import { Appliance, eventually, edge as run, serverName } from '../lib/appliance.ts';
import { needs } from '../lib/peers.ts';

/** Sends a message; what the server says to its end of data. */
function send(port: number): Promise<string> {
  const lines = [
    'EHLO a.example',
    'MAIL FROM:<a@a.example>',
    'RCPT TO:<b@b.example>',
    'DATA',
    'Subject: x\r\n\r\nx\r\n.',
    'QUIT',
  ];
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
      if (/^[2345]\d\d [^\n]*\n$/m.test(String(chunk))) socket.write(`${lines.shift() ?? ''}\r\n`);
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(text));
  });
}

describe('local faults', () => {
  let edge: Appliance;
  before(async () => {
    edge = await Appliance.start({ workers: 1, lines: ['New-AcceptedDomain b.example -DomainName b.example'] });
  });
  after(() => edge[Symbol.asyncDispose]());
  const status = () => run('status', '--state', edge.state);

  test('a path of a log that cannot be written is refused with the reason when it is set', async () => {
    for (const path of ['/proc/edge/tracking', '/dev/null', '/proc']) {
      const line = `Set-TransportService ${serverName()} -MessageTrackingLogPath ${path}`;
      await assert.rejects(edge.shell(line), new RegExp(`MessageTrackingLogPath '${path}' cannot be used: `), path);
    }
    await edge.shell(`Set-TransportService ${serverName()} -MessageTrackingLogPath logs/Elsewhere`);
    assert.match(await send(edge.port), /^250 2\.6\.0 /m);
    assert.equal((await status()).status, 0);
  });

  test('a log that cannot be written later is a FAULT with exit 1, mail goes on, and begin and end are in the service log', async () => {
    const folder = join(edge.state, 'logs', 'Elsewhere');
    // The worker makes it with the first line that it writes.
    await eventually('a file in the new folder', () => existsSync(folder) && readdirSync(folder).length > 0);
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'no folder any more');
    // The file that was open goes on until its hour ends: SIGHUP opens it anew.
    process.kill(edge.pid, 'SIGHUP');
    await eventually('a FAULT', async () => {
      assert.match(await send(edge.port), /^250 2\.6\.0 /m);
      const { status: code, out } = await status();
      return code === 1 && /FAULT {2}worker 0: log MSGTRK in .*Elsewhere cannot be written/.test(out);
    });
    rmSync(folder);
    await eventually('no FAULT', async () => {
      await send(edge.port);
      return (await status()).status === 0;
    });
    const log = readFileSync(join(edge.state, 'logs', 'service.log'), 'utf8');
    assert.match(log, /"fault: log MSGTRK .*cannot be written/);
    assert.match(log, /"fault is over: log MSGTRK/);
  });

  test('a worker that cannot take up a configuration is a FAULT with exit 1, and begin and end are in the service log', async () => {
    // An entry that does not decode at all, as a damaged store has it: none that LDAP takes would do.
    const { root, entries } = openEnvironment(join(edge.state, 'directory'), { readOnly: false, everyPage: false });
    try {
      const isConnector = (octets: Buffer): boolean => octets.includes('msExchSmtpReceiveConnector');
      const [found] = [...entries.getRange()].filter(({ value }) => isConnector(value));
      assert.ok(found);
      const sound = Buffer.from(found.value);
      await entries.put(found.key, Buffer.from([0xff, 0xff, 0xff]));
      await edge.shell('New-AcceptedDomain c.example -DomainName c.example');
      const told = /FAULT {2}worker 0: update \d+ of the configuration cannot be taken up, \d+ stays in force/;
      await eventually('a FAULT', async () => {
        const { status: code, out } = await status();
        return code === 1 && told.test(out);
      });
      assert.match(await send(edge.port), /^250 2\.6\.0 /m, 'mail goes on by the one before');
      await entries.put(found.key, sound);
      await edge.shell('Remove-AcceptedDomain c.example -Confirm:$false');
      await eventually('no FAULT', async () => (await status()).status === 0);
    } finally {
      await root.close();
    }
    const log = readFileSync(join(edge.state, 'logs', 'service.log'), 'utf8');
    assert.match(log, /"fault: update \d+ of the configuration cannot be taken up/);
    assert.match(log, /"fault is over: update \d+ of the configuration/);
  });

  test('a worker that hangs is a FAULT with exit 1, by its name', async () => {
    const [worker = 0] = edge.workers();
    process.kill(worker, 'SIGSTOP');
    try {
      const { status: code, out } = await status();
      assert.equal(code, 1, out);
      assert.match(out, /FAULT {2}worker 0: worker-status: no answer within 10000 ms/);
    } finally {
      process.kill(worker, 'SIGCONT');
    }
  });
});

/** The spool on a file system of its own, which only the service sees: a full one is nobody else's. */
const smallSpool = [
  ...['unshare', '--mount', '--propagation', 'private', 'sh', '-c'],
  'mount -t tmpfs -o size=160m,mode=700 tmpfs "$0" && exec "$@"',
  '$state/spool',
];

test(
  'a full disk is a FAULT with exit 1, mail gets 452, and begin and end are in the service log',
  needs('root'),
  async () => {
    await using edge = await Appliance.start({
      workers: 1,
      behind: smallSpool,
      lines: ['New-AcceptedDomain b.example -DomainName b.example'],
    });
    const status = () => run('status', '--state', edge.state);
    assert.match(await send(edge.port), /^250 2\.6\.0 /m);
    const filler = `/proc/${edge.pid}/root${edge.state}/spool/filler`;
    execFileSync('fallocate', ['-l', '120M', filler]);
    await eventually('452', async () => /^452 4\.3\.1 /m.test(await send(edge.port)), 60_000);
    await eventually('a FAULT', async () => {
      const { status: code, out } = await status();
      return code === 1 && /FAULT {2}worker 0: .*452 4\.3\.1/.test(out);
    });
    rmSync(filler);
    await eventually('mail again', async () => /^250 2\.6\.0 /m.test(await send(edge.port)), 60_000);
    await eventually('no FAULT', async () => (await status()).status === 0, 60_000);
    const log = readFileSync(join(edge.state, 'logs', 'service.log'), 'utf8');
    assert.match(log, /"fault: [^"]*452 4\.3\.1/);
    assert.match(log, /"fault is over: [^"]*452 4\.3\.1/);
  },
);
