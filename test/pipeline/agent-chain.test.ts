import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EnvelopeRecipient } from '../../src/mail/index.ts';
import {
  type AgentAction,
  AgentChain,
  changeHeader,
  describeChanges,
  type EndOfHeadersArgs,
  type MessageChanges,
  type ReceiveAgent,
  type SmtpSession,
} from '../../src/pipeline/index.ts';

const session: SmtpSession = {
  id: '0',
  connector: 'Internet',
  remoteAddress: '192.0.2.1',
  localAddress: '192.0.2.2',
  helo: '',
  secure: false,
  bypassAntiSpam: false,
};
const agree: AgentAction = { kind: 'continue' };
const discard: AgentAction = { kind: 'discard', reason: 'why' };

function agent(
  name: string,
  priority: number,
  told: string[],
  action: AgentAction | Promise<AgentAction>,
): ReceiveAgent {
  return { name, priority, onConnect: () => (told.push(name), action) };
}

test('an event without an agent is undefined, so that nothing is made for it', () => {
  const chain = new AgentChain([agent('one', 1, [], agree)]);
  assert.equal(chain.onMail, undefined);
  assert.equal(new AgentChain().onConnect, undefined);
});

const late = (action: AgentAction): Promise<AgentAction> => Promise.resolve(action);
const rows: readonly [
  title: string,
  actions: readonly (AgentAction | Promise<AgentAction>)[],
  asked: string,
  by?: string,
][] = [
  ['all agree', [agree, agree, agree], 'abc'],
  ['the second decides', [agree, discard, agree], 'ab', 'b'],
  ['the first takes its time', [late(agree), agree, agree], 'abc'],
  ['all take their time', [late(agree), late(agree), late(discard)], 'abc', 'c'],
  ['the first decides late', [late(discard), agree, agree], 'a', 'a'],
];
for (const [title, actions, asked, by] of rows) {
  test(`in order of priority: ${title}`, async () => {
    const told: string[] = [];
    const agents = actions.map((action, i) => agent('abc'.charAt(i), i, told, action)).reverse();
    const outcome = await new AgentChain(agents).onConnect?.(session);
    assert.equal(told.join(''), asked);
    assert.deepEqual(outcome?.decision, by === undefined ? undefined : { agent: by, action: discard });
  });
}

test('agents that answer at once are not waited for', () => {
  const chain = new AgentChain([agent('one', 1, [], agree), agent('two', 2, [], discard)]);
  const outcome = chain.onConnect?.(session);
  assert.ok(!(outcome instanceof Promise));
  assert.deepEqual(outcome?.decision, { agent: 'two', action: discard });
});

const to = (address: string): EnvelopeRecipient => ({ address, domain: address.slice(address.indexOf('@') + 1) });
const message: EndOfHeadersArgs = {
  session,
  envelope: { from: '', recipients: [to('a@x.test'), to('b@x.test')], body: '7BIT', smtpUtf8: false },
  header: Buffer.from('Subject: one\r\nX-Old: 1\r\nx-old: 2\r\n\r\n'),
};

test('an agent sees what those before it changed, at once or later', async () => {
  const first: AgentAction<MessageChanges> = {
    kind: 'continue',
    changes: {
      header: [
        { kind: 'remove', name: 'X-Old' },
        { kind: 'add', name: 'X-New', value: 'yes' },
      ],
      recipients: [
        { kind: 'replace', address: 'a@x.test', by: to('c@y.test') },
        { kind: 'add', recipient: to('b@x.test') },
      ],
    },
  };
  for (const answer of [first, Promise.resolve(first)]) {
    const seen: EndOfHeadersArgs[] = [];
    const agents: readonly ReceiveAgent[] = [
      { name: 'one', priority: 1, onEndOfHeaders: () => answer },
      { name: 'two', priority: 2, onEndOfHeaders: (args) => (seen.push(args), agree) },
    ];
    const outcome = await new AgentChain(agents).onEndOfHeaders?.(message);
    const [args] = seen;
    assert.equal(args?.header.toString(), 'X-New: yes\r\nSubject: one\r\n\r\n');
    assert.deepEqual(
      args.envelope.recipients.map(({ address }) => address),
      ['c@y.test', 'b@x.test'],
    );
    assert.equal(outcome?.args, args);
    assert.deepEqual(outcome?.changes, [{ agent: 'one', changes: first.kind === 'continue' && first.changes }]);
  }
  assert.match(message.header.toString(), /X-Old/);
});

test('a field that would end the header, or be two, is an error of the agent', () => {
  for (const value of ['a\r\n\r\nbody', 'a\r\nBcc: x', 'a\nb', 'a\0']) {
    assert.throws(() => changeHeader(message.header, [{ kind: 'add', name: 'X', value }]), RangeError);
  }
  assert.throws(() => changeHeader(message.header, [{ kind: 'add', name: 'X: y', value: '' }]), RangeError);
});

test('changes are told in words', () => {
  assert.deepEqual(
    describeChanges({ header: [{ kind: 'remove', name: 'X' }], recipients: [{ kind: 'remove', address: 'a@x.test' }] }),
    ['removes the field X', 'removes the recipient <a@x.test>'],
  );
});

test('an agent is asked as itself', async () => {
  class Counting implements ReceiveAgent {
    readonly name = 'Counting';
    readonly priority = 1;
    calls = 0;
    onConnect(): AgentAction {
      this.calls++;
      return agree;
    }
  }
  const counting = new Counting();
  await new AgentChain([counting]).onConnect?.(session);
  assert.equal(counting.calls, 1);
});
