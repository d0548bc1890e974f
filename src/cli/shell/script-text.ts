import { readFile } from 'node:fs/promises';
import { fileReason } from '../../base/text/index.ts';

/** Text of a script as administrators have them: UTF-8, UTF-16 with its mark, or Windows-1252. Throws Error. */
export async function scriptText(file: string): Promise<string> {
  let content: Buffer;
  try {
    content = await readFile(file);
  } catch (error) {
    throw new Error(`${file} cannot be read: ${fileReason(error)}`, { cause: error });
  }
  return decodeScript(content);
}

/** Bytes to text: by its mark, else UTF-8 when it is that, else Windows-1252, which editors on Windows wrote for long. */
function decodeScript(content: Uint8Array): string {
  const [first, second] = content;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(content);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(content);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    return new TextDecoder('windows-1252').decode(content);
  }
}
