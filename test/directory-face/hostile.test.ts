import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { element, enumerated, integer, octets, sequence } from '../../src/directory/face/ber/ber-writer.ts';
import { cpuTime } from '../lib/cpu-time.ts';
import { addEntry, adminDn, type Face, password, root, startFace } from './face.ts';
import { abandonOp, bindOp, extendedOp, message, present, RawClient, searchOp } from './raw-client.ts';

let face: Face;
before(async () => {
  face = await startFace({ limits: { maxUnboundPerSource: 50, idleBeforeBindMs: 60_000 } });
});
after(() => face[Symbol.asyncDispose]());

/** The server must serve the next client, whatever the one before did. */
async function stillServes(): Promise<void> {
  using client = await RawClient.connect(face.port);
  assert.equal((await client.ask(searchOp({ base: '' }))).code, 0);
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const search = (filter: Buffer): Buffer => message(1, searchOp({ base: '', filter }));

/** After each of these RFC 4511 §4.1.1 wants the notice of disconnection, and the end. */
const fatal: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['the nine octets that end ldapjs', hex('30 84 ff ff ff ff 02 01 01')],
  ['HTTP', Buffer.from('GET / HTTP/1.0\r\n\r\n')],
  ['a ClientHello', hex('16 03 01 00 05 01 00 00 01 03')],
  ['the probe of an RDP scanner', hex('03 00 00 13 0e e0 00 00 00 00 00 01 00 08 00 03 00 00 00')],
  ['an announced 2 GB message', hex('30 84 7f ff ff ff 02 01 01 63 84 7f ff ff f0')],
  ['64 KB before a bind', message(1, bindOp('', Buffer.alloc(65_536)))],
  ['an indefinite length', hex('30 80 02 01 01 42 00 00 00')],
  ['message ID 0', message(0, searchOp({ base: '' }))],
  ['a negative message ID', message(-1, searchOp({ base: '' }))],
  ['a message ID of five octets', hex('30 0c 02 05 01 00 00 00 01 60 03 02 01 03')],
  ['a response instead of a request', message(1, element(0x61, enumerated(0), octets(''), octets('')))],
  ['a tag of two octets', hex('30 06 02 01 01 7f 21 00')],
  ['an empty message', hex('30 00')],
  ['a message without an operation', hex('30 03 02 01 01')],
  ['a search cut off inside', message(1, element(0x63, octets('')))],
  [
    'a boolean of two octets',
    message(1, element(0x63, octets(''), enumerated(0), enumerated(0), integer(0), integer(0), hex('01 02 00 00'))),
  ],
  ['a filter that reaches over its search', search(hex('87 7f 61'))],
  ['an equality filter without a value', search(element(0xa3, octets('cn')))],
  ['a not with two filters', search(element(0xa2, present('cn'), present('sn')))],
  ['a control that is no sequence', sequence(integer(1), searchOp({ base: '' }), element(0xa0, octets('1.2.3')))],
  [
    'a hundred controls',
    message(
      1,
      searchOp({ base: '' }),
      Array.from({ length: 100 }, (_, i) => ({ oid: `1.2.${i}`, critical: false })),
    ),
  ],
];

for (const [name, bytes] of fatal) {
  test(`notice of disconnection for ${name}`, async () => {
    using client = await RawClient.connect(face.port);
    client.socket.write(bytes);
    const notice = await client.next();
    assert.deepEqual([notice?.id, notice?.name, notice?.code], [0, '1.3.6.1.4.1.1466.20036', 2], name);
    assert.equal(await client.next(), undefined, 'the connection goes on');
    await stillServes();
  });
}

const nested = (depth: number): Buffer => {
  let filter = present('objectClass');
  for (let i = 0; i < depth; i += 1) filter = element(0xa2, filter);
  return filter;
};

/** Three million values of one octet, in nine: each would be an object of a hundred. */
const many = Buffer.alloc(9_000_000, octets('a'));
const manyValues = sequence(octets('description'), element(0x31, many));

/** Requests that can be answered although they cannot be served; the connection goes on. */
const answered: readonly (readonly [name: string, operation: Buffer, code: number])[] = [
  ['scope 7', searchOp({ base: '', scope: 7 }), 2],
  ['a negative size limit', searchOp({ base: '', sizeLimit: -1 }), 2],
  ['an unknown filter', searchOp({ base: '', filter: element(0xaf, octets('a')) }), 2],
  ['substrings without one', searchOp({ base: '', filter: element(0xa4, octets('cn'), sequence()) }), 2],
  ['a filter nested 101 deep', searchOp({ base: '', filter: nested(101) }), 11],
  ['a filter nested 8000 deep', searchOp({ base: '', filter: nested(8000) }), 11],
  [
    'a base that is no UTF-8',
    element(
      0x63,
      octets(hex('ff fe')),
      ...Array.from({ length: 2 }, () => enumerated(0)),
      integer(0),
      integer(0),
      hex('01 01 00'),
      present('cn'),
      sequence(),
    ),
    34,
  ],
  [
    'a modification of millions of values',
    element(0x66, octets(adminDn), sequence(sequence(enumerated(2), manyValues))),
    11,
  ],
  ['an entry of millions of values', element(0x68, octets(`cn=many,${root}`), sequence(manyValues)), 11],
  [
    'a search for millions of attributes',
    element(
      0x63,
      octets(''),
      ...Array.from({ length: 2 }, () => enumerated(0)),
      ...Array.from({ length: 2 }, () => integer(0)),
      hex('01 01 00'),
      present('cn'),
      sequence(many),
    ),
    11,
  ],
  [
    'a filter of 15000 parts',
    searchOp({ base: '', filter: element(0xa1, ...Array.from({ length: 15_000 }, () => present('x'))) }),
    0,
  ],
  ['an unknown extended operation', extendedOp('1.2.3.4'), 2],
  ['an extended operation named like a property', extendedOp('__proto__'), 2],
  ['an extended operation without a name', extendedOp(''), 2],
  ['cancel without a value', extendedOp('1.3.6.1.1.8'), 2],
  ['cancel of something malformed', extendedOp('1.3.6.1.1.8', hex('30 05')), 2],
  ['StartTLS where there is no certificate', extendedOp('1.3.6.1.4.1.1466.20037'), 2],
  ['a SASL mechanism nobody knows', element(0x60, integer(3), octets(''), element(0xa3, octets('NTLM'))), 7],
  ['Sicily', element(0x60, integer(3), octets(''), octets('', 0x8a)), 7],
  ['version 2', bindOp('', '', 2), 2],
];

