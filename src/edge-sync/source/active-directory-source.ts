/**
 * Recipients of Active Directory and Samba AD. Changes by DirSync ([MS-ADTS] 3.1.1.3.4.1.3) or, where that is not allowed, by
 * uSNChanged. Both only say which objects to look at: each is then read whole, because DirSync sends what changed and no more.
 * Asked are all objects below the root of the naming context, for an object that loses its last address must be seen too.
 */
import type { Entry } from '../../ldap/index.ts';
import { idOf } from '../recipient-mapping.ts';
import {
  type Reading,
  type ReadingEnd,
  type RecipientSource,
  readCookie,
  type SourceItem,
  writeCookie,
} from './contract.ts';
import type { LdapStream } from './ldap-stream.ts';
import { Completeness, faultOf, hasRange, pagedEntries, withAllValues } from './paged-search.ts';
import { baseEntry, type SourceProfile } from './root-dse.ts';
import { controlOids, dirSyncAnswer, dirSyncControl, dirSyncFlags, octetControl } from './source-controls.ts';

export interface ActiveDirectoryOptions {
  readonly profile: SourceProfile;
  /** Attributes that a recipient is made of. */
  readonly attributes: readonly string[];
  readonly addressAttributes: readonly string[];
  /** A new connection, bound. */
  readonly connect: () => Promise<LdapStream>;
  /** Use DirSync; else uSNChanged. */
  readonly dirSync: boolean;
  /** This account sees what lies below Deleted Objects; else the ids of all objects say what is gone. */
  readonly seesDeleted: boolean;
}

/** More changed objects than this are read by one search of all instead of one by one. */
const mostSingleReads = 5000;
const dirSyncBytes = 4 * 1024 ** 2;
/** Asked for besides: without name and parent a move stays unseen. */
const always = ['objectGUID', 'isDeleted', 'name', 'parentGUID', 'instanceType'];

/** Where the source stands: whose numbers they are, and how far they went. */
interface Stand {
  readonly invocationId: string;
  readonly usn: number;
}

export class ActiveDirectorySource implements RecipientSource {
  readonly way: string;
  readonly exchangeSchema: boolean;
  readonly #options: ActiveDirectoryOptions;

  constructor(options: ActiveDirectoryOptions) {
    this.#options = options;
    this.way = options.dirSync ? 'DirSync' : 'uSNChanged';
    this.exchangeSchema = options.profile.exchangeSchema;
  }

