/** Certificate revocation lists: RFC 5280 §5. Read as they came, without an object for each of many thousand entries. */
import type { X509Certificate } from 'node:crypto';
import { readCertificate } from '../certificate/parsed-certificate.ts';
import { signatureHolds } from '../der/der-signature.ts';
import {
  contentOf,
  contextTag,
  type DerSlice,
  membersOf,
  onlySlice,
  sliceAt,
  slicesOf,
  sliceTags,
  timeOf,
} from '../der/der-slices.ts';
import { serialOf, subjectOf } from './ocsp.ts';
import { type RevocationAnswer, revokedText, staleness } from './revocation.ts';

/** A list that was verified. */
export interface RevocationList {
  /** The list of entries, its octets. */
  readonly entries: Buffer;
  /** Milliseconds since 1970. */
  readonly until: number;
}

export interface CrlQuestion {
  readonly issuer: X509Certificate;
  /** Where the certificate says that its list is; a partial list must be of one of these places. */
  readonly urls: readonly string[];
  readonly now: number;
}

const oids = {
  distributionPoint: '551d1c',
  deltaIndicator: '551d1b',
  authorityKey: '551d23',
  number: '551d14',
} as const;
/** A list without nextUpdate is kept so long, in milliseconds. */
const shortSpanMs = 60 * 60_000;

/** Reads and verifies DER. Throws RangeError, which says why the list does not count. */
export function readCrl(der: Buffer, { issuer, urls, now }: CrlQuestion): RevocationList {
  const [signed, algorithm, signature] = membersOf(onlySlice(der), sliceTags.sequence, 'the CRL');
  const parsed = readCertificate(issuer.raw);
  if (parsed.keyUsage !== undefined && !parsed.keyUsage.includes('cRLSign'))
    throw new RangeError('the issuer may not sign CRLs');
  const list = fieldsOf(signed);
  if (list.issuer?.whole.equals(subjectOf(issuer)) !== true) throw new RangeError('the CRL is one of another issuer');
  if (!signatureHolds({ signed, algorithm, signature }, issuer.publicKey))
    throw new RangeError('the signature of the CRL does not hold');
  const made = timeOf(list.thisUpdate, 'thisUpdate');
  const next = list.nextUpdate === undefined ? undefined : timeOf(list.nextUpdate, 'nextUpdate');
  const stale = staleness(made, next, now);
  if (stale !== '') throw new RangeError(`the CRL does not count: ${stale}`);
  checkExtensions(list.extensions, urls);
  return { entries: list.entries?.content ?? Buffer.alloc(0), until: next ?? now + shortSpanMs };
}

interface Fields {
  readonly issuer: DerSlice | undefined;
  readonly thisUpdate: DerSlice | undefined;
  readonly nextUpdate: DerSlice | undefined;
  readonly entries: DerSlice | undefined;
  readonly extensions: DerSlice | undefined;
}

/** TBSCertList: version, algorithm, issuer, thisUpdate, nextUpdate, entries, [0] extensions; the others may be missing. */
function fieldsOf(signed: DerSlice | undefined): Fields {
  const fields = membersOf(signed, sliceTags.sequence, 'the content of the CRL');
  const rest = fields[0]?.tag === sliceTags.integer ? fields.slice(1) : fields;
  const [, issuer, thisUpdate, ...others] = rest;
  return {
    issuer,
    thisUpdate,
    nextUpdate: others.find(({ tag }) => tag === sliceTags.utcTime || tag === sliceTags.generalizedTime),
    entries: others.find(({ tag }) => tag === sliceTags.sequence),
    extensions: others.find(({ tag }) => tag === contextTag(0)),
  };
}

/** Throws RangeError for a list that does not stand for all certificates of its place. */
function checkExtensions(extensions: DerSlice | undefined, urls: readonly string[]): void {
  const [list] = extensions === undefined ? [] : membersOf(extensions, contextTag(0), 'the extensions');
  for (const one of list === undefined ? [] : membersOf(list, sliceTags.sequence, 'the extensions')) {
    const parts = membersOf(one, sliceTags.sequence, 'an extension');
    const oid = contentOf(parts[0], sliceTags.objectIdentifier, 'an extension').toString('hex');
    const critical = parts[1]?.tag === sliceTags.boolean && parts[1].content[0] !== 0;
    if (oid === oids.deltaIndicator) throw new RangeError('the CRL tells of changes alone');
    if (oid === oids.distributionPoint)
      checkPoint(contentOf(parts.at(-1), sliceTags.octetString, 'an extension'), urls);
    else if (critical && oid !== oids.authorityKey && oid !== oids.number)
      throw new RangeError('the CRL has a critical extension that is not known here');
  }
}

/** IssuingDistributionPoint: [0] place, [1] users only, [2] authorities only, [3] some reasons, [4] indirect, [5] attributes. */
function checkPoint(value: Buffer, urls: readonly string[]): void {
  for (const { tag, content } of membersOf(onlySlice(value), sliceTags.sequence, 'the place of the CRL')) {
    const number = tag & 0x1f;
    if (number === 3) throw new RangeError('the CRL tells of some reasons alone');
    if ((number === 4 || number === 5) && (content[0] ?? 0) !== 0) throw new RangeError('the CRL is an indirect one');
    if (number !== 0) continue;
    const places = [...slicesOf(content)].flatMap((name) => [...slicesOf(name.content)]);
    const named = places.map((place) => place.content.toString('latin1'));
    if (!named.some((place) => urls.includes(place))) throw new RangeError('the CRL is one of another place');
  }
}

/** Looks a certificate up in a list of its issuer. */
export function findInCrl({ entries, until }: RevocationList, certificate: X509Certificate): RevocationAnswer {
  const serial = serialOf(certificate);
  for (let at = 0; at < entries.length; ) {
    const { whole, content } = sliceAt(entries, at);
    at += whole.length;
    if (!content.subarray(0, serial.length).equals(serial)) continue;
    const [, when, extensions] = [...slicesOf(content)];
    return {
      state: 'revoked',
      reason: `the CRL says ${revokedText(timeOf(when, 'the time'), reasonOf(extensions))}`,
      until,
    };
  }
  return { state: 'good', reason: 'the CRL does not list it', until };
}

/** reasonCode, 2.5.29.21: an ENUMERATED. */
function reasonOf(extensions: DerSlice | undefined): number | undefined {
  const at = extensions?.content.indexOf(Buffer.from('0603551d15', 'hex')) ?? -1;
  return at < 0 ? undefined : extensions?.content.at(-1);
}
