/** GUIDs for new entries: random ones, version 4 of RFC 9562 §5.4, as octets of an objectGUID. */
import { randomFillSync } from 'node:crypto';

/** Octets fetched from the system at once: a load needs a GUID for every entry. */
const stockBytes = 4096;

export class GuidSource {
  readonly #stock = Buffer.alloc(stockBytes);
  #at = stockBytes;

  next(): Buffer {
    if (this.#at === stockBytes) {
      randomFillSync(this.#stock);
      this.#at = 0;
    }
    const guid = Buffer.from(this.#stock.subarray(this.#at, this.#at + 16));
    this.#at += 16;
    // The third field is little-endian here, so the version stands in its second octet.
    guid[7] = ((guid[7] ?? 0) & 0x0f) | 0x40;
    guid[8] = ((guid[8] ?? 0) & 0x3f) | 0x80;
    return guid;
  }
}
