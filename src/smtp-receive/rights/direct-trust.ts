/**
 * Direct trust between an edge and the servers of the organization: a client that proved in the handshake that it holds a
 * key which the directory pins is the server that the key belongs to. Names, dates and issuers of the certificate mean
 * nothing: it is a way to show a key.
 */
import { keyDigestOf } from '../../base/index.ts';
import type { InternalServer, ReceiveConnector } from '../../config/index.ts';
import type { ShownChain } from './client-certificate.ts';
import { internalServer, type Principal } from './principal.ts';

/** Who is known by which key, by the digest of the key. */
export type PinnedKeys = ReadonlyMap<string, Principal>;

/** What the key of a client says. */
export interface TrustVerdict {
  /** Undefined: nobody that is known. */
  readonly server: Principal | undefined;
  /** SHA-256, base64url; '' where none was shown. */
  readonly key: string;
  /** Why it is nobody; '' otherwise. */
  readonly reason: string;
}

/** Of a connector with AuthMechanism ExchangeServer; undefined where nobody can be recognized, and nobody is asked. */
export function pinnedKeysOf(
  { authMechanism }: Pick<ReceiveConnector, 'authMechanism'>,
  servers: readonly InternalServer[],
): PinnedKeys | undefined {
  if (!authMechanism.includes('ExchangeServer') || !authMechanism.includes('Tls')) return undefined;
  const keys = servers.flatMap(({ name, keys }) => keys.map((key) => [key, internalServer(name)] as const));
  return keys.length === 0 ? undefined : new Map(keys);
}

/** Whom the client's key belongs to. The handshake proved that it holds the key of the leaf. */
export function recognize(pinned: PinnedKeys, { certificates: [leaf] }: ShownChain): TrustVerdict {
  if (leaf === undefined) return { server: undefined, key: '', reason: 'the client showed no certificate' };
  const key = keyDigestOf(leaf);
  if (key === undefined)
    return { server: undefined, key: '', reason: "the key of the client's certificate cannot be read" };
  const server = pinned.get(key);
  return { server, key, reason: server === undefined ? 'no internal server has this key' : '' };
}
