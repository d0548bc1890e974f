/** TLSA records and certificates: RFC 6698 §2.1, RFC 7671, RFC 7672 §3.1. */
import { createHash, timingSafeEqual, X509Certificate } from 'node:crypto';
import { findPath } from '../certificate/certificate-path.ts';

/** One record, as DNS gives it. */
export interface TlsaRecord {
  readonly usage: number;
  readonly selector: number;
  readonly matchingType: number;
  /** Association data. */
  readonly certificate: Buffer;
}

/** '3 1 1 ab12…', as zone files have it. */
export function tlsaText({ usage, selector, matchingType, certificate }: TlsaRecord): string {
  return `${usage} ${selector} ${matchingType} ${certificate.toString('hex')}`;
}

const digestBytes: Readonly<Record<number, number>> = { 1: 32, 2: 64 };

/** Why mail cannot use a record; undefined for one that it can. RFC 7672 §3.1.3: usages 0 and 1 are unusable. */
export function unusableReason({ usage, selector, matchingType, certificate }: TlsaRecord): string | undefined {
  if (usage !== 2 && usage !== 3) return `usage ${usage} is not for mail`;
  if (selector !== 0 && selector !== 1) return `selector ${selector} is unknown`;
  if (matchingType === 0) return parses(certificate, selector) ? undefined : 'its data is no certificate or key';
  const wanted = digestBytes[matchingType];
  if (wanted === undefined) return `matching type ${matchingType} is unknown`;
  return certificate.length === wanted ? undefined : `its digest has ${certificate.length} octets, not ${wanted}`;
}

function parses(data: Buffer, selector: number): boolean {
  if (data.length === 0) return false;
  if (selector === 1) return data[0] === 0x30;
  try {
    return new X509Certificate(data).raw.length > 0;
  } catch {
    // OpenSSL's word on octets that are no certificate.
    return false;
  }
}

export interface TlsaMatch {
  readonly matches: boolean;
  /** The record that matched. */
  readonly record?: TlsaRecord;
  readonly reason: string;
}

/** What usage 2 asks of a chain besides the record. */
export interface TlsaDemands {
  /** Whether the leaf stands for one of the names that RFC 7672 §3.2.3 lets it stand for. */
  readonly namesMatch: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Whether a chain, leaf first, meets one of the usable records. Usage 3 looks at the leaf alone and neither at its name
 * nor its dates (RFC 7672 §3.1.1); usage 2 wants a path to the matching certificate that was sent, in force, and the name.
 */
export function matchTlsa(records: readonly TlsaRecord[], chain: readonly Buffer[], demands: TlsaDemands): TlsaMatch {
  const usable = records.filter((record) => unusableReason(record) === undefined);
  if (usable.length === 0) return { matches: false, reason: 'no usable record' };
  const [leaf, ...others] = chain.map((der) => new X509Certificate(der));
  if (leaf === undefined) return { matches: false, reason: 'no certificate was shown' };
  const own = usable.find((record) => record.usage === 3 && fits(record, leaf));
  if (own !== undefined) return { matches: true, record: own, reason: `the leaf is that of ${tlsaText(own)}` };
  const anchored = usable.filter(({ usage }) => usage === 2);
  const recordOf = (certificate: X509Certificate): TlsaRecord | undefined =>
    anchored.find((record) => fits(record, certificate));
  const { found, path } = findPath({
    leaf,
    others,
    isEnd: (certificate) => recordOf(certificate) !== undefined,
    flawOf: (certificate, place) => flawOf(certificate, place, demands.now),
  });
  const end = path.at(-1);
  const anchor = found && end !== undefined ? recordOf(end) : undefined;
  if (anchor === undefined)
    return { matches: false, reason: `the chain meets none of ${usable.map(tlsaText).join(', ')}` };
  if (!demands.namesMatch)
    return { matches: false, reason: `${tlsaText(anchor)} is met, but the certificate holds another name` };
  return { matches: true, record: anchor, reason: `the chain leads to ${tlsaText(anchor)}` };
}

function flawOf(certificate: X509Certificate, place: number, now: number): string {
  if (certificate.validFromDate.getTime() > now || certificate.validToDate.getTime() < now) return 'it is not in force';
  return place > 0 && !certificate.ca ? 'it is no authority' : '';
}

function fits(record: TlsaRecord, certificate: X509Certificate): boolean {
  const data = associationOf(certificate, record);
  return data !== undefined && data.length === record.certificate.length && timingSafeEqual(data, record.certificate);
}

/** The association data that a record for this certificate would hold; undefined where its key cannot be read. */
export function associationOf(
  certificate: X509Certificate,
  { selector, matchingType }: Pick<TlsaRecord, 'selector' | 'matchingType'>,
): Buffer | undefined {
  const whole = selector === 0 ? certificate.raw : keyOf(certificate);
  if (whole === undefined || matchingType === 0) return whole;
  return createHash(matchingType === 1 ? 'sha256' : 'sha512')
    .update(whole)
    .digest();
}

function keyOf(certificate: X509Certificate): Buffer | undefined {
  try {
    return certificate.publicKey.export({ type: 'spki', format: 'der' });
  } catch {
    return undefined;
  }
}
