/**
 * A server that says what no real program says any more: export suites, compression, truncated HMAC, heartbeat. It speaks the
 * first flight of SSL 3.0 to TLS 1.2 and nothing behind it: all of that is in the clear. RFC 5246 §7.4, RFC 6066, RFC 6520.
 */
import { X509Certificate } from 'node:crypto';
import { createServer, type Socket } from 'node:net';
import type { Running } from './endpoints.ts';

export interface OldServerWish {
  /** Versions on the wire, as 0x0303, the newest last. */
  readonly versions: readonly number[];
  /** Codes, best first: the server's order counts. */
  readonly suites: readonly number[];
  /** Takes DEFLATE where it is offered (RFC 3749). */
  readonly compression?: boolean;
  /** Extensions that are answered where they are offered: type → content. */
  readonly extensions?: ReadonlyMap<number, Buffer>;
}

/** What of a ClientHello is looked at. */
interface Hello {
  readonly version: number;
  readonly suites: readonly number[];
  readonly compression: readonly number[];
  readonly extensions: ReadonlySet<number>;
}

const uint16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const vector16 = (content: Buffer): Buffer => Buffer.concat([uint16(content.length), content]);
const vector24 = (content: Buffer): Buffer => Buffer.concat([Buffer.from([0]), vector16(content)]);
const message = (type: number, body: Buffer): Buffer => Buffer.concat([Buffer.from([type]), vector24(body)]);
const record = (type: number, version: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type]), uint16(version), vector16(content)]);

function readHello(octets: Buffer): Hello {
  const version = octets.readUInt16BE(9);
  let at = 43;
  at += 1 + octets.readUInt8(at);
  const suiteEnd = at + 2 + octets.readUInt16BE(at);
  const suites: number[] = [];
  for (at += 2; at < suiteEnd; at += 2) suites.push(octets.readUInt16BE(at));
  const compression = [...octets.subarray(at + 1, at + 1 + octets.readUInt8(at))];
  at += 1 + compression.length;
  // RFC 5746 §3.6: the suite is as good as the extension.
  const extensions = new Set<number>(suites.includes(0xff) ? [0xff01] : []);
  if (at < octets.length) at += 2;
  for (; at + 4 <= octets.length; at += 4 + octets.readUInt16BE(at + 2)) extensions.add(octets.readUInt16BE(at));
  return { version, suites, compression, extensions };
}

/** Whole when the record is: the tester puts a hello into one. */
const isWhole = (octets: Buffer): boolean => octets.length >= 5 && octets.length >= 5 + octets.readUInt16BE(3);

/** A temporary key of 512 bits, with a signature that nobody looks at. */
const temporaryKey = (parts: readonly number[], version: number): Buffer =>
  Buffer.concat([
    ...parts.map((bytes) => vector16(Buffer.alloc(bytes, 0xc1))),
    ...(version >= 0x0303 ? [uint16(0x0401)] : []),
    vector16(Buffer.alloc(256, 7)),
  ]);

/** Suites whose ServerKeyExchange holds a key of 512 bits: RSA (modulus, exponent) or a finite field (prime, generator, share). */
const temporaryKeys: Readonly<Record<number, readonly number[]>> = { 3: [64, 3], 8: [64, 3], 0x14: [64, 1, 64] };

function answer(hello: Hello, wish: OldServerWish, certificate: Buffer): Buffer {
  const version = wish.versions.findLast((one) => one <= hello.version);
  const suite = wish.suites.find((one) => hello.suites.includes(one));
  // An extension of TLS 1.3: whoever sends it wants no older version.
  if (version === undefined || hello.extensions.has(43)) return record(21, hello.version, Buffer.from([2, 70]));
  if (suite === undefined) return record(21, version, Buffer.from([2, 40]));
  const deflate = wish.compression === true && hello.compression.includes(1);
  const taken = [...(wish.extensions ?? [])].filter(([type]) => hello.extensions.has(type));
  const list = Buffer.concat(taken.flatMap(([type, content]) => [uint16(type), vector16(content)]));
  const serverHello = Buffer.concat([
    uint16(version),
    Buffer.alloc(32, 9),
    Buffer.from([0]),
    uint16(suite),
    Buffer.from([deflate ? 1 : 0]),
    ...(taken.length === 0 ? [] : [vector16(list)]),
  ]);
  const parts = temporaryKeys[suite];
  const messages = [
    message(2, serverHello),
    message(11, vector24(vector24(certificate))),
    ...(parts === undefined ? [] : [message(12, temporaryKey(parts, version))]),
    message(14, Buffer.alloc(0)),
  ];
  return record(22, version, Buffer.concat(messages));
}

function serve(socket: Socket, wish: OldServerWish, certificate: Buffer): void {
  let held = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (octets) => {
    held = Buffer.concat([held, octets]);
    if (held[0] !== 22 || held[5] !== 1) socket.end(record(21, 0x0300, Buffer.from([2, 10])));
    else if (isWhole(held)) socket.write(answer(readHello(held), wish, certificate));
  });
}

export function oldServer(wish: OldServerWish): (pair: { readonly cert: string }) => Promise<Running> {
  return async ({ cert }) => {
    const { raw } = new X509Certificate(cert);
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      serve(socket, wish, raw);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
      port: (server.address() as { port: number }).port,
      [Symbol.asyncDispose]: async () => {
        for (const socket of sockets) socket.destroy();
        server.close();
      },
    };
  };
}
