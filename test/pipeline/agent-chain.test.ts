import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AgentChain,
  anyTimeEvents,
  categorizerEvents,
  type ReceiveAgent,
  type SessionFacts,
  sessionEvents,
  type Verdict,
} from '../../src/pipeline/index.ts';

const session: SessionFacts = {
  id: '0',
  connector: 'Internet',
  remoteAddress: '192.0.2.1',
  localAddress: '192.0.2.2',
  helo: '',
  secure: false,
  bypassAntiSpam: false,
};
const agree: Verdict = { kind: 'continue' };
const discard: Verdict = { kind: 'discard', reason: 'why' };

function agent(name: string, priority: number, told: string[], verdict: Verdict | Promise<Verdict>): ReceiveAgent {
  return { name, priority, onConnect: () => (told.push(name), verdict) };
}

test('an event without an agent is undefined, so that nothing is made for it', () => {
  const chain = new AgentChain([agent('one', 1, [], agree)]);
  assert.equal(chain.onMail, undefined);
  assert.equal(new AgentChain().onConnect, undefined);
});

const late = (verdict: Verdict): Promise<Verdict> => Promise.resolve(verdict);
const rows: readonly [title: string, verdicts: readonly (Verdict | Promise<Verdict>)[], asked: string, by?: string][] =
  [
    ['all agree', [agree, agree, agree], 'abc'],
    ['the second decides', [agree, discard, agree], 'ab', 'b'],
    ['the first takes its time', [late(agree), agree, agree], 'abc'],
    ['all take their time', [late(agree), late(agree), late(discard)], 'abc', 'c'],
    ['the first decides late', [late(discard), agree, agree], 'a', 'a'],
  ];
for (const [title, verdicts, asked, by] of rows) {
  test(`in order of priority: ${title}`, async () => {
    const told: string[] = [];
    const agents = verdicts.map((verdict, i) => agent('abc'.charAt(i), i, told, verdict)).reverse();
    const judgement = await new AgentChain(agents).onConnect?.(session);
    assert.equal(told.join(''), asked);
    assert.deepEqual(judgement, by === undefined ? undefined : { agent: by, verdict: discard });
  });
}

test('agents that answer at once are not waited for', () => {
  const chain = new AgentChain([agent('one', 1, [], agree), agent('two', 2, [], discard)]);
  assert.deepEqual(chain.onConnect?.(session), { agent: 'two', verdict: discard });
});

test('an agent is asked as itself', async () => {
  class Counting implements ReceiveAgent {
    readonly name = 'Counting';
    readonly priority = 1;
    calls = 0;
    onConnect(): Verdict {
      this.calls++;
      return agree;
    }
  }
  const counting = new Counting();
  await new AgentChain([counting]).onConnect?.(session);
  assert.equal(counting.calls, 1);
});

test('the events have the names and the order of Exchange', () => {
  assert.equal(sessionEvents[0], 'OnConnect');
  assert.equal(sessionEvents.at(-1), 'OnDisconnect');
  for (const [first, second] of [
    ['OnEhlo', 'OnStartTls'],
    ['OnMail', 'OnRcptTo'],
    ['OnRcptTo', 'OnData'],
    ['OnData', 'OnEndOfHeaders'],
    ['OnEndOfHeaders', 'OnEndOfData'],
  ] as const) {
    assert.ok(sessionEvents.indexOf(first) < sessionEvents.indexOf(second));
  }
  const all = [...sessionEvents, ...anyTimeEvents, ...categorizerEvents];
  assert.equal(new Set(all).size, 23);
});
