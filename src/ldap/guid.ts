/** GUIDs as Active Directory keeps them: [MS-DTYP] 2.3.4.2, the first three fields little-endian. */

/** Turns the first three fields round; doing so twice gives what was. */
const turned = (hex: string): string =>
  hex.slice(6, 8) +
  hex.slice(4, 6) +
  hex.slice(2, 4) +
  hex.slice(0, 2) +
  hex.slice(10, 12) +
  hex.slice(8, 10) +
  hex.slice(14, 16) +
  hex.slice(12, 14) +
  hex.slice(16);
const pattern = /^\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?$/i;

/** Text form, 8-4-4-4-12 in lower case, of the 16 octets of an objectGUID. Throws RangeError for another length. */
export function formatGuid(octets: Uint8Array): string {
  if (octets.length !== 16) throw new RangeError(`a GUID has 16 octets, not ${octets.length}`);
  const hex = turned(Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('hex'));
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The 16 octets of a GUID in text, braces allowed. Throws RangeError. */
export function parseGuid(text: string): Buffer {
  const [, plain] = pattern.exec(text) ?? [];
  if (plain === undefined) throw new RangeError(`'${text}' is not a GUID`);
  return Buffer.from(turned(plain.replaceAll('-', '')), 'hex');
}
