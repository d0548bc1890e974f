import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fit, RoutingTable, type ServerRole } from '../../src/categorizer/index.ts';
import {
  AcceptedDomainTable,
  type SendConnector,
  testAcceptedDomain,
  testSendConnector,
} from '../../src/config/index.ts';

/** 'SMTP:*;1' or '*;1' or '*'. */
function spaces(...texts: string[]): SendConnector['addressSpaces'] {
  return texts.map((text) => {
    const [, type = 'SMTP', address = '', cost = '1'] = /^(?:(\w+):)?([^;]+)(?:;(\d+))?$/.exec(text) ?? [];
    return { type, address, cost: Number(cost) };
  });
}
const connector = (name: string, space: string | string[], more: Partial<SendConnector> = {}): SendConnector =>
  testSendConnector({ name, addressSpaces: spaces(...[space].flat()), ...more });
const smart = (host: string): Partial<SendConnector> => ({ dnsRoutingEnabled: false, smartHosts: [host] });

const acceptedDomains = [
  testAcceptedDomain({ domainName: 'corp.example', domainType: 'Authoritative' }),
  testAcceptedDomain({ domainName: '*.corp.example', domainType: 'InternalRelay' }),
  testAcceptedDomain({ domainName: 'ext.corp.example', domainType: 'ExternalRelay' }),
  testAcceptedDomain({ domainName: 'deep.example', domainType: 'Authoritative', matchSubDomains: true }),
];

interface Row {
  readonly name: string;
  readonly connectors: readonly SendConnector[];
  readonly domain: string;
  readonly size?: number;
  readonly role?: ServerRole;
  /** Key of the hop. */
  readonly hop: string;
  readonly because?: RegExp;
  /** 'name: reason' of each, in part. */
  readonly passedOver?: readonly RegExp[];
  readonly reply?: RegExp;
}

const inbound = connector('EdgeSync - Inbound to Site', '--', smart('[10.0.0.1]'));
const internet = connector('Internet', '*');

