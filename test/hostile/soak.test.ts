/**
 * Good and hostile traffic at the same time, for as long as EDGE_SOAK_MINUTES says (`make soak`: 60; in `make test` some seconds): memory
 * stays where it was once everything was used, and every message that was answered 250 reaches the next hop once.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Appliance, eventually } from '../lib/appliance.ts';
import { ScriptedSink } from '../lib/scripted-sink.ts';
import { idsOf, sendUntil } from '../lib/steady-senders.ts';
import { heldBy, processesOf } from './lib/siege.ts';

const minutes = Number(process.env['EDGE_SOAK_MINUTES'] ?? 0.15);
const mib = 1024 ** 2;
/** The heap breathes: what is held at the end may lie so much above what was held after the first third. */
const allowedGrowth = 64 * mib;
const goodSenders = 4;

/** What strangers say, each on a connection of its own, one after the other. */
const hostilities: readonly string[] = [
  'EHLO x\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@corp.example>\r\nDATA\r\nSubject: x\r\n\r\nx\n.\nMAIL FROM:<evil@a.example>\r\n.\r\n',
  'EHLO x\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@corp.example>\r\nBDAT 99999999999999999999 LAST\r\nQUIT\r\n',
  'EHLO x\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@corp.example>\r\nBDAT 10\r\nhalf',
  `EHLO ${'x'.repeat(5_000)}\r\n`,
  `EHLO x\r\n${'NOOP\r\n'.repeat(300)}`,
  `EHLO x\r\nMAIL FROM:<a@a.example>\r\n${'RCPT TO:<x@elsewhere.example>\r\n'.repeat(60)}`,
  `EHLO x\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@corp.example>\r\nDATA\r\n${'X: '.concat('y'.repeat(900), '\r\n').repeat(200)}`,
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'EHLO x\r\nSTARTTLS\r\nMAIL FROM:<evil@a.example>\r\n',
  'EHLO x\r\nAUTH PLAIN AGEAYg==\r\nAUTH PLAIN AGEAYg==\r\n',
  '\0'.repeat(4_096),
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
];

/** Says one of them and hangs up in some way; resolves in any case. */
function attack(port: number, number: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  socket.on('close', () => resolve());
  socket.on('data', () => undefined);
  socket.setTimeout(1_000, () => socket.destroy());
  socket.write(Buffer.from(hostilities[number % hostilities.length] ?? '', 'latin1'));
  if (number % 3 === 0) socket.once('data', () => socket.resetAndDestroy());
  else if (number % 3 === 1) socket.end();
  return promise;
}

test('mixed traffic leaves memory flat and loses nothing', async (t) => {
  await using sink = await ScriptedSink.listen();
  await using edge = await Appliance.start({
    workers: 1,
    lines: [
      'New-AcceptedDomain Corp -DomainName corp.example',
      `New-SendConnector Hub -Usage Internal -AddressSpaces "SMTP:--;1" -DNSRoutingEnabled $false -SmartHosts "[127.0.0.1]" -Port ${sink.port}`,
      'Get-ReceiveConnector | Set-ReceiveConnector -MessageRateLimit Unlimited -MaxInboundConnectionPerSource Unlimited -MaxInboundConnectionPercentagePerSource 100 -TarpitInterval 0',
      'Set-TransportService -MaxConnectionRatePerMinute 2147483647',
    ],
  });
  const pids = [...(await processesOf(edge.state)).values()].filter((pid) => pid > 0);
  const accepted = new Set<string>();
  const until = performance.now() + minutes * 60_000;
  const stopped = (): boolean => performance.now() >= until;
  const good = Array.from({ length: goodSenders }, (_, i) => sendUntil(stopped, edge.port, String(i), accepted));
  let attacks = 0;
  const bad = Array.from({ length: 4 }, async () => {
    while (!stopped()) await attack(edge.port, attacks++);
  });
  const seen = new Map<string, number>();
  /** All along: an hour of messages has no room in the memory of this process. */
  const collect = (): void => {
    for (const id of idsOf(sink.taken.splice(0))) seen.set(id, (seen.get(id) ?? 0) + 1);
  };
  const missing = (): number => {
    collect();
    return [...accepted].filter((id) => !seen.has(id)).length;
  };
  const held: number[] = [];
  const sampleMs = Math.max(200, Math.min(5_000, (minutes * 60_000) / 200));
  while (!stopped()) {
    await new Promise((resolve) => setTimeout(resolve, sampleMs));
    collect();
    held.push(heldBy(pids));
  }
  await Promise.all([...good, ...bad]);
  await eventually('every accepted message at the next hop', () => missing() === 0, 120_000);
  const third = Math.ceil(held.length / 3);
  const [early, late] = [held.slice(third, 2 * third), held.slice(2 * third)].map((part) => Math.max(...part)) as [
    number,
    number,
  ];
  const figures = `${accepted.size} messages, ${attacks} attacks in ${minutes} minutes, ${Math.round(early / mib)} then ${Math.round(late / mib)} MiB`;
  t.diagnostic(figures);
  assert.ok(accepted.size > 0 && attacks > hostilities.length, figures);
  assert.equal(
    seen.size,
    [...seen.values()].reduce((sum, count) => sum + count, 0),
    'nothing is delivered twice',
  );
  // No smuggled or half message came through.
  assert.equal(seen.size, accepted.size);
  assert.ok(late <= early + allowedGrowth, figures);
  const pidsNow = [...(await processesOf(edge.state)).values()].filter((pid) => pid > 0);
  assert.deepEqual(pidsNow, pids, 'no process was started again');
});
