/** What a source of recipients promises, whatever directory it is. */
import type { Entry } from '../../ldap/index.ts';

/** What a reading gives of one object. */
export type SourceItem =
  /** The object as it is now, whole: every wanted attribute that it has. */
  | { readonly kind: 'entry'; readonly id: string; readonly entry: Entry }
  /** It is there and did not change. */
  | { readonly kind: 'present'; readonly id: string }
  /** It is not there any more, or may not be seen any more. */
  | { readonly kind: 'gone'; readonly id: string };

/** What can be said of a reading when its last item was taken. */
export interface ReadingEnd {
  /** False: something is missing, so what was not named may still be there, and nothing may be taken away. */
  readonly complete: boolean;
  /** Why it is not complete, each with what to do. */
  readonly reasons: readonly string[];
  /** Nothing is missing, but the source went back in time (a restored backup): an administrator may say that this is right. */
  readonly suspicious: boolean;
  /** Every object was named: what was not is gone. */
  readonly exhaustive: boolean;
  /** Of several domains: which of them named every object of theirs. */
  readonly parts?: readonly { readonly base: string; readonly exhaustive: boolean }[];
  /** Where the next reading goes on; '' when it must begin anew. Only of a complete reading. */
  readonly cookie: string;
}

/** Yields what changed since a cookie; returns how it ended. */
export type Reading = AsyncGenerator<SourceItem, ReadingEnd, undefined>;

/** A directory that recipients come from. Reading throws LdapError when nothing can be read at all. */
export interface RecipientSource {
  /** The way it follows changes: 'DirSync', 'uSNChanged', 'content synchronization', 'modifyTimestamp'. */
  readonly way: string;
  /** Exchange's schema is there. */
  readonly exchangeSchema: boolean;
  /** Reads what changed since the cookie; everything for '' and for a cookie that is no good any more. */
  read(cookie: string, signal: AbortSignal): Reading;
}

/** Cookie of a way as text: its name stands in front, so that no other way takes it. */
export function writeCookie(way: string, value: object): string {
  return `${way}:${JSON.stringify(value)}`;
}

/** The value of a cookie of this way; undefined for another way's and for none. */
export function readCookie(way: string, cookie: string): Record<string, unknown> | undefined {
  if (!cookie.startsWith(`${way}:`)) return undefined;
  try {
    const value: unknown = JSON.parse(cookie.slice(way.length + 1));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    // A cookie is ours; one that is damaged means a reading from the beginning, which is always right.
    return undefined;
  }
}
