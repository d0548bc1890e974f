/** What a next hop says of its limits (RFC 9422) and of XOORG, and what is sent then. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testAcceptedDomain } from '../../src/config/index.ts';
import { ScriptedSink } from '../lib/scripted-sink.ts';
import { FakeWork } from './fake-work.ts';
import { senderBench } from './sender-bench.ts';

const to = (...names: readonly string[]): readonly string[] => names.map((name) => `${name}.example`);
const five = to('a@one', 'b@two', 'c@one', 'd@two', 'e@three');

const rows: readonly (readonly [limits: string, transactions: readonly (readonly string[])[]])[] = [
  ['RCPTMAX=5', [five]],
  ['RCPTMAX=2', [to('a@one', 'c@one'), to('e@three', 'b@two'), to('d@two')]],
  ['RCPTDOMAINMAX=1', [to('a@one', 'c@one'), to('e@three'), to('b@two', 'd@two')]],
  ['RCPTDOMAINMAX=2 RCPTMAX=3', [to('a@one', 'c@one', 'e@three'), to('b@two', 'd@two')]],
];
for (const [limits, transactions] of rows)
  test(`LIMITS ${limits}: ${transactions.length} transactions`, async () => {
    await using sink = await ScriptedSink.listen({
      ehlo: `250-sink.example\r\n250-PIPELINING\r\n250 LIMITS ${limits}`,
    });
    const { sender } = senderBench({ smartHosts: [`[127.0.0.1]:${sink.port}`], ignoreSTARTTLS: true });
    const work = new FakeWork([{ recipients: five }]);
    await sender.deliver(work);
    assert.deepEqual(
      sink.taken.map((taken) => taken.to),
      transactions,
    );
    assert.ok(
      work.story[0]?.every((outcome) => outcome.startsWith('relayed 250')),
      String(work.story[0]),
    );
    assert.equal(sink.connections, 1);
  });

test('LIMITS MAILMAX: no more transactions than that in one session', async () => {
  await using sink = await ScriptedSink.listen({ ehlo: '250-sink.example\r\n250 LIMITS MAILMAX=2 RCPTMAX=1' });
  const { sender } = senderBench({ smartHosts: [`[127.0.0.1]:${sink.port}`], ignoreSTARTTLS: true });
  const work = new FakeWork([{ recipients: to('a@one', 'b@one', 'c@one') }, { id: 2, recipients: to('d@one') }]);
  await sender.deliver(work);
  assert.deepEqual(
    sink.taken.map((taken) => taken.to),
    [to('a@one'), to('b@one')],
  );
  assert.match(work.story[0]?.[2] ?? '', /^deferred 452 4\.5\.3 .*MAILMAX/);
  // The other message is left for the next connection.
  assert.deepEqual(work.story[1], ['untouched']);
});

test('RequireOorg: only to who offers XOORG, with the organization that the message is of', async () => {
  for (const [line, said] of [
    ['250 XOORG', ' XOORG=corp.example'],
    ['250 PIPELINING', undefined],
  ] as const) {
    const commands: string[] = [];
    await using sink = await ScriptedSink.listen({
      ehlo: `250-sink.example\r\n${line}`,
      mail: (command) => (commands.push(command), '250 2.1.0 Ok'),
    });
    const { sender } = senderBench(
      { smartHosts: [`[127.0.0.1]:${sink.port}`], ignoreSTARTTLS: true, requireOorg: true },
      { snapshot: { acceptedDomains: [testAcceptedDomain({ domainName: 'corp.example', default: true })] } },
    );
    const work = new FakeWork([{ recipients: to('a@one') }]);
    await sender.deliver(work);
    assert.equal(commands.length, said === undefined ? 0 : 1);
    if (said !== undefined) assert.ok(commands[0]?.endsWith(said), commands[0]);
    else assert.match(work.story[0]?.[0] ?? '', /^deferred 451 4\.7\.0 .* does not offer XOORG/);
  }
});
