/** Search: RFC 4511 §4.5, with paged results (RFC 2696) and server side sorting (RFC 2891). */
import { compileFilter, type Dn, type Entry, LdapError } from '../../../ldap/index.ts';
import type { DirectoryEntry, SearchRequest } from '../../store/entries/contract.ts';
import { type EntryRights, everyRight } from '../access/access-policy.ts';
import { assertOn, locate, requireBound } from '../access/entry-access.ts';
import type { Principal } from '../access/identity.ts';
import {
  type DirSyncRequest,
  type PageRequest,
  type PersistentRequest,
  type SyncRequest,
  writePage,
  writeSortResult,
} from '../ber/control-values.ts';
import { controlOids, type RequestControls } from '../ber/controls.ts';
import type { RawControl, SearchCall } from '../ber/request.ts';
import { encodeEntry, type Result, resultCodeOf, success } from '../ber/result.ts';
import { AttributeSelection } from './attribute-selection.ts';
import { rootDseFor } from './bind-operation.ts';
import { EntryCursor } from './entry-cursor.ts';
import type { Operation, OperationContext } from './operation.ts';
import { PagedSearches } from './paged-searches.ts';
import { entryLimit, type SearchJob, type SearchParts, sendEntries, stopped } from './search-job.ts';
import { EntrySorter, SortRefusal } from './sort-keys.ts';
import { SortBudget, SortedEntries } from './sorted-search.ts';

/** Searches that send what changes, each under the control that asks for it. */
export interface FollowingSearches {
  dirSync(job: SearchJob, parts: SearchParts, request: DirSyncRequest): Promise<Result>;
  contentSync(job: SearchJob, parts: SearchParts, request: SyncRequest): Promise<Result>;
  persistentSearch(job: SearchJob, parts: SearchParts, request: PersistentRequest): Promise<Result>;
}

/** With what all searches of the server share. */
interface Parts extends SearchParts {
  readonly following: FollowingSearches;
  readonly budget: SortBudget;
}

export function searchOperation(given: SearchParts, following: FollowingSearches): Operation<SearchCall> {
  const parts: Parts = { ...given, following, budget: new SortBudget(given.limits.maxSortedInAll) };
  return async (call, context) => {
    const base = parts.store.schema.dn(call.base);
    const selection = new AttributeSelection(call.attributes, parts.store.schema, call.typesOnly);
    const made = systemEntry(base, call, context, parts);
    if (made !== undefined) return sendMade(made, call, context, selection, parts);
    const job: SearchJob = { call, context, selection, request: requestOf(base, call, context, parts) };
    try {
      return await perform(job, base, parts);
    } catch (error) {
      // A walk through the store that is stopped ends with the reason of that.
      if (context.signal.aborted && error === context.signal.reason) return stopped(context);
      throw error;
    }
  };
}

async function perform(job: SearchJob, base: Dn, parts: Parts): Promise<Result> {
  const { sync, persistent, dirSync: changed } = job.context.controls;
  if (sync !== undefined || persistent !== undefined || changed !== undefined) refuseFollowing(base, job.context);
  if (changed !== undefined) return parts.following.dirSync(job, parts, changed);
  if (sync !== undefined) return parts.following.contentSync(job, parts, sync);
  if (persistent !== undefined) return parts.following.persistentSearch(job, parts, persistent);
  return entrySearch(job, parts);
}

/** Deleted entries are told by what they stood below, and below the root that is everything. */
function refuseFollowing(base: Dn, { session }: OperationContext): void {
  if (base.isRoot && session.principal.kind !== 'administrator') {
    throw new LdapError('insufficientAccessRights', 'changes of every naming context are not yours to follow');
  }
}

async function entrySearch(job: SearchJob, parts: Parts): Promise<Result> {
  const { context, call } = job;
  const { paged } = context.controls;
  using _ = call.scope === 'base' ? undefined : context.deadline(searchTime(call, parts));
  try {
    return await (paged === undefined ? wholeSearch(job, parts) : onePage(job, parts, paged));
  } catch (error) {
    if (error instanceof SortFailure) return error.result;
    if (context.signal.aborted) return stopped(context);
    throw error;
  }
}

function systemEntry(
  base: Dn,
  { scope }: SearchCall,
  { session }: OperationContext,
  { system }: SearchParts,
): Entry | undefined {
  if (base.isRoot && scope === 'base') return rootDseFor(session, system);
  requireBound(session.principal);
  return system.isSubschema(base) && (scope === 'base' || scope === 'sub') ? system.subschema() : undefined;
}

function sendMade(
  entry: Entry,
  { filter }: SearchCall,
  context: OperationContext,
  selection: AttributeSelection,
  { store }: SearchParts,
): Result {
  assertOn(context.controls.assertion, entry, everyRight, store.schema);
  const found = compileFilter(filter, store.schema)(entry) === true;
  if (found) context.send(encodeEntry(context.messageId, entry.dn, selection.pick(entry)));
  return success;
}

/** For those who may see everything the store itself says whether the base is there, and reads nothing to find out. */
function leftToTheStore({ kind }: Principal, { assertion, showDeleted, sync, persistent }: RequestControls): boolean {
  return kind === 'administrator' && [assertion, showDeleted, sync, persistent].every((each) => each === undefined);
}

