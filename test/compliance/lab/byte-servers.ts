/** Servers of a few octets, for what no real program does any more. */
import { createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Running } from './endpoints.ts';
import { oldServer } from './old-server.ts';

interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** What is done with the first octets of a connection; true: the rest is OpenSSL's. */
type FirstOctets = (first: Buffer, socket: Socket) => boolean;

/** TLS 1.2 and 1.3 by OpenSSL behind a look at the first octets. */
function behind(judge: () => FirstOctets, options: object = {}): (pair: Pair) => Promise<Running> {
  return async (pair) => {
    const secureContext = createSecureContext({
      ...pair,
      ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256',
      ...options,
    });
    const look = judge();
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('readable', () => {
        const first = socket.read() as Buffer | null;
        if (first === null) return void socket.destroy();
        if (!look(first, socket)) return;
        socket.unshift(first);
        new TLSSocket(socket, { isServer: true, secureContext }).on('error', () => undefined);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
      port: (server.address() as { port: number }).port,
      [Symbol.asyncDispose]: async () => void server.close(),
    };
  };
}

/** SERVER-HELLO of SSL 2.0 with two cipher kinds and no certificate octets worth reading. */
const ssl2Hello = ((): Buffer => {
  const certificate = Buffer.alloc(8, 0x30);
  const kinds = Buffer.from('010080020080', 'hex');
  const body = Buffer.concat([
    Buffer.from([4, 0, 1, 0, 2, 0, certificate.length, 0, kinds.length, 0, 16]),
    certificate,
    kinds,
    Buffer.alloc(16, 7),
  ]);
  return Buffer.concat([Buffer.from([0x80 | (body.length >> 8), body.length & 0xff]), body]);
})();

const alert = (code: number): Buffer => Buffer.from([21, 3, 3, 0, 2, 2, code]);

export const byteServers: Readonly<Record<string, (pair: Pair) => Promise<Running>>> = {
  /** Speaks SSL 2.0 to whoever begins with it. */
  'bytes-ssl2': behind(() => (first, socket) => {
    if ((first[0] ?? 0) < 0x80) return true;
    socket.end(ssl2Hello);
    return false;
  }),
  /** Drops hellos that do not fit into 1,200 octets, as some boxes on the way do. */
  'bytes-large-hello-intolerant': behind(() => (first, socket) => {
    if (first.length <= 1200) return true;
    socket.end(alert(50));
    return false;
  }),
  /** Refuses any hello with an empty extension of RFC 8701. */
  'bytes-grease-intolerant': behind(() => (first, socket) => {
    if (!first.includes(Buffer.from('3a3a0000', 'hex'))) return true;
    socket.end(alert(47));
    return false;
  }),
  /** Takes ten hellos, then refuses all: a rate limit that looks like a refusal. */
  'bytes-refuses-after-ten': behind(() => {
    let count = 0;
    return (_, socket) => {
      if (++count <= 10) return true;
      socket.end(alert(40));
      return false;
    };
  }),
  /** Records of silly length. */
  'bytes-silly-record': behind(() => (_, socket) => {
    socket.end(Buffer.from([22, 3, 3, 0xff, 0xff, 2, 0, 0, 70]));
    return false;
  }),
  /** Resets at the first octet. */
  'bytes-reset': behind(() => (_, socket) => {
    socket.resetAndDestroy();
    return false;
  }),
  /** Refuses every hello. */
  'bytes-refuses-all': behind(() => (_, socket) => {
    socket.end(alert(40));
    return false;
  }),
  /** TLS 1.2 with all that was found to be a mistake, and two timestamps in its hello. */
  'bytes-compression-heartbeat-truncated-hmac': oldServer({
    versions: [0x0303],
    suites: [0x002f, 0x0035],
    compression: true,
    extensions: new Map([
      [2, Buffer.alloc(0)],
      [4, Buffer.alloc(0)],
      [15, Buffer.from([1])],
      [17, Buffer.alloc(0)],
      [18, Buffer.from('000a0003aabbcc0003ddeeff', 'hex')],
      [0xff01, Buffer.from([0])],
    ]),
  }),
  /** SSL 3.0 and TLS 1.0 with suites for export, and with single DES. */
  'bytes-export': oldServer({ versions: [0x0300, 0x0301], suites: [0x0014, 0x0008, 0x0003, 0x0009, 0x002f] }),
};
