/** One search as its parts hand it on: looking up, sending, staying open. */
import type { DirectoryEntry, DirectoryWriter, SearchRequest } from '../../store/entries/contract.ts';
import type { AccessPolicy } from '../access/access-policy.ts';
import type { RawControl, SearchCall } from '../ber/request.ts';
import { encodeEntry, type Result } from '../ber/result.ts';
import type { FaceLimits } from '../limits.ts';
import type { AttributeSelection } from './attribute-selection.ts';
import type { EntryCursor } from './entry-cursor.ts';
import type { OperationContext, StopReason } from './operation.ts';
import type { SystemEntries } from './system-entries.ts';

export interface SearchParts {
  readonly store: DirectoryWriter;
  readonly policy: AccessPolicy;
  readonly system: SystemEntries;
  readonly limits: FaceLimits;
}

export interface SearchJob {
  readonly call: SearchCall;
  readonly context: OperationContext;
  readonly request: SearchRequest;
  readonly selection: AttributeSelection;
}

/** Sends one entry with what of it may be read; false for one that is not to be disclosed. */
export function sendEntry(
  { context, selection }: SearchJob,
  { policy }: SearchParts,
  entry: DirectoryEntry,
  controls?: readonly RawControl[],
): boolean {
  const rights = policy.rights(context.session.principal, entry);
  if (!rights.visible) return false;
  context.send(encodeEntry(context.messageId, entry.dn, selection.pick(entry, rights), controls));
  return true;
}

/**
 * Sends entries until there are none, or `limit` are sent and another one is there: that one is put back. Waits for slow readers.
 */
export async function sendEntries(
  job: SearchJob,
  parts: SearchParts,
  cursor: EntryCursor,
  limit: number,
): Promise<{ readonly sent: number; readonly end: 'all' | 'more' | 'stopped' }> {
  const { context } = job;
  let sent = 0;
  for (;;) {
    const entry = await nextOf(cursor, context);
    if (context.signal.aborted) return { sent, end: 'stopped' };
    if (entry === undefined) return { sent, end: 'all' };
    if (sent >= limit && parts.policy.rights(context.session.principal, entry).visible) {
      cursor.putBack(entry);
      return { sent, end: 'more' };
    }
    if (sendEntry(job, parts, entry)) sent += 1;
    const room = context.room();
    if (room !== undefined) await room;
  }
}

/** The walk through the store ends with an exception when it is stopped. */
async function nextOf(cursor: EntryCursor, { signal }: OperationContext): Promise<DirectoryEntry | undefined> {
  try {
    return await cursor.next();
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** What a search answers that was stopped from outside. */
export function stopped({ signal }: OperationContext): Result {
  const reason = signal.reason as StopReason;
  if (reason === 'timeLimit') return { code: 'timeLimitExceeded', message: 'there was no time for more' };
  return { code: 'canceled' };
}

/** Entries the client may get in one answer; Infinity for no bound. */
export function entryLimit({ call, context }: SearchJob, { limits }: SearchParts): number {
  const asked = call.sizeLimit === 0 ? Infinity : call.sizeLimit;
  return context.session.principal.kind === 'administrator' ? asked : Math.min(asked, limits.maxEntries);
}
