/** Safelist hashes as safelist aggregation keeps them: SHA-256 shortened to four octets, sorted, one after the other. */
import { hash } from 'node:crypto';
import { canonicalAddress } from './address.ts';

/** Octets of one entry. */
const safelistEntryBytes = 4;
/** Exchange's limit of entries for each recipient. */
const maxEntries = 1024;

/** The hash list of addresses and, only when asked for, of domains. What is neither is left out. */
export function safelistHashes(entries: readonly string[], { domains = false } = {}): Buffer {
  const hashes = entries.flatMap((entry) => {
    const text = canonicalAddress(entry) ?? (domains ? entry.trim().replace(/^@/, '').toLowerCase() : '');
    return text === '' ? [] : [hash('sha256', text, 'buffer').readUInt32BE(0)];
  });
  const sorted = [...new Set(hashes)].sort((a, b) => a - b).slice(0, maxEntries);
  const blob = Buffer.alloc(sorted.length * safelistEntryBytes);
  for (const [i, value] of sorted.entries()) blob.writeUInt32BE(value, i * safelistEntryBytes);
  return blob;
}

/** Whether a hash list holds an address. A list that is damaged holds nothing. */
export function safelistHolds(blob: Buffer, address: string): boolean {
  const canonical = canonicalAddress(address);
  if (canonical === undefined || blob.length % safelistEntryBytes !== 0) return false;
  const wanted = hash('sha256', canonical, 'buffer').readUInt32BE(0);
  let low = 0;
  let high = blob.length / safelistEntryBytes - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const value = blob.readUInt32BE(middle * safelistEntryBytes);
    if (value === wanted) return true;
    if (value < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}
