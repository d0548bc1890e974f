/** Extended operations but StartTLS: Who am I? (RFC 4532), password modify (RFC 3062), cancel (RFC 3909). */
import { randomBytes } from 'node:crypto';
import { Dn, LdapError } from '../../../ldap/index.ts';
import type { DirectoryEntry, DirectoryWriter } from '../../store/entries/contract.ts';
import type { AccessPolicy } from '../access/access-policy.ts';
import { authorizer, locate, requireBound } from '../access/entry-access.ts';
import { type Authenticator, authorizationId, type Peer } from '../access/identity.ts';
import type { PasswordHasher } from '../access/password.ts';
import { BerFault, BerReader, tags } from '../ber/ber-reader.ts';
import { octets, sequence } from '../ber/ber-writer.ts';
import { type ExtendedCall, startTlsOid } from '../ber/request.ts';
import { type Result, success } from '../ber/result.ts';
import type { FaceLog } from '../face-event.ts';
import { audited } from './audit.ts';
import type { Operation, OperationContext, Session } from './operation.ts';

export interface ExtendedParts {
  readonly store: DirectoryWriter;
  readonly policy: AccessPolicy;
  readonly hasher: PasswordHasher;
  readonly authenticator: Authenticator;
  readonly log: FaceLog;
}

type Row = (value: Buffer | undefined, context: OperationContext, parts: ExtendedParts) => Promise<Result>;

const rows: Readonly<Record<string, Row>> = {
  '1.3.6.1.4.1.4203.1.11.3': async (value, { session }) => {
    if (value !== undefined) throw new LdapError('protocolError', 'Who am I? has no value');
    return { ...success, value: Buffer.from(authorizationId(session.principal)) };
  },
  '1.3.6.1.4.1.4203.1.11.1': modifyPassword,
  '1.3.6.1.1.8': async (value, { session }) => {
    const messageId = read(value, (reader) => reader.enter(tags.sequence).integer());
    const outcome = session.cancel(messageId);
    // RFC 3909 §2.2: success here, `canceled` for the operation itself.
    return { code: outcome === 'canceled' ? 'success' : outcome };
  },
};

/** OIDs for the root DSE. */
export function supportedExtensions(withStartTls: boolean): readonly string[] {
  return [...Object.keys(rows), ...(withStartTls ? [startTlsOid] : [])];
}

export function extendedOperation(parts: ExtendedParts): Operation<ExtendedCall> {
  return async ({ name, value }, context) => {
    const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
    // RFC 4511 §4.12: an unknown name is a protocolError.
    if (row === undefined)
      throw new LdapError('protocolError', `the extended operation ${name.slice(0, 100)} is not known`);
    return row(value, context, parts);
  };
}

interface PasswordChange {
  readonly identity?: string;
  readonly old?: Buffer;
  readonly fresh?: Buffer;
}

async function modifyPassword(
  value: Buffer | undefined,
  { session }: OperationContext,
  parts: ExtendedParts,
): Promise<Result> {
  const { principal, peer } = session;
  requireBound(principal);
  if (!peer.confidential) throw new LdapError('confidentialityRequired', 'passwords are taken over TLS only');
  const change: PasswordChange = value === undefined ? {} : read(value, readPasswordChange);
  const dn = (change.identity ?? principal.dn).replace(/^dn:/i, '');
  return audited(parts.log, session, { operation: 'password', dn }, () => setPassword(dn, change, session, parts));
}

async function setPassword(
  dn: string,
  change: PasswordChange,
  { principal, peer }: Session,
  { store, policy, hasher, authenticator }: ExtendedParts,
): Promise<Result> {
  const name = Dn.parse(dn);
  const own = principal.kind !== 'administrator' && sameName(name, Dn.parse(principal.dn), store);
  // Everyone may change his own password, having proved the old one, also where he may see nothing.
  const { entry } = own ? { entry: store.get(name) } : locate({ store, policy }, principal, name);
  if (entry === undefined) throw new LdapError('noSuchObject', 'there is no such entry');
  const rights = policy.rights(principal, entry);
  // Before the old password is looked at: else whoever sees an entry could try passwords on it.
  if (!own && !rights.writes('userpassword'))
    throw new LdapError('insufficientAccessRights', 'the password is not yours to change');
  if (own) await requireOwnPassword(principal.dn, change.old, peer, authenticator);
  else if (change.old !== undefined) await requireOldPassword(entry, change.old, hasher);
  const generated = change.fresh === undefined ? randomBytes(15).toString('base64url') : undefined;
  const hash = await hasher.hash(change.fresh ?? Buffer.from(generated ?? ''));
  const authorize = own ? undefined : authorizer({ store, policy }, principal);
  await store.modify(name, [{ operation: 'replace', attribute: 'userPassword', values: [Buffer.from(hash)] }], {
    actor: principal.dn,
    ...(authorize && { authorize }),
  });
  return generated === undefined ? success : { ...success, value: sequence(octets(generated, 0x80)) };
}

const sameName = (a: Dn, b: Dn, { schema }: DirectoryWriter): boolean => schema.keyOf(a).equals(schema.keyOf(b));

/** As a bind: wrong ones are counted, slowed and locked like those of a stranger, for the session may be another's by now. */
async function requireOwnPassword(
  dn: string,
  old: Buffer | undefined,
  peer: Peer,
  authenticator: Authenticator,
): Promise<void> {
  try {
    if (old === undefined || old.length === 0) throw new LdapError('invalidCredentials', 'no old password');
    await authenticator.authenticate(dn, old, peer);
  } catch (cause) {
    if (!(cause instanceof LdapError) || cause.code !== 'invalidCredentials') throw cause;
    throw new LdapError('unwillingToPerform', 'the old password is wrong or missing', { cause });
  }
}

async function requireOldPassword(
  entry: DirectoryEntry,
  old: Buffer | undefined,
  hasher: PasswordHasher,
): Promise<void> {
  if (old !== undefined) {
    for (const stored of entry.values('userPassword').slice(0, 5)) if (await hasher.verify(stored, old)) return;
  }
  throw new LdapError('unwillingToPerform', 'the old password is wrong or missing');
}

function readPasswordChange(message: BerReader): PasswordChange {
  const reader = message.enter(tags.sequence);
  const identity = reader.nextTag === 0x80 ? reader.text(0x80) : undefined;
  const old = reader.nextTag === 0x81 ? reader.octets(0x81) : undefined;
  const fresh = reader.nextTag === 0x82 ? reader.octets(0x82) : undefined;
  reader.finish();
  return { ...(identity !== undefined && { identity }), ...(old && { old }), ...(fresh && { fresh }) };
}

/** Reads a request value; one that cannot be read is a protocolError of this operation only. */
function read<T>(value: Buffer | undefined, parse: (reader: BerReader) => T): T {
  if (value === undefined) throw new LdapError('protocolError', 'the extended operation needs a value');
  try {
    return parse(new BerReader(value));
  } catch (cause) {
    if (cause instanceof BerFault) throw new LdapError('protocolError', `request value: ${cause.message}`, { cause });
    throw cause;
  }
}
