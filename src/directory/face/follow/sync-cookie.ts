/**
 * Cookies of content synchronization (RFC 4533 §2.1.1). slapd as a consumer does not give cookies back as they were: it takes a
 * CSN out of them (draft-chu-ldap-csn), keeps the highest it saw, and makes its own. So the sequence number is sent as a CSN whose
 * time is made from it: it grows with the number, also when the clock of the machine is set back.
 */
export interface SyncCookie {
  /** Number that the consumer gave itself; sent back as it came. */
  readonly rid: string;
  /** Everything up to this sequence number is known to the consumer; undefined: nothing. */
  readonly usn?: number;
}

/** CSN times count microseconds from here. */
const epochMs = Date.UTC(2000, 0, 1);

export function readSyncCookie(cookie: Buffer | undefined): SyncCookie {
  const text = cookie?.toString('latin1') ?? '';
  const [, rid = '000'] = /(?:^|,)rid=(\d{1,3})(?:,|$)/.exec(text) ?? [];
  const csn = /(?:^|,)csn=(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.(\d{3})(\d{3})Z#/.exec(text);
  if (csn === null) return { rid };
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0, us = 0] = csn.slice(1).map(Number);
  const usn = (Date.UTC(year, month - 1, day, hour, minute, second, ms) - epochMs) * 1000 + us;
  return usn >= 0 && Number.isSafeInteger(usn) ? { rid, usn } : { rid };
}

export function writeSyncCookie(rid: string, usn: number): Buffer {
  return Buffer.from(`rid=${rid},csn=${csnOf(usn)}`);
}

export function csnOf(usn: number): string {
  const [, date = '', ms = '000'] =
    /^(.*)\.(\d{3})Z$/.exec(new Date(epochMs + Math.floor(usn / 1000)).toISOString()) ?? [];
  return `${date.replace(/[-:T]/g, '')}.${ms}${String(usn % 1000).padStart(3, '0')}Z#000000#000#000000`;
}
