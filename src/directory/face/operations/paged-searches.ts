/** Paged searches that wait for their next page: RFC 2696. They belong to one connection and end with it. */
import { LdapError } from '../../../ldap/index.ts';
import type { RawControl, SearchCall } from '../ber/request.ts';
import type { EntryCursor } from './entry-cursor.ts';
import type { OperationContext, Session } from './operation.ts';

class PagedSearch {
  /** Entries sent in all pages. */
  sent = 0;
  /** Controls that go with each page besides the cookie. */
  controls: readonly RawControl[] = [];
  cursor: EntryCursor | undefined;
  /** What is kept between the pages. */
  held: Disposable | undefined;
  /** Whether there is another page. */
  more = false;
  readonly id: number;
  readonly outline: string;
  readonly #controller = new AbortController();
  #page = 0;
  #busy = false;

  constructor(id: number, outline: string) {
    this.id = id;
    this.outline = outline;
  }

  /** Ends the walk through the store. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The cookie that asks for the page that comes next. */
  get cookie(): Buffer {
    return cookieOf(this.id, this.#page);
  }

  /** While a page runs: the cookie to send with it. */
  get nextCookie(): Buffer {
    return cookieOf(this.id, this.#page + 1);
  }

  /** Runs one page. When its operation is stopped, the whole search is. */
  async page<T>({ signal }: OperationContext, run: () => Promise<T>): Promise<T> {
    if (this.#busy) throw new LdapError('unwillingToPerform', 'the page before is not finished');
    const stop = (): void => this.stop(signal.reason as unknown);
    this.#busy = true;
    signal.addEventListener('abort', stop);
    try {
      return await run();
    } finally {
      signal.removeEventListener('abort', stop);
      this.#busy = false;
      this.#page += 1;
    }
  }

  stop(reason: unknown): void {
    this.#controller.abort(reason);
  }
}

export class PagedSearches implements Disposable {
  readonly #limit: number;
  readonly #searches = new Map<number, PagedSearch>();
  #next = 1;

  /** `limit`: searches kept at once; beyond, the one that was opened first is given up. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The ones of a connection. */
  static of({ kept }: Session, limit: number): PagedSearches {
    const found = kept.get('paged searches');
    if (found instanceof PagedSearches) return found;
    const searches = new PagedSearches(limit);
    kept.set('paged searches', searches);
    return searches;
  }

  open(call: SearchCall): PagedSearch {
    const search = new PagedSearch(this.#next, outline(call));
    this.#next = (this.#next % 0xffffffff) + 1;
    this.#searches.set(search.id, search);
    const [oldest] = this.#searches.values();
    if (this.#searches.size > this.#limit && oldest !== undefined) this.close(oldest);
    return search;
  }

  /** Throws LdapError for a cookie that is not the last one given, or that belongs to another search (RFC 2696 §3). */
  resume(cookie: Buffer, call: SearchCall): PagedSearch {
    const search = cookie.length === 8 ? this.#searches.get(cookie.readUInt32BE()) : undefined;
    if (search?.cookie.equals(cookie) !== true || search.outline !== outline(call)) {
      throw new LdapError('unwillingToPerform', 'the cookie of the paged search is not valid here');
    }
    return search;
  }

  close(search: PagedSearch): void {
    search.stop('abandoned');
    search.held?.[Symbol.dispose]();
    this.#searches.delete(search.id);
  }

  [Symbol.dispose](): void {
    for (const search of this.#searches.values()) this.close(search);
  }
}

function cookieOf(id: number, page: number): Buffer {
  const cookie = Buffer.alloc(8);
  cookie.writeUInt32BE(id);
  cookie.writeUInt32BE(page, 4);
  return cookie;
}

/** What must stay the same from page to page, but for the filter, which is long and changes nothing any more. */
function outline({ base, scope, attributes, typesOnly }: SearchCall): string {
  return JSON.stringify([base, scope, attributes, typesOnly]);
}
