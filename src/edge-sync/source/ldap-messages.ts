/** The answers of an LDAP server, decoded from their frames: what ldapts leaves out, and results with their codes by name. */
import { type BerReader, SearchEntry, SearchReference } from 'ldapts';
import {
  type Entry,
  LdapError,
  MutableEntry,
  type ResultCodeName,
  resultCodeName,
  resultCodes,
} from '../../ldap/index.ts';
import type { MessageFrame } from './ldap-frames.ts';

/** A control as it came. */
export interface SentControl {
  readonly oid: string;
  readonly value: Buffer;
}

/** One message of a search. `done` comes last and once; its code need not be success. */
export type StreamMessage =
  | { readonly kind: 'entry'; readonly entry: Entry; readonly controls: readonly SentControl[] }
  | { readonly kind: 'reference'; readonly uris: readonly string[] }
  | { readonly kind: 'intermediate'; readonly oid: string; readonly value: Buffer }
  | {
      readonly kind: 'done';
      readonly code: ResultCodeName | number;
      readonly message: string;
      readonly controls: readonly SentControl[];
    };

const tags = {
  searchEntry: 0x64,
  searchDone: 0x65,
  searchReference: 0x73,
  intermediate: 0x79,
  controls: 0xa0,
} as const;

/** One answer to a search. Throws LdapError for a message that is none. */
export function searchMessage({ tag, reader }: MessageFrame): StreamMessage {
  switch (tag) {
    case tags.searchEntry: {
      const parsed = new SearchEntry({ messageId: 0 });
      parsed.parseMessage(reader);
      const entry = new MutableEntry(parsed.name);
      for (const { type, parsedBuffers } of parsed.attributes) entry.append(type, parsedBuffers);
      return { kind: 'entry', entry, controls: controlsIn(reader) };
    }
    case tags.searchReference: {
      const parsed = new SearchReference({ messageId: 0 });
      parsed.parseMessage(reader);
      return { kind: 'reference', uris: parsed.uris };
    }
    case tags.intermediate:
      return intermediate(reader);
    case tags.searchDone: {
      const { code, message } = resultIn(reader);
      return { kind: 'done', code, message, controls: controlsIn(reader) };
    }
    default:
      throw new LdapError('protocolError', `a message 0x${tag.toString(16)} is no answer to a search`);
  }
}

function intermediate(reader: BerReader): StreamMessage {
  const end = reader.offset + reader.length;
  let oid = '';
  let value: Buffer = Buffer.alloc(0);
  while (reader.offset < end) {
    const tag = reader.peek();
    if (tag === 0x80) oid = reader.readString(0x80) ?? '';
    else value = reader.readString(tag ?? 0x81, true) ?? value;
  }
  return { kind: 'intermediate', oid, value };
}

/** What a result says; the reader stands behind it. */
export function resultIn(reader: BerReader): { readonly code: ResultCodeName | number; readonly message: string } {
  const end = reader.offset + reader.length;
  const status = reader.readEnumeration() ?? -1;
  reader.readString();
  const message = reader.readString() ?? '';
  // References and what else a result may hold.
  reader.offset = end;
  const name = resultCodeName(status);
  return { code: name in resultCodes ? (name as ResultCodeName) : status, message };
}

/** Controls behind the operation: RFC 4511 §4.1.11. */
function controlsIn(reader: BerReader): SentControl[] {
  if (reader.remain === 0 || reader.peek() !== tags.controls) return [];
  reader.readSequence(tags.controls);
  const end = reader.offset + reader.length;
  const controls: SentControl[] = [];
  while (reader.offset < end) {
    reader.readSequence();
    const endOfOne = reader.offset + reader.length;
    const oid = reader.readString() ?? '';
    if (reader.offset < endOfOne && reader.peek() === 0x01) reader.readBoolean();
    const value = reader.offset < endOfOne ? (reader.readString(0x04, true) ?? Buffer.alloc(0)) : Buffer.alloc(0);
    reader.offset = endOfOne;
    controls.push({ oid, value });
  }
  return controls;
}
