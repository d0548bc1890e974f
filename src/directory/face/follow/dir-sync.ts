/**
 * DirSync, [MS-ADTS] 3.1.1.3.4.1.3: what changed since a cookie, as servers and tools made for Active Directory ask for it. Of a
 * changed entry come the attributes that changed, an attribute that is gone without values; of a deleted one its tombstone. Other
 * than there, any entry may be the base, entries below a renamed one are sent with their new names, and all is sent at once,
 * whatever size the client asks for.
 */
import { Dn, type Entry, entryFrom, isBelow, parseGuid } from '../../../ldap/index.ts';
import type { Change, DirectoryEntry } from '../../store/entries/contract.ts';
import { type DirSyncRequest, writeDirSync } from '../ber/control-values.ts';
import { controlOids } from '../ber/controls.ts';
import { encodeEntry, type Result, type SentAttribute, success } from '../ber/result.ts';
import { type SearchJob, type SearchParts, stopped } from '../operations/search-job.ts';
import { changesBetween, contentOf, formerNameOf, Scope } from './change-feed.ts';
import { Disclosure } from './disclosure.ts';
import { ancestorsFirst, type Touched } from './sync-order.ts';

/** Attributes that come with every entry, by key. */
const always: ReadonlySet<string> = new Set(['objectguid', 'instancetype']);
const noAttributes: ReadonlySet<string> = new Set();

/** What the change log tells of an entry. */
interface Changed extends Touched {
  /** Keys of the attributes that changed; undefined: the entry is new. */
  readonly attributes: ReadonlySet<string> | undefined;
  /** Names it had since the cookie, oldest first. */
  readonly names: readonly string[];
  readonly moved: boolean;
  /** Number of its last change. */
  readonly usn: number;
}

export async function dirSync(job: SearchJob, parts: SearchParts, request: DirSyncRequest): Promise<Result> {
  const { context } = job;
  const usn = parts.store.usn;
  const since = readCookie(request.cookie);
  const changes = since === undefined ? undefined : await changesBetween(parts.store, since, usn, context.pace);
  const sync = new DirSync(job, parts);
  await (changes === undefined ? sync.sendAll(since) : sync.sendChanges(changes, since ?? 0));
  if (context.signal.aborted) return stopped(context);
  const value = writeDirSync(writeCookie(usn));
  return { ...success, controls: [{ oid: controlOids.dirSync, critical: false, value }] };
}

const mark = Buffer.from('EDS1');

/** Undefined for no cookie, and for one that is not ours: then everything is sent. */
function readCookie(cookie: Buffer): number | undefined {
  if (cookie.length !== 12 || !cookie.subarray(0, 4).equals(mark)) return undefined;
  const usn = cookie.readBigUInt64BE(4);
  return usn <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(usn) : undefined;
}

function writeCookie(usn: number): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(usn));
  return Buffer.concat([mark, number]);
}

class DirSync {
  readonly #job: SearchJob;
  readonly #parts: SearchParts;
  readonly #scope: Scope;
  readonly #disclosure: Disclosure;
  readonly #inContent: (entry: DirectoryEntry) => boolean;

  constructor(job: SearchJob, parts: SearchParts) {
    const { base, scope } = job.request;
    this.#job = job;
    this.#parts = parts;
    this.#disclosure = new Disclosure(job.context.session.principal, parts);
    this.#scope = new Scope(base, scope, parts.store.schema);
    this.#inContent = contentOf(job.request, this.#scope, parts.store.schema);
  }

