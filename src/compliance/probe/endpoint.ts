/** One place that is tested. */
export interface Endpoint {
  /** Name that the certificate must hold, and SNI; '' for an address alone. */
  readonly host: string;
  /** IP address. */
  readonly address: string;
  readonly port: number;
  /**
   * 'smtp' and 'lmtp' begin in the clear with STARTTLS, 'ldap' with StartTLS; 'smtps' is SMTP inside TLS from the first octet;
   * 'tls' is TLS alone.
   */
  readonly protocol: 'smtp' | 'lmtp' | 'smtps' | 'ldap' | 'tls';
}

/** Where mail for a domain is taken. */
export const mxPort = 25;

/** Where its users hand mail in, on the same hosts: STARTTLS and TLS from the first octet (RFC 6409, RFC 8314). */
export const portsBeside: Readonly<Record<number, Endpoint['protocol']>> = { 465: 'smtps', 587: 'smtp' };

/** 'mx1.example 192.0.2.1:25'; 'mx1.example:25' where no address was found. */
export function endpointText({ host, address, port }: Endpoint): string {
  if (address === '') return `${host}:${port}`;
  const bracketed = address.includes(':') ? `[${address}]` : address;
  return host === '' || host === address ? `${bracketed}:${port}` : `${host} ${bracketed}:${port}`;
}

/** Whether mail is spoken there. */
export function speaksMail({ protocol }: Pick<Endpoint, 'protocol'>): boolean {
  return protocol !== 'tls' && protocol !== 'ldap';
}

/** How polite the tester is, and how long it waits. */
export interface Manners {
  /** Name in EHLO. */
  readonly ehloName: string;
  /** Pause between two connections to one endpoint, in milliseconds. */
  readonly pauseMs: number;
  /** Pause before something that was unclear is tried again; doubled each time. */
  readonly retryPauseMs: number;
  /** How often something unclear is tried in all. */
  readonly tries: number;
  /** For the connection and for each step. */
  readonly stepMs: number;
}

/** Mail hosts ban those who hurry: one connection at a time, a second apart. */
export const politeManners: Manners = {
  ehloName: 'localhost',
  pauseMs: 1000,
  retryPauseMs: 5000,
  tries: 3,
  stepMs: 10_000,
};

/** For hosts of one's own. */
export const swiftManners: Manners = { ...politeManners, pauseMs: 0, retryPauseMs: 500, stepMs: 5000 };