const rows: readonly Row[] = [
  {
    name: 'authoritative domain: the connector for internal mail, though * fits too',
    connectors: [internet, inbound],
    domain: 'corp.example',
    hop: 'SmartHostConnectorDelivery:[10.0.0.1]:EdgeSync - Inbound to Site',
    because: /corp\.example is Authoritative/,
    passedOver: [/Internet: its address space \* is less specific/],
  },
  {
    name: 'internal relay domain, by wildcard',
    connectors: [internet, inbound],
    domain: 'a.corp.example',
    hop: 'SmartHostConnectorDelivery:[10.0.0.1]:EdgeSync - Inbound to Site',
  },
  {
    name: 'external relay goes outside, more specific than the wildcard beside it',
    connectors: [internet, inbound],
    domain: 'ext.corp.example',
    hop: 'DnsConnectorDelivery:ext.corp.example:Internet',
    because: /ExternalRelay/,
  },
  {
    name: 'MatchSubDomains',
    connectors: [internet, inbound],
    domain: 'x.deep.example',
    hop: 'SmartHostConnectorDelivery:[10.0.0.1]:EdgeSync - Inbound to Site',
  },
  {
    name: 'a foreign domain never takes the connector for internal mail',
    connectors: [inbound],
    domain: 'foreign.test',
    hop: 'Unreachable',
    because: /no send connector serves it/,
  },
  {
    name: 'accepted domain without a connector for internal mail: the best of the others',
    connectors: [internet, connector('To corp', 'corp.example', smart('hub'))],
    domain: 'corp.example',
    hop: 'SmartHostConnectorDelivery:hub:To corp',
  },
  {
    name: 'foreign domain by MX',
    connectors: [internet],
    domain: 'foreign.test',
    hop: 'DnsConnectorDelivery:foreign.test:Internet',
  },
  {
    name: 'exact beats wildcard beats *',
    connectors: [connector('Star', '*'), connector('Wild', '*.foreign.test'), connector('Exact', 'a.foreign.test')],
    domain: 'a.foreign.test',
    hop: 'DnsConnectorDelivery:a.foreign.test:Exact',
    passedOver: [/Wild: its address space \*\.foreign\.test is less specific than a\.foreign\.test/, /Star: /],
  },
  {
    name: 'the longer wildcard wins',
    connectors: [connector('Short', '*.test'), connector('Long', '*.foreign.test')],
    domain: 'a.foreign.test',
    hop: 'DnsConnectorDelivery:a.foreign.test:Long',
  },
  {
    name: '*.foreign.test is not foreign.test',
    connectors: [connector('Wild', '*.foreign.test')],
    domain: 'foreign.test',
    hop: 'Unreachable',
  },
  {
    name: 'a wildcard does not match in the middle of a label',
    connectors: [connector('Wild', '*.foreign.test')],
    domain: 'notforeign.test',
    hop: 'Unreachable',
  },
  {
    name: 'specific beats cheap',
    connectors: [connector('Cheap', '*;1'), connector('Dear', 'foreign.test;100')],
    domain: 'foreign.test',
    hop: 'DnsConnectorDelivery:foreign.test:Dear',
  },
  {
    name: 'lower cost',
    connectors: [connector('A', '*;20'), connector('B', '*;10')],
    domain: 'foreign.test',
    hop: 'DnsConnectorDelivery:foreign.test:B',
    passedOver: [/A: its cost 20 is higher than 10/],
  },
  {
    name: 'lower name, without case',
    connectors: [connector('beta', '*'), connector('Alpha', '*')],
    domain: 'foreign.test',
    hop: 'DnsConnectorDelivery:foreign.test:Alpha',
    passedOver: [/beta: its name comes later/],
  },
  {
    name: 'the best of several address spaces counts',
    connectors: [connector('A', ['*;5', 'foreign.test;50']), connector('B', 'foreign.test;40')],
    domain: 'foreign.test',
    hop: 'DnsConnectorDelivery:foreign.test:B',
  },
  {
    name: 'an address space of another type does not count',
    connectors: [connector('X400', 'X400:foreign.test'), internet],
    domain: 'foreign.test',
    hop: 'DnsConnectorDelivery:foreign.test:Internet',
  },
  {
    name: 'a disabled connector is passed over',
    connectors: [connector('Exact', 'foreign.test', { enabled: false }), internet],
    domain: 'foreign.test',
    hop: 'DnsConnectorDelivery:foreign.test:Internet',
    passedOver: [/Exact: it is disabled/],
  },
  {
    name: 'only a disabled one: unreachable, and told why',
    connectors: [connector('Exact', 'foreign.test', { enabled: false })],
    domain: 'foreign.test',
    hop: 'Unreachable',
    passedOver: [/Exact: it is disabled/],
  },
  {
    name: 'too small for the message: the next one',
    connectors: [connector('Exact', 'foreign.test', { maxMessageSize: 1_000 }), internet],
    domain: 'foreign.test',
    size: 1_001,
    hop: 'DnsConnectorDelivery:foreign.test:Internet',
    passedOver: [/Exact: its MaxMessageSize of 1000 octets is too small for 1001/],
  },
  {
    name: 'just large enough',
    connectors: [connector('Exact', 'foreign.test', { maxMessageSize: 1_000 }), internet],
    domain: 'foreign.test',
    size: 1_000,
    hop: 'DnsConnectorDelivery:foreign.test:Exact',
  },
  {
    name: 'every one too small: it can never go',
    connectors: [connector('Internet', '*', { maxMessageSize: 1_000 })],
    domain: 'foreign.test',
    size: 1_001,
    hop: 'Unreachable',
    reply: /^550 5\.3\.4 ROUTING\.SizeLimit/,
  },
  {
    name: 'address literal',
    connectors: [internet],
    domain: '[192.0.2.1]',
    hop: 'DnsConnectorDelivery:[192.0.2.1]:Internet',
  },
  { name: 'no connector at all', connectors: [], domain: 'corp.example', hop: 'Unreachable' },
  {
    name: 'Mailbox role keeps authoritative domains',
    connectors: [internet, inbound],
    domain: 'corp.example',
    role: 'Mailbox',
    hop: 'SmtpDeliveryToMailbox:corp.example:',
  },
  {
    name: 'Mailbox role passes internal relay on',
    connectors: [connector('Relay', '*.corp.example', smart('inner'))],
    domain: 'a.corp.example',
    role: 'Mailbox',
    hop: 'SmartHostConnectorDelivery:inner:Relay',
  },
];

for (const { name, connectors, domain, size, role, hop, because, passedOver, reply } of rows) {
  test(`route: ${name}`, () => {
    const table = new RoutingTable({ acceptedDomains, sendConnectors: connectors }, role ?? 'EdgeTransport');
    // Twice: what is remembered must be what was decided.
    for (const round of [1, 2]) {
      const choice = table.choose(domain, size ?? 10);
      assert.equal(choice.hop.key, hop, `round ${round}`);
      if (because !== undefined) assert.match(choice.because, because);
      if (reply === undefined) assert.equal(choice.reply, undefined);
      else assert.match(choice.reply ?? '', reply);
      passedOver?.forEach((pattern, i) => {
        const { name: who = '', reason = '' } = choice.passedOver[i] ?? {};
        assert.match(`${who}: ${reason}`, pattern);
      });
    }
  });
}

