/** Writes LDIF, RFC 2849, in one order whatever the order of the values: fit for comparing and for version control. */
import type { AttributeValues } from './modification.ts';

/** Longest line, in characters, before it is folded. */
const width = 76;

const isSafe = (value: Buffer): boolean => {
  const [first] = value;
  if (first === 0x20 || first === 0x3a || first === 0x3c || value.at(-1) === 0x20) return false;
  return value.every((byte) => byte !== 0 && byte !== 0x0a && byte !== 0x0d && byte < 0x80);
};

/** One line `name: value`, in base64 where the value asks for it, folded. */
function formatLdifLine(name: string, value: Buffer): string {
  const line = isSafe(value) ? `${name}: ${value.toString('latin1')}` : `${name}:: ${value.toString('base64')}`;
  if (value.length === 0) return `${name}:\n`;
  if (line.length <= width) return `${line}\n`;
  const parts = [line.slice(0, width)];
  for (let at = width; at < line.length; at += width - 1) parts.push(` ${line.slice(at, at + width - 1)}`);
  return `${parts.join('\n')}\n`;
}

/** A content record, without the empty line behind it: objectClass first, then attributes by name and values by octets. */
export function formatLdifRecord(dn: string, attributes: readonly AttributeValues[]): string {
  const sorted = attributes
    .map(({ attribute, values }) => ({ attribute, values: sortValues(attribute, values) }))
    .sort((a, b) => compareNames(a.attribute, b.attribute));
  const lines = sorted.flatMap(({ attribute, values }) => values.map((value) => formatLdifLine(attribute, value)));
  return formatLdifLine('dn', Buffer.from(dn)) + lines.join('');
}

function sortValues(attribute: string, values: readonly Buffer[]): readonly Buffer[] {
  // Object classes keep their order, most general first: readers expect it so.
  return attribute.toLowerCase() === 'objectclass' ? values : [...values].sort((a, b) => a.compare(b));
}

function compareNames(a: string, b: string): number {
  const [left, right] = [a.toLowerCase(), b.toLowerCase()];
  if (left === right) return 0;
  if (left === 'objectclass') return -1;
  if (right === 'objectclass') return 1;
  return left < right ? -1 : 1;
}
