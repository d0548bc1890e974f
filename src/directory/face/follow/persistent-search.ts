/** Persistent search: draft-ietf-ldapext-psearch-03. Sends entries as they change until it is abandoned. */
import type { Change } from '../../store/entries/contract.ts';
import { changeBits, type PersistentRequest, writeEntryChange } from '../ber/control-values.ts';
import { controlOids } from '../ber/controls.ts';
import type { RawControl } from '../ber/request.ts';
import { encodeEntry, type Result } from '../ber/result.ts';
import { EntryCursor } from '../operations/entry-cursor.ts';
import { type SearchJob, type SearchParts, sendEntries, sendEntry, stopped } from '../operations/search-job.ts';
import { contentOf, followChanges, Scope } from './change-feed.ts';
import { Disclosure } from './disclosure.ts';

export async function persistentSearch(job: SearchJob, parts: SearchParts, asked: PersistentRequest): Promise<Result> {
  const { context, request } = job;
  const { store } = parts;
  const usn = store.usn;
  if (!asked.changesOnly) {
    const { end } = await sendEntries(
      job,
      parts,
      new EntryCursor(store.searchGently(request, context.signal)),
      Infinity,
    );
    if (end === 'stopped') return stopped(context);
  }
  context.persist();
  const notify = notifier(job, parts, asked);
  for await (const changes of followChanges(store, usn, context.signal)) {
    for (const change of changes) {
      notify(change);
      await context.room();
      if (context.signal.aborted) break;
    }
  }
  return stopped(context);
}

function notifier(
  job: SearchJob,
  parts: SearchParts,
  { changeTypes, returnChanges }: PersistentRequest,
): (change: Change) => void {
  const { request, context } = job;
  const { store } = parts;
  const scope = new Scope(request.base, request.scope, store.schema);
  const inContent = contentOf(request, scope, store.schema);
  const disclosure = new Disclosure(context.session.principal, parts);
  return (change) => {
    const { kind, usn, dn, oldDn, guid, attributes } = change;
    if ((changeTypes & changeBits[kind]) === 0) return;
    const controls: RawControl[] | undefined = returnChanges
      ? [{ oid: controlOids.entryChange, critical: false, value: writeEntryChange(kind, oldDn, usn) }]
      : undefined;
    if (kind === 'delete') {
      if (scope.includes(dn) && disclosure.ofDeletion(dn, usn))
        context.send(encodeEntry(context.messageId, dn, [], controls));
      return;
    }
    const entry = store.byGuid(guid);
    if (entry === undefined || !inContent(entry)) return;
    if (kind !== 'modify' || disclosure.ofChange(entry, attributes)) sendEntry(job, parts, entry, controls);
  };
}
