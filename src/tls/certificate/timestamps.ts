/** Signed certificate timestamps: RFC 6962 §3.3, in the certificate's extension or in the handshake. Counted, not verified. */

import { octets, readDer } from '../der/der.ts';
import { extensionOf } from './parsed-certificate.ts';

const embedded = '1.3.6.1.4.1.11129.2.4.2';

/** How many stand in the certificate, DER, and in the handshake's list. */
export function countTimestamps(certificate: Buffer, inHandshake: Buffer | undefined): number {
  return countList(embeddedList(certificate)) + countList(inHandshake);
}

/** The extension's value is the list in an octet string. */
function embeddedList(certificate: Buffer): Buffer | undefined {
  const value = extensionOf(certificate, embedded);
  try {
    return value === undefined ? undefined : octets(readDer(value));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A vector of vectors, each with a length of two octets. */
function countList(list: Buffer | undefined): number {
  if (list === undefined || list.length < 2) return 0;
  let count = 0;
  for (let at = 2; at + 2 <= list.length; at += 2 + list.readUInt16BE(at)) count++;
  return count;
}
