/** Questions to OCSP responders and what their answers are worth: RFC 6960, RFC 9654 (no nonce: answers may be cached). */
import { createHash, X509Certificate } from 'node:crypto';
import { readCertificate } from '../certificate/parsed-certificate.ts';
import { signatureHolds } from '../der/der-signature.ts';
import { contentOf, contextTag, type DerSlice, membersOf, onlySlice, sliceTags, timeOf } from '../der/der-slices.ts';
import { type RevocationAnswer, revokedText, staleness } from './revocation.ts';

/** Whose state is asked about, and who issued it. */
export interface OcspQuestion {
  readonly certificate: X509Certificate;
  readonly issuer: X509Certificate;
}

/** id-sha1: the only hash that every responder knows in a CertID; it finds the issuer and proves nothing. */
const sha1 = Buffer.from('300906052b0e03021a0500', 'hex');
const basicResponse = '2b0601050507300101';
/** An answer without nextUpdate may be kept so long, in milliseconds. */
const shortSpanMs = 60 * 60_000;
/** Certificates of responders that are looked at. */
const mostSigners = 4;

/** DER of the request. Throws RangeError for a certificate that does not read. */
export function ocspRequest(question: OcspQuestion): Buffer {
  const request = sequence(sequence(certId(question)));
  return sequence(sequence(request));
}

/** RFC 6960 §4.1.1: hashes of the issuer's name and key, and the serial number. */
function certId({ certificate, issuer }: OcspQuestion): Buffer {
  const hash = (octets: Buffer): Buffer => element(sliceTags.octetString, createHash('sha1').update(octets).digest());
  const { name, key } = identityOf(issuer);
  return sequence(sha1, hash(name), hash(key), serialOf(certificate));
}

/** RFC 5280 §4.1: [0] version, serial, algorithm, issuer, validity, subject, key. */
function fieldsOf(certificate: X509Certificate): readonly DerSlice[] {
  const [tbs] = membersOf(onlySlice(certificate.raw), sliceTags.sequence, 'the certificate');
  const fields = membersOf(tbs, sliceTags.sequence, 'the certificate');
  return fields[0]?.tag === contextTag(0) ? fields.slice(1) : fields;
}

/** Subject and key octets, as CertID and ResponderID hash them. */
function identityOf(certificate: X509Certificate): { name: Buffer; key: Buffer } {
  const [, , , , subject, keyInfo] = fieldsOf(certificate);
  const [, bits] = membersOf(keyInfo, sliceTags.sequence, 'the key');
  return {
    name: subject?.whole ?? Buffer.alloc(0),
    key: contentOf(bits, sliceTags.bitString, 'the key').subarray(1),
  };
}

/** The subject as it is encoded. */
export function subjectOf(certificate: X509Certificate): Buffer {
  return identityOf(certificate).name;
}

/** The serial number as it is encoded, header and all. */
export function serialOf(certificate: X509Certificate): Buffer {
  const [serial] = fieldsOf(certificate);
  contentOf(serial, sliceTags.integer, 'the serial number');
  return serial?.whole ?? Buffer.alloc(0);
}

/** RFC 6960 §4.2.1. */
const statuses: Readonly<Record<number, string>> = {
  1: 'malformedRequest',
  2: 'internalError',
  3: 'tryLater',
  5: 'sigRequired',
  6: 'unauthorized',
};

/** Judges a response. Pure. Throws RangeError, which says why it does not count. `now`: milliseconds since 1970. */
export function readOcspResponse(der: Buffer, question: OcspQuestion, now: number): RevocationAnswer {
  const [status, bytes] = membersOf(onlySlice(der), sliceTags.sequence, 'the OCSP response');
  const code = contentOf(status, sliceTags.enumerated, 'the status of the OCSP response')[0] ?? 0;
  if (code !== 0) throw new RangeError(`the responder says ${statuses[code] ?? String(code)}`);
  const [wrapped] = membersOf(bytes, contextTag(0), 'the content of the OCSP response');
  const [type, content] = membersOf(wrapped, sliceTags.sequence, 'the content of the OCSP response');
  if (contentOf(type, sliceTags.objectIdentifier, 'the type of the OCSP response').toString('hex') !== basicResponse)
    throw new RangeError('the OCSP response is of an unknown type');
  const basic = onlySlice(contentOf(content, sliceTags.octetString, 'the content of the OCSP response'));
  const [signed, algorithm, signature, certificates] = membersOf(basic, sliceTags.sequence, 'the OCSP response');
  const data = membersOf(signed, sliceTags.sequence, 'the data of the OCSP response');
  const [responder, , responses] = data[0]?.tag === contextTag(0) ? data.slice(1) : data;
  const signer = signerOf(responder, certificates, question.issuer, now);
  if (!signatureHolds({ signed, algorithm, signature }, signer.publicKey))
    throw new RangeError('the signature of the OCSP response does not hold');
  return answerFrom(membersOf(responses, sliceTags.sequence, 'the list of answers'), question, now);
}

