/**
 * Lines of the change log, kept under their update sequence number. Fields in one order, texts led by their length; numbers
 * above 32 bits as doubles. There are as many lines as entries and more, so each octet counts.
 */
import { formatGuid, parseGuid } from '../../../ldap/index.ts';
import type { Change, ChangeKind } from '../entries/contract.ts';

/** Key of a sequence number: 8 octets in order of the numbers. */
export function usnOctets(usn: number): Buffer {
  const octets = Buffer.allocUnsafe(8);
  const number = Math.max(0, usn);
  octets.writeUInt32BE(Math.floor(number / 2 ** 32), 0);
  octets.writeUInt32BE(number % 2 ** 32, 4);
  return octets;
}

/** Append only: the place is what is kept. Lines of the first program begin with `{`, and are JSON. */
const kinds: readonly ChangeKind[] = ['add', 'modify', 'delete', 'modifyDn'];
const json = 0x7b;
const fixed = 1 + 8 + 8 + 16;

/** `guid`: the change's, as octets. */
export function formatChange(change: Change, guid = parseGuid(change.guid)): Buffer {
  const { usn, kind, dn, oldDn = '', attributes, actor, time } = change;
  const names = attributes.join(' ');
  const lengths = [Buffer.byteLength(dn), Buffer.byteLength(oldDn), Buffer.byteLength(actor), Buffer.byteLength(names)];
  const octets = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + 3 + length, fixed));
  octets[0] = kinds.indexOf(kind);
  octets.writeDoubleBE(usn, 1);
  octets.writeDoubleBE(time, 9);
  guid.copy(octets, 17);
  let at = fixed;
  for (const text of [dn, oldDn, actor, names]) {
    const length = octets.write(text, at + 3);
    octets.writeUIntBE(length, at, 3);
    at += 3 + length;
  }
  return octets;
}

/** Throws RangeError for octets that are no line. */
export function parseChange(line: Uint8Array): Change {
  const octets = Buffer.from(line.buffer, line.byteOffset, line.length);
  if (octets[0] === json) return JSON.parse(octets.toString('utf8')) as Change;
  const kind = kinds[octets[0] ?? kinds.length];
  if (kind === undefined) throw new RangeError('not a line of the change log');
  let at = fixed;
  const text = (): string => {
    const start = at + 3;
    at = start + octets.readUIntBE(at, 3);
    return octets.toString('utf8', start, at);
  };
  const [dn, oldDn, actor, attributes] = [text(), text(), text(), text()];
  return {
    usn: octets.readDoubleBE(1),
    kind,
    guid: formatGuid(octets.subarray(17, fixed)),
    dn,
    ...(oldDn !== '' && { oldDn }),
    attributes: attributes === '' ? [] : attributes.split(' '),
    actor,
    time: octets.readDoubleBE(9),
  };
}
