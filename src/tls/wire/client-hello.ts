/** Writing a ClientHello octet by octet: RFC 8446 §4.1.2 and its predecessors, so that anything may be offered. */
import { uint, uint16s, vector } from './octets.ts';
import { extensions, handshakeTypes, rawPublicKey, recordTypes, versions } from './registries.ts';

export interface Extension {
  readonly type: number;
  readonly data: Buffer;
}

export interface ClientHello {
  /** `legacy_version`: the highest version up to TLS 1.2. */
  readonly version: number;
  /** 32 octets. */
  readonly random: Buffer;
  /** At most 32 octets. */
  readonly sessionId?: Buffer;
  readonly suites: readonly number[];
  /** Default: none but null. 1 is DEFLATE (RFC 3749). */
  readonly compression?: readonly number[];
  /** SSL 3.0 knows none: leave them away there. */
  readonly extensions?: readonly Extension[];
}

/** The handshake message, with its header. Throws RangeError for what does not fit its field. */
export function handshakeOf(hello: ClientHello): Buffer {
  const { version, random, sessionId = Buffer.alloc(0), suites, compression = [0], extensions: list } = hello;
  if (random.length !== 32) throw new RangeError('the random of a hello has 32 octets');
  const body = Buffer.concat([
    uint(version, 2),
    random,
    vector(1, sessionId),
    vector(2, uint16s(suites)),
    vector(1, Buffer.from(compression)),
    list === undefined || list.length === 0 ? Buffer.alloc(0) : vector(2, ...list.map(encodeExtension)),
  ]);
  return Buffer.concat([uint(handshakeTypes.clientHello, 1), vector(3, body)]);
}

/** Puts a handshake message into records of at most 16,384 octets. The first record of TLS says 1.0 at the most (§5.1). */
function recordsOf(type: number, content: Buffer, version: number): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at < content.length; at += 16_384) {
    records.push(uint(type, 1), uint(version, 2), vector(2, content.subarray(at, at + 16_384)));
  }
  return Buffer.concat(records);
}

/** The records that carry a ClientHello. */
export function clientHelloRecords(hello: ClientHello): Buffer {
  return recordsOf(recordTypes.handshake, handshakeOf(hello), Math.min(hello.version, versions.tls1_0));
}

function encodeExtension({ type, data }: Extension): Buffer {
  return Buffer.concat([uint(type, 2), vector(2, data)]);
}

/** What is sent in each extension. */
export const offer = {
  /** RFC 6066 §3: a DNS name, never an address. */
  serverName: (host: string): Extension => ({
    type: extensions.serverName,
    data: vector(2, uint(0, 1), vector(2, Buffer.from(host, 'latin1'))),
  }),
  groups: (list: readonly number[]): Extension => ({
    type: extensions.supportedGroups,
    data: vector(2, uint16s(list)),
  }),
  pointFormats: (): Extension => ({ type: extensions.pointFormats, data: vector(1, Buffer.from([0, 1, 2])) }),
  signatures: (list: readonly number[]): Extension => ({
    type: extensions.signatureAlgorithms,
    data: vector(2, uint16s(list)),
  }),
  versions: (list: readonly number[]): Extension => ({
    type: extensions.supportedVersions,
    data: vector(1, uint16s(list)),
  }),
  /** An empty list asks for a HelloRetryRequest, which names the group that the server wants (§4.2.8). */
  keyShares: (list: readonly { readonly group: number; readonly key: Buffer }[]): Extension => ({
    type: extensions.keyShare,
    data: vector(2, ...list.flatMap(({ group, key }) => [uint(group, 2), vector(2, key)])),
  }),
  pskModes: (): Extension => ({ type: extensions.pskModes, data: vector(1, Buffer.from([1])) }),
  extendedMasterSecret: (): Extension => ({ type: extensions.extendedMasterSecret, data: Buffer.alloc(0) }),
  encryptThenMac: (): Extension => ({ type: extensions.encryptThenMac, data: Buffer.alloc(0) }),
  truncatedHmac: (): Extension => ({ type: extensions.truncatedHmac, data: Buffer.alloc(0) }),
  sessionTicket: (): Extension => ({ type: extensions.sessionTicket, data: Buffer.alloc(0) }),
  renegotiationInfo: (): Extension => ({ type: extensions.renegotiationInfo, data: Buffer.from([0]) }),
  /** RFC 6520 §2: peer_allowed_to_send. */
  heartbeat: (): Extension => ({ type: extensions.heartbeat, data: Buffer.from([1]) }),
  /** RFC 6066 §8: OCSP, no responders, no extensions. */
  statusRequest: (): Extension => ({ type: extensions.statusRequest, data: Buffer.from([1, 0, 0, 0, 0]) }),
  /** RFC 6961 §2.2: one request of type ocsp_multi, as empty as the one above. */
  statusRequestV2: (): Extension => ({
    type: extensions.statusRequestV2,
    data: vector(2, uint(2, 1), vector(2, Buffer.alloc(4))),
  }),
  /** RFC 6066 §5. */
  clientCertificateUrl: (): Extension => ({ type: extensions.clientCertificateUrl, data: Buffer.alloc(0) }),
  /** RFC 7250 §3: raw keys before X.509, for both sides; a server without them goes on with X.509. */
  rawKeys: (): Extension[] =>
    [extensions.clientCertificateType, extensions.serverCertificateType].map((type) => ({
      type,
      data: vector(1, Buffer.from([rawPublicKey, 0])),
    })),
  alpn: (protocols: readonly string[]): Extension => ({
    type: extensions.alpn,
    data: vector(2, ...protocols.map((name) => vector(1, Buffer.from(name, 'latin1')))),
  }),
  timestamps: (): Extension => ({ type: extensions.signedCertificateTimestamp, data: Buffer.alloc(0) }),
  /** RFC 7685: so many octets of zero. */
  padding: (length: number): Extension => ({ type: extensions.padding, data: Buffer.alloc(length) }),
  unknown: (type: number, data: Buffer = Buffer.alloc(0)): Extension => ({ type, data }),
} as const;
