/**
 * Loads an LDAP server with requests written as octets beforehand, so that the measuring side costs little: adds, equality
 * searches, a paged walk. Every answer is looked at: a wrong one is counted.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { element, enumerated, integer, octets, sequence } from '../../src/directory/face/ber/ber-writer.ts';

export interface LdapPeer {
  readonly port: number;
  readonly bindDn: string;
  readonly password: string;
}

export interface LoadResult {
  /** Operations, or entries of a walk. */
  readonly count: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Median and 99th percentile of the time to the answer, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Answers that were not what had to come. */
  readonly wrong: number;
}

/** Where the entries of the measurement lie, the same for every server. */
export const benchBase = 'ou=rcpt,dc=bench,dc=test';

/** Attributes of recipient number k. */
export function recipient(k: number): Readonly<Record<string, readonly string[]>> {
  return {
    objectClass: ['inetOrgPerson', 'mailRecipient'],
    uid: [`u${k}`],
    cn: [`User ${k}`],
    sn: [`Bench ${k}`],
    mail: [`u${k}@bench.test`],
    proxyAddresses: [`SMTP:u${k}@bench.test`, `smtp:alias${k}@bench.test`],
  };
}

/** The entries from `first` on as LDIF; with the two above them when the first is asked for. */
export function* recipientsLdif(first: number, count: number): Generator<string, void, undefined> {
  if (first === 0) {
    yield 'dn: dc=bench,dc=test\nobjectClass: dcObject\nobjectClass: organization\no: bench\ndc: bench\n\n';
    yield `dn: ${benchBase}\nobjectClass: organizationalUnit\nou: rcpt\n\n`;
  }
  for (let k = first; k < first + count; k++) {
    const lines = Object.entries(recipient(k)).flatMap(([name, values]) =>
      values.map((value) => `${name}: ${value}\n`),
    );
    yield `dn: uid=u${k},${benchBase}\n${lines.join('')}\n`;
  }
}

const scopeSub = enumerated(2);
const search = (filter: Buffer): Buffer =>
  element(
    0x63,
    octets(benchBase),
    scopeSub,
    enumerated(0),
    integer(0),
    integer(0),
    Buffer.from([1, 1, 0]),
    filter,
    sequence(),
  );

function addOf(k: number): Buffer {
  const attributes = Object.entries(recipient(k)).map(([name, values]) =>
    sequence(octets(name), element(0x31, ...values.map((value) => octets(value)))),
  );
  return element(0x68, octets(`uid=u${k},${benchBase}`), sequence(...attributes));
}

/** Adds entries `first` to `first + count - 1` over so many connections, one outstanding request on each. */
export async function loadByAdds(
  peer: LdapPeer,
  first: number,
  count: number,
  connections: number,
): Promise<LoadResult> {
  // Encoded beforehand: the client must not take the time that is measured.
  const requests = Array.from({ length: count }, (_, i) => addOf(first + i));
  let next = 0;
  return drive(
    peer,
    connections,
    () => requests[next++],
    (entries, code) => entries === 0 && code === 0,
  );
}

/** Looks random entries up by one of their addresses, one outstanding request on each connection. */
export async function lookUp(peer: LdapPeer, of: number, connections: number, seconds: number): Promise<LoadResult> {
  // Counted from the first request: binds take their time, and are not what is measured.
  let end = Number.NaN;
  const random = (): Buffer => {
    const value = `smtp:alias${Math.floor(Math.random() * of)}@bench.test`;
    return search(element(0xa3, octets('proxyAddresses'), octets(value)));
  };
  return drive(
    peer,
    connections,
    () => {
      if (Number.isNaN(end)) end = performance.now() + seconds * 1000;
      return performance.now() < end ? random() : undefined;
    },
    (entries, code) => entries === 1 && code === 0,
  );
}

