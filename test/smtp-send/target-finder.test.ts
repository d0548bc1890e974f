import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import { readSmartHost, testReceiveConnector } from '../../src/config/index.ts';
import { LookupBudget } from '../../src/smtp-send/dns/lookup-budget.ts';
import { NoTarget, TargetFinder, type TargetGuard } from '../../src/smtp-send/dns/target-finder.ts';
import { DnsError, type MxRecord } from '../../src/smtp-send/index.ts';
import { FakeWork } from './fake-work.ts';
import { close, ScriptedPeer } from './scripted-peer.ts';
import { senderBench, TableResolver } from './sender-bench.ts';

const mx = (priority: number, exchange: string): MxRecord => ({ priority, exchange });
const nobody: TargetGuard = { isOwnName: () => false, fault: () => undefined };
const us: TargetGuard = {
  isOwnName: (host) => host === 'edge.us.test',
  fault: (address, port) => (address === '192.0.2.99' && port === 25 ? 'own' : undefined),
};
const careful: TargetGuard = {
  isOwnName: () => false,
  fault: (address) => (address.startsWith('10.') ? 'private' : undefined),
};
/** A finder with a budget of its own. */
function finderOf(resolver: TableResolver, guard: TargetGuard, pick: () => number = random): TargetFinder {
  const budget = new LookupBudget(systemClock, AbortSignal.timeout(5_000));
  return new TargetFinder({ resolver, guard, budget, random: pick });
}
const temporary = new DnsError('temporary', 'The DNS gave no answer');
/** Chooses the last of equals: with two hosts their order stays, so rows are readable. */
const random = (): number => 0.999;

interface Row {
  readonly name: string;
  readonly table: ConstructorParameters<typeof TableResolver>[0];
  readonly domain?: string;
  readonly self?: TargetGuard;
  /** 'host address' in order. */
  readonly targets?: readonly string[];
  readonly permanent?: boolean;
  readonly reply?: RegExp;
}

