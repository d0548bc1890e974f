/** GUIDs as Active Directory keeps them: [MS-DTYP] 2.3.4.2, the first three fields little-endian. */

const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15] as const;
const pattern = /^\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?$/i;

/** Text form, 8-4-4-4-12 in lower case, of the 16 octets of an objectGUID. Throws RangeError for another length. */
export function formatGuid(octets: Uint8Array): string {
  if (octets.length !== 16) throw new RangeError(`a GUID has 16 octets, not ${octets.length}`);
  const hex = order.map((index) => (octets[index] ?? 0).toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The 16 octets of a GUID in text, braces allowed. Throws RangeError. */
export function parseGuid(text: string): Buffer {
  const [, plain] = pattern.exec(text) ?? [];
  if (plain === undefined) throw new RangeError(`'${text}' is not a GUID`);
  const bytes = Buffer.from(plain.replaceAll('-', ''), 'hex');
  return Buffer.from(order.map((index) => bytes[index] ?? 0));
}
