/** The line in the audit log that every attempt to write leaves. */
import { LdapError } from '../../../ldap/index.ts';
import { codeOfError } from '../ber/result.ts';
import type { FaceLog } from '../face-event.ts';
import type { Session } from './operation.ts';

/** What the request says, without any value. */
export interface AuditRecord {
  readonly operation: string;
  readonly dn: string;
  readonly attributes?: readonly string[];
  readonly newName?: string;
}

/** Most names of attributes in one line. */
const maxNames = 100;

/** Runs the write and tells how it ended, and who asked for it. */
export async function audited<T>(
  log: FaceLog,
  session: Session,
  record: AuditRecord,
  run: () => Promise<T>,
): Promise<T> {
  const { id, peer, principal } = session;
  const tell = (code: number, reason?: string): void =>
    log({
      kind: 'write',
      connection: id,
      address: peer.address,
      actor: principal.dn,
      ...record,
      ...(record.attributes !== undefined && { attributes: record.attributes.slice(0, maxNames) }),
      code,
      ...(reason !== undefined && { reason }),
    });
  try {
    const done = await run();
    tell(0);
    return done;
  } catch (error) {
    tell(codeOfError(error), error instanceof LdapError ? error.message : undefined);
    throw error;
  }
}