  async *read(cookie: string, signal: AbortSignal): Reading {
    await using stream = await this.#options.connect();
    const known = readCookie(this.way, cookie);
    const completeness = new Completeness(this.#options.profile.harmless);
    // Read before the search: what changes meanwhile is read twice rather than never.
    const stand = await standOf(stream, this.#options.profile.dsServiceName);
    const back = known === undefined ? undefined : wentBack(known, stand);
    if (known === undefined || back !== undefined) return yield* this.#all(stream, stand, completeness, signal, back);
    return yield* this.#options.dirSync
      ? this.#changedByDirSync(stream, Buffer.from(String(known['cookie']), 'base64'), stand, completeness, signal)
      : this.#changedByUsn(stream, Number(known['usn']), stand, completeness, signal);
  }

  /** Every object that has an address. */
  async *#all(
    stream: LdapStream,
    stand: Stand,
    completeness: Completeness,
    signal: AbortSignal,
    suspicion?: string,
  ): Reading {
    const next = this.#options.dirSync ? await this.#dirSyncCookie(stream) : undefined;
    const filter = `(|${this.#options.addressAttributes.map((name) => `(${name}=*)`).join('')})`;
    const attributes = [...this.#options.attributes, ...always];
    for await (const entry of pagedEntries(
      stream,
      { base: this.#options.profile.base, filter, attributes },
      completeness,
    )) {
      signal.throwIfAborted();
      const id = idOf(entry);
      if (id !== undefined) yield { kind: 'entry', id, entry };
      else completeness.missing('objects without a readable objectGUID: let this account read that attribute');
    }
    const { reasons } = completeness;
    return {
      complete: completeness.complete && suspicion === undefined,
      reasons: suspicion === undefined ? reasons : [suspicion, ...reasons],
      suspicious: suspicion !== undefined && completeness.complete,
      exhaustive: true,
      cookie: this.#cookie(stand, next),
    };
  }

  #cookie({ invocationId, usn }: Stand, dirSync: Buffer | undefined): string {
    return writeCookie(this.way, { invocationId, usn, ...(dirSync && { cookie: dirSync.toString('base64') }) });
  }

  /** A cookie of this moment: asked for a filter that nothing matches, so that no object is sent. */
  async #dirSyncCookie(stream: LdapStream): Promise<Buffer> {
    let cookie: Buffer = Buffer.alloc(0);
    for (let more = true; more; ) {
      const answer = await this.#dirSyncStep(stream, cookie, '(objectGUID=\\00)', () => undefined);
      if (typeof answer === 'string') throw new Error(answer);
      ({ cookie, more } = answer);
    }
    return cookie;
  }

  /** One DirSync search. Text: why it did not work. */
  async #dirSyncStep(
    stream: LdapStream,
    cookie: Buffer,
    filter: string,
    take: (entry: Entry) => void,
  ): Promise<{ more: boolean; cookie: Buffer } | string> {
    let answer: { more: boolean; cookie: Buffer } | string = 'DirSync gave no answer';
    const search = {
      base: this.#options.profile.base,
      filter,
      attributes: [...this.#options.attributes, ...always],
      controls: [dirSyncControl(dirSyncFlags.objectSecurity, dirSyncBytes, cookie)],
    };
    for await (const message of stream.search(search)) {
      if (message.kind === 'entry') take(message.entry);
      else if (message.kind === 'done') {
        answer = faultOf(message) ?? dirSyncAnswer(message.controls) ?? 'the server gave no DirSync cookie';
      }
    }
    return answer;
  }

  async *#changedByDirSync(
    stream: LdapStream,
    from: Buffer,
    stand: Stand,
    completeness: Completeness,
    signal: AbortSignal,
  ): Reading {
    const changed = new Set<string>();
    const gone = new Set<string>();
    let treeMoved = false;
    let cookie = from;
    for (let more = true; more; ) {
      signal.throwIfAborted();
      const answer = await this.#dirSyncStep(stream, cookie, '(objectClass=*)', (entry) => {
        const id = idOf(entry);
        if (id === undefined) return;
        const deleted = entry.values('isDeleted')[0]?.toUpperCase() === 'TRUE';
        (deleted ? gone : changed).add(id);
        treeMoved ||= !deleted && (entry.values('name').length > 0 || entry.buffers('parentGUID').length > 0);
      });
      // A cookie that this server does not take (another controller, too old): everything anew.
      if (typeof answer === 'string') return yield* this.#all(stream, stand, completeness, signal);
      ({ more, cookie } = answer);
    }
    for (const id of gone) yield { kind: 'gone', id };
    const next = this.#cookie(stand, cookie);
    return yield* this.#readSingly({ stream, stand, completeness, signal }, changed, gone, treeMoved, next);
  }

  async *#changedByUsn(
    stream: LdapStream,
    usn: number,
    stand: Stand,
    completeness: Completeness,
    signal: AbortSignal,
  ): Reading {
    const changed = new Set<string>();
    const gone = new Set<string>();
    const { base } = this.#options.profile;
    const filter = `(uSNChanged>=${usn + 1})`;
    for await (const entry of pagedEntries(stream, { base, filter, attributes: ['objectGUID'] }, completeness)) {
      const id = idOf(entry);
      if (id !== undefined) changed.add(id);
    }
    if (this.#options.seesDeleted) await this.#deletedSince(stream, usn, gone, completeness);
    for (const id of gone) yield { kind: 'gone', id };
    const next = this.#cookie(stand, undefined);
    return yield* this.#readSingly({ stream, stand, completeness, signal }, changed, gone, changed.size > 0, next);
  }

  async #deletedSince(stream: LdapStream, usn: number, gone: Set<string>, completeness: Completeness): Promise<void> {
    const search = {
      base: deletedObjects(this.#options.profile),
      filter: `(&(isDeleted=TRUE)(uSNChanged>=${usn + 1}))`,
      attributes: ['objectGUID'],
      controls: [octetControl(controlOids.showDeleted)],
    };
    for await (const entry of pagedEntries(stream, search, completeness)) {
      const id = idOf(entry);
      if (id !== undefined) gone.add(id);
    }
  }

  async *#present(stream: LdapStream, completeness: Completeness, signal: AbortSignal): AsyncGenerator<SourceItem> {
    const filter = `(|${this.#options.addressAttributes.map((name) => `(${name}=*)`).join('')})`;
    const search = { base: this.#options.profile.base, filter, attributes: ['objectGUID'] };
    for await (const entry of pagedEntries(stream, search, completeness)) {
      signal.throwIfAborted();
      const id = idOf(entry);
      if (id !== undefined) yield { kind: 'present', id };
    }
  }

  async *#readSingly(
    at: { stream: LdapStream; stand: Stand; completeness: Completeness; signal: AbortSignal },
    changed: ReadonlySet<string>,
    gone: ReadonlySet<string>,
    treeMoved: boolean,
    cookie: string,
  ): Reading {
    const { stream, completeness, signal } = at;
    if (changed.size > mostSingleReads) return yield* this.#all(stream, at.stand, completeness, signal);
    for (const id of changed) {
      if (gone.has(id)) continue;
      signal.throwIfAborted();
      const entry = await this.#whole(stream, id, completeness);
      if (entry !== undefined && treeMoved && isContainer(entry)) {
        // Renaming an organizational unit changes the names below it and none of their numbers.
        return yield* this.#all(stream, at.stand, completeness, signal);
      }
      yield entry === undefined ? { kind: 'gone', id } : { kind: 'entry', id, entry };
    }
    if (!this.#options.seesDeleted) yield* this.#present(stream, completeness, signal);
    return endOf(completeness, !this.#options.seesDeleted, cookie);
  }

  async #whole(stream: LdapStream, id: string, completeness: Completeness): Promise<Entry | undefined> {
    let found: Entry | undefined;
    const search = {
      base: `<GUID=${id}>`,
      scope: 'base',
      attributes: [...this.#options.attributes, ...always],
    } as const;
    for await (const message of stream.search(search)) {
      if (message.kind === 'entry') found = message.entry;
      else if (message.kind === 'reference') completeness.referred(message.uris);
      else if (message.kind === 'done' && message.code !== 'noSuchObject') {
        const fault = faultOf(message);
        if (fault !== undefined) completeness.missing(fault);
      }
    }
    return found !== undefined && hasRange(found) ? withAllValues(stream, found, completeness) : found;
  }
}

function endOf(completeness: Completeness, exhaustive: boolean, cookie: string): ReadingEnd {
  const { complete, reasons } = completeness;
  return { complete, reasons, suspicious: false, exhaustive, cookie };
}

const isContainer = (entry: Entry): boolean =>
  entry.values('objectClass').some((name) => /^(?:organizationalUnit|container|domainDNS|builtinDomain)$/i.test(name));

/** Where Active Directory keeps what was deleted. */
export const deletedObjects = ({ base }: SourceProfile): string => `CN=Deleted Objects,${base}`;

/** The database of this server and its highest number; the numbers of another database mean nothing. */
async function standOf(stream: LdapStream, dsServiceName: string): Promise<Stand> {
  const dse = await baseEntry(stream, '', ['highestCommittedUSN']);
  const service = dsServiceName === '' ? undefined : await baseEntry(stream, dsServiceName, ['invocationId']);
  return {
    invocationId: service?.buffers('invocationId')[0]?.toString('hex') ?? dsServiceName.toLowerCase(),
    usn: Number(dse?.values('highestCommittedUSN')[0] ?? 0),
  };
}

/** Why what the source says cannot follow what it said before; undefined when it can. */
function wentBack(known: Record<string, unknown>, { invocationId, usn }: Stand): string | undefined {
  if (known['invocationId'] !== invocationId)
    return 'the source is another domain controller, or this one was restored from a backup (its invocationId changed): nothing is taken away until an administrator says so with --force';
  if (usn < Number(known['usn']))
    return `the source went back from update ${String(known['usn'])} to ${usn}, as after a restored backup: nothing is taken away until an administrator says so with --force`;
  return undefined;
}
