/** What a TLS report (RFC 8460) tells of one connection: which policy applied, and how it went. */
import type { TlsFailure } from './tls-failure.ts';

/** A policy as its domain publishes it. RFC 8460 §4.4. */
export interface PublishedPolicy {
  readonly type: 'tlsa' | 'sts' | 'no-policy-found';
  /** TLSA records, or the lines of an STS policy. */
  readonly lines: readonly string[];
  /** `mx` patterns of an STS policy. */
  readonly mx: readonly string[];
}

export interface TlsOutcome {
  /** Recipient domain. */
  readonly domain: string;
  readonly policy: PublishedPolicy;
  readonly mxHost: string;
  /** Address of the host. */
  readonly ip: string;
  /** Our own address on the connection; absent where there was none. */
  readonly sendingIp?: string;
  /** Absent: it went well. */
  readonly failure?: { readonly type: TlsFailure; readonly reason: string };
}

/** Who counts outcomes, one for each connection and policy. */
export interface TlsOutcomes {
  /** False: nobody wants to know, and nothing is told. */
  readonly wanted: boolean;
  count(outcome: TlsOutcome): void;
}

export const noPolicy: PublishedPolicy = { type: 'no-policy-found', lines: [], mx: [] };
