/** What sending asks of the DNS, as a part, so that tests and other resolvers (validating, caching) can take its place. */

/** One MX record; `exchange` without the final dot, '' for the null MX of RFC 7505. */
export interface MxRecord {
  readonly exchange: string;
  readonly priority: number;
}

/** Why a lookup gave nothing. */
export type DnsFault =
  /** The name does not exist (NXDOMAIN). */
  | 'no-such-domain'
  /** The name exists, but has no record of the wanted type. */
  | 'no-record'
  /** No answer in time, SERVFAIL, refused: try again later. */
  | 'temporary';

export class DnsError extends Error {
  override readonly name = 'DnsError';
  readonly fault: DnsFault;

  constructor(fault: DnsFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/** Every method throws DnsError, and nothing else, when it has no record to give. */
export interface MailResolver {
  mx(domain: string, signal: AbortSignal): Promise<readonly MxRecord[]>;
  /** A and AAAA records of a mail exchanger. */
  addresses(host: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Addresses as the machine sees them, the hosts file included: for smart hosts that an administrator named. */
  hostAddresses(host: string, signal: AbortSignal): Promise<readonly string[]>;
}
