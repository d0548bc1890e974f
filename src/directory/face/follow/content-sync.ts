/**
 * Content synchronization, RFC 4533: other servers replicate from this one. A refresh sends what changed since the cookie, from
 * the change log; without a cookie, or with one older than the log, it sends everything, and what is not named is gone. What is
 * not in the content any more is sent as deleted, also when it may never have been there: the log does not tell.
 */
import { LdapError } from '../../../ldap/index.ts';
import type { Change, DirectoryEntry } from '../../store/contract.ts';
import {
  type SyncRequest,
  type SyncState,
  writeNewCookie,
  writeRefreshDone,
  writeSyncDone,
  writeSyncState,
} from '../ber/control-values.ts';
import { controlOids } from '../ber/controls.ts';
import type { RawControl } from '../ber/request.ts';
import { encodeEntry, encodeIntermediate, type Result, success } from '../ber/result.ts';
import { type SearchJob, type SearchParts, sendEntry, stopped } from '../operations/search-job.ts';
import { TimeSlice } from '../time-slice.ts';
import { changesBetween, contentOf, followChanges, Scope } from './change-feed.ts';
import { readSyncCookie, type SyncCookie, writeSyncCookie } from './sync-cookie.ts';
import { ancestorsFirst, type Touched } from './sync-order.ts';

const syncInfoOid = '1.3.6.1.4.1.4203.1.9.1.4';
const refreshRequired = 4096;

export async function contentSync(job: SearchJob, parts: SearchParts, request: SyncRequest): Promise<Result> {
  return new Synchronization(job, parts, readSyncCookie(request.cookie)).run(request);
}

class Synchronization {
  readonly #job: SearchJob;
  readonly #parts: SearchParts;
  readonly #cookie: SyncCookie;
  readonly #inContent: (entry: DirectoryEntry) => boolean;

  constructor(job: SearchJob, parts: SearchParts, cookie: SyncCookie) {
    const { base, scope } = job.request;
    const { schema } = parts.store;
    this.#job = job;
    this.#parts = parts;
    this.#cookie = cookie;
    this.#inContent = contentOf(job.request, new Scope(base, scope, schema), schema);
  }

  async run({ mode }: SyncRequest): Promise<Result> {
    const { context } = this.#job;
    const { store } = this.#parts;
    const usn = store.usn;
    const incremental = await this.#refresh(usn);
    if (context.signal.aborted) return stopped(context);
    const cookie = writeSyncCookie(this.#cookie.rid, usn);
    if (mode === 'refreshOnly') {
      return {
        ...success,
        controls: [{ oid: controlOids.syncDone, critical: false, value: writeSyncDone(cookie, incremental) }],
      };
    }
    context.send(encodeIntermediate(context.messageId, syncInfoOid, writeRefreshDone(cookie, incremental)));
    context.persist();
    return this.#persist(usn);
  }

  /** Brings the consumer up to `usn`; true when only what changed was sent. */
  async #refresh(usn: number): Promise<boolean> {
    const { usn: since } = this.#cookie;
    const changes = since === undefined ? undefined : await changesBetween(this.#parts.store, since, usn);
    if (since !== undefined && changes !== undefined) {
      await this.#sendChanges(changes, since);
      return true;
    }
    await this.#sendAll();
    return false;
  }

  async #sendAll(): Promise<void> {
    const { context, request } = this.#job;
    try {
      for await (const entry of this.#parts.store.searchGently(request, context.signal)) {
        this.#sendState(entry, 'add');
        await context.room();
      }
    } catch (error) {
      if (!context.signal.aborted) throw error;
    }
  }

  /** One message for each entry touched, in the order of its last change, ancestors first. */
  async #sendChanges(changes: readonly Change[], since: number): Promise<void> {
    const { store } = this.#parts;
    const slice = new TimeSlice();
    const newest = new Map<string, Change>();
    const moved = new Set<string>();
    for (const change of changes) {
      newest.delete(change.guid);
      newest.set(change.guid, change);
      if (change.kind === 'modifyDn') moved.add(change.guid);
    }
    const touched: Touched[] = [];
    for (const { guid, dn } of newest.values()) {
      touched.push({ guid, dn, now: store.byGuid(guid)?.dn });
      if (slice.over) await slice.yield();
    }
    for await (const { guid, dn } of ancestorsFirst(touched, store.schema)) {
      const entry = store.byGuid(guid);
      this.#sendOne(guid, dn, entry, since);
      if (entry !== undefined && moved.has(guid)) await this.#sendBelow(entry);
      if (await this.#stopped()) return;
      if (slice.over) await slice.yield();
    }
  }

  /** What stands below a renamed entry has new names, and no lines in the log. */
  async #sendBelow({ dn }: DirectoryEntry): Promise<void> {
    for await (const entry of this.#parts.store.searchGently({ base: dn, scope: 'subordinate' })) {
      this.#sendOne(entry.guid, entry.dn, entry, Infinity);
      if (await this.#stopped()) return;
    }
  }

  /** Waits for a slow reader; true when there is nobody to send to any more. */
  async #stopped(): Promise<boolean> {
    const { context } = this.#job;
    await context.room();
    return context.signal.aborted;
  }

  #sendOne(guid: string, dn: string, entry: DirectoryEntry | undefined, since: number): void {
    const { context } = this.#job;
    if (entry !== undefined && !entry.isDeleted && this.#inContent(entry)) {
      const created = Number(entry.values('uSNCreated')[0] ?? 0);
      if (this.#sendState(entry, created > since ? 'add' : 'modify')) return;
    }
    // The UUID says which one; the name is for those who may know every name.
    const name = context.session.principal.kind === 'administrator' ? dn : '';
    context.send(encodeEntry(context.messageId, name, [], [stateControl('delete', guid)]));
  }

  #sendState(entry: DirectoryEntry, state: SyncState): boolean {
    return sendEntry(this.#job, this.#parts, entry, [stateControl(state, entry.guid)]);
  }

  async #persist(usn: number): Promise<Result> {
    const { context } = this.#job;
    try {
      for await (const changes of followChanges(this.#parts.store, usn, context.signal)) {
        const last = changes.at(-1)?.usn ?? usn;
        const since = (changes[0]?.usn ?? usn) - 1;
        await this.#sendChanges(changes, since);
        // Only now: a consumer that is cut off in between must get the whole batch again.
        const cookie = writeNewCookie(writeSyncCookie(this.#cookie.rid, last));
        context.send(encodeIntermediate(context.messageId, syncInfoOid, cookie));
      }
    } catch (error) {
      if (error instanceof LdapError && error.code === 'unavailable')
        return { code: refreshRequired, message: error.message };
      throw error;
    }
    return stopped(context);
  }
}

function stateControl(state: SyncState, guid: string): RawControl {
  const entryUuid = Buffer.from(guid.replaceAll('-', ''), 'hex');
  return { oid: controlOids.syncState, critical: false, value: writeSyncState(state, entryUuid) };
}
