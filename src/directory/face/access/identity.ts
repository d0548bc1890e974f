/** Who is on the other side, and who says so: RFC 4513. */
import type { Change } from '../../store/entries/contract.ts';

/** The other end of a connection, as far as the network tells. */
export interface Peer {
  readonly transport: 'tcp' | 'unix';
  /** Address without port; '' for the unix socket. */
  readonly address: string;
  readonly port: number;
  /** Whether a password may travel here: TLS, the unix socket, or a loopback address. */
  readonly confidential: boolean;
  /** Whether TLS is in force. */
  readonly tls: boolean;
  /** The client's certificate; TLS has seen to it that the client holds the key. */
  readonly certificate?: PeerCertificate;
}

export interface PeerCertificate {
  /** Subject as RFC 4514 writes it, most specific RDN first. */
  readonly subject: string;
  /** The certificate in DER. */
  readonly raw: Buffer;
  /** From when until when it is valid, in milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Whether an authority that speaks for this directory has issued it: then the subject is proven. */
  readonly trusted: boolean;
}

/** What a connection acts as. */
export type Principal =
  | { readonly kind: 'anonymous'; readonly dn: '' }
  /** May do everything. */
  | ({ readonly kind: 'administrator' } & BoundAs)
  /** May do what the access policy says. */
  | ({ readonly kind: 'account' } & BoundAs);

interface BoundAs {
  readonly dn: string;
  /** When the account expires, in milliseconds since 1970. */
  readonly until?: number;
}

export const anonymous: Principal = { kind: 'anonymous', dn: '' };

/** The user of the machine who may open the unix socket in the private state directory. */
export const localAdministrator: Principal = { kind: 'administrator', dn: 'CN=Local Administrator' };

/** Why a bind was refused: the `cause` of the LdapError, for the audit log alone. */
export class BindRefusal extends Error {
  override name = 'BindRefusal';
}

/** Checks who binds. Both throw LdapError, invalidCredentials as a rule; they never tell which part was wrong. */
export interface Authenticator {
  /** Simple bind with a name and a password that are not empty. */
  authenticate(name: string, password: Buffer, peer: Peer): Promise<Principal>;
  /** SASL EXTERNAL by client certificate. Without it certificates prove nothing here. */
  authenticateCertificate?(certificate: PeerCertificate, peer: Peer): Promise<Principal>;
  /** What someone who has bound is now; undefined when he may not bind any more. Without it a bind holds to the end. */
  current?(principal: Principal): Principal | undefined;
  /** Hears of every change of the directory. */
  changed?(changes: readonly Change[]): void;
}

/** Authorization identity as Who am I? gives it: RFC 4513 §5.2.1.8, RFC 4532 §2. */
export function authorizationId(principal: Principal): string {
  return principal.kind === 'anonymous' ? '' : `dn:${principal.dn}`;
}
