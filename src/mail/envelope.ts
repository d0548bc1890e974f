/** The SMTP envelope: RFC 5321 §2.3.1, with the parameters of RFC 3461 (DSN), RFC 6152 (8BITMIME), RFC 3030 (BINARYMIME) RFC 6531 (SMTPUTF8) and RFC 8689 (REQUIRETLS). */

/** When the sender of a message wants to hear about a recipient (RFC 3461 §4.1). */
export type Notify = 'NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY';

export interface EnvelopeRecipient {
  /** The mailbox, parsed and checked: exactly one, without angle brackets. */
  readonly address: string;
  /** Domain of the address, lower case, A-labels. */
  readonly domain: string;
  /** Absent: the sender gave no NOTIFY. */
  readonly notify?: readonly Notify[];
  /** ORCPT as received, decoded: 'rfc822;user@example.com'. */
  readonly orcpt?: string;
}

export interface Envelope {
  /** Reverse path without angle brackets; '' for the null sender. */
  readonly from: string;
  readonly recipients: readonly EnvelopeRecipient[];
  /** BODY= as declared; 7BIT when absent. */
  readonly body: '7BIT' | '8BITMIME' | 'BINARYMIME';
  readonly smtpUtf8: boolean;
  /** RET= (RFC 3461 §4.3). */
  readonly ret?: 'FULL' | 'HDRS';
  /** ENVID=, decoded (RFC 3461 §4.4). */
  readonly envid?: string;
  /**
   * RFC 8689. 'required': MAIL had REQUIRETLS, every hop must verify the next one. 'optional': the header says
   * `TLS-Required: No`, policies of the recipient's domain do not keep it back. Absent: neither.
   */
  readonly tls?: 'required' | 'optional';
}
