/**
 * The one reader of all logs. A line ends with LF, or CR LF, and with nothing else (RFC 4180 §2), as the logs write it: what else
 * Unicode calls a line end is text. Compressed files are read in place.
 */
import type { FileHandle } from 'node:fs/promises';
import { createZstdDecompress } from 'node:zlib';
import type { LogFile } from './log-files.ts';
import { openToRead } from './open-log-file.ts';

/** Octets read at a time. */
const chunkBytes = 1024 * 1024;
/** A line that is longer is passed over: no log writes one, and it must not fill the memory. */
const longestLine = 8 * 1024 * 1024;

/** Whole lines of a file, without their ends, some thousand at a time. A file that was pruned meanwhile has none. */
export async function* readLines(file: LogFile): AsyncGenerator<string[], void> {
  for await (const text of readBlocks(file)) yield linesOf(text);
}

/** The lines of a text of whole lines. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

/** The same in texts of whole lines with their ends: for who looks before splitting. `octets`: read at a time from a plain file. */
export async function* readBlocks(file: LogFile, octets = chunkBytes): AsyncGenerator<string, void> {
  const handle = await openToRead(file.path);
  if (handle === undefined) return;
  try {
    let rest: Buffer[] = [];
    let length = 0;
    for await (const chunk of file.archived ? decompressed(handle) : chunksOf(handle, octets)) {
      const end = chunk.lastIndexOf(0x0a) + 1;
      if (end > 0 && length <= longestLine) yield Buffer.concat([...rest, chunk.subarray(0, end)]).toString('utf8');
      if (end > 0) [rest, length] = [[], 0];
      length += chunk.length - end;
      if (length <= longestLine) rest.push(chunk.subarray(end));
      else rest = [];
    }
    // The last line of a process that was killed has no end.
    if (length > 0 && length <= longestLine) yield Buffer.concat(rest).toString('utf8');
  } finally {
    await handle.close();
  }
}

async function* chunksOf(handle: FileHandle, octets: number): AsyncGenerator<Buffer, void> {
  for (let at = 0; ; ) {
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(octets), 0, octets, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function* decompressed(handle: FileHandle): AsyncGenerator<Buffer, void> {
  const stream = createZstdDecompress({ chunkSize: chunkBytes });
  const source = handle.createReadStream({ start: 0, autoClose: false, highWaterMark: chunkBytes });
  source.on('error', (error) => stream.destroy(error));
  source.pipe(stream);
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } finally {
    source.destroy();
    stream.destroy();
  }
}
