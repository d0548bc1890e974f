/**
 * The TLS handshake octet by octet, for the compliance tester: ClientHellos of any version and content, and reading what
 * a server answers, as far as a tester must see it. It knows no socket. Connections that carry mail belong to OpenSSL,
 * which refuses to offer what must be tested. RFC 8446, RFC 5246, RFC 6101, and the hello of SSL 2.0.
 */

export {
  suiteName,
  suitesOfVersion,
  suiteTraits,
} from './cipher-suites.ts';
export { type ClientHello, clientHelloRecords, type Extension, handshakeOf, offer } from './client-hello.ts';
export { type KeyShare, makeKeyShare, shareable } from './key-share.ts';
export { HandshakeReader, RecordReader, type TlsRecord } from './records.ts';
export {
  curves12,
  extensions,
  finiteFields,
  grease,
  groupName,
  groups13,
  handshakeTypes,
  recordTypes,
  signals,
  signatureName,
  signatureSchemes,
  type VersionName,
  versionName,
  versions,
} from './registries.ts';
export { type Flight, ServerFlight } from './server-flight.ts';
export { readTicket } from './server-messages.ts';
export { readSsl2ServerHello, ssl2ClientHello } from './ssl2.ts';
