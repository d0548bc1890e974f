import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Appliance, eventually } from '../lib/appliance.ts';
import { ScriptedSink } from '../lib/scripted-sink.ts';
import { idsOf, sendUntil } from '../lib/steady-senders.ts';

const senders = 8;
/** `make soak-crash`: 1,000 of each kind. */
const kills = Number(process.env['EDGE_SOAK_KILLS'] ?? 5);
const largeEvery = kills > 100 ? 500 : 10;
/** It goes on beside other work of the machine. */
const patienceMs = 120_000;

/** Fresh appliances, so that each has its outcome: and a worker that fails again and again waits ever longer before it comes back. */
async function surviveAll(
  perAppliance: number,
  workers: number,
  kill: (edge: Appliance) => Promise<void>,
): Promise<void> {
  for (let done = 0; done < kills; done += perAppliance) {
    const said = await survive(Math.min(perAppliance, kills - done), workers, kill);
    console.log(`${done + perAppliance} of ${kills}: ${said}`);
  }
}

/** Kills an appliance so many times; resolves with what came of it. */
async function survive(kills: number, workers: number, kill: (edge: Appliance) => Promise<void>): Promise<string> {
  await using sink = await ScriptedSink.listen();
  await using edge = await Appliance.start({
    workers,
    lines: [
      'New-AcceptedDomain -Name Corp -DomainName corp.example -DomainType Authoritative',
      `New-SendConnector -Name Hub -Usage Internal -AddressSpaces "SMTP:--;1" -DNSRoutingEnabled $false -SmartHosts "[127.0.0.1]" -Port ${sink.port}`,
    ],
  });
  const accepted = new Set<string>();
  let stop = false;
  const running = Array.from({ length: senders }, (_, i) =>
    sendUntil(() => stop, edge.port, String(i), accepted, largeEvery),
  );
  try {
    for (let i = 0; i < kills; i++) {
      const enough = accepted.size + 30;
      await eventually('mail between two kills', () => accepted.size > enough, patienceMs);
      await kill(edge);
    }
  } finally {
    // Senders that nobody stops keep the test from ending, whatever failed.
    stop = true;
    await Promise.all(running);
  }
  const seen = new Map<string, number>();
  const missing = (): number => {
    for (const id of idsOf(sink.taken.splice(0))) seen.set(id, (seen.get(id) ?? 0) + 1);
    return [...accepted].filter((id) => !seen.has(id)).length;
  };
  await eventually('every accepted message at the next hop', () => missing() === 0, 120_000).catch(() => {});
  assert.equal(missing(), 0, `of ${accepted.size} accepted messages`);
  const duplicates = [...seen.values()].reduce((sum, count) => sum + count - 1, 0);
  // In flight at a kill: what the next hop took and the worker had not noted yet, one for each outgoing connection (20).
  assert.ok(duplicates <= kills * 20, `${duplicates} duplicates of ${accepted.size} at ${kills} kills`);
  return `${accepted.size} accepted, none missing, ${duplicates} delivered twice at ${kills} kills`;
}

describe('kill -9 loses nothing that was answered 250', () => {
  test('single workers', async () => {
    await surviveAll(10, 2, async (edge) => {
      const pids = edge.workers();
      const victim = pids[Math.floor(Math.random() * pids.length)];
      if (victim !== undefined) process.kill(victim, 'SIGKILL');
    });
  });

  test('the whole appliance', async () => {
    // In the short form with one worker: all of them die at once, and each keeps what it took by itself.
    await surviveAll(50, kills > 100 ? 2 : 1, async (edge) => {
      await edge.stop('SIGKILL');
      await edge.start();
    });
  });
});
