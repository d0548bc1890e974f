/** Inserting and removing header fields; every other octet stays. */
import type { HeaderBlock } from './header-block.ts';

/** The octets of the header block without the fields that `remove` names (lower case). The same slice when none is. */
export function removeFields(block: HeaderBlock, remove: (name: string) => boolean): Buffer {
  const kept: Buffer[] = [];
  let from = 0;
  for (const field of block.fields) {
    if (field.name === '' || !remove(field.name)) continue;
    if (field.start > from) kept.push(block.bytes.subarray(from, field.start));
    from = field.end;
  }
  if (from === 0) return block.bytes.subarray(0, block.size);
  kept.push(block.bytes.subarray(from, block.size));
  return Buffer.concat(kept);
}

/** The octets of the header block with the beginning `from` (lower case) of field names as `to`. The same slice when none has it. */
export function renameFields(block: HeaderBlock, from: string, to: string): Buffer {
  const named = block.fields.filter(({ name }) => name.startsWith(from));
  if (named.length === 0) return block.bytes.subarray(0, block.size);
  const parts: Buffer[] = [];
  let at = 0;
  for (const { start } of named) {
    parts.push(block.bytes.subarray(at, start), Buffer.from(to));
    at = start + from.length;
  }
  return Buffer.concat([...parts, block.bytes.subarray(at, block.size)]);
}

/** Name, colon, and text whose line breaks are all folds but the last. */
const wholeField = /^[!-9;-~]+:(?:[^\0\r\n]|\r\n[ \t])*\r\n$/;

/** Puts whole fields, each ending in CRLF, in front of a header. Throws RangeError for text that would end the header. */
export function insertFields(fields: readonly string[], header: Buffer): Buffer {
  for (const field of fields) {
    if (!wholeField.test(field)) throw new RangeError(`'${field.slice(0, 60)}' is not one header field`);
  }
  return Buffer.concat([Buffer.from(fields.join('')), header]);
}
