/** The status in an OCSP response, RFC 6960 §4.2: read off its DER, without judging its signature. */

/** One element of DER: tag, content, and what follows it. */
function element(der: Buffer): { tag: number; content: Buffer; rest: Buffer } {
  const [tag, first] = [der[0], der[1]];
  if (tag === undefined || first === undefined) throw new RangeError('DER ends early');
  const long = first & 0x80 ? first & 0x7f : 0;
  if (long > 4 || der.length < 2 + long) throw new RangeError('a length of DER that is too long');
  const length = long === 0 ? first : der.readUIntBE(2, long);
  const start = 2 + long;
  if (der.length < start + length) throw new RangeError('DER ends early');
  return { tag, content: der.subarray(start, start + length), rest: der.subarray(start + length) };
}

function children(content: Buffer): { tag: number; content: Buffer }[] {
  const list: { tag: number; content: Buffer }[] = [];
  for (let rest = content; rest.length > 0; ) {
    const next = element(rest);
    list.push(next);
    rest = next.rest;
  }
  return list;
}

/** CertStatus is [0] good, [1] revoked, [2] unknown. */
const statuses: ReadonlyMap<number, 'good' | 'revoked' | 'unknown'> = new Map([
  [0x80, 'good'],
  [0xa1, 'revoked'],
  [0x82, 'unknown'],
]);

/** Of the first single response; 'unreadable' for anything that is no successful response. */
export function readOcspStatus(response: Buffer): 'good' | 'revoked' | 'unknown' | 'unreadable' {
  try {
    const [status, bytes] = children(element(response).content);
    if (status?.content[0] !== 0 || bytes === undefined) return 'unreadable';
    // ResponseBytes: type and an octet string that holds BasicOCSPResponse.
    const [, octets] = children(element(bytes.content).content);
    const [data] = children(element(octets?.content ?? Buffer.alloc(0)).content);
    const responses = children(data?.content ?? Buffer.alloc(0)).findLast(({ tag }) => tag === 0x30);
    const single = children(element(responses?.content ?? Buffer.alloc(0)).content);
    return statuses.get(single[1]?.tag ?? 0) ?? 'unreadable';
  } catch (error) {
    if (error instanceof RangeError) return 'unreadable';
    throw error;
  }
}
