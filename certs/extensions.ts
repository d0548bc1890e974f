/** Extensions of the table's certificates, as DER: RFC 5280 §4.2. */
import { isIPv6 } from 'node:net';
import { type Extension, keyIdentifier, tlv } from './authority.ts';

export interface Uses {
  readonly ca?: boolean;
  /** Certificates that may stand between this authority and a leaf. */
  readonly pathLength?: number;
  /** Octet of RFC 5280 §4.2.1.3: 0x80 digitalSignature, 0x20 keyEncipherment, 0x06 keyCertSign and cRLSign. */
  readonly keyUsage?: number;
  /** DER of identifiers; none: no such extension. */
  readonly purposes?: readonly Purpose[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  /** dNSName subtrees that an authority may issue for. */
  readonly permittedDns?: string;
  /** An extension that nobody knows, marked critical. */
  readonly unknownCritical?: boolean;
  /** Where the CRL is, and who answers OCSP. */
  readonly crlUrl?: string;
  readonly ocspUrl?: string;
}

/** RFC 5280 §4.2.1.12. */
export type Purpose = 'serverAuth' | 'clientAuth' | 'OCSPSigning';

const purposeOids: Readonly<Record<Purpose, string>> = {
  serverAuth: '06082b06010505070301',
  clientAuth: '06082b06010505070302',
  OCSPSigning: '06082b06010505070309',
};

const yes = Buffer.from('0101ff', 'hex');

/** In the order in which openssl writes them. */
export function extensionsFor(uses: Uses, key: Buffer, issuerKey: Buffer): Extension[] {
  const { ca = false, pathLength, keyUsage, purposes = [] } = uses;
  const basic = [...(ca ? [yes] : []), ...(pathLength === undefined ? [] : [tlv(2, Buffer.of(pathLength))])];
  const list: (Extension | undefined)[] = [
    { oid: '2.5.29.19', critical: true, value: tlv(0x30, ...basic) },
    keyUsage === undefined ? undefined : { oid: '2.5.29.15', critical: true, value: keyUsageDer(keyUsage) },
    purposes.length === 0
      ? undefined
      : { oid: '2.5.29.37', value: tlv(0x30, ...purposes.map((one) => Buffer.from(purposeOids[one], 'hex'))) },
    alternativeNames(uses),
    nameConstraints(uses),
    distribution(uses),
    uses.unknownCritical === true ? { oid: '1.3.6.1.4.1.99999.1', critical: true, value: Buffer.of(5, 0) } : undefined,
    { oid: '2.5.29.14', value: tlv(4, keyIdentifier(key)) },
    { oid: '2.5.29.35', value: tlv(0x30, tlv(0x80, keyIdentifier(issuerKey))) },
    authorityAccess(uses),
  ];
  return list.filter((one) => one !== undefined);
}

function keyUsageDer(bits: number): Buffer {
  const lowest = bits & -bits;
  return tlv(3, Buffer.of(31 - Math.clz32(lowest), bits));
}

function alternativeNames({ dnsNames = [], ipAddresses = [] }: Uses): Extension | undefined {
  const names = [
    ...dnsNames.map((name) => tlv(0x82, Buffer.from(name))),
    ...ipAddresses.map((address) => tlv(0x87, addressOctets(address))),
  ];
  return names.length === 0 ? undefined : { oid: '2.5.29.17', value: tlv(0x30, ...names) };
}

function addressOctets(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = address.split('::');
  const [before, after] = [head, tail].map((text) => (text === '' ? [] : text.split(':'))) as [string[], string[]];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return Buffer.from([...before, ...zeros, ...after].map((word) => word.padStart(4, '0')).join(''), 'hex');
}

function nameConstraints({ permittedDns }: Uses): Extension | undefined {
  if (permittedDns === undefined) return undefined;
  const subtree = tlv(0x30, tlv(0x82, Buffer.from(permittedDns)));
  return { oid: '2.5.29.30', critical: true, value: tlv(0x30, tlv(0xa0, subtree)) };
}

function distribution({ crlUrl }: Uses): Extension | undefined {
  if (crlUrl === undefined) return undefined;
  const point = tlv(0x30, tlv(0xa0, tlv(0xa0, tlv(0x86, Buffer.from(crlUrl)))));
  return { oid: '2.5.29.31', value: tlv(0x30, point) };
}

function authorityAccess({ ocspUrl }: Uses): Extension | undefined {
  if (ocspUrl === undefined) return undefined;
  const method = Buffer.from('06082b06010505073001', 'hex');
  return { oid: '1.3.6.1.5.5.7.1.1', value: tlv(0x30, tlv(0x30, method, tlv(0x86, Buffer.from(ocspUrl)))) };
}
