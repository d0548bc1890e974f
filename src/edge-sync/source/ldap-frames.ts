/** LDAP messages out of a socket: RFC 4511 §5.1. What is announced is bounded before it is kept. */
import type { Readable } from 'node:stream';
import { BerReader } from 'ldapts';
import { LdapError } from '../../ldap/index.ts';

/** One message: `reader` stands behind the head of the operation, whose length it knows. */
export interface MessageFrame {
  readonly messageId: number;
  readonly tag: number;
  readonly reader: BerReader;
}

/** Largest message taken, in bytes: an entry with a group's members in one block stays far below. */
const maxMessageBytes = 32 * 1024 ** 2;

/** Messages one after the other; ends with the stream. Throws LdapError protocolError. */
export async function* readFrames(stream: Readable): AsyncGenerator<MessageFrame, void, undefined> {
  let chunks: Buffer[] = [];
  let have = 0;
  let need = 2;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    have += chunk.length;
    if (have < need) continue;
    let buffer = chunks.length === 1 ? chunk : Buffer.concat(chunks, have);
    for (;;) {
      const whole = wholeLength(buffer);
      need = whole ?? buffer.length + 1;
      if (whole === undefined || buffer.length < whole) break;
      yield frameOf(buffer.subarray(0, whole));
      buffer = buffer.subarray(whole);
      need = 2;
      if (buffer.length === 0) break;
    }
    chunks = buffer.length === 0 ? [] : [buffer];
    have = buffer.length;
  }
  if (have > 0) throw new LdapError('unavailable', 'the connection ended within a message');
}

/** Octets of the message that begins here; undefined when its head is not there yet. */
function wholeLength(buffer: Buffer): number | undefined {
  if (buffer.length < 2) return undefined;
  if (buffer[0] !== 0x30) throw new LdapError('protocolError', 'the server does not speak LDAP');
  const first = buffer[1] ?? 0;
  if (first < 0x80) return 2 + first;
  const octets = first & 0x7f;
  if (octets === 0 || octets > 4) throw new LdapError('protocolError', 'a message of the server has no usable length');
  if (buffer.length < 2 + octets) return undefined;
  const length = buffer.readUIntBE(2, octets);
  if (length > maxMessageBytes) {
    throw new LdapError('protocolError', `a message of the server has ${length} octets: more than ${maxMessageBytes}`);
  }
  return 2 + octets + length;
}

function frameOf(octets: Buffer): MessageFrame {
  const reader = new BerReader(octets);
  reader.readSequence();
  const messageId = reader.readInt() ?? -1;
  const tag = reader.readSequence() ?? 0;
  return { messageId, tag, reader };
}
