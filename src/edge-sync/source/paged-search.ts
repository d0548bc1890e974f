/** A whole search in pages, and what is wrong with it. RFC 2696, [MS-ADTS] 3.1.1.3.1.3.3 (ranges of values). */
import { type Entry, MutableEntry } from '../../ldap/index.ts';
import type { StreamMessage } from './ldap-messages.ts';
import type { LdapStream, StreamSearch } from './ldap-stream.ts';
import { pagedControl, pagedCookie } from './source-controls.ts';

/** Entries of one page: Active Directory gives no more. */
const pageSize = 1000;
/** Values of one attribute that are fetched in ranges. A bound against a server that never ends. */
const maxRanges = 10_000;

/** Collects why a reading is not complete. */
export class Completeness {
  readonly reasons: string[] = [];
  readonly #harmless: (uri: string) => boolean;

  /** References for which `harmless` holds lead to nothing that is missing. */
  constructor(harmless: (uri: string) => boolean = () => false) {
    this.#harmless = harmless;
  }

  get complete(): boolean {
    return this.reasons.length === 0;
  }

  missing(reason: string): void {
    if (!this.reasons.includes(reason)) this.reasons.push(reason);
  }

  referred(uris: readonly string[]): void {
    if (!uris.every(this.#harmless)) this.missing(referenceFault(uris));
  }
}

type Done = Extract<StreamMessage, { kind: 'done' }>;

/** Why a search that ended with this result is not complete; undefined when it is. */
export function faultOf({ code, message }: Pick<Done, 'code' | 'message'>): string | undefined {
  switch (code) {
    case 'success':
      return undefined;
    case 'sizeLimitExceeded':
      return 'the server\'s size limit cut the search off (OpenLDAP counts across pages): let this account read all, as by `limits dn.exact="<bind DN>" size=unlimited time=unlimited`';
    case 'timeLimitExceeded':
      return "the server's time limit cut the search off: raise it for this account";
    case 'adminLimitExceeded':
      return "the server's administrative limit cut the search off: raise it for this account";
    default:
      return `the search ended with ${String(code)}${message === '' ? '' : ` (${message})`}`;
  }
}

/** What a reference means for a reading. */
function referenceFault(uris: readonly string[]): string {
  return `a part lies on another server (${uris[0] ?? '?'}): name that server too (edge sync init --also URL), or read the global catalogue (port 3268 or 3269)`;
}

/** Entries of a search, page by page, with all values. What is missing is told to `completeness`. */
export async function* pagedEntries(
  stream: LdapStream,
  search: StreamSearch,
  completeness: Completeness,
): AsyncGenerator<Entry, void, undefined> {
  let cookie: Buffer = Buffer.alloc(0);
  do {
    const page = pagedControl(pageSize, cookie);
    let next: Buffer = Buffer.alloc(0);
    const ranged: Entry[] = [];
    for await (const message of stream.search({ ...search, controls: [...(search.controls ?? []), page] })) {
      if (message.kind === 'entry') {
        if (hasRange(message.entry)) ranged.push(message.entry);
        else yield message.entry;
      } else if (message.kind === 'reference') completeness.referred(message.uris);
      else if (message.kind === 'done') {
        const fault = faultOf(message);
        if (fault !== undefined) completeness.missing(fault);
        else next = pagedCookie(message.controls);
      }
    }
    // The connection is free again only now.
    for (const entry of ranged) yield await withAllValues(stream, entry, completeness);
    // An empty page is no end: Active Directory sends such.
    cookie = next;
  } while (cookie.length > 0);
}

const rangeOf = (attribute: string): RegExpExecArray | null =>
  /^(?<name>[^;]+);range=(?<from>\d+)-(?<to>\d+|\*)$/i.exec(attribute);

export const hasRange = (entry: Entry): boolean => entry.attributes.some((name) => rangeOf(name) !== null);

/** Fetches the rest of the values that came in ranges. */
export async function withAllValues(stream: LdapStream, entry: Entry, completeness: Completeness): Promise<Entry> {
  const whole = new MutableEntry(entry.dn);
  for (const attribute of entry.attributes) {
    const range = rangeOf(attribute)?.groups;
    const name = range?.['name'] ?? attribute;
    whole.append(name, entry.buffers(attribute));
    if (range !== undefined && range['to'] !== '*') {
      for (const value of await restOf(stream, entry.dn, name, Number(range['to']) + 1, completeness)) {
        whole.append(name, [value]);
      }
    }
  }
  return whole;
}

async function restOf(
  stream: LdapStream,
  base: string,
  name: string,
  first: number,
  completeness: Completeness,
): Promise<Buffer[]> {
  const values: Buffer[] = [];
  let from = first;
  for (let count = 0; count < maxRanges; count++) {
    let last = true;
    for await (const message of stream.search({ base, scope: 'base', attributes: [`${name};range=${from}-*`] })) {
      if (message.kind === 'done') {
        const fault = faultOf(message);
        if (fault !== undefined) completeness.missing(fault);
      }
      if (message.kind !== 'entry') continue;
      const attribute = message.entry.attributes.find(
        (one) => rangeOf(one)?.groups?.['name']?.toLowerCase() === name.toLowerCase(),
      );
      const range = attribute === undefined ? undefined : rangeOf(attribute)?.groups;
      if (attribute === undefined || range === undefined) continue;
      values.push(...message.entry.buffers(attribute));
      last = range['to'] === '*';
      from = last ? from : Number(range['to']) + 1;
    }
    if (last) return values;
  }
  completeness.missing(`the values of ${name} of ${base} do not end`);
  return values;
}
