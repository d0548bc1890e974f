/** Recipients of a directory that offers content synchronization (RFC 4533), as OpenLDAP with syncprov: refreshOnly polls. */
import { type Reading, type RecipientSource, readCookie, type SourceItem, writeCookie } from './contract.ts';
import type { GenericOptions } from './generic-source.ts';
import type { StreamMessage } from './ldap-messages.ts';
import { Completeness, faultOf } from './paged-search.ts';
import { controlOids, syncDone, syncInfo, syncRequestControl, syncState } from './source-controls.ts';

/** e-syncRefreshRequired: RFC 4533 §2.6. */
const refreshRequired = 4096;

export class ContentSyncSource implements RecipientSource {
  readonly way = 'content synchronization';
  readonly exchangeSchema: boolean;
  readonly #options: GenericOptions;

  constructor(options: GenericOptions) {
    this.#options = options;
    this.exchangeSchema = options.exchangeSchema;
  }

  async *read(cookie: string, signal: AbortSignal): Reading {
    const known = readCookie(this.way, cookie)?.['cookie'];
    const from = typeof known === 'string' ? Buffer.from(known, 'base64') : Buffer.alloc(0);
    const phase = { present: from.length === 0 };
    const completeness = new Completeness();
    await using stream = await this.#options.connect();
    const { base, attributes } = this.#options;
    // No address filter: an object that loses its last address must be seen, and so must one that moves out.
    const search = {
      base,
      filter: '(objectClass=*)',
      attributes: [...attributes, 'entryUUID'],
      controls: [syncRequestControl(from)],
    };
    let next: Buffer = from;
    let restart: string | undefined;
    for await (const message of stream.search(search)) {
      signal.throwIfAborted();
      if (message.kind !== 'done') {
        yield* itemsOf(message, phase, completeness);
        continue;
      }
      const { code, message: text } = message;
      if (code === refreshRequired || (code === 'unwillingToPerform' && from.length > 0)) {
        // 53: what this consumer has is newer than the provider, as after a restored backup.
        restart =
          code === refreshRequired
            ? ''
            : `the source refuses the cookie (${text}), as after a restored backup: nothing is taken away until an administrator says so with --force`;
        continue;
      }
      const fault = faultOf({ code, message: text });
      if (fault !== undefined) completeness.missing(fault);
      const done = syncDone(message.controls);
      if (done === undefined) {
        completeness.missing('the source ended without saying that the synchronization is done');
        continue;
      }
      next = done.cookie.length > 0 ? done.cookie : next;
      // RFC 4533 §3.3.2: without refreshDeletes all that is there was named.
      phase.present ||= !done.refreshDeletes;
    }
    if (restart !== undefined) return yield* this.#anew(restart, signal);
    const { complete, reasons } = completeness;
    return {
      complete,
      reasons,
      suspicious: false,
      exhaustive: phase.present,
      cookie: writeCookie(this.way, { cookie: next.toString('base64') }),
    };
  }

  async *#anew(suspicion: string, signal: AbortSignal): Reading {
    const end = yield* this.read('', signal);
    if (suspicion === '') return end;
    return { ...end, complete: false, reasons: [suspicion, ...end.reasons], suspicious: end.complete };
  }
}

function* itemsOf(
  message: Exclude<StreamMessage, { kind: 'done' }>,
  phase: { present: boolean },
  completeness: Completeness,
): Generator<SourceItem> {
  if (message.kind === 'reference') return completeness.referred(message.uris);
  if (message.kind === 'intermediate') {
    if (message.oid !== controlOids.syncInfo) return;
    const info = syncInfo(message.value);
    // A present phase has ended: all that is there was named, and what follows is changes.
    if (info.kind === 'phase') phase.present ||= info.phase === 'present';
    else if (info.kind === 'ids') for (const id of info.ids) yield { kind: info.deleted ? 'gone' : 'present', id };
    return;
  }
  const state = syncState(message.controls);
  if (state === undefined) return completeness.missing('an entry came without its synchronization state');
  if (state.state === 'delete') yield { kind: 'gone', id: state.uuid };
  else if (state.state === 'present') yield { kind: 'present', id: state.uuid };
  else yield { kind: 'entry', id: state.uuid, entry: message.entry };
}
