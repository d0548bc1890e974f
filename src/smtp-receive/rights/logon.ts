/** Who checks the names and passwords, and the certificates, of SMTP clients. */
import type { Principal } from './principal.ts';

export interface LogonRequest {
  readonly name: string;
  readonly password: string;
  /** Of the SMTP client: guesses are counted by it. */
  readonly address: string;
}

/** AUTH EXTERNAL: the client has proved in the handshake that it holds the key of this certificate. */
export interface CertificateLogonRequest {
  /** DER. */
  readonly certificate: Buffer;
  readonly address: string;
}

/** 'refused' for every reason that lies with the client; 'unavailable': nobody can say now. */
export type LogonAnswer =
  | { readonly kind: 'accepted'; readonly principal: Principal }
  | { readonly kind: 'refused' | 'unavailable' };

export interface LogonChecker {
  /** Takes as long for an unknown name as for a wrong password. Never rejects, and answers within a limit of its own. */
  check(request: LogonRequest): Promise<LogonAnswer>;
  /** Which account has this very certificate. */
  checkCertificate(request: CertificateLogonRequest): Promise<LogonAnswer>;
}
