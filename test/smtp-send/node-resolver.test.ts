import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { DnsError, type DnsFault, NodeResolver } from '../../src/smtp-send/index.ts';

type DnsRecord =
  | { readonly a: string }
  | { readonly aaaa: string }
  | { readonly mx: readonly [number, string] }
  | { readonly cname: string };
type Zone = Readonly<Record<string, readonly DnsRecord[] | 'SERVFAIL' | 'REFUSED' | 'silent'>>;

/** A DNS server of one zone (RFC 1035): what is not in it does not exist. */
class ZoneServer implements AsyncDisposable {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async start(zone: Zone): Promise<ZoneServer> {
    const socket = createSocket('udp4');
    socket.on('message', (query, from) => {
      const reply = answer(query, zone);
      if (reply !== undefined) socket.send(reply, from.port, from.address);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new ZoneServer(socket);
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}

const typeOf = (record: DnsRecord): number => ('a' in record ? 1 : 'aaaa' in record ? 28 : 'mx' in record ? 15 : 5);

function nameOctets(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);
}

function dataOf(record: DnsRecord): Buffer {
  if ('a' in record) return Buffer.from(record.a.split('.').map(Number));
  if ('cname' in record) return nameOctets(record.cname);
  if ('mx' in record)
    return Buffer.concat([Buffer.from([record.mx[0] >> 8, record.mx[0] & 255]), nameOctets(record.mx[1])]);
  const [head = '', tail = ''] = record.aaaa.split('::');
  const groups = [
    ...head.split(':'),
    ...Array<string>(8 - head.split(':').length - tail.split(':').length).fill('0'),
    ...tail.split(':'),
  ];
  return Buffer.concat(
    groups.map((group) => Buffer.from([Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255])),
  );
}

function answer(query: Buffer, zone: Zone): Buffer | undefined {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  const name = labels.join('.').toLowerCase();
  const type = query.readUInt16BE(at + 1);
  const question = query.subarray(12, at + 5);
  const found = zone[name];
  if (found === 'silent') return undefined;
  const code = found === undefined ? 3 : found === 'SERVFAIL' ? 2 : found === 'REFUSED' ? 5 : 0;
  const records = Array.isArray(found)
    ? (found as readonly DnsRecord[]).filter((record) => typeOf(record) === type || 'cname' in record)
    : [];
  const header = Buffer.from([query[0] ?? 0, query[1] ?? 0, 0x84, 0x80 | code, 0, 1, 0, records.length, 0, 0, 0, 0]);
  const answers = records.map((record) => {
    const data = dataOf(record);
    return Buffer.concat([Buffer.from([0xc0, 12, 0, typeOf(record), 0, 1, 0, 0, 0, 60, 0, data.length]), data]);
  });
  return Buffer.concat([header, question, ...answers]);
}

const zone: Zone = {
  'two.test': [{ mx: [20, 'b.test'] }, { mx: [10, 'a.test'] }],
  'null.test': [{ mx: [0, ''] }],
  'plain.test': [{ a: '192.0.2.1' }, { aaaa: '2001:db8::1' }],
  'four.test': [{ a: '192.0.2.1' }],
  'six.test': [{ aaaa: '2001:db8::1' }],
  'empty.test': [],
  'broken.test': 'SERVFAIL',
  'refused.test': 'REFUSED',
  'slow.test': 'silent',
};

const rows: readonly (readonly [question: 'mx' | 'addresses', name: string, result: DnsFault | readonly unknown[]])[] =
  [
    [
      'mx',
      'two.test',
      [
        { exchange: 'b.test', priority: 20 },
        { exchange: 'a.test', priority: 10 },
      ],
    ],
    ['mx', 'null.test', [{ exchange: '', priority: 0 }]],
    ['mx', 'plain.test', 'no-record'],
    ['mx', 'empty.test', 'no-record'],
    ['mx', 'missing.test', 'no-such-domain'],
    ['mx', 'broken.test', 'temporary'],
    ['mx', 'refused.test', 'temporary'],
    ['mx', 'slow.test', 'temporary'],
    ['addresses', 'plain.test', ['192.0.2.1', '2001:db8::1']],
    ['addresses', 'four.test', ['192.0.2.1']],
    ['addresses', 'six.test', ['2001:db8::1']],
    ['addresses', 'empty.test', 'no-record'],
    ['addresses', 'missing.test', 'no-such-domain'],
    ['addresses', 'broken.test', 'temporary'],
  ];

for (const [question, name, result] of rows) {
  test(`DNS: ${question} of ${name}`, async () => {
    await using server = await ZoneServer.start(zone);
    const resolver = new NodeResolver({ servers: [server.address], timeoutMs: name === 'slow.test' ? 300 : 20_000 });
    const { signal } = new AbortController();
    if (typeof result !== 'string') {
      const answer = await resolver[question](name, signal);
      assert.equal(answer.secure, false, 'Node does not say what was validated');
      return assert.deepEqual('records' in answer ? answer.records : answer.addresses, result);
    }
    await assert.rejects(
      resolver[question](name, signal),
      (error) => error instanceof DnsError && error.fault === result,
    );
  });
}

test('DNS: a lookup ends with its signal', async () => {
  await using server = await ZoneServer.start(zone);
  const resolver = new NodeResolver({ servers: [server.address] });
  const stop = new AbortController();
  const lookup = resolver.mx('slow.test', stop.signal);
  stop.abort();
  await assert.rejects(lookup, DnsError);
});

test('DNS: names of this machine are found for smart hosts', async () => {
  const { addresses: found } = await new NodeResolver().hostAddresses('localhost', new AbortController().signal);
  assert.ok(found.includes('127.0.0.1') || found.includes('::1'), found.join());
});
