/** TLS sessions that a later connection to the same peer resumes, and what was seen of the peer when they were made. */
import type { PeerIdentity } from '../../tls/index.ts';

/** Peers remembered at most. */
const mostPeers = 1_000;

/** Resuming spares both sides the costly part of the handshake. A key names host, address and port. */
export class TlsSessions {
  readonly #tickets = new Map<string, Buffer>();
  /** In a resumed session no certificate is shown again: what was seen first still holds. */
  readonly #seen = new Map<string, PeerIdentity>();

  ticket(key: string): Buffer | undefined {
    return this.#tickets.get(key);
  }

  keepTicket(key: string, ticket: Buffer): void {
    keep(this.#tickets, key, ticket);
  }

  identity(key: string): PeerIdentity | undefined {
    return this.#seen.get(key);
  }

  keepIdentity(key: string, identity: PeerIdentity): void {
    keep(this.#seen, key, identity);
  }

  forget(key: string): void {
    this.#tickets.delete(key);
    this.#seen.delete(key);
  }
}

/** The oldest goes when there are too many. */
function keep<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= mostPeers) return;
  const oldest = map.keys().next();
  if (oldest.done !== true) map.delete(oldest.value);
}
