/** Endpoints that hang, talk nonsense, cut, refuse or flood: each is not-tested with a reason, in time, and nothing grows. */
import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type Endpoint,
  judge,
  loadProfile,
  probeEndpoint,
  profileNames,
  swiftManners,
} from '../../src/compliance/index.ts';
import { TrustAnchors } from '../../src/tls/index.ts';

const stepMs = 250;
/** Far above what the steps add up to, and far below what a hang would take. */
const mostMs = 60_000;
/** Octets that may be held while the endpoint floods: the pages of what is not yet collected, and of the flooding itself. */
const mostGrowth = 384 * 1024 ** 2;
/** Octets that may still be in use afterwards. */
const mostKept = 16 * 1024 ** 2;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function inUse(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Writes for as long as the other side takes it. */
function flood(socket: Socket, chunk: Buffer): void {
  const more = (): void => {
    while (socket.writable && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}

function drip(socket: Socket, text: string): void {
  let at = 0;
  const timer = setInterval(() => (at < text.length ? socket.write(text[at++] ?? '') : undefined), 40);
  socket.on('close', () => clearInterval(timer));
}

const record = (type: number, length: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type, 3, 3, length >> 8, length & 0xff]), content]);
const serverHello = Buffer.concat([
  Buffer.from('160303004a020000460303', 'hex'),
  Buffer.alloc(32, 1),
  Buffer.from('20', 'hex'),
  Buffer.alloc(32, 2),
  Buffer.from('c02f00', 'hex'),
]);

interface Row {
  readonly protocol: Endpoint['protocol'];
  /** What the server does with a connection. */
  readonly acts: (socket: Socket) => void;
  readonly reason: RegExp;
}
const first = (act: (socket: Socket) => void) => (socket: Socket) => socket.once('data', () => act(socket));

