/** Why a connection is of no use any more. */
export type LossKind =
  /** The peer, or the network, closed it. */
  | 'closed'
  /** A deadline of RFC 5321 §4.5.3.2 passed. */
  | 'timeout'
  /** STARTTLS was refused or not answered, or the handshake broke. */
  | 'tls'
  /** What TLS reached is less than what is demanded. */
  | 'policy'
  /** The peer said no in so many words: `reply` holds them. */
  | 'refused'
  /** The peer sent what is no SMTP. */
  | 'protocol'
  /** We ended it: shutdown, or the content could not be read. */
  | 'aborted';

/** What the connection was doing while it was opened; '' later on. */
export type OpeningStep =
  | ''
  | 'connect'
  | 'greeting'
  | 'EHLO'
  | 'HELO'
  | 'LHLO'
  | 'STARTTLS'
  | 'TLS handshake'
  | 'AUTH';

interface LossOptions extends ErrorOptions {
  readonly step?: OpeningStep;
  readonly status?: string;
}

/** A connection ended before its time. Nobody's bug: a value that is passed on, and thrown only while opening. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
  readonly kind: LossKind;
  /** The peer's last words in one line, if it had any. */
  readonly reply: string | undefined;
  readonly step: OpeningStep;
  /** Enhanced status that says more than the kind: '4.7.323'. */
  readonly status: string | undefined;

  constructor(kind: LossKind, message: string, reply?: string, { step = '', status, ...options }: LossOptions = {}) {
    super(message, options);
    this.kind = kind;
    this.reply = reply;
    this.step = step;
    this.status = status;
  }
}
