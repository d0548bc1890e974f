/** What an operation answers, and its octets: RFC 4511 §4.1.9, §4.5.2, §4.12, §4.13. */
import { LdapError, type ResultCodeName, resultCodes } from '../../../ldap/index.ts';
import { boolean, element, enumerated, headerSize, integer, octets, sequence, writeHeader } from './ber-writer.ts';
import { type RawControl, responseTags } from './request.ts';

/** The end of an operation. */
export interface Result {
  /** A number where the code has no name in RFC 4511, such as e-syncRefreshRequired. */
  readonly code: ResultCodeName | number;
  /** Name of the nearest entry that exists. */
  readonly matchedDn?: string;
  /** diagnosticMessage, for a person. */
  readonly message?: string;
  readonly referrals?: readonly string[];
  readonly controls?: readonly RawControl[];
  /** Extended operations: responseName and responseValue. */
  readonly name?: string;
  readonly value?: Buffer;
  /** Bind: serverSaslCreds. */
  readonly saslCredentials?: Buffer;
}

/** An attribute of an entry to be sent. */
export interface SentAttribute {
  readonly name: string;
  readonly values: readonly Buffer[];
}

export const success: Result = { code: 'success' };

/** Longest diagnosticMessage sent, in characters: names of entries may be long. */
const maxMessage = 1000;

export function resultCodeOf({ code }: Result): number {
  return typeof code === 'number' ? code : resultCodes[code];
}

/** The refusal as a result. */
export function resultOf(error: LdapError): Result {
  return {
    code: error.code,
    message: error.message.slice(0, maxMessage),
    ...(error.matchedDn !== '' && { matchedDn: error.matchedDn }),
  };
}

/** Result code that an error is answered with, for the audit log. */
export function codeOfError(error: unknown): number {
  return error instanceof LdapError ? error.resultCode : resultCodes.other;
}

/** Octets of a response with a result. `tag` is the one of the operation. */
export function encodeResult(messageId: number, tag: number, result: Result): Buffer {
  if (result === success) return encodeSuccess(messageId, tag);
  const referrals = result.referrals ?? [];
  const parts = [enumerated(resultCodeOf(result)), octets(result.matchedDn ?? ''), octets(result.message ?? '')];
  if (referrals.length > 0) parts.push(element(0xa3, ...referrals.map((uri) => octets(uri))));
  if (result.saslCredentials !== undefined) parts.push(octets(result.saslCredentials, 0x87));
  if (result.name !== undefined) parts.push(octets(result.name, 0x8a));
  if (result.value !== undefined) parts.push(octets(result.value, 0x8b));
  return envelope(messageId, element(tag, ...parts), result.controls);
}

/** As most writes are answered: nothing but the code. */
function encodeSuccess(messageId: number, tag: number): Buffer {
  const id = integer(messageId);
  const bytes = Buffer.allocUnsafe(2 + id.length + 9);
  bytes[0] = 0x30;
  bytes[1] = id.length + 9;
  let at = 2 + id.copy(bytes, 2);
  for (const octet of [tag, 7, 0x0a, 1, 0, 0x04, 0, 0x04, 0]) bytes[at++] = octet;
  return bytes;
}

/** Octets of an IntermediateResponse (RFC 4511 §4.13). */
export function encodeIntermediate(messageId: number, name: string, value: Buffer): Buffer {
  return envelope(messageId, element(responseTags.intermediate, octets(name, 0x80), octets(value, 0x81)));
}

/** The notice after which the server ends the connection (RFC 4511 §4.4.1). */
export function encodeDisconnection(result: Result): Buffer {
  return encodeResult(0, responseTags.extended, { ...result, name: '1.3.6.1.4.1.1466.20036' });
}

/**
 * Octets of a SearchResultEntry. Written in one go, sizes first: searches spend much of their time here.
 * Attributes whose values are not wanted come with none (typesOnly).
 */
export function encodeEntry(
  messageId: number,
  dn: string,
  attributes: readonly SentAttribute[],
  controls?: readonly RawControl[],
): Buffer {
  const nameLength = Buffer.byteLength(dn);
  const setLengths = attributes.map(({ values }) => values.reduce((sum, value) => sum + whole(value.length), 0));
  const lengths = attributes.map(({ name }, i) => whole(Buffer.byteLength(name)) + whole(setLengths[i] ?? 0));
  const listLength = lengths.reduce((sum, length) => sum + whole(length), 0);
  const entryLength = whole(nameLength) + whole(listLength);
  const id = integer(messageId);
  const tail = controls === undefined ? none : encodeControls(controls);
  const messageLength = id.length + whole(entryLength) + tail.length;
  const bytes = Buffer.allocUnsafe(whole(messageLength));
  let at = writeHeader(bytes, 0, 0x30, messageLength);
  at += id.copy(bytes, at);
  at = writeHeader(bytes, at, responseTags.entry, entryLength);
  at = writeHeader(bytes, at, 0x04, nameLength);
  at += bytes.write(dn, at);
  at = writeHeader(bytes, at, 0x30, listLength);
  for (const [i, { name, values }] of attributes.entries()) {
    at = writeHeader(bytes, at, 0x30, lengths[i] ?? 0);
    at = writeHeader(bytes, at, 0x04, Buffer.byteLength(name));
    at += bytes.write(name, at);
    at = writeHeader(bytes, at, 0x31, setLengths[i] ?? 0);
    for (const value of values) {
      at = writeHeader(bytes, at, 0x04, value.length);
      at += value.copy(bytes, at);
    }
  }
  tail.copy(bytes, at);
  return bytes;
}

/** Octets of an entry alone, as pre-read and post-read controls carry it (RFC 4527 §3.1). */
export function encodeBareEntry(dn: string, attributes: readonly SentAttribute[]): Buffer {
  const list = attributes.map(({ name, values }) =>
    sequence(octets(name), element(0x31, ...values.map((value) => octets(value)))),
  );
  return element(responseTags.entry, octets(dn), sequence(...list));
}

const none = Buffer.alloc(0);
const whole = (length: number): number => headerSize(length) + length;

function envelope(messageId: number, operation: Buffer, controls?: readonly RawControl[]): Buffer {
  return sequence(integer(messageId), operation, controls === undefined ? none : encodeControls(controls));
}

function encodeControls(controls: readonly RawControl[]): Buffer {
  return element(
    0xa0,
    ...controls.map(({ oid, critical, value }) =>
      sequence(octets(oid), critical ? boolean(true) : none, value === undefined ? none : octets(value)),
    ),
  );
}
