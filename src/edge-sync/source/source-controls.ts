/** Controls that a source is asked with, as octets: RFC 2696, RFC 4533 §2.2, [MS-ADTS] 3.1.1.3.4.1. */
import { BerReader, BerWriter, Control } from 'ldapts';
import type { SentControl } from './ldap-messages.ts';

export const controlOids = {
  paged: '1.2.840.113556.1.4.319',
  dirSync: '1.2.840.113556.1.4.841',
  showDeleted: '1.2.840.113556.1.4.417',
  notification: '1.2.840.113556.1.4.528',
  persistentSearch: '2.16.840.1.113730.3.4.3',
  syncRequest: '1.3.6.1.4.1.4203.1.9.1.1',
  syncState: '1.3.6.1.4.1.4203.1.9.1.2',
  syncDone: '1.3.6.1.4.1.4203.1.9.1.3',
  syncInfo: '1.3.6.1.4.1.4203.1.9.1.4',
} as const;

/** Flags of DirSync, [MS-ADTS] 3.1.1.3.4.1.3. */
export const dirSyncFlags = { objectSecurity: 0x1, ancestorsFirst: 0x800 } as const;

class OctetControl extends Control {
  readonly #value: Buffer | undefined;

  constructor(oid: string, value: Buffer | undefined, critical: boolean) {
    super(oid, { critical });
    this.#value = value;
  }

  protected override writeControl(writer: BerWriter): void {
    if (this.#value !== undefined) writer.writeBuffer(this.#value, 0x04);
  }
}

export function octetControl(oid: string, value?: Buffer, critical = true): Control {
  return new OctetControl(oid, value, critical);
}

function sequence(write: (writer: BerWriter) => void): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  write(writer);
  writer.endSequence();
  return writer.buffer;
}

export function pagedControl(size: number, cookie: Buffer): Control {
  return octetControl(
    controlOids.paged,
    sequence((writer) => {
      writer.writeInt(size);
      writer.writeBuffer(cookie, 0x04);
    }),
  );
}

/** Cookie of the answer; empty at the last page, and when the server does no paging. */
export function pagedCookie(controls: readonly SentControl[]): Buffer {
  const value = controls.find(({ oid }) => oid === controlOids.paged)?.value;
  if (value === undefined) return Buffer.alloc(0);
  const reader = new BerReader(value);
  reader.readSequence();
  reader.readInt();
  return Buffer.from(reader.readString(0x04, true) ?? Buffer.alloc(0));
}

export function dirSyncControl(flags: number, maxBytes: number, cookie: Buffer): Control {
  return octetControl(
    controlOids.dirSync,
    sequence((writer) => {
      writer.writeInt(flags);
      writer.writeInt(maxBytes);
      writer.writeBuffer(cookie, 0x04);
    }),
  );
}

/** What DirSync answers: whether more is to come, and the cookie; undefined when it did not. */
export function dirSyncAnswer(controls: readonly SentControl[]): { more: boolean; cookie: Buffer } | undefined {
  const value = controls.find(({ oid }) => oid === controlOids.dirSync)?.value;
  if (value === undefined) return undefined;
  const reader = new BerReader(value);
  reader.readSequence();
  const more = (reader.readInt() ?? 0) !== 0;
  reader.readInt();
  return { more, cookie: Buffer.from(reader.readString(0x04, true) ?? Buffer.alloc(0)) };
}

/** Modes of RFC 4533 §2.2. */
const syncModes = { refreshOnly: 1, refreshAndPersist: 3 } as const;

/** With a cookie of an earlier answer; empty: the whole content. */
export function syncRequestControl(cookie: Buffer, mode: keyof typeof syncModes = 'refreshOnly'): Control {
  return octetControl(
    controlOids.syncRequest,
    sequence((writer) => {
      writer.writeEnumeration(syncModes[mode]);
      if (cookie.length > 0) writer.writeBuffer(cookie, 0x04);
      writer.writeBoolean(false);
    }),
  );
}

/** Every kind of change from now on: draft-ietf-ldapext-psearch-03. */
export function persistentSearchControl(): Control {
  const everyChange = 15;
  return octetControl(
    controlOids.persistentSearch,
    sequence((writer) => {
      writer.writeInt(everyChange);
      writer.writeBoolean(true);
      writer.writeBoolean(false);
    }),
  );
}

/** State of an entry: RFC 4533 §2.3. */
export function syncState(
  controls: readonly SentControl[],
): { state: 'present' | 'add' | 'modify' | 'delete'; uuid: string } | undefined {
  const value = controls.find(({ oid }) => oid === controlOids.syncState)?.value;
  if (value === undefined) return undefined;
  const reader = new BerReader(value);
  reader.readSequence();
  const state = (['present', 'add', 'modify', 'delete'] as const)[reader.readEnumeration() ?? 0] ?? 'modify';
  return { state, uuid: formatUuid(reader.readString(0x04, true) ?? Buffer.alloc(0)) };
}

/** RFC 4533 §2.4: cookie, and whether deletions were told one by one. */
export function syncDone(
  controls: readonly SentControl[],
): { readonly cookie: Buffer; readonly refreshDeletes: boolean } | undefined {
  const value = controls.find(({ oid }) => oid === controlOids.syncDone)?.value;
  if (value === undefined) return undefined;
  let cookie: Buffer = Buffer.alloc(0);
  let refreshDeletes = false;
  const reader = new BerReader(value);
  reader.readSequence();
  while (reader.remain > 0) {
    if (reader.peek() === 0x04) cookie = Buffer.from(reader.readString(0x04, true) ?? cookie);
    else refreshDeletes = reader.readBoolean() ?? false;
  }
  return { cookie, refreshDeletes };
}

/** RFC 4533 §2.5. */
export type SyncInfo =
  | { readonly kind: 'cookie' }
  /** All that was not named until here is gone (`present`), or what is gone was named (`delete`). */
  | { readonly kind: 'phase'; readonly phase: 'present' | 'delete'; readonly refreshDone: boolean }
  | { readonly kind: 'ids'; readonly deleted: boolean; readonly ids: readonly string[] };

export function syncInfo(value: Buffer): SyncInfo {
  const reader = new BerReader(value);
  const tag = reader.peek();
  if (tag === 0x80) return { kind: 'cookie' };
  reader.readSequence();
  const end = reader.offset + reader.length;
  if (tag !== 0xa3) {
    let refreshDone = true;
    while (reader.offset < end) {
      if (reader.peek() === 0x01) refreshDone = reader.readBoolean() ?? true;
      else reader.readString(0x04, true);
    }
    return { kind: 'phase', phase: tag === 0xa1 ? 'delete' : 'present', refreshDone };
  }
  let deleted = false;
  const ids: string[] = [];
  while (reader.offset < end) {
    const inner = reader.peek();
    if (inner === 0x01) deleted = reader.readBoolean() ?? false;
    else if (inner === 0x31) {
      reader.readSequence();
      const endOfSet = reader.offset + reader.length;
      while (reader.offset < endOfSet) ids.push(formatUuid(reader.readString(0x04, true) ?? Buffer.alloc(0)));
    } else reader.readString(inner ?? 0x04, true);
  }
  return { kind: 'ids', deleted, ids };
}

/** RFC 4122 text of 16 octets in network order, as entryUUID is. */
function formatUuid(octets: Buffer): string {
  const hex = octets.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
