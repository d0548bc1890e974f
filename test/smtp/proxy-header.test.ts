/** The PROXY protocol as HAProxy's proxy-protocol.txt describes it: octet by octet, and what no balancer sends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ProxiedEndpoints, readProxyHeader } from '../../src/smtp/index.ts';
import fc from '../lib/properties.ts';

const v4 = { remoteAddress: '192.0.2.9', localAddress: '198.51.100.1', remotePort: 65535, localPort: 25 };
const v6 = { remoteAddress: '2001:db8::9', localAddress: '2001:db8::1', remotePort: 0, localPort: 587 };
const line4 = 'PROXY TCP4 192.0.2.9 198.51.100.1 65535 25\r\n';
const signature = '0d0a0d0a000d0a515549540a';
const addresses4 = 'c0000209c6336401ffff0019';
const addresses6 = `${'20010db8000000000000000000000009'}${'20010db8000000000000000000000001'}0000024b`;

/** Version 2: command and family, then what follows with its length. */
const binary = (head: string, body: string, length = body.length / 2): Buffer =>
  Buffer.from(`${signature}${head}${length.toString(16).padStart(4, '0')}${body}`, 'hex');

const read: readonly (readonly [string, Buffer, { readonly size: number; readonly endpoints?: ProxiedEndpoints }])[] = [
  ['TCP4', Buffer.from(line4), { size: line4.length, endpoints: v4 }],
  ['TCP6', Buffer.from('PROXY TCP6 2001:db8::9 2001:db8::1 0 587\r\nEHLO x\r\n'), { size: 42, endpoints: v6 }],
  ['UNKNOWN', Buffer.from('PROXY UNKNOWN\r\nEHLO x\r\n'), { size: 15 }],
  ['UNKNOWN with something behind it', Buffer.from('PROXY UNKNOWN ff:: ::1 1 2\r\n'), { size: 28 }],
  ['version 2, IPv4', binary('2111', addresses4), { size: 28, endpoints: v4 }],
  [
    'version 2, IPv6',
    binary('2121', addresses6),
    { size: 52, endpoints: { ...v6, remoteAddress: '2001:db8:0:0:0:0:0:9', localAddress: '2001:db8:0:0:0:0:0:1' } },
  ],
  ['version 2 with more than addresses', binary('2111', `${addresses4}0300040a0b0c0d`), { size: 35, endpoints: v4 }],
  ['version 2, LOCAL', binary('2000', ''), { size: 16 }],
  ['version 2, LOCAL with addresses that do not count', binary('2011', addresses4), { size: 28 }],
  ['the longest body', binary('2111', addresses4.padEnd(4096, '00')), { size: 2064, endpoints: v4 }],
];
for (const [name, octets, wanted] of read)
  test(`read: ${name}; each part of it asks for more`, () => {
    assert.deepEqual(readProxyHeader(octets), { kind: 'done', ...wanted });
    assert.deepEqual(readProxyHeader(Buffer.concat([octets, Buffer.from('EHLO')])), { kind: 'done', ...wanted });
    for (let length = 0; length < wanted.size; length += 1)
      assert.deepEqual(readProxyHeader(octets.subarray(0, length)), { kind: 'more' }, `${length} octets`);
  });

const bad: readonly (readonly [string, Buffer | string, RegExp])[] = [
  ['a command of SMTP', 'EHLO x\r\n', /no PROXY header/],
  ['the wrong case', 'proxy TCP4', /no PROXY header/],
  ['nothing behind the word', 'PROXY\r\n', /no PROXY header/],
  ['no family', 'PROXY \r\n', /cannot be read/],
  ['another family', 'PROXY UDP4 192.0.2.9 198.51.100.1 1 2\r\n', /cannot be read/],
  ['an address of the other family', 'PROXY TCP4 192.0.2.9 ::1 1 2\r\n', /cannot be read/],
  ['the client of the other family', 'PROXY TCP6 192.0.2.9 ::1 1 2\r\n', /cannot be read/],
  ['no address', 'PROXY TCP4 x 198.51.100.1 1 2\r\n', /cannot be read/],
  ['a port that is too large', 'PROXY TCP4 192.0.2.9 198.51.100.1 65536 2\r\n', /cannot be read/],
  ['a local port that is too large', 'PROXY TCP4 192.0.2.9 198.51.100.1 2 65536\r\n', /cannot be read/],
  ['a port that is none', 'PROXY TCP4 192.0.2.9 198.51.100.1 1x 2\r\n', /cannot be read/],
  ['a port with a sign', 'PROXY TCP4 192.0.2.9 198.51.100.1 1 +2\r\n', /cannot be read/],
  ['no port', 'PROXY TCP4 192.0.2.9 198.51.100.1 1\r\n', /cannot be read/],
  ['too much', 'PROXY TCP4 192.0.2.9 198.51.100.1 1 2 3\r\n', /cannot be read/],
  ['a blank too many', 'PROXY TCP4  192.0.2.9 198.51.100.1 1 2\r\n', /cannot be read/],
  ['107 octets without an end', 'PROXY TCP4 '.padEnd(107, '1'), /too long/],
  ['an end behind 107 octets', `${'PROXY TCP4 '.padEnd(106, '1')}\r\n`, /too long/],
  ['version 1 of the binary form', binary('1111', addresses4), /version or command/],
  ['version 3', binary('3111', addresses4), /version or command/],
  ['an unknown command', binary('2211', addresses4), /version or command/],
  ['UDP', binary('2112', addresses4), /no TCP connection/],
  ['a Unix socket', binary('2131', '00'.repeat(216)), /no TCP connection/],
  ['no family in the binary form', binary('2100', addresses4), /no TCP connection/],
  ['addresses that are cut off', binary('2111', addresses4.slice(2)), /cut off/],
  ['IPv6 with the room of IPv4', binary('2121', addresses4), /cut off/],
  ['a body beyond the bound, at once', binary('2111', '', 2_049), /too long/],
];
for (const [name, octets, reason] of bad)
  test(`refused: ${name}`, () => {
    const header = readProxyHeader(Buffer.from(octets as string, 'latin1'));
    assert.equal(header.kind, 'bad');
    assert.match(header.kind === 'bad' ? header.reason : '', reason);
  });

test('any octets get an answer, and a header is never longer than what came', () => {
  const start = fc.constantFrom('', 'PROXY ', 'PROXY TCP4 ', Buffer.from(signature, 'hex').toString('latin1'));
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 200 }), (head, octets) => {
      const all = Buffer.concat([Buffer.from(head, 'latin1'), octets]);
      const header = readProxyHeader(all);
      if (header.kind === 'done') assert.ok(header.size <= all.length);
      if (header.kind === 'more') assert.ok(all.length < 2_064);
    }),
  );
});
