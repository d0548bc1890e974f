/** Remote domains: automatic replies and forwards, names of senders, and how many messages go there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRestrictive, remoteDomainAgent } from '../../src/agents/index.ts';
import { type RemoteDomain, testSnapshot } from '../../src/config/index.ts';
import { changeHeader, type MessageChanges } from '../../src/pipeline/index.ts';
import { HourlyCounts } from '../../src/services/transport/agents.ts';
import { HandClock, internetSnapshot, Receiving } from '../smtp-receive/receiving.ts';

const [defaults] = testSnapshot().remoteDomains;
const domainWith = (change: Partial<RemoteDomain>): RemoteDomain => ({
  ...(defaults ?? assert.fail()),
  name: 'Partner',
  ...change,
});

const session = {
  id: '',
  connector: '',
  remoteAddress: '',
  localAddress: '',
  helo: '',
  secure: false,
  bypassAntiSpam: false,
};

/** What the agent does to a message for a@partner.example and b@elsewhere.example with these fields. */
function actOn(change: Partial<RemoteDomain>, fields: string): { left: string[]; header: string; counted: number } {
  let counted = 0;
  const agent = remoteDomainAgent({
    domainOf: (domain) => (domain === 'partner.example' ? domainWith(change) : undefined),
    count: () => void counted++,
  });
  const recipients = ['partner.example', 'elsewhere.example'].map((domain) => ({ address: `a@${domain}`, domain }));
  const header = Buffer.from(`${fields}\r\n\r\n`);
  const envelope = { from: 'x@corp.example', recipients, body: '7BIT', smtpUtf8: false } as const;
  const action = agent.onEndOfHeaders?.({ session, envelope, header });
  assert.ok(action !== undefined && !(action instanceof Promise) && action.kind === 'continue');
  const changes: MessageChanges = action.changes ?? {};
  const gone = (changes.recipients ?? []).flatMap((one) => (one.kind === 'remove' ? one.address : []));
  return {
    left: recipients.map(({ address }) => address).filter((address) => !gone.includes(address)),
    header: changeHeader(header, changes.header ?? []).toString(),
    counted,
  };
}

const replied = 'Auto-Submitted: auto-replied (vacation)';
const outOfOffice = 'Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All';
const forwarded = 'Auto-Submitted: Auto-Forwarded';
const inboxRule = 'X-MS-Exchange-Inbox-Rules-Loop: x@corp.example';
const report = 'Auto-Submitted: auto-generated';
const rows: readonly (readonly [change: Partial<RemoteDomain>, fields: string, held: boolean])[] = [
  [{}, replied, false],
  [{ autoReplyEnabled: false }, replied, true],
  [{ autoReplyEnabled: false }, outOfOffice, true],
  [{ autoReplyEnabled: false }, report, false],
  [{ autoReplyEnabled: false }, forwarded, false],
  [{ autoReplyEnabled: false }, 'Subject: hello', false],
  [{ allowedOOFType: 'None' }, outOfOffice, true],
  [{ allowedOOFType: 'InternalLegacy' }, outOfOffice, false],
  [{ autoForwardEnabled: false }, forwarded, true],
  [{ autoForwardEnabled: false }, inboxRule, true],
  [{ autoForwardEnabled: false }, replied, false],
];
for (const [change, fields, held] of rows) {
  test(`${JSON.stringify(change)} and ${fields.replace('\r\n', ', ')}: ${held ? 'held back there alone' : 'goes'}`, () => {
    const { left } = actOn(change, fields);
    assert.deepEqual(left, held ? ['a@elsewhere.example'] : ['a@partner.example', 'a@elsewhere.example']);
  });
}

for (const [from, shown] of [
  ['"Doe, Jane" <jane@corp.example>', '<jane@corp.example>'],
  ['Jane <jane@corp.example>', '<jane@corp.example>'],
  ['jane@corp.example', 'jane@corp.example'],
  ['A <a@corp.example>, B <b@corp.example>', 'A <a@corp.example>, B <b@corp.example>'],
] as const) {
  test(`DisplaySenderName off: From ${from} goes as ${shown}`, () => {
    const { header } = actOn({ displaySenderName: false }, `Subject: x\r\nFrom: ${from}`);
    assert.ok(header.includes(`From: ${shown}\r\n`), header);
    assert.ok(actOn({}, `From: ${from}`).header.includes(from));
  });
}

test('MessageCountThreshold: messages that go there are counted, and told until the hour is over', () => {
  assert.equal(actOn({ messageCountThreshold: 1 }, 'Subject: x').counted, 1);
  assert.equal(actOn({ messageCountThreshold: 1, autoReplyEnabled: false }, replied).counted, 0);
  assert.equal(actOn({}, 'Subject: x').counted, 0);
  const clock = new HandClock();
  const faults = new Map<string, string>();
  const counts = new HourlyCounts(clock, {
    begin: (key, text) => void faults.set(key, text),
    end: (key) => void faults.delete(key),
  });
  counts.add('Partner', 1);
  assert.equal(faults.size, 0);
  counts.add('Partner', 1);
  assert.match([...faults.values()].join(), /'Partner' got 2 messages within an hour: MessageCountThreshold 1/);
  clock.advance(3_600_000);
  counts.add('Partner', 1);
  assert.equal(faults.size, 0);
});

test('a domain with the defaults costs nothing, each of the settings asks for the agent', () => {
  assert.equal(isRestrictive(domainWith({})), false);
  for (const change of [
    { autoReplyEnabled: false },
    { autoForwardEnabled: false },
    { allowedOOFType: 'None' },
    { displaySenderName: false },
    { messageCountThreshold: 7 },
  ] as const)
    assert.equal(isRestrictive(domainWith(change)), true);
});

test('a message that is held back for all its recipients is answered as taken, and told', async () => {
  const agent = remoteDomainAgent({ domainOf: () => domainWith({ autoReplyEnabled: false }), count() {} });
  await using edge = await Receiving.start({ snapshot: internetSnapshot(), agents: [agent] });
  const client = await edge.greeted();
  assert.match(await client.message(`${replied}\r\nFrom: x@corp.example\r\n\r\n`), /^250 /);
  assert.equal(edge.queue.kept.length, 0);
  assert.match(JSON.stringify(edge.of('agent-changed')), /Remote Domain Agent/);
});
