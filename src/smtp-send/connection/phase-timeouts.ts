/** How long the client waits, in milliseconds: RFC 5321 §4.5.3.2. Each is a deadline, not a silence: dripping does not extend it. */
export interface PhaseTimeouts {
  /** TCP connection to one address. */
  readonly connectMs: number;
  /** §4.5.3.2.1: the greeting. */
  readonly greetingMs: number;
  /** EHLO, HELO, LHLO, STARTTLS and the TLS handshake, each. */
  readonly helloMs: number;
  /** §4.5.3.2.2 */
  readonly mailMs: number;
  /** §4.5.3.2.3 */
  readonly rcptMs: number;
  /** §4.5.3.2.4: the reply to DATA. */
  readonly dataMs: number;
  /** §4.5.3.2.5: one block of content taken by the peer. */
  readonly blockMs: number;
  /** §4.5.3.2.6: the reply to the final dot. Shorter means duplicates. */
  readonly finalMs: number;
  /** The reply to QUIT: nothing depends on it. */
  readonly quitMs: number;
  /** All of one delivery up to the first MAIL, whatever the number of hosts: a host that answers just in time must not hold a place for hours. */
  readonly openingMs: number;
  /** One message from MAIL to the final reply; to it comes the time that its content takes at `slowestBytesPerSecond`. */
  readonly messageMs: number;
}

/** A slower peer than a modem gets no content to its end. */
export const slowestBytesPerSecond = 4 * 1024;

export const rfcTimeouts: PhaseTimeouts = {
  connectMs: 30_000,
  greetingMs: 300_000,
  helloMs: 300_000,
  mailMs: 300_000,
  rcptMs: 300_000,
  dataMs: 120_000,
  blockMs: 180_000,
  finalMs: 600_000,
  quitMs: 1_000,
  openingMs: 30 * 60_000,
  messageMs: 60 * 60_000,
};

/** The same with every wait up to MAIL cut at `limitMs`. */
export function within(timeouts: PhaseTimeouts, limitMs: number): PhaseTimeouts {
  const cut = (ms: number): number => Math.min(ms, limitMs);
  return {
    ...timeouts,
    connectMs: cut(timeouts.connectMs),
    greetingMs: cut(timeouts.greetingMs),
    helloMs: cut(timeouts.helloMs),
    openingMs: cut(timeouts.openingMs),
  };
}
