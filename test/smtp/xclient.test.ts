/** XCLIENT as Postfix's XCLIENT_README describes it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withXClient, xClientAttributes } from '../../src/smtp/index.ts';

const before = { remoteAddress: '10.0.0.1', remotePort: 1, localAddress: '10.0.0.2', localPort: 25 };
const rows: readonly (readonly [argument: string, changed: Partial<typeof before>])[] = [
  ['ADDR=192.0.2.9', { remoteAddress: '192.0.2.9' }],
  ['addr=192.0.2.9 port=65535', { remoteAddress: '192.0.2.9', remotePort: 65_535 }],
  ['ADDR=IPV6:2001:DB8::9   DESTADDR=::1', { remoteAddress: '2001:db8::9', localAddress: '::1' }],
  ['ADDR=ipv6:2001:db8::9', { remoteAddress: '2001:db8::9' }],
  ['DESTADDR=198.51.100.7 DESTPORT=587 PORT=0', { localAddress: '198.51.100.7', localPort: 587, remotePort: 0 }],
  ['ADDR=[UNAVAILABLE] PORT=[TEMPUNAVAIL] DESTADDR=[unavailable] DESTPORT=', {}],
  ['ADDR=192.0.2+2E9', { remoteAddress: '192.0.2.9' }],
  ['NAME=evil.example HELO=x PROTO=ESMTP LOGIN=admin', {}],
];
for (const [argument, changed] of rows)
  test(`XCLIENT ${argument}`, () => assert.deepEqual(withXClient(argument, before), { ...before, ...changed }));

const refused: readonly (readonly [argument: string, message: RegExp])[] = [
  ['', /'' is no attribute/],
  ['ADDR', /'ADDR' is no attribute/],
  ['=x', /is no attribute/],
  ['-ADDR=x', /is no attribute/],
  ['ADDRESS=192.0.2.9', /is no attribute/],
  ['ADDR=192.0.2.9 ADDR=192.0.2.8', /is no attribute/],
  ['ADDR=192.0.2.9 addr=192.0.2.8', /is no attribute/],
  ['ADDR=192.0.2.9 ', /'' is no attribute/],
  ['ADDR=x', /'x' is no address/],
  ['ADDR=192.0.2.256', /is no address/],
  ['ADDR=x[UNAVAILABLE]', /is no address/],
  ['ADDR=[UNAVAILABLE]x', /is no address/],
  ['DESTADDR=localhost', /is no address/],
  ['PORT=65536', /is no port/],
  ['PORT=1x', /is no port/],
  ['PORT=x1', /is no port/],
  ['DESTPORT=-1', /is no port/],
  ['DESTPORT=123456', /is no port/],
];
for (const [argument, message] of refused)
  test(`refused: XCLIENT ${argument}`, () =>
    assert.throws(() => withXClient(argument, before), { name: 'RangeError', message }));

test('EHLO names them in that order', () => {
  assert.equal(xClientAttributes.join(' '), 'ADDR PORT DESTADDR DESTPORT NAME HELO PROTO LOGIN');
});
