/** Bind: RFC 4511 §4.2, RFC 4513 §5, SASL EXTERNAL of RFC 4422 appendix A. */
import { type Entry, LdapError } from '../../../ldap/index.ts';
import {
  type Authenticator,
  anonymous,
  authorizationId,
  BindRefusal,
  localAdministrator,
  type Principal,
} from '../access/identity.ts';
import type { BindCall } from '../ber/request.ts';
import { codeOfError, success } from '../ber/result.ts';
import type { FaceLog } from '../face-event.ts';
import type { Operation, Session } from './operation.ts';
import type { SystemEntries } from './system-entries.ts';

/** SASL mechanisms that this peer can use, for the root DSE. */
function mechanismsFor({ peer }: Session): readonly string[] {
  return peer.transport === 'unix' || peer.certificate !== undefined ? ['EXTERNAL'] : [];
}

/** The root DSE as this client may see it. */
export function rootDseFor(session: Session, system: SystemEntries): Entry {
  const isStranger = session.principal.kind === 'anonymous' && session.peer.transport !== 'unix';
  const mechanisms = mechanismsFor(session);
  return isStranger ? system.strangersRootDse(mechanisms) : system.rootDse(mechanisms);
}

export function bindOperation(authenticator: Authenticator, log: FaceLog, maxNameBytes: number): Operation<BindCall> {
  return async (call, { session }) => {
    const { credentials } = call;
    const method = credentials.method === 'sasl' ? credentials.mechanism.slice(0, 20) : credentials.method;
    const { address, tls } = session.peer;
    const audit = (dn: string, code: number, reason?: string): void =>
      log({
        kind: 'bind',
        connection: session.id,
        address,
        tls,
        dn,
        method,
        code,
        ...(reason !== undefined && { reason }),
      });
    // RFC 4513 §5.1: whatever comes of it, the connection is no longer who it was.
    session.principal = anonymous;
    for (const kept of session.kept.values()) kept[Symbol.dispose]();
    session.kept.clear();
    try {
      if (Buffer.byteLength(call.name) > maxNameBytes)
        throw new LdapError('invalidDNSyntax', `a name in a bind has at most ${maxNameBytes} octets`);
      const principal = await identify(call, session, authenticator);
      session.principal = principal;
      audit(principal.dn, 0);
      return success;
    } catch (error) {
      audit(call.name, codeOfError(error), reasonOf(error));
      throw error;
    }
  };
}

/** What the log tells of a refusal: the true reason where the client hears another one. */
function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof LdapError)) return undefined;
  return error.cause instanceof BindRefusal ? error.cause.message : error.message;
}

async function identify(
  { version, name, credentials }: BindCall,
  session: Session,
  authenticator: Authenticator,
): Promise<Principal> {
  if (version !== 3) throw new LdapError('protocolError', 'only version 3 of LDAP is spoken here');
  switch (credentials.method) {
    case 'unknown':
      throw new LdapError('authMethodNotSupported', 'simple and SASL binds are known here');
    case 'sasl':
      return external(credentials.mechanism, credentials.response, session, authenticator);
    case 'simple':
      return simple(name, credentials.password, session, authenticator);
  }
}

async function simple(
  name: string,
  password: Buffer,
  { peer }: Session,
  authenticator: Authenticator,
): Promise<Principal> {
  if (name === '' && password.length === 0) return anonymous;
  // RFC 4513 §5.1.2: a name without a password proves nothing, and programs have taken the success for a proof.
  if (password.length === 0) throw new LdapError('unwillingToPerform', 'a bind with a name needs a password');
  if (name === '') throw new LdapError('invalidCredentials', 'a password needs a name');
  if (!peer.confidential) throw new LdapError('confidentialityRequired', 'passwords are taken over TLS only');
  return authenticator.authenticate(name, password, peer);
}

async function external(
  mechanism: string,
  response: Buffer | undefined,
  { peer }: Session,
  authenticator: Authenticator,
): Promise<Principal> {
  if (mechanism.toUpperCase() !== 'EXTERNAL') {
    throw new LdapError('authMethodNotSupported', `the SASL mechanism ${mechanism.slice(0, 20)} is not known here`);
  }
  const principal = await externalPrincipal(peer, authenticator);
  const wanted = response?.toString('utf8') ?? '';
  if (wanted !== '' && wanted.toLowerCase() !== authorizationId(principal).toLowerCase()) {
    throw new LdapError('invalidCredentials', 'to act as someone else is not allowed');
  }
  return principal;
}

/** The unix socket stands in a folder that only the owner of the service can enter: whoever connects is the local administrator. */
async function externalPrincipal(peer: Session['peer'], authenticator: Authenticator): Promise<Principal> {
  if (peer.transport === 'unix') return localAdministrator;
  if (peer.certificate === undefined || authenticator.authenticateCertificate === undefined) {
    throw new LdapError('inappropriateAuthentication', 'nothing outside LDAP tells who this is');
  }
  return authenticator.authenticateCertificate(peer.certificate, peer);
}
