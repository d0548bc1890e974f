/**
 * A look at the file of an LMDB environment before it is mapped. A file cut short would end the process with SIGBUS, and one
 * of another kind would be read as page numbers. Offsets are those of mdb.c of lmdb-js: page header, then MDB_meta.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';

const magic = 0xbeefc0de;
const at = { magic: 24, pageSize: 48, lastPage: 144, transaction: 152, end: 160 } as const;

/** Pages at the end that LMDB may have taken and given back without ever writing them. */
const unwrittenPages = 64;

/** What is wrong with the file, in words; undefined when it can be opened. */
export function faultOfFile(file: string, readOnly: boolean): string | undefined {
  const descriptor = openSync(file, readOnly ? 'r' : 'r+');
  try {
    const { size } = fstatSync(descriptor);
    const first = readMetaPage(descriptor, 0);
    if (first === undefined) return 'its first page is not one of LMDB';
    const second = readMetaPage(descriptor, first.pageSize);
    const latest = second !== undefined && second.transaction > first.transaction ? second : first;
    const wanted = (Number(latest.lastPage) + 1) * latest.pageSize;
    if (size >= wanted) return undefined;
    if (wanted - size > unwrittenPages * latest.pageSize) return `it has ${size} octets, ${wanted} are in use`;
    // Filled up with zeros, a page that is missing after all is an error of LMDB's instead of a signal.
    if (!readOnly) ftruncateSync(descriptor, wanted);
    return undefined;
  } finally {
    closeSync(descriptor);
  }
}

interface MetaPage {
  readonly pageSize: number;
  readonly lastPage: bigint;
  readonly transaction: bigint;
}

function readMetaPage(descriptor: number, offset: number): MetaPage | undefined {
  const page = Buffer.alloc(at.end);
  if (readSync(descriptor, page, 0, page.length, offset) < page.length || page.readUInt32LE(at.magic) !== magic)
    return undefined;
  const pageSize = page.readUInt32LE(at.pageSize) & 0xffff || 65_536;
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0) return undefined;
  return { pageSize, lastPage: page.readBigUInt64LE(at.lastPage), transaction: page.readBigUInt64LE(at.transaction) };
}