const rows: Readonly<Record<string, Row>> = {
  'says nothing': { protocol: 'smtp', acts: () => undefined, reason: /no answer to the connection within/ },
  'closes at once': { protocol: 'smtp', acts: (socket) => socket.end(), reason: /closed at the connection/ },
  'resets at once': { protocol: 'smtp', acts: (socket) => socket.resetAndDestroy(), reason: /reset|ECONNRESET/ },
  'greets with 421': {
    protocol: 'smtp',
    acts: (socket) => socket.end('421 4.3.2 busy\r\n'),
    reason: /the connection was answered 421 4\.3\.2 busy/,
  },
  'greets with 554': {
    protocol: 'smtp',
    acts: (socket) => socket.end('554 5.7.1 not you\r\n'),
    reason: /the connection was answered 554 5\.7\.1 not you/,
  },
  'greets with garbage': {
    protocol: 'smtp',
    acts: (socket) => socket.write(Buffer.from([0x15, 3, 1, 0, 2, 2, 0x28, 0x0a])),
    reason: /no answer of the mail protocol/,
  },
  'has a banner of 2 MB': {
    protocol: 'smtp',
    acts: (socket) => socket.write(`220-${'x'.repeat(2 * 1024 ** 2)}\r\n220 end\r\n`),
    reason: /an answer of more than 51200 octets/,
  },
  'has a banner without end': {
    protocol: 'smtp',
    acts: (socket) => flood(socket, Buffer.from(`220-${'y'.repeat(65_000)}\r\n`)),
    reason: /an answer of more than 51200 octets/,
  },
  'greets octet by octet': {
    protocol: 'smtp',
    acts: (socket) => drip(socket, `220 ${'z'.repeat(500)}`),
    reason: /no (whole )?answer to the connection within/,
  },
  'answers EHLO with 502': {
    protocol: 'smtp',
    acts: (socket) => {
      socket.write('220 ok\r\n');
      socket.on('data', () => socket.write('502 5.5.1 what\r\n'));
    },
    reason: /EHLO was answered 502/,
  },
  'hangs behind STARTTLS': {
    protocol: 'smtp',
    acts: (socket) => {
      socket.write('220 ok\r\n');
      socket.on('data', (octets) => {
        if (octets.includes('EHLO')) socket.write('250-x\r\n250 STARTTLS\r\n');
        else if (octets.includes('STARTTLS')) socket.write('220 go\r\n');
      });
    },
    reason: /silent for .* after the ClientHello/,
  },
  'hangs behind the hello': { protocol: 'tls', acts: () => undefined, reason: /silent for .* after the ClientHello/ },
  'cuts its ServerHello': {
    protocol: 'tls',
    acts: first((socket) => socket.end(serverHello.subarray(0, 40))),
    reason: /no hello was accepted/,
  },
  'stops behind its ServerHello': {
    protocol: 'tls',
    acts: first((socket) => socket.write(serverHello)),
    reason: /silent for .*|not whole|octets wanted/,
  },
  'announces a record of 65,535 octets': {
    protocol: 'tls',
    acts: first((socket) => socket.write(record(22, 0xffff, Buffer.alloc(100)))),
    reason: /a record of 65535 octets/,
  },
  'announces a message of 16 MB': {
    protocol: 'tls',
    acts: first((socket) => socket.write(record(22, 4, Buffer.from([2, 0xff, 0xff, 0xff])))),
    reason: /a handshake message of 16777215 octets/,
  },
  'sends empty records without end': {
    protocol: 'tls',
    acts: first((socket) =>
      flood(socket, Buffer.concat(Array.from({ length: 2000 }, () => record(22, 0, Buffer.alloc(0))))),
    ),
    reason: /more than \d+ octets in answer to one hello|silent/,
  },
  'sends warnings without end': {
    protocol: 'tls',
    acts: first((socket) =>
      flood(socket, Buffer.concat(Array.from({ length: 2000 }, () => record(21, 2, Buffer.from([1, 112]))))),
    ),
    reason: /more than \d+ octets in answer to one hello|silent/,
  },
  'speaks HTTP': {
    protocol: 'tls',
    acts: first((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    reason: /no answer of TLS: this is no TLS record: 48 54 54 50/,
  },
  'floods LDAP': {
    protocol: 'ldap',
    acts: (socket) => flood(socket, Buffer.alloc(65_536, 0x30)),
    reason: /no answer of LDAP to StartTLS/,
  },
};

for (const [name, { protocol, acts, reason }] of Object.entries(rows)) {
  test(`an endpoint that ${name}`, { timeout: 2 * mostMs }, async () => {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
      acts(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as { port: number };
      const [pages, kept] = [process.memoryUsage.rss(), inUse()];
      const began = performance.now();
      const { facts } = await probeEndpoint(
        { host: 'mail.edge.test', address: '127.0.0.1', port, protocol },
        {
          manners: { ...swiftManners, stepMs, retryPauseMs: 10, tries: 2 },
          judge: { anchors: new TrustAnchors([]), now: Date.now() },
          signal: AbortSignal.timeout(mostMs),
        },
      );
      assert.ok(performance.now() - began < mostMs);
      const grown = process.memoryUsage.rss() - pages;
      assert.ok(grown < mostGrowth, `it grew by ${grown}`);
      assert.match(JSON.stringify(facts), reason);
      assert.ok(!Object.values(facts.protocols).includes('offered'));
      assert.ok(!Object.values(facts.protocols).includes('not-offered'), 'a refusal that proves nothing counts');
      // Nothing of TLS may pass that was not seen.
      for (const id of profileNames()) {
        const profile = loadProfile(id);
        const verdicts = judge(facts, profile, { now: Date.now(), port });
        for (const { id: rule, check } of profile.rules)
          if (!['mail', 'ehlo-difference', 'stripping'].includes(check))
            assert.notEqual(verdicts[rule]?.verdict, 'pass', rule);
      }
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => setImmediate(resolve));
      const stays = inUse() - kept;
      assert.ok(stays < mostKept, `it keeps ${stays}`);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });
}
