/** How well a connection is protected, from what its TLS socket reports. */

/** `socket.getProtocol()` and `socket.getCipher()`; key exchange from `getEphemeralKeyInfo()` (clients only). */
export interface NegotiatedTls {
  readonly protocol: string;
  readonly cipher: string;
  readonly standardName?: string;
  readonly keyExchange?: { readonly type?: string; readonly name?: string; readonly size?: number };
}

export interface TlsDescription {
  /** Exchange's spelling: 'TLS1_3'. */
  readonly protocol: string;
  /** IANA name: 'TLS_AES_256_GCM_SHA384'. */
  readonly cipher: string;
  /** Symmetric strength in bits; 0: unknown. */
  readonly bits: number;
  /** 'X25519', 'ECDH P-256', 'RSA' …; '' when unknown. */
  readonly keyExchange: string;
  readonly forwardSecret: boolean;
  /** `version=TLS1_3, cipher=…`, as in Received. */
  readonly received: string;
  /** One sentence for protocol logs. */
  readonly text: string;
}

/** Strength by a part of the cipher's name; the first that occurs counts. */
const strengths: readonly (readonly [part: RegExp, bits: number])[] = [
  [/AES_?256|CHACHA20|CAMELLIA_?256|ARIA_?256/, 256],
  [/AES_?128|CAMELLIA_?128|ARIA_?128|RC4|SEED/, 128],
  [/3DES/, 112],
];

/** Puts what OpenSSL reports into the words that logs, Received fields and events use. */
export function describeTls(facts: NegotiatedTls): TlsDescription {
  const protocol = facts.protocol.replace(/^TLSv1(?:\.(\d))?$/, (_, minor = '0') => `TLS1_${String(minor)}`);
  const cipher = facts.standardName ?? facts.cipher;
  const bits = strengths.find(([part]) => part.test(cipher))?.[1] ?? 0;
  const keyExchange = keyExchangeOf(facts, protocol);
  const mac = /SHA\d*$|MD5$/.exec(cipher)?.[0] ?? 'AEAD';
  return {
    protocol,
    cipher,
    bits,
    keyExchange,
    forwardSecret: protocol === 'TLS1_3' || /DHE/.test(cipher),
    received: `version=${protocol}, cipher=${cipher}`,
    text: `TLS protocol ${protocol} negotiation succeeded using cipher ${cipher} with strength ${bits} bits, MAC hash algorithm ${mac} and key exchange algorithm ${keyExchange === '' ? 'unknown' : keyExchange}`,
  };
}

function keyExchangeOf({ keyExchange = {}, cipher, standardName = cipher }: NegotiatedTls, protocol: string): string {
  const { type = '', name = '', size } = keyExchange;
  if (type !== '') return name === '' ? `${type}${size === undefined ? '' : ` ${size}`}` : `${type} ${name}`;
  if (protocol === 'TLS1_3') return '';
  return /ECDHE|DHE/.exec(standardName)?.[0] ?? 'RSA';
}
