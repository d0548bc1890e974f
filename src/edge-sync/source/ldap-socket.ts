/** The socket of a reading LDAP connection, and why there is none, in words of ours. */
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { LdapError } from '../../ldap/index.ts';

export interface SocketOptions {
  /** `ldap://` or `ldaps://`. */
  readonly url: string;
  /** For ldaps. */
  readonly tls?: ConnectionOptions;
  /** Silence after which the connection is given up, in milliseconds. Default: 60 s. */
  readonly timeoutMs?: number;
}

/** Why there is no connection. What OpenSSL and Node say of a certificate names options that are not ours. */
function connectionFault({ message, code = '' }: NodeJS.ErrnoException): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `its certificate is of another name: use one of it (${message})`;
  return /^(?:SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER))/.test(code)
    ? 'its certificate is of no authority that is trusted here: name the PEM file of its authority by --ca FILE'
    : message;
}

/** Connects; for ldaps the handshake is done, too. Throws LdapError. */
export function socketTo({ url, tls = {}, timeoutMs = 60_000 }: SocketOptions): Promise<Socket> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const secure = protocol === 'ldaps:';
  const target = { host, port: Number(port || (secure ? 636 : 389)) };
  return new Promise((resolve, reject) => {
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const socket = secure ? connectTls({ ...target, ...servername, ...tls }) : connectPlain(target);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`${url}: no answer within ${timeoutMs / 1000} s`)));
    const fail = (error: Error): void =>
      reject(new LdapError('unavailable', `${url}: ${connectionFault(error)}`, { cause: error }));
    socket.once('error', fail);
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      socket.off('error', fail);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}
