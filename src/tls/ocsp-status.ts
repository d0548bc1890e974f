/** The status in an OCSP response, RFC 6960 §4.2: read off its DER, without judging its signature. */
import { children, type DerNode, isContext, isUniversal, octets, readDer, tags } from './der.ts';

export type OcspStatus = 'good' | 'revoked' | 'unknown' | 'unreadable';

/** CertStatus is [0] good, [1] revoked, [2] unknown. */
const statuses = ['good', 'revoked', 'unknown'] as const;

/** Of the first single response; 'unreadable' for anything that is no successful response. */
export function readOcspStatus(response: Buffer): OcspStatus {
  try {
    const status = certStatusOf(children(readDer(response)));
    return (status && statuses.find((_, tag) => isContext(status, tag))) ?? 'unreadable';
  } catch (error) {
    if (error instanceof RangeError) return 'unreadable';
    throw error;
  }
}

function certStatusOf([status, bytes]: readonly DerNode[]): DerNode | undefined {
  if (octets(status)[0] !== 0) return undefined;
  // ResponseBytes: type and an octet string that holds BasicOCSPResponse, whose first element is ResponseData.
  const [, basic] = children(children(bytes)[0]);
  const [data] = children(readDer(octets(basic)));
  const responses = children(data).findLast((node) => isUniversal(node, tags.sequence));
  const [, certStatus] = children(children(responses)[0]);
  return certStatus;
}