async function drive(
  peer: LdapPeer,
  connections: number,
  nextRequest: () => Buffer | undefined,
  right: (entries: number, code: number) => boolean,
): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: connections }, () => openBound(peer)));
  const times: number[] = [];
  let wrong = 0;
  const start = performance.now();
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve, reject) => {
          let id = 1;
          let entries = 0;
          let asked = 0;
          const fire = (): void => {
            const request = nextRequest();
            if (request === undefined) return resolve();
            id += 1;
            entries = 0;
            asked = performance.now();
            socket.write(sequence(integer(id), request));
          };
          onMessages(socket, (tag, code) => {
            if (tag === 0x64) {
              entries += 1;
              return;
            }
            times.push(performance.now() - asked);
            if (!right(entries, code)) wrong += 1;
            fire();
          });
          socket.on('close', () => reject(new Error('the server closed the connection')));
          fire();
        }),
    ),
  );
  const seconds = (performance.now() - start) / 1000;
  for (const socket of sockets) socket.removeAllListeners('close').destroy();
  return resultOf(times.length, seconds, times, wrong);
}

function resultOf(count: number, seconds: number, times: number[], wrong: number): LoadResult {
  times.sort((a, b) => a - b);
  const at = (part: number): number => times[Math.floor(times.length * part)] ?? Number.NaN;
  return { count, seconds, perSecond: count / seconds, p50: at(0.5), p99: at(0.99), wrong };
}

/** Walks through all recipients page by page; wrong when not all came. */
export async function walkPaged(peer: LdapPeer, pageSize: number, expected: number): Promise<LoadResult> {
  const socket = await openBound(peer);
  const times: number[] = [];
  let entries = 0;
  let cookie: Buffer = Buffer.alloc(0);
  const start = performance.now();
  for (let id = 2; ; id++) {
    const page = octets(sequence(integer(pageSize), octets(cookie)));
    const control = element(0xa0, sequence(octets('1.2.840.113556.1.4.319'), page));
    const asked = performance.now();
    const done = new Promise<Buffer>((resolve) => {
      onMessages(socket, (tag, _, message) => (tag === 0x64 ? void (entries += 1) : resolve(Buffer.from(message))));
    });
    socket.write(sequence(integer(id), search(octets('uid', 0x87)), control));
    cookie = cookieIn(await done);
    times.push(performance.now() - asked);
    if (cookie.length === 0) break;
  }
  const seconds = (performance.now() - start) / 1000;
  socket.destroy();
  return resultOf(entries, seconds, times, entries === expected ? 0 : 1);
}

/** Cookie of the paged results control in a search's last message; empty at the end. */
function cookieIn(message: Buffer): Buffer {
  const oid = message.indexOf('1.2.840.113556.1.4.319');
  if (oid < 0) return Buffer.alloc(0);
  // The value's own octets end the message: SEQUENCE { size INTEGER, cookie OCTET STRING }.
  const value = message.indexOf(0x30, oid + 22);
  const size = message[value + 3] ?? 0;
  const at = value + 4 + size;
  return message.subarray(at + 2, at + 2 + (message[at + 1] ?? 0));
}

async function openBound({ port, bindDn, password }: LdapPeer): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const bound = new Promise<number>((resolve) => onMessages(socket, (_, code) => resolve(code)));
  socket.write(sequence(integer(1), element(0x60, integer(3), octets(bindDn), octets(password, 0x80))));
  const code = await bound;
  if (code !== 0) throw new Error(`bind as ${bindDn}: result code ${code}`);
  return socket;
}

/** Tells tag and result code (where it is a result) of each message that comes from now on. */
function onMessages(socket: Socket, each: (tag: number, code: number, message: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.removeAllListeners('data');
  socket.on('data', (piece: Buffer) => {
    let bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    for (;;) {
      const whole = header(bytes, 0);
      if (whole === undefined || whole.end > bytes.length) break;
      const message = bytes.subarray(0, whole.end);
      bytes = bytes.subarray(whole.end);
      const operation = whole.start + 2 + (message[whole.start + 1] ?? 0);
      const code = header(message, operation);
      each(message[operation] ?? 0, message[(code?.start ?? 0) + 2] ?? -1, message);
    }
    rest = bytes;
  });
}

function header(bytes: Buffer, at: number): { readonly start: number; readonly end: number } | undefined {
  const first = bytes[at + 1];
  if (first === undefined) return undefined;
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const count = first & 0x7f;
  if (bytes.length < at + 2 + count) return undefined;
  return { start: at + 2 + count, end: at + 2 + count + bytes.readUIntBE(at + 2, count) };
}