/** Checks the base and says what to ask the store. Throws LdapError noSuchObject. */
function requestOf(
  base: Dn,
  call: SearchCall,
  { session, controls, pace }: OperationContext,
  { store, policy }: SearchParts,
): SearchRequest {
  const { principal } = session;
  if (!base.isRoot && !leftToTheStore(principal, controls)) {
    const { entry, rights } = locate({ store, policy }, principal, base);
    assertOn(controls.assertion, entry, rights, store.schema);
  } else if (base.isRoot && controls.assertion !== undefined) {
    throw new LdapError('unwillingToPerform', 'an assertion needs an entry as the base of the search');
  }
  return {
    base,
    scope: call.scope,
    filter: call.filter,
    pace,
    ...(controls.showDeleted && { includeDeleted: true }),
    // Who may see everything is not asked about for every entry.
    ...(principal.kind !== 'administrator' && {
      readable: (entry: DirectoryEntry, attribute: string) => policy.rights(principal, entry).reads(attribute),
    }),
  };
}

function searchTime({ timeLimit }: SearchCall, { limits }: SearchParts): number {
  return timeLimit === 0 ? limits.maxSearchMs : Math.min(timeLimit * 1000, limits.maxSearchMs);
}

async function wholeSearch(job: SearchJob, parts: Parts): Promise<Result> {
  const { context } = job;
  const { cursor, controls, held } = await open(job, parts, context.signal);
  using _ = held;
  const { end } = await sendEntries(job, parts, cursor, entryLimit(job, parts));
  return withControls(end === 'stopped' ? stopped(context) : end === 'more' ? tooMany : success, controls);
}

const tooMany: Result = { code: 'sizeLimitExceeded', message: 'there are more entries' };
const pageControl = (cookie: Buffer): RawControl => ({
  oid: controlOids.paged,
  critical: false,
  value: writePage(cookie),
});
const noCookie = Buffer.alloc(0);

async function onePage(job: SearchJob, parts: Parts, { size, cookie }: PageRequest): Promise<Result> {
  const { call, context } = job;
  const searches = PagedSearches.of(context.session, parts.limits.maxPagedSearches);
  const search = cookie.length === 0 ? searches.open(call) : searches.resume(cookie, call);
  try {
    // Size 0 ends a paged search, or asks before one for the number of entries, which is not known (RFC 2696 §3).
    if (size === 0) {
      search.more = false;
      return withControls(success, [pageControl(noCookie)]);
    }
    return await search.page(context, async () => {
      if (search.cursor === undefined) Object.assign(search, await open(job, parts, search.signal));
      const left = call.sizeLimit === 0 ? Infinity : call.sizeLimit - search.sent;
      const pageSize = Math.min(size, left, entryLimit(job, parts));
      const { sent, end } = await sendEntries(job, parts, search.cursor ?? new EntryCursor([]), pageSize);
      search.sent += sent;
      search.more = end === 'more' && sent < left;
      const result = end === 'stopped' ? stopped(context) : end === 'more' && !search.more ? tooMany : success;
      return withControls(result, [...search.controls, pageControl(search.more ? search.nextCookie : noCookie)]);
    });
  } finally {
    if (!search.more) searches.close(search);
  }
}

/** A search that is not done at all, for want of the order it asks for. */
class SortFailure extends Error {
  readonly result: Result;

  constructor(result: Result) {
    super(result.message);
    this.result = result;
  }
}

interface Opened {
  readonly cursor: EntryCursor;
  readonly controls: readonly RawControl[];
  /** What the search holds until it is done. */
  readonly held?: Disposable;
}

/** Begins the walk through the store; sorted, it is walked to its end first. */
async function open({ context, request }: SearchJob, parts: Parts, signal: AbortSignal): Promise<Opened> {
  const { store, policy, limits, budget } = parts;
  const { sort } = context.controls;
  if (sort === undefined) return { cursor: new EntryCursor(store.searchGently(request, signal)), controls: [] };
  try {
    const sorter = new EntrySorter(sort.keys, store.schema);
    const { principal } = context.session;
    const rightsOn = (entry: DirectoryEntry): EntryRights => policy.rights(principal, entry);
    const sorting = { store, budget, limit: limits.maxSortedEntries, rightsOn };
    const sorted = await SortedEntries.of(request, sorter, sorting, signal);
    return { cursor: new EntryCursor(sorted.entries()), controls: [sortControl(success)], held: sorted };
  } catch (refusal) {
    if (!(refusal instanceof SortRefusal)) throw refusal;
    return unsorted(refusal, sort, () => store.searchGently(request, signal));
  }
}

/** RFC 2891 §2: a critical sort that cannot be done ends the search, another one leaves the entries as they come. */
function unsorted(
  refusal: SortRefusal,
  sort: NonNullable<RequestControls['sort']>,
  entries: () => AsyncIterable<DirectoryEntry>,
): Opened {
  const controls = [sortControl({ code: refusal.code }, refusal.attribute)];
  if (sort.critical)
    throw new SortFailure({ code: 'unavailableCriticalExtension', message: refusal.message, controls });
  return { cursor: new EntryCursor(entries()), controls };
}

function sortControl(result: Result, attribute = ''): RawControl {
  const value = writeSortResult(resultCodeOf(result), attribute === '' ? undefined : attribute);
  return { oid: controlOids.sortResponse, critical: false, value };
}

function withControls(result: Result, controls: readonly RawControl[]): Result {
  return controls.length === 0 ? result : { ...result, controls };
}
