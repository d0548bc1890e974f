/**
 * Compressed files of a log: one zstd frame (RFC 8878), then a skippable frame with the summary of its terms and, at the very end,
 * what is where. `zstdcat` reads them.
 */
import { type FileHandle, link, open, rm, unlink } from 'node:fs/promises';
import { createZstdCompress, constants as zlib } from 'node:zlib';
import type { LogFile } from './log-files.ts';
import { archiveSuffix } from './log-files.ts';
import { readBlocks } from './log-reader.ts';
import { openToRead } from './open-log-file.ts';
import { mayHold, TermSummary } from './term-summary.ts';

/** Gives the terms of a text of whole lines by which they may be asked for. */
export type TermsOf = (text: string) => Iterable<string>;

/** RFC 8878 §3.1.2: a reader passes over such a frame. */
const skippableMagic = 0x184d2a5e;
/** At the end of the file: version of the summary, its length in octets (both 32 bits, little-endian), these four octets. */
const trailerMagic = Buffer.from('EDGL');
const trailerBytes = 12;
/** 1 had 10 bits and 7 probes for a term: such a file is read whole. */
const summaryVersion = 2;

/** So many octets are read, looked through and compressed before others get their turn. Large pieces would leave a large heap behind. */
const pieceBytes = 64 * 1024;

/** Compresses a file that nobody writes to any more, and takes it away. The same name is never used for two. */
export async function archive(file: LogFile, termsOf: TermsOf): Promise<void> {
  const draft = `${file.path}.draft`;
  const target = await open(draft, 'w', 0o600);
  try {
    const summary = new TermSummary();
    const compressor = createZstdCompress({ params: { [zlib.ZSTD_c_compressionLevel]: 3 } });
    const written = writeAll(target, compressor);
    written.catch(() => compressor.destroy());
    for await (const text of readBlocks(file, pieceBytes)) {
      for (const term of termsOf(text)) summary.add(term);
      await new Promise((resolve) => setImmediate(resolve));
      if (!compressor.write(text)) await Promise.race([once(compressor), written]);
    }
    compressor.end();
    await written;
    await target.appendFile(summaryFrame(summary.blocks() ?? Buffer.alloc(0)));
    await target.datasync();
    // Without replacing: an archive of that name, from before the clock was set back, stays.
    await link(draft, `${file.path}${archiveSuffix}`);
    await unlink(file.path);
  } finally {
    await target.close();
    await rm(draft, { force: true });
  }
}

function once(stream: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => stream.once('drain', resolve));
}

async function writeAll(target: FileHandle, source: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of source) await target.appendFile(chunk);
}

function summaryFrame(blocks: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(skippableMagic, 0);
  head.writeUInt32LE(blocks.length + trailerBytes, 4);
  const trailer = Buffer.alloc(trailerBytes);
  trailer.writeUInt32LE(summaryVersion, 0);
  trailer.writeUInt32LE(blocks.length, 4);
  trailerMagic.copy(trailer, 8);
  return Buffer.concat([head, blocks, trailer]);
}

/** False: none of these terms is in the file. One without a summary, and one that is still written, may hold anything. */
export async function mayHoldAny(file: LogFile, terms: readonly string[]): Promise<boolean> {
  if (!file.archived) return true;
  const handle = await openToRead(file.path);
  if (handle === undefined) return false;
  try {
    const { size } = await handle.stat();
    const trailer = await readAt(handle, size - trailerBytes, trailerBytes);
    const length = trailer.readUInt32LE(4);
    const isKnown = trailer.subarray(8).equals(trailerMagic) && trailer.readUInt32LE(0) === summaryVersion;
    if (!isKnown || length > size - trailerBytes) return true;
    const start = size - trailerBytes - length;
    const read = (offset: number, octets: number): Promise<Buffer> => readAt(handle, start + offset, octets);
    for (const term of terms) if (await mayHold(term, length, read)) return true;
    return false;
  } finally {
    await handle.close();
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  await handle.read(buffer, 0, length, Math.max(0, position));
  return buffer;
}
