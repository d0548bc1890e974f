/**
 * Records and recipient states as octets: JSON of nested arrays, first a version. Measured against msgpack: half the time to
 * read and to write, about the same length, and an administrator can read it with any tool.
 */
import type { EnvelopeRecipient, Notify } from '../../mail/index.ts';
import {
  type NewMessage,
  type RecipientState,
  type ReplacedHead,
  SpoolError,
  type StoredMessage,
} from '../model/contract.ts';

/** What a record holds; the recipient states are kept apart, because only they change. */
export type MessageRecord = Omit<StoredMessage, 'recipients'>;

/** Times and names that a record has beside what the receiver handed over. */
export type RecordHead = Pick<StoredMessage, 'guid' | 'receivedAt' | 'expiresAt' | 'categorized'>;

const version = 1;
/** The beginning of the content is in the record, not in the file: a program that does not know this must not send the file. */
const versionWithHead = 2;

type RecipientRow = [address: string, domain: string, notify?: readonly Notify[] | 0, orcpt?: string];

type RecordRow = [
  version: number,
  guid: string,
  receivedAt: number,
  expiresAt: number,
  envelope: [from: string, flags: number, ret: 'FULL' | 'HDRS' | 0, envid: string | 0],
  recipients: RecipientRow[],
  origin: [
    session: string,
    connector: string,
    remoteAddress: string,
    localAddress: string,
    helo: string,
    tls: string | 0,
  ],
  facts: [size: number, headerSize: number, flags: number, messageId: string, subject: string],
  categorized?: 0 | 1,
  /** Base64. */
  replaced?: [octets: number, head: string],
];

type StateRow = [status: number, attempts: number, due: number, lastReply: string, delayNotified: 0 | 1];

/** A program that does not know BINARYMIME reads it as 8BITMIME. */
const bodyFlags = { '7BIT': 0, '8BITMIME': 1, BINARYMIME: 5 } as const;

const tlsFlags = { required: 8, optional: 16 } as const;

function envelopeFlags({ body, smtpUtf8, tls }: NewMessage['envelope']): number {
  return bodyFlags[body] + (smtpUtf8 ? 2 : 0) + (tls === undefined ? 0 : tlsFlags[tls]);
}

const statuses = ['pending', 'delivered', 'relayed', 'failed'] as const;

const untouched: RecipientState = Object.freeze({
  status: 'pending',
  attempts: 0,
  due: 0,
  lastReply: '',
  delayNotified: false,
});
const oneUntouched: readonly RecipientState[] = Object.freeze([untouched]);

/** States of recipients that nobody has tried yet. */
export function untouchedStates(count: number): readonly RecipientState[] {
  return count === 1 ? oneUntouched : new Array<RecipientState>(count).fill(untouched);
}

/** `replaced`: the beginning of a content that is in a file. */
export function encodeRecord(message: NewMessage, head: RecordHead, replaced?: ReplacedHead): Buffer {
  const { envelope, origin, facts } = message;
  const { guid, receivedAt, expiresAt, categorized } = head;
  const row: RecordRow = [
    replaced === undefined ? version : versionWithHead,
    guid,
    receivedAt,
    expiresAt,
    [envelope.from, envelopeFlags(envelope), envelope.ret ?? 0, envelope.envid ?? 0],
    envelope.recipients.map(recipientRow),
    [origin.session, origin.connector, origin.remoteAddress, origin.localAddress, origin.helo, origin.tls ?? 0],
    [facts.size, facts.headerSize, factFlags(facts), facts.messageId, facts.subject],
  ];
  if (categorized !== undefined || replaced !== undefined) row.push(categorized === undefined ? 0 : 1);
  if (replaced !== undefined) row.push([replaced.octets, replaced.head.toString('base64')]);
  return Buffer.from(JSON.stringify(row));
}

/** Throws SpoolError for octets that are no record of this or an earlier version. */
export function decodeRecord(id: number, octets: Buffer): MessageRecord {
  const row = rowOf(id, octets);
  const [, guid, receivedAt, expiresAt, [from, flags, ret, envid], recipients, origin, facts, categorized] = row;
  const [session, connector, remoteAddress, localAddress, helo, tls] = origin;
  const [size, headerSize, bits, messageId, subject] = facts;
  return {
    id,
    guid,
    receivedAt,
    expiresAt,
    envelope: {
      from,
      recipients: recipients.map(recipientOf),
      body: (flags & 4) !== 0 ? 'BINARYMIME' : (flags & 1) !== 0 ? '8BITMIME' : '7BIT',
      smtpUtf8: (flags & 2) !== 0,
      ...(ret === 0 ? {} : { ret }),
      ...(envid === 0 ? {} : { envid }),
      ...((flags & 8) !== 0 ? { tls: 'required' } : (flags & 16) !== 0 ? { tls: 'optional' } : {}),
    },
    origin: { session, connector, remoteAddress, localAddress, helo, ...(tls === 0 ? {} : { tls }) },
    facts: {
      size,
      headerSize,
      leadingDots: (bits & 1) !== 0,
      eightBit: (bits & 2) !== 0,
      utf8Header: (bits & 4) !== 0,
      bareLines: (bits & 8) !== 0,
      messageId,
      subject,
    },
    ...(categorized === 1 ? { categorized: true } : {}),
  };
}

/** The beginning of the content, where it is in the record. Throws SpoolError like decodeRecord. */
export function decodeHead(id: number, octets: Buffer): ReplacedHead | undefined {
  const { 9: replaced } = rowOf(id, octets);
  return replaced === undefined ? undefined : { octets: replaced[0], head: Buffer.from(replaced[1], 'base64') };
}

function rowOf(id: number, octets: Buffer): RecordRow {
  const row = parse(id, octets) as RecordRow;
  if (row[0] === version || row[0] === versionWithHead) return row;
  throw new SpoolError(`message ${id} has a record of version ${String(row[0])}`);
}

export function encodeStates(states: readonly RecipientState[]): Buffer {
  return Buffer.from(
    JSON.stringify(
      states.map(
        ({ status, attempts, due, lastReply, delayNotified }): StateRow => [
          statuses.indexOf(status),
          attempts,
          due,
          lastReply,
          delayNotified ? 1 : 0,
        ],
      ),
    ),
  );
}

/** Throws SpoolError for octets that are no states. */
export function decodeStates(id: number, octets: Buffer): RecipientState[] {
  return (parse(id, octets) as StateRow[]).map(([status, attempts, due, lastReply, delayNotified]) => ({
    status: statuses[status] ?? 'pending',
    attempts,
    due,
    lastReply,
    delayNotified: delayNotified === 1,
  }));
}

function parse(id: number, octets: Buffer): unknown {
  try {
    return JSON.parse(octets.toString('utf8'));
  } catch (cause) {
    throw new SpoolError(`the record of message ${id} is damaged`, { cause });
  }
}

function factFlags({ leadingDots, eightBit, utf8Header, bareLines }: NewMessage['facts']): number {
  return (leadingDots ? 1 : 0) + (eightBit ? 2 : 0) + (utf8Header ? 4 : 0) + (bareLines ? 8 : 0);
}

function recipientRow({ address, domain, notify, orcpt }: EnvelopeRecipient): RecipientRow {
  if (orcpt !== undefined) return [address, domain, notify ?? 0, orcpt];
  return notify === undefined ? [address, domain] : [address, domain, notify];
}

function recipientOf([address, domain, notify = 0, orcpt]: RecipientRow): EnvelopeRecipient {
  return {
    address,
    domain,
    ...(notify === 0 ? {} : { notify }),
    ...(orcpt === undefined ? {} : { orcpt }),
  };
}
