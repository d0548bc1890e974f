/**
 * What EdgeServer, EdgeConnection and EdgeStream take from the inside of smtp-server. Another version of the library,
 * or a method that it changed, fails here: then read the change, see whether the subclass still holds, and write the
 * new digest down.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import { CertificateStore } from '../../src/certificates/index.ts';
import { EdgeStream } from '../../src/smtp-receive/content/edge-stream.ts';
import { SMTPConnection, SMTPServer, SMTPStream } from '../../src/smtp-receive/content/library.ts';
import { EdgeConnection } from '../../src/smtp-receive/edge-connection.ts';
import { EdgeServer } from '../../src/smtp-receive/edge-server.ts';
import { Receiving } from './receiving.ts';

const methods = (prototype: object): Map<string, string> =>
  new Map(
    Object.getOwnPropertyNames(prototype).flatMap((name) => {
      const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
      if (typeof method !== 'function') return [];
      return [[name, createHash('sha256').update(String(method)).digest('hex').slice(0, 12)] as const];
    }),
  );

test('the version is the one that was read', () => {
  const { version } = createRequire(import.meta.url)('smtp-server/package.json') as { version: string };
  assert.equal(version, '3.21.6');
});

const rows = [
  {
    ours: EdgeServer.prototype,
    theirs: SMTPServer.prototype,
    overridden: ['updateSecureContext'],
    reliedOn: ['constructor'],
  },
  {
    ours: EdgeConnection.prototype,
    theirs: SMTPConnection.prototype,
    overridden: ['_createParser', '_onClose', '_onCommand', '_onError', '_setListeners', 'close', 'init', 'send'],
    reliedOn: ['constructor', '_onCloseEvent', '_resetSession'],
  },
  {
    ours: EdgeStream.prototype,
    theirs: SMTPStream.prototype,
    overridden: ['_flushData', '_write'],
    reliedOn: ['constructor'],
  },
] as const;

const digests: Readonly<Record<string, string>> = {
  'SMTPServer.constructor': 'ae1697bb39a5',
  'SMTPServer.updateSecureContext': 'aab88fea56ed',
  'SMTPConnection.constructor': '731135bde963',
  'SMTPConnection._setListeners': 'cf07ab6f47db',
  'SMTPConnection._onCloseEvent': '66ef4e7f2f72',
  'SMTPConnection._resetSession': '2bf7682ca138',
  'SMTPConnection._createParser': '64259b0d8686',
  'SMTPConnection._onClose': '097b8d221da5',
  'SMTPConnection._onCommand': '41c8a1b7a32a',
  'SMTPConnection._onError': 'ddcc47e46ea9',
  'SMTPConnection.close': '8b9a23413167',
  'SMTPConnection.init': '1265a7d7ca8f',
  'SMTPConnection.send': 'c33568c0111a',
  'SMTPStream.constructor': 'b0722f7ab862',
  'SMTPStream._flushData': '84553453dd02',
  'SMTPStream._write': 'a72635ce53e2',
};

for (const { ours, theirs, overridden, reliedOn } of rows) {
  const name = theirs.constructor.name;
  const inside = methods(theirs);

  test(`${name}: what is overridden is listed, and is still there to override`, () => {
    const shared = [...methods(ours).keys()].filter((method) => inside.has(method) && method !== 'constructor').sort();
    assert.deepEqual(shared, [...overridden]);
  });

  for (const method of [...reliedOn, ...overridden]) {
    test(`${name}.${method} is as it was read`, () => {
      assert.equal(inside.get(method), digests[`${name}.${method}`]);
    });
  }
}

/** Overridden, and called by none of the library's ways that sessions take: should one be taken all the same, the session answers. */
const guards = new Set([
  'SMTPConnection._onCommand',
  'SMTPConnection.send',
  'SMTPStream._flushData',
  'SMTPStream._write',
]);

test('behaviour: the library calls every method that is overridden', async (t) => {
  const called = new Set<string>();
  for (const { ours, theirs, overridden } of rows) {
    for (const method of overridden) {
      const original = Object.getOwnPropertyDescriptor(ours, method);
      assert.ok(original !== undefined, method);
      const value: unknown = original.value;
      assert.ok(typeof value === 'function');
      Object.defineProperty(ours, method, {
        ...original,
        value(this: unknown, ...args: unknown[]): unknown {
          called.add(`${theirs.constructor.name}.${method}`);
          return Reflect.apply(value, this, args);
        },
      });
      t.after(() => Object.defineProperty(ours, method, original));
    }
  }
  const folder = await mkdtemp(join(tmpdir(), 'edge-library-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await using certificates = await CertificateStore.open({ folder, clock: systemClock });
  await certificates.ensureServerCertificate('mail.example.net');
  await using edge = await Receiving.start({ certificates });
  const client = await edge.greeted();
  await client.ask('STARTTLS');
  await client.secure('mail.example.net');
  assert.match(await client.ask('EHLO x'), /^250-/);
  client.socket.end();
  await client.end();
  const reset = await edge.greeted();
  reset.socket.resetAndDestroy();
  await edge.closed(2);
  const expected = rows.flatMap(({ theirs, overridden }) =>
    overridden.map((method) => `${theirs.constructor.name}.${method}`),
  );
  assert.deepEqual(
    expected.filter((name) => !called.has(name) && !guards.has(name)),
    [],
  );
});

test('the parser is a Writable with isClosed, as upgrade() and close() take it', () => {
  const parser = new EdgeStream({ takeLine() {}, takeLongLine() {}, takeEnd() {}, pause: (next) => next() });
  assert.ok(parser instanceof Writable);
  assert.equal(parser.isClosed, false);
});
