/**
 * A look at the file of an LMDB environment before it is mapped. A file cut short would end the process with SIGBUS, and one
 * of another kind would be read as page numbers. Offsets are those of mdb.c of lmdb-js: page header, then MDB_meta.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { faultOfPages, rootOf } from './page-check.ts';

const magic = 0xbeefc0de;
const at = { magic: 24, pageSize: 48, freeTree: 48, mainTree: 96, lastPage: 144, transaction: 152, end: 160 } as const;

/** Pages at the end that LMDB may have taken and given back without ever writing them. */
const unwrittenPages = 64;

/**
 * What is wrong with the file, in words; undefined when it can be opened. With `everyPage` all pages in use are looked at:
 * not while another process writes.
 */
export function faultOfFile(
  file: string,
  options: { readonly readOnly: boolean; readonly everyPage: boolean },
): string | undefined {
  const descriptor = openSync(file, options.readOnly ? 'r' : 'r+');
  try {
    const { size } = fstatSync(descriptor);
    const first = readMetaPage(descriptor, 0);
    if (first === undefined) return 'its first page is not one of LMDB';
    const second = readMetaPage(descriptor, first.pageSize);
    const latest = second !== undefined && second.transaction > first.transaction ? second : first;
    const wanted = (Number(latest.lastPage) + 1) * latest.pageSize;
    if (wanted - size > unwrittenPages * latest.pageSize) return `it has ${size} octets, ${wanted} are in use`;
    const fault = options.everyPage ? faultOfTrees(descriptor, latest, Math.floor(size / latest.pageSize)) : undefined;
    // Filled up with zeros, a page that is missing after all is an error of LMDB's instead of a signal.
    if (fault === undefined && size < wanted && !options.readOnly) ftruncateSync(descriptor, wanted);
    return fault;
  } finally {
    closeSync(descriptor);
  }
}

interface MetaPage {
  readonly pageSize: number;
  readonly lastPage: bigint;
  readonly transaction: bigint;
  readonly octets: Buffer;
}

function faultOfTrees(descriptor: number, { octets, pageSize, lastPage }: MetaPage, pages: number): string | undefined {
  const trees = [
    { name: 'the list of free pages', page: rootOf(octets, at.freeTree) },
    { name: 'the databases', page: rootOf(octets, at.mainTree) },
  ];
  const roots = trees.flatMap(({ name, page }) => (page === undefined ? [] : [{ name, page }]));
  return faultOfPages(descriptor, pageSize, Math.min(pages, Number(lastPage) + 1), roots);
}

function readMetaPage(descriptor: number, offset: number): MetaPage | undefined {
  const page = Buffer.alloc(at.end);
  if (readSync(descriptor, page, 0, page.length, offset) < page.length || page.readUInt32LE(at.magic) !== magic)
    return undefined;
  const pageSize = page.readUInt32LE(at.pageSize) & 0xffff || 65_536;
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0) return undefined;
  const [lastPage, transaction] = [page.readBigUInt64LE(at.lastPage), page.readBigUInt64LE(at.transaction)];
  return { pageSize, lastPage, transaction, octets: page };
}
