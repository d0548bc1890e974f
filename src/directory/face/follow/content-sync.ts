/**
 * Content synchronization, RFC 4533: other servers replicate from this one. A refresh sends what changed since the cookie, from
 * the change log; without a cookie, or with one older than the log, it sends everything, and what is not named is gone. What is
 * not in the content any more is sent as deleted, also when it may never have been there: the log does not tell.
 */
import { LdapError } from '../../../ldap/index.ts';
import type { Change, DirectoryEntry } from '../../store/entries/contract.ts';
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
import { changesBetween, contentOf, followChanges, formerNameOf, Scope } from './change-feed.ts';
import { Disclosure } from './disclosure.ts';
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
  readonly #scope: Scope;
  readonly #inContent: (entry: DirectoryEntry) => boolean;
  readonly #disclosure: Disclosure;
  /** Entries sent, deleted ones included. */
  #sent = 0;

  constructor(job: SearchJob, parts: SearchParts, cookie: SyncCookie) {
    const { base, scope } = job.request;
    const { schema } = parts.store;
    this.#job = job;
    this.#parts = parts;
    this.#cookie = cookie;
    this.#scope = new Scope(base, scope, schema);
    this.#inContent = contentOf(job.request, this.#scope, schema);
    this.#disclosure = new Disclosure(job.context.session.principal, parts);
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
    const changes =
      since === undefined ? undefined : await changesBetween(this.#parts.store, since, usn, this.#job.context.pace);
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
    const { pace } = this.#job.context;
    const slice = new TimeSlice(pace);
    const touched: Changed[] = [];
    for (const changed of byEntry(changes)) {
      touched.push({ ...changed, now: store.byGuid(changed.guid)?.dn });
      if (slice.over) await slice.yield();
    }
    for await (const changed of ancestorsFirst(touched, store.schema, pace)) {
      const entry = store.byGuid(changed.guid);
      this.#sendOne(changed, entry, since);
      if (entry !== undefined && changed.moved) await this.#sendBelow(entry, changed);
      if (await this.#stopped()) return;
      if (slice.over) await slice.yield();
    }
  }

  /** What stands below a renamed entry has new names, and no lines in the log. */
  async #sendBelow({ dn }: DirectoryEntry, above: Changed): Promise<void> {
    const { pace } = this.#job.context;
    for await (const entry of this.#parts.store.searchGently({ base: dn, scope: 'subordinate', pace })) {
      const names = new Set([...above.names].map((former) => formerNameOf(entry.dn, dn, former)));
      this.#sendOne({ ...above, guid: entry.guid, dn: entry.dn, now: entry.dn, names }, entry, Infinity);
      if (await this.#stopped()) return;
    }
  }

  /** Waits for a slow reader; true when there is nobody to send to any more. */
  async #stopped(): Promise<boolean> {
    const { context } = this.#job;
    await context.room();
    return context.signal.aborted;
  }

  #sendOne(changed: Changed, entry: DirectoryEntry | undefined, since: number): void {
    const { context } = this.#job;
    const { guid, dn, attributes, names, moved } = changed;
    const isGone = entry === undefined || entry.isDeleted;
    if (!isGone && this.#inContent(entry) && this.#disclosure.ofEntry(entry)) {
      const isNew = Number(entry.values('uSNCreated')[0] ?? 0) > since;
      const isSeen = isNew || moved || this.#disclosure.ofChange(entry, attributes);
      if (isSeen) this.#sendState(entry, isNew ? 'add' : 'modify');
      return;
    }
    const mayHaveBeen = isGone ? this.#mayHaveHad(changed) : this.#disclosure.ofLeaving(entry, [...names], attributes);
    if (!mayHaveBeen) return;
    // The UUID says which one; the name is for those who may know every name.
    const name = context.session.principal.kind === 'administrator' ? dn : '';
    context.send(encodeEntry(context.messageId, name, [], [stateControl('delete', guid)]));
    this.#sent += 1;
  }

  /** Whether an entry that is gone now stood in the scope under a name that may be known. */
  #mayHaveHad({ names, usn }: Changed): boolean {
    return [...names].some((name) => this.#scope.includes(name) && this.#disclosure.ofDeletion(name, usn));
  }

  #sendState(entry: DirectoryEntry, state: SyncState): void {
    if (sendEntry(this.#job, this.#parts, entry, [stateControl(state, entry.guid)])) this.#sent += 1;
  }

  async #persist(usn: number): Promise<Result> {
    const { context } = this.#job;
    try {
      for await (const changes of followChanges(this.#parts.store, usn, context.signal)) {
        const last = changes.at(-1)?.usn ?? usn;
        const since = (changes[0]?.usn ?? usn) - 1;
        const sent = this.#sent;
        await this.#sendChanges(changes, since);
        // A new number would tell others that there was a change.
        if (this.#sent === sent && context.session.principal.kind !== 'administrator') continue;
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

/** What the change log says of an entry, all changes together. */
interface Changed extends Touched {
  /** Names it had, oldest first. */
  readonly names: ReadonlySet<string>;
  /** Keys of what changed. */
  readonly attributes: ReadonlySet<string>;
  readonly moved: boolean;
  /** Number of its last change. */
  readonly usn: number;
}

/** In the order of the last change of each entry. */
function byEntry(changes: readonly Change[]): Iterable<Omit<Changed, 'now'>> {
  const found = new Map<string, Omit<Changed, 'now'>>();
  for (const { guid, kind, dn, oldDn, attributes, usn } of changes) {
    const known = found.get(guid);
    const names = new Set(known?.names);
    if (oldDn !== undefined) names.add(oldDn);
    const keys = new Set(known?.attributes);
    for (const name of attributes) keys.add(name.toLowerCase());
    found.delete(guid);
    const moved = known?.moved === true || kind === 'modifyDn';
    found.set(guid, { guid, dn, usn, names: names.add(dn), attributes: keys, moved });
  }
  return found.values();
}

function stateControl(state: SyncState, guid: string): RawControl {
  const entryUuid = Buffer.from(guid.replaceAll('-', ''), 'hex');
  return { oid: controlOids.syncState, critical: false, value: writeSyncState(state, entryUuid) };
}
