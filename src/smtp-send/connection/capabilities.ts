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
  /** XOORG of Exchange: MAIL may say which organization the message is of. */
  readonly oorg: boolean;
  /** RFC 9422: MAIL commands of a session, recipients and domains of recipients of a transaction; Infinity: nothing is said. */
  readonly mailMax: number;
  readonly rcptMax: number;
  readonly rcptDomainMax: number;
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
  oorg: false,
  mailMax: Number.POSITIVE_INFINITY,
  rcptMax: Number.POSITIVE_INFINITY,
  rcptDomainMax: Number.POSITIVE_INFINITY,
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
    oorg: offered.has('XOORG'),
    mailMax: limitOf(offered.get('LIMITS'), 'MAILMAX'),
    rcptMax: limitOf(offered.get('LIMITS'), 'RCPTMAX'),
    rcptDomainMax: limitOf(offered.get('LIMITS'), 'RCPTDOMAINMAX'),
    auth: (offered.get('AUTH') ?? []).map((name) => name.toUpperCase()),
  };
}

/** RFC 9422 §4: name and value stand behind each other here; what is no number of one to six digits says nothing. */
function limitOf(limits: readonly string[] | undefined, name: string): number {
  const at = limits?.findIndex((word) => word.toUpperCase() === name) ?? -1;
  const value = at < 0 ? '' : (limits?.[at + 1] ?? '');
  return /^[1-9]\d{0,5}$/.test(value) ? Number(value) : Number.POSITIVE_INFINITY;
}
