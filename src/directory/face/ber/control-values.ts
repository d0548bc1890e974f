/** Values of the controls the server knows, both ways. Each function names the document that gives its form. */
import { type Filter, LdapError } from '../../../ldap/index.ts';
import { BerReader, tags } from './ber-reader.ts';
import { boolean, element, enumerated, integer, octets, sequence } from './ber-writer.ts';
import { decodeFilter, type FilterLimits } from './decode-filter.ts';

export interface PageRequest {
  readonly size: number;
  /** Empty for the first page. */
  readonly cookie: Buffer;
}

/** RFC 2696 §2. */
export function readPage(value: Buffer): PageRequest {
  const reader = new BerReader(value).enter(tags.sequence);
  const size = reader.integer();
  const cookie = reader.octets();
  reader.finish();
  if (size < 0) throw new LdapError('protocolError', 'negative page size');
  return { size, cookie };
}

/** RFC 2696 §2: the size is an estimate of the whole, 0 when it is not known. */
export function writePage(cookie: Buffer): Buffer {
  return sequence(integer(0), octets(cookie));
}

export interface SortKey {
  readonly attribute: string;
  /** Matching rule; by default the ordering rule of the attribute. */
  readonly rule?: string;
  readonly reverse: boolean;
}

/** RFC 2891 §1.1. */
export function readSortKeys(value: Buffer): readonly SortKey[] {
  const list = new BerReader(value).enter(tags.sequence);
  const keys: SortKey[] = [];
  while (!list.done) {
    const one = list.enter(tags.sequence);
    const attribute = text(one.text());
    const rule = one.nextTag === 0x80 ? text(one.text(0x80)) : undefined;
    const reverse = one.nextTag === 0x81 ? one.boolean(0x81) : false;
    one.finish();
    keys.push({ attribute, reverse, ...(rule !== undefined && { rule }) });
  }
  if (keys.length === 0 || keys.length > 10)
    throw new LdapError('protocolError', 'between one and ten sort keys are expected');
  return keys;
}

/** RFC 2891 §1.2. */
export function writeSortResult(code: number, attribute?: string): Buffer {
  return attribute === undefined ? sequence(enumerated(code)) : sequence(enumerated(code), octets(attribute, 0x80));
}

/** RFC 4528 §3. */
export function readAssertion(value: Buffer, limits: FilterLimits): Filter {
  return decodeFilter(new BerReader(value), limits);
}

/** RFC 4527 §3.1: an attribute selection. */
export function readSelection(value: Buffer): readonly string[] {
  const list = new BerReader(value).enter(tags.sequence);
  const attributes: string[] = [];
  while (!list.done) attributes.push(text(list.text()));
  return attributes;
}

export interface SyncRequest {
  readonly mode: 'refreshOnly' | 'refreshAndPersist';
  readonly cookie?: Buffer;
  readonly reloadHint: boolean;
}

/** RFC 4533 §2.2. */
export function readSyncRequest(value: Buffer): SyncRequest {
  const reader = new BerReader(value).enter(tags.sequence);
  const mode = reader.enumerated();
  const cookie = reader.nextTag === tags.octetString ? reader.octets() : undefined;
  const reloadHint = reader.nextTag === tags.boolean ? reader.boolean() : false;
  reader.finish();
  if (mode !== 1 && mode !== 3) throw new LdapError('protocolError', 'unknown mode of synchronization');
  return { mode: mode === 1 ? 'refreshOnly' : 'refreshAndPersist', reloadHint, ...(cookie && { cookie }) };
}

const syncStates = { present: 0, add: 1, modify: 2, delete: 3 } as const;
export type SyncState = keyof typeof syncStates;

/** RFC 4533 §2.3. */
export function writeSyncState(state: SyncState, entryUuid: Buffer): Buffer {
  return sequence(enumerated(syncStates[state]), octets(entryUuid));
}

/** RFC 4533 §2.5, choice newcookie: everything before is sent. */
export function writeNewCookie(cookie: Buffer): Buffer {
  return octets(cookie, 0x80);
}

/** RFC 4533 §2.4. */
export function writeSyncDone(cookie: Buffer, refreshDeletes: boolean): Buffer {
  return refreshDeletes ? sequence(octets(cookie), boolean(true)) : sequence(octets(cookie));
}

/** RFC 4533 §2.5, choice refreshDelete or refreshPresent: the refresh is over, changes follow as they happen. */
export function writeRefreshDone(cookie: Buffer, refreshDeletes: boolean): Buffer {
  return element(refreshDeletes ? 0xa1 : 0xa2, octets(cookie));
}

export interface PersistentRequest {
  /** Bits: 1 add, 2 delete, 4 modify, 8 modify DN. */
  readonly changeTypes: number;
  readonly changesOnly: boolean;
  /** Entries come with the entry change notification control. */
  readonly returnChanges: boolean;
}

/** draft-ietf-ldapext-psearch-03 §4. */
export function readPersistent(value: Buffer): PersistentRequest {
  const reader = new BerReader(value).enter(tags.sequence);
  const changeTypes = reader.integer();
  const changesOnly = reader.boolean();
  const returnChanges = reader.boolean();
  reader.finish();
  if (changeTypes < 1 || changeTypes > 15) throw new LdapError('protocolError', 'unknown change types');
  return { changeTypes, changesOnly, returnChanges };
}

export interface DirSyncRequest {
  /** Empty for the first time. */
  readonly cookie: Buffer;
}

/** [MS-ADTS] 3.1.1.3.4.1.3. Flags and size are read and do not count: rights and order are always as they ask. */
export function readDirSync(value: Buffer): DirSyncRequest {
  const reader = new BerReader(value).enter(tags.sequence);
  reader.skip();
  reader.skip();
  const cookie = reader.octets();
  reader.finish();
  return { cookie };
}

/** [MS-ADTS] 3.1.1.3.4.1.3: nothing more is to come, and the cookie for the next time. */
export function writeDirSync(cookie: Buffer): Buffer {
  return sequence(integer(0), integer(0), octets(cookie));
}

export const changeBits = { add: 1, delete: 2, modify: 4, modifyDn: 8 } as const;

/** draft-ietf-ldapext-psearch-03 §5. */
export function writeEntryChange(kind: keyof typeof changeBits, previousDn: string | undefined, usn: number): Buffer {
  const parts = [enumerated(changeBits[kind])];
  if (previousDn !== undefined) parts.push(octets(previousDn));
  if (usn < 2 ** 31) parts.push(integer(usn));
  return sequence(...parts);
}

function text(value: string | undefined): string {
  if (value === undefined) throw new LdapError('protocolError', 'control value is no UTF-8');
  return value;
}
