/** What the LDAP face tells the service log. Never a password, never a value of an entry. */
import type { Peer } from './access/identity.ts';

export type FaceEvent =
  | { readonly kind: 'connected'; readonly connection: string; readonly peer: Peer }
  | { readonly kind: 'refused'; readonly address: string; readonly reason: string }
  /** Refusals of one source that have no line of their own, because there were too many. */
  | { readonly kind: 'omitted'; readonly address: string; readonly refusals: number }
  | { readonly kind: 'disconnected'; readonly connection: string; readonly reason: string }
  | { readonly kind: 'tls'; readonly connection: string; readonly protocol: string; readonly cipher: string }
  /** Every attempt to bind; `dn` as sent where it failed. `reason` says more than the client is told. */
  | {
      readonly kind: 'bind';
      readonly connection: string;
      readonly address: string;
      readonly tls: boolean;
      readonly dn: string;
      readonly method: string;
      readonly code: number;
      readonly reason?: string;
    }
  /** Every attempt to write; `attributes` and `newName` as far as the request says. */
  | {
      readonly kind: 'write';
      readonly connection: string;
      readonly address: string;
      readonly operation: string;
      readonly dn: string;
      readonly actor: string;
      readonly code: number;
      readonly attributes?: readonly string[];
      readonly newName?: string;
      readonly reason?: string;
    }
  /** A connection is ended because its account may not act any more as it did. */
  | { readonly kind: 'revoked'; readonly connection: string; readonly address: string; readonly dn: string }
  /** An access rule that cannot be read and gives nothing. */
  | { readonly kind: 'rule'; readonly dn: string; readonly rule: string; readonly reason: string }
  /** A bug: the client was answered `other`. */
  | { readonly kind: 'fault'; readonly connection: string; readonly error: unknown };

/** Takes events. Must not throw. */
export type FaceLog = (event: FaceEvent) => void;