for (const [name, operation, code] of answered) {
  test(`answered: ${name}`, async () => {
    using client = await RawClient.connect(face.port);
    // Strangers may send 4 KB only.
    if (operation.length > 4000) await client.ask(bindOp(adminDn, password));
    assert.equal((await client.ask(operation)).code, code);
    assert.equal((await client.ask(searchOp({ base: '' }))).code, 0, 'the connection is of no use any more');
  });
}

test('an absolute true filter of any width is served within the limit of the message', async () => {
  using client = await RawClient.connect(face.port);
  assert.equal((await client.ask(searchOp({ base: '', filter: element(0xa0) }))).code, 0);
});

test('substrings that make a regular expression explode are answered at once', async () => {
  await addEntry(face.store, `cn=${'a'.repeat(60)}d,${root}`, { objectClass: ['top', 'person'], sn: 'x' });
  using client = await RawClient.connect(face.port);
  await client.ask(bindOp(adminDn, password));
  const any = Array.from({ length: 30 }, () => octets('a', 0x81));
  const filter = element(0xa4, octets('cn'), sequence(...any, octets('c', 0x82)));
  const worked = cpuTime();
  assert.equal((await client.ask(searchOp({ base: root, scope: 2, filter }))).code, 0);
  assert.ok(worked() < 5000, `${worked()} ms`);
});

test('connections from one address are counted, the oldest goes, and the count goes down', async () => {
  const clients: RawClient[] = [];
  for (let i = 0; i < 50; i += 1) clients.push(await RawClient.connect(face.port));
  // Each one answers, so each one is counted.
  for (const client of clients) assert.equal((await client.ask(searchOp({ base: '' }))).code, 0);
  using newcomer = await RawClient.connect(face.port);
  assert.equal((await newcomer.ask(searchOp({ base: '' }))).code, 0);
  const [oldest, first] = clients;
  assert.deepEqual([(await oldest?.next())?.code, await oldest?.next()], [51, undefined]);
  const closed = new Promise<void>((resolve) => {
    const ask = (): void => void (face.server.connections < 50 ? resolve() : setImmediate(ask));
    ask();
  });
  first?.socket.destroy();
  await closed;
  await stillServes();
  for (const client of clients) client.socket.destroy();
});

test('a client that says nothing is ended with a notice', async () => {
  await using idle = await startFace({ limits: { idleBeforeBindMs: 50 } });
  using client = await RawClient.connect(idle.port);
  const notice = await client.next();
  assert.deepEqual([notice?.id, notice?.code], [0, 52]);
  assert.equal(await client.next(), undefined);
});

test('a client that reads nothing is cut off, and others are served meanwhile', async () => {
  await using busy = await startFace({ limits: { stallMs: 300, maxUnsentBytes: 64 * 1024 } });
  for (let i = 0; i < 40; i += 1) {
    await addEntry(busy.store, `cn=big ${i},${root}`, {
      objectClass: ['top', 'person'],
      sn: 'x',
      description: 'y'.repeat(200_000),
    });
  }
  const greedy = connect(busy.port, '127.0.0.1');
  await once(greedy, 'connect');
  greedy.pause();
  greedy.on('error', () => undefined);
  greedy.write(message(1, bindOp(adminDn, password)));
  for (let id = 2; id < 30; id += 1) greedy.write(message(id, searchOp({ base: root, scope: 2 })));
  using other = await RawClient.connect(busy.port);
  assert.equal((await other.ask(searchOp({ base: '' }))).code, 0);
  while (!busy.events.some((event) => event.kind === 'disconnected' && event.reason === 'the client reads nothing')) {
    assert.equal((await other.ask(searchOp({ base: '' }))).code, 0);
  }
  greedy.destroy();
});

test('abandoning what is not there does no harm', async () => {
  using client = await RawClient.connect(face.port);
  client.send(abandonOp(77));
  assert.equal((await client.ask(searchOp({ base: '' }))).code, 0);
  await stillServes();
});

test('passwords never reach the log', async () => {
  using client = await RawClient.connect(face.port);
  await client.ask(bindOp(adminDn, password));
  await client.ask(bindOp(adminDn, 'not the right one'));
  const told = JSON.stringify(face.events);
  assert.ok(told.includes('"kind":"bind"'));
  assert.ok(!told.includes(password) && !told.includes('not the right one'));
});
