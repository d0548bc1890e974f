/** Lines of the change log, kept under their update sequence number. */
import { type Change } from './contract.ts';

/** Key of a sequence number: 8 octets in order of the numbers. */
export function usnOctets(usn: number): Buffer {
  const octets = Buffer.allocUnsafe(8);
  octets.writeBigUInt64BE(BigInt(Math.max(0, usn)));
  return octets;
}

export function formatChange(change: Change): Buffer {
  return Buffer.from(JSON.stringify(change));
}

export function parseChange(octets: Uint8Array): Change {
  return JSON.parse(Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('utf8')) as Change;
}
