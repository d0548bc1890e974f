/** What a peer offered in its answer to EHLO or LHLO. */
export interface Capabilities {
  /** RFC 2920 */
  readonly pipelining: boolean;
  /** RFC 6152 */
  readonly eightBitMime: boolean;
  /** RFC 3030, with CHUNKING: any octets may be sent by BDAT. */
  readonly binaryMime: boolean;
  /** RFC 6531 */
  readonly smtpUtf8: boolean;
  /** RFC 3461 */
  readonly dsn: boolean;
  /** RFC 1870: the parameter may be sent. */
  readonly size: boolean;
  /** Largest message in octets that the peer takes; Infinity when it gave no limit. */
  readonly maxSize: number;
  /** RFC 8689: the peer holds the hops behind it to TLS. */
  readonly requireTls: boolean;
  /** SASL mechanisms, upper case (RFC 4954). */
  readonly auth: readonly string[];
}

/** What a peer that only knows HELO offers. */
export const noCapabilities: Capabilities = {
  pipelining: false,
  eightBitMime: false,
  binaryMime: false,
  smtpUtf8: false,
  dsn: false,
  size: false,
  maxSize: Number.POSITIVE_INFINITY,
  requireTls: false,
  auth: [],
};

/**
 * Reads the reply to EHLO. Its first line is a greeting, not a keyword (RFC 5321 §4.1.1.1): nodemailer searches the whole
 * text and takes a host called `smtp-dsn.example` for one that offers DSN.
 */
export function parseCapabilities(reply: string): Capabilities {
  const offered = new Map<string, string[]>();
  for (const line of reply.split('\n').slice(1)) {
    const [keyword = '', ...parameters] = line
      .slice(4)
      .trim()
      .split(/[ \t=]+/);
    offered.set(keyword.toUpperCase(), parameters);
  }
  // RFC 1870 §4: zero, or no number, says that there is no fixed limit.
  const limit = Number(offered.get('SIZE')?.[0] ?? 0);
  return {
    pipelining: offered.has('PIPELINING'),
    eightBitMime: offered.has('8BITMIME'),
    binaryMime: offered.has('BINARYMIME') && offered.has('CHUNKING'),
    smtpUtf8: offered.has('SMTPUTF8'),
    dsn: offered.has('DSN'),
    size: offered.has('SIZE'),
    maxSize: limit > 0 ? limit : Number.POSITIVE_INFINITY,
    requireTls: offered.has('REQUIRETLS'),
    auth: (offered.get('AUTH') ?? []).map((name) => name.toUpperCase()),
  };
}