const rows: readonly Row[] = [
  {
    name: 'by preference, not by the order of the answer',
    table: { 'd.test': [mx(20, 'b.test'), mx(10, 'a.test')], 'a.test': ['192.0.2.1'], 'b.test': ['192.0.2.2'] },
    targets: ['a.test 192.0.2.1', 'b.test 192.0.2.2'],
  },
  {
    name: 'names of exchangers without case, each once',
    table: { 'd.test': [mx(10, 'A.test'), mx(10, 'a.test')], 'a.test': ['192.0.2.1'] },
    targets: ['a.test 192.0.2.1'],
  },
  {
    name: 'both families in turn',
    table: { 'd.test': [mx(10, 'a.test')], 'a.test': ['192.0.2.1', '192.0.2.2', '2001:db8::1'] },
    targets: ['a.test 192.0.2.1', 'a.test 2001:db8::1', 'a.test 192.0.2.2'],
  },
  { name: 'no MX: the domain itself', table: { 'd.test': ['192.0.2.1'] }, targets: ['d.test 192.0.2.1'] },
  { name: 'null MX', table: { 'd.test': [mx(0, '')] }, permanent: true, reply: /^556 5\.1\.10 / },
  {
    name: 'null MX beside others does not count',
    table: { 'd.test': [mx(0, ''), mx(10, 'a.test')], 'a.test': ['192.0.2.1'] },
    targets: ['a.test 192.0.2.1'],
  },
  { name: 'no such domain', table: {}, permanent: true, reply: /^550 5\.4\.4 The domain d\.test does not exist/ },
  { name: 'no answer for MX', table: { 'd.test': temporary }, permanent: false, reply: /^451 4\.4\.3 / },
  {
    name: 'no MX and no address',
    table: { 'd.test': [] },
    permanent: true,
    reply: /^550 5\.4\.4 No mail exchanger of d\.test has an address/,
  },
  {
    name: 'an exchanger that does not exist is passed over',
    table: { 'd.test': [mx(10, 'gone.test'), mx(20, 'b.test')], 'b.test': ['192.0.2.2'] },
    targets: ['b.test 192.0.2.2'],
  },
  {
    name: 'no exchanger has an address',
    table: { 'd.test': [mx(10, 'gone.test')] },
    permanent: true,
    reply: /^550 5\.4\.4 /,
  },
  {
    name: 'one exchanger gone, of the other no answer: wait',
    table: { 'd.test': [mx(10, 'gone.test'), mx(20, 'slow.test')], 'slow.test': temporary },
    permanent: false,
    reply: /^451 4\.4\.3 /,
  },
  {
    name: 'we are an exchanger: only those before us',
    table: {
      'd.test': [mx(10, 'a.test'), mx(20, 'edge.us.test'), mx(30, 'c.test')],
      'a.test': ['192.0.2.1'],
      'c.test': ['192.0.2.3'],
    },
    self: us,
    targets: ['a.test 192.0.2.1'],
  },
  {
    name: 'we are one of the best: mail would loop',
    table: { 'd.test': [mx(10, 'edge.us.test'), mx(10, 'a.test')], 'a.test': ['192.0.2.1'] },
    self: us,
    permanent: true,
    reply: /^554 5\.4\.6 /,
  },
  {
    name: 'the best exchanger has our address under another name: mail would loop',
    table: {
      'd.test': [mx(10, 'alias.test'), mx(20, 'c.test')],
      'alias.test': ['192.0.2.99'],
      'c.test': ['192.0.2.3'],
    },
    self: us,
    permanent: true,
    reply: /^554 5\.4\.6 /,
  },
  {
    name: 'a second exchanger has our address: those before it only',
    table: {
      'd.test': [mx(10, 'a.test'), mx(20, 'alias.test'), mx(30, 'c.test')],
      'a.test': ['192.0.2.1'],
      'alias.test': ['192.0.2.99'],
      'c.test': ['192.0.2.3'],
    },
    self: us,
    targets: ['a.test 192.0.2.1'],
  },
  { name: 'address literal', table: {}, domain: '[192.0.2.7]', targets: ['[192.0.2.7] 192.0.2.7'] },
  { name: 'IPv6 literal', table: {}, domain: '[IPv6:2001:db8::7]', targets: ['[IPv6:2001:db8::7] 2001:db8::7'] },
  { name: 'our own literal', table: {}, domain: '[192.0.2.99]', self: us, permanent: true, reply: /^554 5\.4\.6 / },
  {
    name: 'an exchanger with a refused address is passed over',
    table: { 'd.test': [mx(10, 'in.test'), mx(20, 'b.test')], 'in.test': ['10.1.2.3'], 'b.test': ['192.0.2.2'] },
    self: careful,
    targets: ['b.test 192.0.2.2'],
  },
  {
    name: 'only refused addresses: the mail fails with the reason',
    table: { 'd.test': [mx(10, 'in.test')], 'in.test': ['10.1.2.3'] },
    self: careful,
    permanent: true,
    reply: /^550 5\.4\.4 The mail exchanger of d\.test has the private address 10\.1\.2\.3/,
  },
  {
    name: 'a refused literal',
    table: {},
    domain: '[10.1.2.3]',
    self: careful,
    permanent: true,
    reply: /^550 5\.4\.4 .*private address 10\.1\.2\.3/,
  },
  {
    name: 'more than ten names without an address: no more are asked',
    table: { 'd.test': Array.from({ length: 30 }, (_, i) => mx(i, `x${i}.test`)) },
    permanent: false,
    reply: /^451 4\.4\.3 More than 10 names/,
  },
  {
    name: 'a host with very many addresses',
    table: { 'd.test': Array.from({ length: 50 }, (_, i) => `192.0.2.${i}`) },
    targets: Array.from({ length: 5 }, (_, i) => `d.test 192.0.2.${i}`),
  },
];

for (const { name, table, domain, self, targets, permanent, reply } of rows) {
  test(`exchangers: ${name}`, async () => {
    const finder = finderOf(new TableResolver(table), self ?? nobody);
    const found: string[] = [];
    try {
      for await (const target of finder.exchangers(domain ?? 'd.test', 25))
        found.push(`${target.host} ${target.address}`);
    } catch (error) {
      assert.ok(error instanceof NoTarget, String(error));
      assert.equal(error.permanent, permanent);
      assert.match(error.reply, reply ?? /never/);
    }
    assert.deepEqual(found, targets ?? []);
  });
}

test('equal preference: both orders occur, a better one never comes later', async () => {
  const resolver = new TableResolver({
    'd.test': [mx(10, 'a.test'), mx(10, 'b.test'), mx(20, 'c.test')],
    'a.test': ['192.0.2.1'],
    'b.test': ['192.0.2.2'],
    'c.test': ['192.0.2.3'],
  });
  const orders = new Set<string>();
  for (const value of [0, 0.999]) {
    const finder = finderOf(resolver, nobody, () => value);
    const hosts: string[] = [];
    for await (const { host } of finder.exchangers('d.test', 25)) hosts.push(host);
    orders.add(hosts.join(' '));
  }
  assert.deepEqual([...orders].sort(), ['a.test b.test c.test', 'b.test a.test c.test']);
});