/** RFC 6960 §4.2.2.2: the issuer itself, or whom it issued a certificate for OCSPSigning. Throws RangeError. */
function signerOf(
  responder: DerSlice | undefined,
  certificates: DerSlice | undefined,
  issuer: X509Certificate,
  now: number,
): X509Certificate {
  if (isResponder(responder, issuer)) return issuer;
  const [list] = certificates === undefined ? [] : membersOf(certificates, contextTag(0), 'the certificates');
  const shown = list === undefined ? [] : membersOf(list, sliceTags.sequence, 'the certificates');
  for (const { whole } of shown.slice(0, mostSigners)) {
    const candidate = certificateOf(whole);
    if (candidate === undefined || !isResponder(responder, candidate)) continue;
    const fault = signerFault(candidate, issuer, now);
    if (fault === '') return candidate;
    throw new RangeError(`the responder may not answer: ${fault}`);
  }
  throw new RangeError('the responder is neither the issuer nor one that shows its certificate');
}

function certificateOf(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    // What OpenSSL does not read signs nothing.
    return undefined;
  }
}

function signerFault(candidate: X509Certificate, issuer: X509Certificate, now: number): string {
  const { extendedKeyUsage = [], notBefore, notAfter, unknownCritical } = readCertificate(candidate.raw);
  if (!candidate.checkIssued(issuer) || !candidate.verify(issuer.publicKey))
    return 'its certificate is not of the issuer that it answers for';
  if (!extendedKeyUsage.includes('OCSPSigning')) return 'its certificate lacks the purpose OCSPSigning';
  if (now < notBefore || now > notAfter) return 'its certificate is not valid now';
  return unknownCritical.length > 0 ? 'its certificate has a critical extension that is not known here' : '';
}

/** ResponderID: [1] name or [2] SHA-1 of the key. */
function isResponder(responder: DerSlice | undefined, certificate: X509Certificate): boolean {
  const { name, key } = identityOf(certificate);
  if (responder?.tag === contextTag(1)) return responder.content.equals(name);
  const hash = onlySlice(contentOf(responder, contextTag(2), 'the name of the responder'));
  return contentOf(hash, sliceTags.octetString, 'the name of the responder').equals(
    createHash('sha1').update(key).digest(),
  );
}

function answerFrom(answers: readonly DerSlice[], question: OcspQuestion, now: number): RevocationAnswer {
  const wanted = certId(question);
  for (const answer of answers) {
    const [id, status, thisUpdate, next] = membersOf(answer, sliceTags.sequence, 'an answer');
    if (id === undefined || !sameId(id, wanted)) continue;
    const made = timeOf(thisUpdate, 'thisUpdate');
    const [nextTime] = next?.tag === contextTag(0) ? membersOf(next, contextTag(0), 'nextUpdate') : [];
    const nextUpdate = nextTime === undefined ? undefined : timeOf(nextTime, 'nextUpdate');
    const stale = staleness(made, nextUpdate ?? made + 24 * shortSpanMs, now);
    if (stale !== '') throw new RangeError(`the OCSP response does not count: ${stale}`);
    return { ...stateOf(status), until: nextUpdate ?? now + shortSpanMs };
  }
  throw new RangeError('the OCSP response tells of other certificates');
}

/** Responders write the parameters of SHA-1 as NULL or leave them away: the rest must be the same octets. */
function sameId(id: DerSlice, wanted: Buffer): boolean {
  const plain = (slice: DerSlice): string =>
    membersOf(slice, sliceTags.sequence, 'an answer')
      .slice(1)
      .map(({ whole }) => whole.toString('hex'))
      .join();
  return plain(id) === plain(onlySlice(wanted));
}

/** CertStatus: [0] good, [1] revoked with time and reason, [2] unknown. */
function stateOf(status: DerSlice | undefined): Pick<RevocationAnswer, 'state' | 'reason'> {
  if (status?.tag === contextTag(0, false)) return { state: 'good', reason: 'OCSP says good' };
  if (status?.tag !== contextTag(1)) throw new RangeError('the responder does not know the certificate');
  const [at, why] = membersOf(status, contextTag(1), 'the revocation');
  const [code] = why === undefined ? [] : membersOf(why, contextTag(0), 'the reason');
  return { state: 'revoked', reason: `OCSP says ${revokedText(timeOf(at, 'the time'), code?.content[0])}` };
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return element(sliceTags.sequence, Buffer.concat(parts));
}

/** Everything in a request is shorter than 64 KB. */
function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const header =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}
