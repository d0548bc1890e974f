/** The endpoints of the trap: each is wrong in one way, and says what a careful sender does there. */

/** How mail is received there. */
export interface TrapKind {
  /** 'absent': not offered; 'masked': as boxes on the way strip it. */
  readonly starttls: 'offered' | 'absent' | 'masked' | 'broken';
  readonly certificate: 'good' | 'self-signed' | 'expired' | 'wrong-name' | 'unknown-issuer';
  readonly oldTls?: boolean;
  /** TLSA records: of this key, of another one, or none. */
  readonly tlsa: 'good' | 'other-key' | 'none';
  /** An MTA-STS policy that is enforced: its mx names this host, another one, or there is no policy. */
  readonly sts: 'good' | 'other-host' | 'none';
  readonly requireTls: boolean;
  /** Who must not deliver here: a sender that holds to what the zone publishes, or one that demands TLS with validation. */
  readonly refusedBy: readonly ('dane' | 'mta-sts' | 'validation' | 'encryption' | 'requiretls')[];
  readonly title: string;
}

const open = { starttls: 'offered', certificate: 'good', tlsa: 'none', sts: 'none', requireTls: true } as const;

export const trapKinds: Readonly<Record<string, TrapKind>> = {
  good: { ...open, tlsa: 'good', sts: 'good', refusedBy: [], title: 'nothing is wrong: every sender delivers' },
  plaintext: {
    ...open,
    starttls: 'absent',
    refusedBy: ['encryption', 'validation', 'requiretls'],
    title: 'STARTTLS is not offered',
  },
  'plaintext-dane': {
    ...open,
    starttls: 'absent',
    tlsa: 'good',
    refusedBy: ['dane', 'encryption', 'validation', 'requiretls'],
    title: 'TLSA records are there, STARTTLS is not offered',
  },
  'plaintext-sts': {
    ...open,
    starttls: 'absent',
    sts: 'good',
    refusedBy: ['mta-sts', 'encryption', 'validation', 'requiretls'],
    title: 'an MTA-STS policy is there, STARTTLS is not offered',
  },
  stripped: {
    ...open,
    starttls: 'masked',
    refusedBy: ['encryption', 'validation', 'requiretls'],
    title: 'STARTTLS is masked, as by a box on the way',
  },
  broken: {
    ...open,
    starttls: 'broken',
    refusedBy: ['encryption', 'validation', 'requiretls'],
    title: 'STARTTLS is answered 220, the handshake breaks',
  },
  'self-signed': {
    ...open,
    certificate: 'self-signed',
    refusedBy: ['validation', 'requiretls'],
    title: 'the certificate is self-signed',
  },
  expired: {
    ...open,
    certificate: 'expired',
    refusedBy: ['validation', 'requiretls'],
    title: 'the certificate has expired',
  },
  'wrong-name': {
    ...open,
    certificate: 'wrong-name',
    refusedBy: ['validation', 'requiretls'],
    title: 'the certificate holds another name',
  },
  'unknown-issuer': {
    ...open,
    certificate: 'unknown-issuer',
    refusedBy: ['validation', 'requiretls'],
    title: 'the certificate comes from an unknown authority',
  },
  'old-tls': { ...open, oldTls: true, refusedBy: ['encryption', 'validation', 'requiretls'], title: 'TLS 1.0 only' },
  'tlsa-mismatch': { ...open, tlsa: 'other-key', refusedBy: ['dane'], title: 'the TLSA record names another key' },
  'sts-wrong-mx': {
    ...open,
    sts: 'other-host',
    refusedBy: ['mta-sts'],
    title: 'the MTA-STS policy names another host',
  },
  'sts-untrusted': {
    ...open,
    certificate: 'self-signed',
    sts: 'good',
    refusedBy: ['mta-sts', 'validation', 'requiretls'],
    title: 'an MTA-STS policy is there, the certificate is self-signed',
  },
  'requiretls-absent': { ...open, requireTls: false, refusedBy: ['requiretls'], title: 'REQUIRETLS is not offered' },
};