test('the DNS is asked for the second exchanger only when the first one fails', async () => {
  const resolver = new TableResolver({
    'd.test': [mx(10, 'a.test'), mx(20, 'b.test')],
    'a.test': ['192.0.2.1'],
    'b.test': ['192.0.2.2'],
  });
  const finder = finderOf(resolver, nobody);
  for await (const { host } of finder.exchangers('d.test', 25)) {
    assert.equal(host, 'a.test');
    break;
  }
  assert.deepEqual(resolver.asked, ['MX d.test', 'A a.test']);
});

const smartHosts: readonly (readonly [text: string, result: string])[] = [
  ['hub.example.com', 'hub.example.com name 25'],
  ['hub.example.com:2525', 'hub.example.com name 2525'],
  ['[192.0.2.1]', '192.0.2.1 address 25'],
  ['[192.0.2.1]:2525', '192.0.2.1 address 2525'],
  ['192.0.2.1', '192.0.2.1 address 25'],
  ['192.0.2.1:26', '192.0.2.1 address 26'],
  ['[2001:db8::1]:26', '2001:db8::1 address 26'],
  ['[IPv6:2001:db8::1]', '2001:db8::1 address 25'],
  ['2001:db8::1', '2001:db8::1 address 25'],
  [' hub ', 'hub name 25'],
  ['[hub.example.com]', 'RangeError'],
  ['hub:0', 'RangeError'],
  ['hub:65536', 'RangeError'],
  ['hub:x', 'RangeError'],
  ['a b', 'RangeError'],
  ['', 'RangeError'],
];

for (const [text, result] of smartHosts) {
  test(`smart host '${text}'`, () => {
    if (result === 'RangeError') return assert.throws(() => readSmartHost(text), RangeError);
    const { host, isAddress, port = 25 } = readSmartHost(text);
    assert.equal(`${host} ${isAddress ? 'address' : 'name'} ${port}`, result);
  });
}

const dnsHop = { key: 'D', type: 'DnsConnectorDelivery', domain: 'd.test', connector: 'Outbound' } as const;

test('mail for a domain that never takes any fails at once, all of it', async () => {
  const { sender } = senderBench(
    { dnsRoutingEnabled: true },
    { resolver: new TableResolver({ 'd.test': [mx(0, '')] }) },
  );
  const work = new FakeWork([{}, { recipients: ['a@d.test', 'b@d.test'] }], { hop: dnsHop });
  assert.deepEqual(await sender.deliver(work), { kind: 'done' });
  assert.deepEqual(
    work.story.map((outcomes) => outcomes.map((outcome) => outcome.slice(0, 17))),
    [['failed 556 5.1.10'], ['failed 556 5.1.10', 'failed 556 5.1.10']],
  );
});

test('DowngradeDnsFailures: the same mail waits', async () => {
  const { sender } = senderBench(
    { dnsRoutingEnabled: true, errorPolicies: 'DowngradeDnsFailures' },
    { resolver: new TableResolver({}) },
  );
  const work = new FakeWork([{}], { hop: dnsHop });
  const result = await sender.deliver(work);
  assert.match(result.kind === 'failed' ? result.reply : '', /^451 4\.4\.4 /);
  assert.deepEqual(work.story, [['untouched']]);
});

test('by MX, over a first exchanger that refuses, to the second', async () => {
  await using good = await ScriptedPeer.start();
  const bound = { 'd.test': [mx(10, 'a.test'), mx(20, 'b.test')], 'a.test': ['127.0.0.2'], 'b.test': ['127.0.0.1'] };
  const { sender, of } = senderBench(
    { dnsRoutingEnabled: true, port: good.port },
    { resolver: new TableResolver(bound) },
  );
  const work = new FakeWork([{}], { hop: dnsHop });
  await sender.deliver(work);
  assert.match(work.story[0]?.[0] ?? '', /^delivered/);
  assert.equal(work.records[0]?.remote, `b.test [127.0.0.1]:${good.port}`);
  assert.deepEqual(
    of('connection-failed').map(({ host }) => host),
    [`a.test [127.0.0.2]:${good.port}`],
  );
});

