/** Who is on the other side, and who says so: RFC 4513. */

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
  /** The client's certificate, when TLS asked for one and OpenSSL found its chain valid. */
  readonly certificate?: PeerCertificate;
}

export interface PeerCertificate {
  /** Subject as RFC 4514 writes it, most specific RDN first. */
  readonly subject: string;
  /** SHA-256 of the certificate, hexadecimal in upper case, colons between. */
  readonly fingerprint: string;
}

/** What a connection acts as. */
export type Principal =
  | { readonly kind: 'anonymous'; readonly dn: '' }
  /** May do everything. */
  | { readonly kind: 'administrator'; readonly dn: string }
  /** May do what the access policy says. */
  | { readonly kind: 'account'; readonly dn: string };

export const anonymous: Principal = { kind: 'anonymous', dn: '' };

/** The user of the machine who may open the unix socket in the private state directory. */
export const localAdministrator: Principal = { kind: 'administrator', dn: 'CN=Local Administrator' };

/** Checks who binds. Both throw LdapError, invalidCredentials as a rule; they never tell which part was wrong. */
export interface Authenticator {
  /** Simple bind with a name and a password that are not empty. */
  authenticate(name: string, password: Buffer, peer: Peer): Promise<Principal>;
  /** SASL EXTERNAL by client certificate. Without it certificates prove nothing here. */
  authenticateCertificate?(certificate: PeerCertificate, peer: Peer): Promise<Principal>;
}

/** Authorization identity as Who am I? gives it: RFC 4513 §5.2.1.8, RFC 4532 §2. */
export function authorizationId(principal: Principal): string {
  return principal.kind === 'anonymous' ? '' : `dn:${principal.dn}`;
}
