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

interface DnsErrorOptions extends ErrorOptions {
  readonly secure?: boolean;
}

export class DnsError extends Error {
  override readonly name = 'DnsError';
  readonly fault: DnsFault;
  /** The denial itself is DNSSEC-secure. */
  readonly secure: boolean;

  constructor(fault: DnsFault, message: string, { secure = false, ...options }: DnsErrorOptions = {}) {
    super(message, options);
    this.fault = fault;
    this.secure = secure;
  }
}

export interface MxAnswer {
  /** Empty: the domain exists and has no MX record. */
  readonly records: readonly MxRecord[];
  /** DNSSEC-secure, by a resolver that is believed. */
  readonly secure: boolean;
}

export interface AddressAnswer {
  readonly addresses: readonly string[];
  /** As of MxAnswer; aliases on the way included. */
  readonly secure: boolean;
  /** Names that the question was led through by CNAME records; the last one has the addresses. */
  readonly aliases: readonly string[];
}

/** Every method throws DnsError, and nothing else, when it has no record to give. */
export interface MailResolver {
  mx(domain: string, signal: AbortSignal): Promise<MxAnswer>;
  /** A and AAAA records of a mail exchanger. */
  addresses(host: string, signal: AbortSignal): Promise<AddressAnswer>;
  /** Addresses as the machine sees them, the hosts file included: for smart hosts that an administrator named. */
  hostAddresses(host: string, signal: AbortSignal): Promise<AddressAnswer>;
}
