import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DnsClient, DnsFailure, isTrustedResolver } from '../../src/dns/index.ts';
import { needs } from '../lib/peers.ts';
import { type DnsWorld, startDns } from '../lib/signed-zone.ts';

const long = Array.from({ length: 12 }, (_, i) => `many IN TXT "${String(i).padStart(200, 'x')}"`);

let world: DnsWorld | undefined;
let client: DnsClient;
const peers = needs('nsd', 'unbound', 'ldns-signzone');

before(async () => {
  if (peers.skip !== false) return;
  world = await startDns([
    {
      name: 'good.test',
      records: [
        '@ IN MX 10 mx',
        'mx IN A 127.0.0.5',
        'alias IN CNAME mx',
        `_25._tcp.mx IN TLSA 3 1 1 ${'ab'.repeat(32)}`,
        '@ IN CAA 0 issue "ca.test"',
        ...long,
      ],
    },
    { name: 'plain.test', records: ['mx IN A 127.0.0.6'], signing: 'unsigned' },
    { name: 'expired.test', records: ['mx IN A 127.0.0.7'], signing: 'expired' },
    { name: 'bogus.test', records: ['mx IN A 127.0.0.8'], signing: 'bogus' },
  ]);
  client = new DnsClient({ resolvers: [world.resolver], timeoutMs: 30_000 });
});
after(async () => {
  await world?.[Symbol.asyncDispose]();
});

test('a signed zone answers securely, with the fields of each type', peers, async () => {
  const mx = await client.ask('good.test', 'MX');
  assert.equal(mx.secure, true);
  assert.deepEqual(mx.records[0]?.data, { preference: 10, exchange: 'mx.good.test' });
  assert.ok(mx.ttl > 0 && mx.ttl <= 60);
  const tlsa = await client.ask('_25._tcp.mx.good.test', 'TLSA');
  assert.equal(tlsa.secure, true);
  assert.deepEqual(tlsa.records[0]?.data, {
    usage: 3,
    selector: 1,
    matchingType: 1,
    certificate: Buffer.from('ab'.repeat(32), 'hex'),
  });
  assert.deepEqual((await client.ask('good.test', 'CAA')).records.length, 1);
});

test('an alias is followed and named', peers, async () => {
  const { records, aliases, secure } = await client.ask('alias.good.test', 'A');
  assert.deepEqual([records.map(({ data }) => data), aliases, secure], [['127.0.0.5'], ['mx.good.test'], true]);
});

test('a name that is not there is denied securely, with the time to live of the denial', peers, async () => {
  const { code, secure, records, ttl } = await client.ask('nowhere.good.test', 'TLSA');
  assert.deepEqual([code, secure, records], ['NXDOMAIN', true, []]);
  assert.ok(ttl > 0 && ttl <= 60);
});

test('an unsigned zone answers, but not securely', peers, async () => {
  const { records, secure } = await client.ask('mx.plain.test', 'A');
  assert.deepEqual([records.map(({ data }) => data), secure], [['127.0.0.6'], false]);
});

for (const zone of ['expired', 'bogus']) {
  test(`${zone} signatures are no answer`, peers, async () => {
    await assert.rejects(
      client.ask(`mx.${zone}.test`, 'A'),
      (error) => error instanceof DnsFailure && error.code === 'SERVFAIL',
    );
  });
}

test('an answer that is too long for UDP is fetched by TCP', peers, async () => {
  assert.equal((await client.ask('many.good.test', 'TXT')).records.length, 12);
});

test('a resolver that validates nothing says nothing of security', peers, async () => {
  const authority = new DnsClient({ resolvers: [world?.authority ?? ''], timeoutMs: 30_000 });
  assert.equal((await authority.ask('mx.good.test', 'A')).secure, false);
});

test('a resolver that is not there is a failure, and the next one is asked', peers, async () => {
  const both = new DnsClient({ resolvers: ['127.0.0.1:1', world?.resolver ?? ''], timeoutMs: 30_000 });
  assert.equal((await both.ask('mx.good.test', 'A')).records.length, 1);
  const none = new DnsClient({ resolvers: ['127.0.0.1:1'], timeoutMs: 500, tries: 1 });
  await assert.rejects(none.ask('mx.good.test', 'A'), DnsFailure);
});

test('only loopback and declared resolvers are believed', () => {
  assert.deepEqual(
    ['127.0.0.53', '[::1]:53', '192.0.2.1', '192.0.2.2:5353'].map((resolver) =>
      isTrustedResolver(resolver, ['192.0.2.2']),
    ),
    [true, true, false, true],
  );
  assert.throws(() => new DnsClient({ resolvers: ['resolver.example'] }), RangeError);
});
