/** TLS contexts, prepared ahead: a STARTTLS waits for none. They hold the keys, where no script can reach them. */
import { createHash, hkdfSync, type KeyObject } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { type ServerTlsSettings, serverTlsSettings } from '../tls/index.ts';
import { attempt } from './key-material.ts';

/** One certificate with its key, as a context takes it. */
export interface ContextPart {
  readonly thumbprint: string;
  readonly key: KeyObject;
  readonly chainPem: string;
}

/** How a listener uses its certificates. */
export interface ContextUse {
  readonly settings?: ServerTlsSettings;
  /**
   * What a ticket may be resumed on: connector and client policy. Tickets of another use neither decrypt nor belong here.
   * Absent: 'default'.
   */
  readonly sessionContext?: string;
  /** Clients are asked for a certificate. */
  readonly clients?: boolean;
  /** Sessions are never resumed: every client shows its whole chain and is judged afresh. */
  readonly fresh?: boolean;
}

/** Contexts by certificates and use; made once, for as long as neither changes. */
export class TlsContexts {
  readonly #known = new Map<string, SecureContext>();
  #ticketSecret: Buffer | undefined;

  /** Bound on what connectors that come and go leave behind. */
  static readonly most = 1000;

  /** All workers hold the same secret, so that a client may come back to any of them. Rotating it ends old tickets. */
  shareTickets(secret: Buffer): void {
    this.#ticketSecret = secret;
    this.#known.clear();
  }

  /** Forgets all: a certificate came or went. */
  clear(): void {
    this.#known.clear();
  }

  /** Throws CertificateError for a key or certificate that TLS does not take. */
  of(parts: readonly ContextPart[], use: ContextUse = {}): SecureContext {
    const id = idOf(parts, use);
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const made = makeContext(parts, use, this.#ticketSecret);
    if (this.#known.size >= TlsContexts.most) this.#known.clear();
    this.#known.set(id, made);
    return made;
  }
}

function idOf(parts: readonly ContextPart[], { settings, sessionContext, clients, fresh }: ContextUse): string {
  const text = JSON.stringify([parts.map(({ thumbprint }) => thumbprint), settings, sessionContext, clients, fresh]);
  return createHash('sha256').update(text).digest('base64');
}

/** SSL_OP_NO_TICKET of OpenSSL: with it TLS 1.3 keeps sessions in a cache, and Node has none unless it is asked for. */
const noTicket = 0x4000;

function makeContext(parts: readonly ContextPart[], use: ContextUse, ticketSecret: Buffer | undefined): SecureContext {
  const { settings = serverTlsSettings(null, null), sessionContext = 'default', fresh = false } = use;
  const id = createHash('sha256').update(sessionContext).digest();
  const tickets =
    ticketSecret === undefined
      ? {}
      : { ticketKeys: Buffer.from(hkdfSync('sha256', ticketSecret, id, 'edge tls tickets', 48)) };
  return attempt('TLS does not take this key or certificate', () =>
    createSecureContext({
      key: parts.map(({ key }) => key.export({ type: 'pkcs8', format: 'pem' })),
      cert: parts.map(({ chainPem }) => chainPem),
      ...settings,
      sessionIdContext: id.toString('hex').slice(0, 32),
      ...(fresh ? { secureOptions: noTicket } : tickets),
    }),
  );
}