test('the order of the connectors does not matter', () => {
  const connectors = [
    connector('B', '*;5'),
    connector('A', '*;5'),
    inbound,
    connector('C', 'foreign.test;9'),
    connector('D', '*.test'),
  ];
  const domains = ['foreign.test', 'a.test', 'corp.example', 'else.where'];
  const keys = (list: readonly SendConnector[]): string[] =>
    domains.map(
      (domain) =>
        new RoutingTable({ acceptedDomains, sendConnectors: list }, 'EdgeTransport').choose(domain, 1).hop.key,
    );
  const expected = keys(connectors);
  for (let i = 1; i < connectors.length; i++) {
    assert.deepEqual(keys([...connectors.slice(i), ...connectors.slice(0, i)]), expected);
  }
});

test('fit grows with every label', () => {
  const patterns = ['b.test', '*', '*.test', '*.a.test', 'x.a.test'];
  const fits = patterns.map((pattern) => fit(pattern, 'x.a.test'));
  assert.equal(fits[0], 0);
  for (let i = 1; i < fits.length; i++) assert.ok((fits[i] ?? 0) > (fits[i - 1] ?? 0), patterns[i]);
});

test('a domain below two accepted domains is routed as the one that receiving finds', () => {
  const domains = [
    testAcceptedDomain({ domainName: 'a.b', domainType: 'InternalRelay', matchSubDomains: true }),
    testAcceptedDomain({ domainName: '*.a.b', domainType: 'Authoritative' }),
  ];
  for (const acceptedDomains of [domains, domains.toReversed()]) {
    const table = new RoutingTable({ acceptedDomains, sendConnectors: [inbound] }, 'EdgeTransport');
    const { because } = table.choose('x.a.b', 1);
    assert.match(because, new RegExp(new AcceptedDomainTable(acceptedDomains).find('x.a.b')?.domainType ?? 'none'));
  }
});

/** What a table says of a domain, twice: what is remembered must be what was decided. */
function chosen(sendConnectors: readonly SendConnector[], domain: string, size = 10) {
  const table = new RoutingTable({ acceptedDomains, sendConnectors }, 'EdgeTransport');
  const choice = table.choose(domain, size);
  assert.deepEqual(table.choose(domain, size), choice);
  return choice;
}

const bySpaces: readonly (readonly [title: string, spaces: readonly string[], domain: string, because: string])[] = [
  ['the most specific one, wherever it stands', ['*.test', 'a.test', '*'], 'a.test', 'a.test'],
  ['the most specific one, first', ['a.test', '*.test'], 'a.test', 'a.test'],
  ['the most specific one, last', ['*', '*.test'], 'b.test', '*.test'],
  ['of all internal domains', ['*', '--'], 'corp.example', '-- (all internal domains)'],
  ['only those of SMTP', ['X400:*', '*.test'], 'a.test', '*.test'],
];
for (const [title, list, domain, because] of bySpaces) {
  test(`of several address spaces of one connector ${title}`, () => {
    const choice = chosen([connector('Only', [...list])], domain);
    assert.ok(choice.because.endsWith(`; address space ${because} fits best`), choice.because);
    assert.deepEqual(choice.passedOver, []);
  });
}

test('of equal address spaces of one connector the cheapest counts, wherever it stands', () => {
  const other = connector('Other', '*.test;5');
  for (const [list, wins] of [
    [['*.test;9', '*.test;1'], 'This'],
    [['*.test;1', '*.test;9'], 'This'],
    [['*.test;9', '*;1'], 'Other'],
    [['*;1', '*.test;9'], 'Other'],
  ] as const) {
    assert.equal(chosen([connector('This', [...list]), other], 'a.test').hop.connector, wins, list.join());
  }
});

test('a message as large as a connector takes goes through it; one octet more goes on to the next', () => {
  const small = connector('Small', 'a.test', { maxMessageSize: 1_000 });
  const medium = connector('Medium', '*.test', { maxMessageSize: 2_000 });
  const both = [small, medium];
  assert.equal(chosen(both, 'a.test', 1_000).hop.connector, 'Small');
  const next = chosen(both, 'a.test', 1_001);
  assert.deepEqual(
    [next.hop.connector, next.passedOver],
    ['Medium', [{ name: 'Small', reason: 'its MaxMessageSize of 1000 octets is too small for 1001' }]],
  );
  assert.equal(chosen(both, 'a.test', 2_000).hop.connector, 'Medium');
  const end = chosen(both, 'a.test', 2_001);
  assert.match(end.reply ?? '', /^550 5\.3\.4 .* 2001 octets/);
  assert.deepEqual(
    end.passedOver.map(({ name, reason }) => `${name}: ${reason}`),
    [
      'Small: its MaxMessageSize of 1000 octets is too small for 2001',
      'Medium: its MaxMessageSize of 2000 octets is too small for 2001',
    ],
  );
});

