/** Signed certificate timestamps: RFC 6962 §3.3, in the certificate's extension or in the handshake. Counted, not verified. */

/** The identifier 1.3.6.1.4.1.11129.2.4.2 in DER. */
const embedded = Buffer.from('060a2b06010401d679020402', 'hex');

/** How many stand in the certificate and in the handshake's list. */
export function countTimestamps(certificate: Buffer, inHandshake: Buffer | undefined): number {
  return countList(embeddedList(certificate)) + countList(inHandshake);
}

/** Behind the identifier come two octet strings, one in the other. */
function embeddedList(certificate: Buffer): Buffer | undefined {
  const at = certificate.indexOf(embedded);
  if (at < 0) return undefined;
  const inner = octetString(octetString(certificate.subarray(at + embedded.length)));
  return inner;
}

function octetString(der: Buffer | undefined): Buffer | undefined {
  const first = der?.[1];
  if (der === undefined || der[0] !== 0x04 || first === undefined) return undefined;
  const long = first & 0x80 ? first & 0x7f : 0;
  if (long > 4 || der.length < 2 + long) return undefined;
  const length = long === 0 ? first : der.readUIntBE(2, long);
  return der.subarray(2 + long, 2 + long + length);
}

/** A vector of vectors, each with a length of two octets. */
function countList(list: Buffer | undefined): number {
  if (list === undefined || list.length < 2) return 0;
  let count = 0;
  for (let at = 2; at + 2 <= list.length; at += 2 + list.readUInt16BE(at)) count++;
  return count;
}
