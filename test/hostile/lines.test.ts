/**
 * Lines of an administrator that would hold up, or end, whatever runs them. They run in the process of their caller: the service
 * answers meanwhile and afterwards, and none of its processes is another one.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { Appliance, edge, edgeCommand, eventually } from '../lib/appliance.ts';

/** `ends: false`: it would run for ever, says that it has begun, and is ended by Ctrl-C then. `says`: why it ended by itself. */
const lines: readonly (
  | { readonly line: string; readonly ends: true; readonly says: RegExp }
  | { readonly line: string; readonly ends: false }
)[] = [
  { line: "('a'*29+'!') -match '^(a+)+$'", ends: true, says: /has timed out/ },
  { line: "('a'*29+'!') -replace '^(a+)+$', 'b'", ends: true, says: /has timed out/ },
  { line: '$a = 1..9000000; $b = $a + $a', ends: true, says: /10000000/ },
  { line: "$a = 'x' * 9000000; while ($true) { $a = $a + $a }", ends: true, says: /10000000/ },
  { line: '$f = { & $f }; & $f', ends: true, says: /more than \d+ deep/ },
  { line: "'begun'; while ($true) { Get-AcceptedDomain | Out-Null }", ends: false },
  { line: "'begun'; while ($true) { Start-Sleep -Milliseconds 10 }", ends: false },
];

interface Ran {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  text: string;
}

function runLine(state: string, line: string): Ran {
  const child = spawn(edgeCommand, ['shell', '--state', state, '-c', line], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ran: Ran = { child, ended: once(child, 'exit').then(([code]) => code as number | null), text: '' };
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (ran.text += String(data)));
  return ran;
}

interface Status {
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
}

async function processesOf(state: string): Promise<Status['processes']> {
  const { status, out, error } = await edge('status', '--state', state, '--json');
  assert.equal(status, 0, out + error);
  return (JSON.parse(out) as Status).processes.map(({ name, pid }) => ({ name, pid }));
}

test('hostile lines leave the service answering', async (t) => {
  await using appliance = await Appliance.start({ workers: 1 });
  const before = await processesOf(appliance.state);
  for (const given of lines) {
    await t.test(given.line, async () => {
      const ran = runLine(appliance.state, given.line);
      try {
        if (!given.ends) await eventually('it has begun', () => ran.text.includes('begun'));
        const [processes, counted] = await Promise.all([
          processesOf(appliance.state),
          appliance.shell('(Get-ExchangeServer).Count'),
        ]);
        assert.deepEqual(processes, before);
        assert.match(counted, /1|^\s*$/);
        if (!given.ends) ran.child.kill('SIGINT');
        const code = await ran.ended;
        assert.equal(code, given.ends ? 1 : 130, ran.text);
        if (given.ends) assert.match(ran.text, given.says);
      } finally {
        ran.child.kill('SIGKILL');
      }
    });
  }
  await t.test('patterns that the service itself reads take no long time', async () => {
    const stars = `${'*a'.repeat(40)}*b`;
    await appliance.shell(
      `Get-Queue -Filter "NextHopDomain -like '${stars}'"`,
      `Get-AcceptedDomain '${stars}'`,
      `Search-AdminAuditLog -ObjectIds '${stars}'`,
    );
    assert.deepEqual(await processesOf(appliance.state), before);
  });
});
