/**
 * Hears of changes at a source as they happen. What comes is a sign to read and nothing else: it may be lost, repeated or of an
 * object that is no recipient, so reading at intervals goes on beside it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { LdapStream, StreamSearch } from './ldap-stream.ts';
import type { SourceProfile } from './root-dse.ts';
import {
  controlOids,
  octetControl,
  persistentSearchControl,
  syncDone,
  syncInfo,
  syncRequestControl,
} from './source-controls.ts';

/** The source as the watch needs it. */
export interface WatchedSource {
  readonly profile: Pick<SourceProfile, 'base' | 'tells'>;
  readonly connect: () => Promise<LdapStream>;
  readonly addressAttributes: readonly string[];
}

export interface SourceWatchParts {
  /** Opens the source; it is opened anew when the connection is lost. */
  readonly open: () => Promise<WatchedSource>;
  /** Called for each sign, and when listening begins: what happened before is not known. */
  readonly changed: () => void;
  /** Why nothing is heard for now. */
  readonly silent: (reason: string) => void;
  /** First and longest wait before a lost connection is made again, in milliseconds. Default: 1 s and 5 min. */
  readonly retryMs?: readonly [first: number, longest: number];
}

/** A connection that lasted so long was a good one, in milliseconds. */
const steadyMs = 60_000;

/** Listens until the signal aborts. Resolves at once where the source tells nothing. Never rejects. */
export async function watchSource(parts: SourceWatchParts, signal: AbortSignal): Promise<void> {
  const [first, longest] = parts.retryMs ?? [1000, 300_000];
  let wait = first;
  while (!signal.aborted) {
    const begun = performance.now();
    try {
      const source = await parts.open();
      if (source.profile.tells === undefined || signal.aborted) return;
      await listen(source, signal, parts.changed);
    } catch (error) {
      // The source is gone, or refuses: reading at intervals says so, and goes on.
      if (!signal.aborted) parts.silent(error instanceof Error ? error.message : String(error));
    }
    // A server that takes the search and ends it at once is not asked every second.
    if (performance.now() - begun > steadyMs) wait = first;
    await pause(wait, undefined, { signal }).catch(() => undefined);
    wait = Math.min(wait * 2, longest);
  }
}

/** Rejects when nothing more is heard. */
async function listen(source: WatchedSource, signal: AbortSignal, changed: () => void): Promise<never> {
  const stream = await source.connect();
  const close = (): void => void stream[Symbol.asyncDispose]();
  signal.addEventListener('abort', close, { once: true });
  try {
    signal.throwIfAborted();
    const search = await searchOf(source, stream);
    stream.waitWithoutLimit();
    // Content synchronization says when what it sends is news; the others send nothing else.
    let isNews = source.profile.tells !== 'content synchronization';
    if (isNews) changed();
    for await (const message of stream.search(search)) {
      if (message.kind === 'done')
        throw new Error(`the source tells of no changes: ${message.message || message.code}`);
      if (isNews) {
        if (message.kind !== 'reference') changed();
      } else if (message.kind === 'intermediate' && message.oid === controlOids.syncInfo) {
        const info = syncInfo(message.value);
        isNews = info.kind === 'phase' && info.refreshDone;
        if (isNews) changed();
      }
    }
    throw new Error('the source ended its notices');
  } finally {
    signal.removeEventListener('abort', close);
    await stream[Symbol.asyncDispose]();
  }
}

/** The search that does not end, with as little of each entry as can be asked for. */
async function searchOf(source: WatchedSource, stream: LdapStream): Promise<StreamSearch> {
  const { base, tells } = source.profile;
  const attributes = ['1.1'];
  // Active Directory takes no other filter.
  if (tells === 'change notification') return { base, attributes, controls: [octetControl(controlOids.notification)] };
  const filter = `(|${source.addressAttributes.map((name) => `(${name}=*)`).join('')})`;
  if (tells === 'persistent search') return { base, filter, attributes, controls: [persistentSearchControl()] };
  const cookie = await cookieOfNow(base, stream);
  return { base, filter, attributes, controls: [syncRequestControl(cookie, 'refreshAndPersist')] };
}

/** Where the content stands now, by a search that finds nothing: else all of it would come first. */
async function cookieOfNow(base: string, stream: LdapStream): Promise<Buffer> {
  let cookie: Buffer = Buffer.alloc(0);
  const controls = [syncRequestControl(cookie)];
  for await (const message of stream.search({
    base,
    filter: '(objectClass=edgeNothing)',
    attributes: ['1.1'],
    controls,
  })) {
    if (message.kind === 'done') cookie = syncDone(message.controls)?.cookie ?? cookie;
  }
  return cookie;
}