test('the mail exchanger is our own listener under another name: mail would loop', async () => {
  const listener = testReceiveConnector({ bindings: [{ address: '0.0.0.0', port: 2_525 }] });
  const resolver = new TableResolver({ 'd.test': [mx(10, 'a.test')], 'a.test': ['127.0.0.5'] });
  const { sender } = senderBench(
    { dnsRoutingEnabled: true, port: 2_525 },
    { resolver, snapshot: { receiveConnectors: [listener] } },
  );
  const work = new FakeWork([{}], { hop: dnsHop });
  assert.deepEqual(await sender.deliver(work), { kind: 'done' });
  assert.match(work.story[0]?.[0] ?? '', /^failed 554 5\.4\.6 /);
});

test('fail-over: a dead smart host is tried after the others for a while', async () => {
  await using dead = await ScriptedPeer.start({ greeting: ['554 5.3.2 Closed', close] });
  await using alive = await ScriptedPeer.start();
  const { sender } = senderBench({ smartHosts: [dead.smartHost, alive.smartHost] }, { random });
  for (let i = 0; i < 3; i++) {
    const work = new FakeWork([{}]);
    assert.deepEqual(await sender.deliver(work), { kind: 'done' });
    assert.match(work.story[0]?.[0] ?? '', /^delivered/);
  }
  assert.equal(dead.connections.length, 1, 'only the first delivery met the dead host');
  assert.equal(alive.connections.length, 3);
});

test('balance: equal smart hosts share the connections', async () => {
  await using one = await ScriptedPeer.start();
  await using two = await ScriptedPeer.start();
  const { sender } = senderBench({ smartHosts: [one.smartHost, two.smartHost] });
  for (let i = 0; i < 24; i++) await sender.deliver(new FakeWork([{}]));
  // 24 throws of a coin: all on one side once in eight million runs.
  assert.ok(one.connections.length > 0 && two.connections.length > 0);
  assert.equal(one.messages.length + two.messages.length, 24);
});

test('all smart hosts fail: one line says which one and how many', async () => {
  await using one = await ScriptedPeer.start({ greeting: ['421 4.3.2 Full', close] });
  await using two = await ScriptedPeer.start({ greeting: ['421 4.3.2 Full', close] });
  const { sender } = senderBench({ smartHosts: [one.smartHost, two.smartHost] });
  const result = await sender.deliver(new FakeWork([{}]));
  assert.match(
    result.kind === 'failed' ? result.reply : '',
    /^451 4\.4\.0 The next hop \[127\.0\.0\.1\]:\d+ answered at greeting: "421 4\.3\.2 Full" \(1 other host failed before\)$/,
  );
});

test('nobody listens', async () => {
  const port = await (async () => {
    await using peer = await ScriptedPeer.start();
    return peer.port;
  })();
  const { sender } = senderBench({ smartHosts: [`[127.0.0.1]:${port}`] });
  assert.deepEqual(await sender.deliver(new FakeWork([{}])), {
    kind: 'failed',
    reply: `441 4.4.1 No usable connection to the next hop [127.0.0.1]:${port}: connection refused`,
  });
});

test('a connector that is gone or disabled keeps its mail', async () => {
  const { sender } = senderBench({ enabled: false });
  const result = await sender.deliver(new FakeWork([{}]));
  assert.match(result.kind === 'failed' ? result.reply : '', /^451 4\.4\.4 .*'Outbound'/);
});

test('SourceIPAddress is where connections come from', async () => {
  await using peer = await ScriptedPeer.start();
  const { sender, of } = senderBench({ smartHosts: [peer.smartHost], sourceIPAddress: '127.0.0.77' });
  await sender.deliver(new FakeWork([{}]));
  assert.match(of('connection-opened')[0]?.local ?? '', /^127\.0\.0\.77:/);
});

test('Verbose: the conversation is logged, line by line, without content', async () => {
  await using peer = await ScriptedPeer.start({ extensions: ['PIPELINING'] });
  const { sender, of } = senderBench({ smartHosts: [peer.smartHost], protocolLoggingLevel: 'Verbose' });
  await sender.deliver(new FakeWork([{}]));
  assert.deepEqual(
    of('protocol-line').map(({ event, data }) => `${event} ${data}`.trim()),
    [
      '+',
      '< 220 peer.test ESMTP',
      '> EHLO edge1.example.net',
      '< 250 peer.test greets you PIPELINING',
      '> MAIL FROM:<sender@example.org>',
      '> RCPT TO:<rcpt@example.com>',
      '> DATA',
      '< 250 2.1.0 Ok',
      '< 250 2.1.5 Ok',
      '< 354 go on',
      '< 250 2.0.0 Queued',
      '> QUIT',
      '< 221 2.0.0 Bye',
      '-',
    ],
  );
});