  /** With a cookie that the change log does not reach back to, also what was deleted since. */
  async sendAll(since: number | undefined): Promise<void> {
    const { request, context } = this.#job;
    const { store } = this.#parts;
    const { pace } = context;
    const { includeDeleted: _, ...living } = request;
    for await (const entry of store.searchGently(living, context.signal)) {
      this.#send(entry, undefined);
      if (await this.#stopped()) return;
    }
    if (since === undefined) return;
    for await (const entry of store.searchGently(
      { base: '', scope: 'sub', includeDeleted: true, pace },
      context.signal,
    )) {
      if (!entry.isDeleted || entry.usn <= since) continue;
      const dn = `${formerRdn(entry)},${entry.values('lastKnownParent')[0] ?? ''}`;
      if (this.#disclosure.ofDeletion(dn, entry.usn)) this.#sendDeleted(entry.guid, [dn]);
      if (await this.#stopped()) return;
    }
  }

  async sendChanges(changes: readonly Change[], since: number): Promise<void> {
    const { store } = this.#parts;
    const { pace } = this.#job.context;
    for await (const changed of ancestorsFirst(this.#touched(changes, since), store.schema, pace)) {
      const { guid, names, moved } = changed;
      const entry = store.byGuid(guid);
      this.#sendChanged(changed, entry);
      if (entry !== undefined && moved) await this.#tellBelow(entry, names[0] ?? '');
      if (await this.#stopped()) return;
    }
  }

  #touched(changes: readonly Change[], since: number): Changed[] {
    const { store } = this.#parts;
    const found = new Map<string, { attributes: Set<string>; names: string[]; moved: boolean; usn: number }>();
    for (const { guid, kind, dn, oldDn, attributes, usn } of changes) {
      const known = found.get(guid) ?? { attributes: new Set<string>(), names: [], moved: false, usn };
      known.usn = usn;
      for (const name of attributes) known.attributes.add(name.toLowerCase());
      if (kind === 'modifyDn') known.attributes.add('distinguishedname');
      known.moved ||= kind === 'modifyDn';
      known.names.push(...(oldDn === undefined ? [dn] : [oldDn, dn]));
      found.delete(guid);
      found.set(guid, known);
    }
    return Array.from(found, ([guid, { attributes, names, moved, usn }]) => {
      const entry = store.byGuid(guid);
      const isNew = Number(entry?.values('uSNCreated')[0] ?? 0) > since;
      const touched = { guid, dn: names.at(-1) ?? '', now: entry?.dn };
      return { ...touched, attributes: isNew ? undefined : attributes, names, moved, usn };
    });
  }

  /** What stands below a renamed entry has new names, and no lines in the log. */
  async #tellBelow({ dn }: DirectoryEntry, former: string): Promise<void> {
    const { context } = this.#job;
    const below = { base: dn, scope: 'subordinate', pace: context.pace } as const;
    for await (const entry of this.#parts.store.searchGently(below, context.signal)) {
      const old = formerNameOf(entry.dn, dn, former);
      const names = [old];
      const attributes = new Set(['distinguishedname']);
      this.#sendChanged({ guid: entry.guid, dn: old, now: entry.dn, names, attributes, moved: true, usn: 0 }, entry);
      if (await this.#stopped()) return;
    }
  }

  /** An entry that is not in the content any more, and may have been, is sent as deleted. */
  #sendChanged({ guid, names, attributes, usn }: Changed, entry: DirectoryEntry | undefined): void {
    const disclosed =
      entry === undefined
        ? names.some((dn) => this.#disclosure.ofDeletion(dn, usn))
        : this.#disclosure.ofLeaving(entry, names, attributes ?? noAttributes);
    if (entry !== undefined && this.#inContent(entry)) this.#send(entry, attributes);
    else if (disclosed) this.#sendDeleted(guid, names);
  }

  /** Waits for a slow reader; true when there is nobody to send to any more. */
  async #stopped(): Promise<boolean> {
    const { context } = this.#job;
    await context.room();
    return context.signal.aborted;
  }

  #send(entry: DirectoryEntry, changed: ReadonlySet<string> | undefined): void {
    const { context, selection } = this.#job;
    const { policy, store } = this.#parts;
    const rights = policy.rights(context.session.principal, entry);
    if (!rights.visible) return;
    const sent = new Map<string, SentAttribute>([...always].flatMap((key) => valuesOf(entry, key)));
    const picked = new Set<string>();
    for (const attribute of selection.pick(entry, rights)) {
      const key = store.schema.describe(attribute.name)?.attribute.key ?? attribute.name;
      picked.add(key);
      if (changed === undefined || changed.has(key)) sent.set(attribute.name.toLowerCase(), attribute);
    }
    for (const key of changed ?? []) {
      const isGone = !picked.has(key) && selection.wants(key) && rights.reads(key);
      if (isGone) sent.set(key, { name: store.schema.attribute(key)?.name ?? key, values: [] });
    }
    const isSeen =
      changed === undefined || changed.has('distinguishedname') || this.#disclosure.ofChange(entry, changed);
    if (isSeen) context.send(encodeEntry(context.messageId, entry.dn, [...sent.values()]));
  }

  /** The tombstone, as far as the change log knows it. */
  #sendDeleted(guid: string, names: readonly string[]): void {
    const { context } = this.#job;
    const dn = names.find((name) => this.#scope.includes(name));
    if (dn === undefined) return;
    const tombstone = tombstoneOf(guid, dn, this.#parts);
    const attributes = tombstone.attributes.map((name) => ({ name, values: tombstone.buffers(name) }));
    context.send(encodeEntry(context.messageId, tombstone.dn, attributes));
  }
}

function valuesOf(entry: Entry, key: string): [string, SentAttribute][] {
  const values = entry.buffers(key);
  return values.length === 0 ? [] : [[key, { name: key === 'objectguid' ? 'objectGUID' : 'instanceType', values }]];
}

function formerRdn(tombstone: DirectoryEntry): string {
  const rdn = Dn.parse(tombstone.dn).rdn.map(({ type, value }) => {
    const end = value.indexOf('\nDEL:');
    return { type, value: end < 0 ? value : value.subarray(0, end) };
  });
  return new Dn([rdn]).toString();
}

function tombstoneOf(guid: string, dn: string, { store }: SearchParts): Entry {
  const { schema } = store;
  const name = Dn.parse(dn);
  const context = store.namingContexts.find((one) => isBelow(schema.keyOf(name), schema.keyOf(Dn.parse(one)))) ?? '';
  const [first] = name.rdn;
  const value = Buffer.concat([first?.value ?? Buffer.alloc(0), Buffer.from(`\nDEL:${guid}`)]);
  const container = [{ type: 'CN', value: Buffer.from('Deleted Objects') }];
  const deleted = new Dn([[{ type: first?.type ?? 'CN', value }], container, ...Dn.parse(context).rdns]);
  return entryFrom(deleted.toString(), {
    objectGUID: parseGuid(guid),
    isDeleted: 'TRUE',
    lastKnownParent: name.parent?.toString() ?? '',
  });
}