test('a report may be as large as the largest way takes', () => {
  const table = (sendConnectors: readonly SendConnector[], role: ServerRole = 'EdgeTransport') =>
    new RoutingTable({ acceptedDomains, sendConnectors }, role);
  const connectors = [
    connector('Small', 'a.test', { maxMessageSize: 1_000 }),
    connector('Large', '*.test', { maxMessageSize: 2_000 }),
    connector('Off', '*', { maxMessageSize: 9_000, enabled: false }),
  ];
  assert.equal(table(connectors).largest('a.test'), 2_000);
  assert.equal(table(connectors).largest('b.test'), 2_000);
  assert.equal(table([], 'Mailbox').largest('corp.example'), Number.POSITIVE_INFINITY);
});

test('disabled connectors that would fit are told of, behind those that lost', () => {
  const choice = chosen(
    [
      connector('Off', 'a.test', { enabled: false }),
      connector('A', '*.test'),
      connector('B', '*.test'),
      connector('Else', 'c.test'),
    ],
    'a.test',
  );
  assert.equal(choice.hop.connector, 'A');
  assert.deepEqual(choice.passedOver, [
    { name: 'B', reason: 'its name comes later in the alphabet' },
    { name: 'Off', reason: 'it is disabled' },
  ]);
  const none = chosen([connector('Off', 'a.test', { enabled: false })], 'a.test');
  assert.deepEqual(
    [none.hop.type, none.reply, none.passedOver],
    ['Unreachable', undefined, [{ name: 'Off', reason: 'it is disabled' }]],
  );
});

test('the alphabet decides last, in any case of letters', () => {
  for (const names of [
    ['alpha', 'Beta'],
    ['Alpha', 'beta'],
  ] as const) {
    for (const order of [names, names.toReversed()])
      assert.equal(
        chosen(
          order.map((name) => connector(name, '*')),
          'a.test',
        ).hop.connector,
        names[0],
      );
  }
  assert.equal(chosen([connector('Same', '*'), connector('same', '*')], 'a.test').hop.connector, 'Same');
});

const hops: readonly (readonly [title: string, more: Partial<SendConnector>, key: string])[] = [
  ['by DNS', { dnsRoutingEnabled: true, smartHosts: [] }, 'DnsConnectorDelivery:a.test:C'],
  ['by DNS, whatever hosts are there', { dnsRoutingEnabled: true, smartHosts: ['h'] }, 'DnsConnectorDelivery:a.test:C'],
  ['by DNS without hosts', { dnsRoutingEnabled: false, smartHosts: [] }, 'DnsConnectorDelivery:a.test:C'],
  ['by its hosts', { dnsRoutingEnabled: false, smartHosts: ['h', 'i'] }, 'SmartHostConnectorDelivery:h,i:C'],
];
for (const [title, more, key] of hops) {
  test(`a connector delivers ${title}`, () => assert.equal(chosen([connector('C', '*', more)], 'a.test').hop.key, key));
}

test('mailboxes of this server take mail of any size, and nothing is passed over', () => {
  const table = new RoutingTable({ acceptedDomains, sendConnectors: [internet] }, 'Mailbox');
  const choice = table.choose('corp.example', Number.MAX_SAFE_INTEGER);
  assert.deepEqual([choice.hop.type, choice.passedOver, choice.reply], ['SmtpDeliveryToMailbox', [], undefined]);
  assert.equal(table.choose('foreign.test', 1).hop.type, 'DnsConnectorDelivery', 'no accepted domain');
});

test('a decision is remembered, for so many domains', () => {
  const table = new RoutingTable({ acceptedDomains, sendConnectors: [internet] }, 'EdgeTransport');
  const first = table.choose('first.test', 1);
  assert.equal(table.choose('first.test', 1), first);
  for (let i = 0; i < 19_998; i++) table.choose(`d${i}.test`, 1);
  assert.equal(table.choose('first.test', 1), first, 'still there at 19,999');
  table.choose('the-last.test', 1);
  assert.equal(table.choose('first.test', 1), first);
  table.choose('one-more.test', 1);
  const again = table.choose('first.test', 1);
  assert.notEqual(again, first, 'all were forgotten');
  assert.deepEqual(again, first);
});
