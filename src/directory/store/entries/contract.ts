/** What the embedded directory's store promises: operations, searches, changes. Implemented by DirectoryStore on LMDB. */
import type { Pace } from '../../../base/index.ts';
import type { AttributeValues, Dn, Entry, Filter, Modification, Schema } from '../../../ldap/index.ts';

export type { AttributeValues, Modification };

/** An entry of the store. Operational attributes that are computed (entryDN, entryUUID, …) can be read like stored ones. */
export interface DirectoryEntry extends Entry {
  /** objectGUID as text, 8-4-4-4-12. */
  readonly guid: string;
  /** uSNChanged. */
  readonly usn: number;
  /** Names of the attributes that are kept, without the computed ones. */
  readonly storedAttributes: readonly string[];
  /** True for a tombstone. */
  readonly isDeleted: boolean;
}

/** `base`, one level, whole subtree, or the subtree without its base (draft-sermersheim-ldap-subordinate-scope). */
export type SearchScope = 'base' | 'one' | 'sub' | 'subordinate';

export interface SearchRequest {
  /** The empty name searches every naming context. */
  readonly base: string | Dn;
  readonly scope: SearchScope;
  /** Default: every entry. */
  readonly filter?: Filter;
  /** Entries given at most; the search simply ends there. Default: no limit. */
  readonly limit?: number;
  /** Tombstones too (show deleted control). Default: false. */
  readonly includeDeleted?: boolean;
  /** Whether a filter may look at this attribute (primary name) of this entry; one it may not is treated as absent. */
  readonly readable?: (entry: DirectoryEntry, attribute: string) => boolean;
  /** How a gentle search gives way to others. Default: unpaced. */
  readonly pace?: Pace;
}

/** How a search will find its candidates. */
export interface SearchPlan {
  /** `index`: ids from indexes, then tested. `scan`: all entries in scope are tested. */
  readonly access: 'index' | 'scan';
  /** Index accesses in the order used, as `eq proxyaddresses`, with how many candidates each gives (estimate). */
  readonly indexes: readonly { readonly index: string; readonly candidates: number }[];
  /** Entries that will be read at most (estimate). */
  readonly candidates: number;
  /** One line for a person. */
  readonly text: string;
}

export interface WriteOptions {
  /** DN kept as creatorsName and modifiersName; '' for anonymous. */
  readonly actor: string;
  /** The operation is done only when this matches the target entry, else assertionFailed (RFC 4528). */
  readonly assertion?: Filter;
  /**
   * Set by the product itself, never for a client: attributes marked NO-USER-MODIFICATION may be given.
   * Default: false.
   */
  readonly system?: boolean;
  /** An entry without any ancestor in the store becomes a naming context of its own (seed, import). Default: false. */
  readonly newNamingContext?: boolean;
  /**
   * Asked with the entry before and after, inside the transaction and before anything is written; throw LdapError to refuse.
   * Access control stands here, so that it sees the state it decides about.
   */
  readonly authorize?: (change: PendingChange) => void;
}

/** A change that passed every check and is about to be written. */
export interface PendingChange {
  readonly kind: ChangeKind;
  /** Absent for an add. */
  readonly before?: DirectoryEntry;
  /** Absent for a delete. */
  readonly after?: DirectoryEntry;
  /** Primary names of the attributes that the client changes. */
  readonly attributes: readonly string[];
  /** Of an add: the name of the new entry. */
  readonly name?: Dn;
}

/** What a write did; `before` and `after` serve the pre-read and post-read controls (RFC 4527). */
export interface WriteResult {
  readonly usn: number;
  readonly before?: DirectoryEntry;
  readonly after?: DirectoryEntry;
}

export type ChangeKind = 'add' | 'modify' | 'delete' | 'modifyDn';

/** One operation, for batches. */
export type Operation =
  | { readonly kind: 'add'; readonly dn: string | Dn; readonly attributes: readonly AttributeValues[] }
  | {
      readonly kind: 'modify';
      readonly dn: string | Dn;
      readonly modifications: readonly Modification[];
      /** Done only when this matches the entry, else assertionFailed; beside the one of the options. */
      readonly assertion?: Filter;
    }
  | {
      readonly kind: 'delete';
      readonly dn: string | Dn;
      readonly subtree?: boolean;
      /** As for `modify`. */
      readonly assertion?: Filter;
    }
  | {
      readonly kind: 'modifyDn';
      readonly dn: string | Dn;
      readonly newRdn: string;
      readonly deleteOldRdn: boolean;
      readonly newSuperior?: string | Dn;
      /** As for `modify`. */
      readonly assertion?: Filter;
    };

/** Descriptions added to the schema for good, as LDIF. */
export interface SchemaExtension {
  readonly kind: 'extendSchema';
  readonly ldif: string;
}

/** One line of the change log. */
export interface Change {
  readonly usn: number;
  readonly kind: ChangeKind;
  readonly guid: string;
  /** Name of the entry after the change (before it, for a delete). */
  readonly dn: string;
  /** Name before a modifyDn. Everything below moved along and has no line of its own. */
  readonly oldDn?: string;
  /** Primary names of the attributes touched. */
  readonly attributes: readonly string[];
  readonly actor: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** Hears of changes in their order. With `someLost` others came before these that were dropped from the log already. */
export type ChangeListener = (changes: readonly Change[], someLost: boolean) => void;

export interface Changes {
  /** False when changes after `usn` were already dropped from the log: read everything anew. */
  readonly complete: boolean;
  readonly changes: readonly Change[];
  /** Pass this to the next call. */
  readonly usn: number;
}

/** A disagreement found by `verify`. */
export interface Finding {
  readonly where: string;
  readonly what: string;
}

/** Whether any entry has a value: a question asked again and again, for which nothing is made. By the equality index: no entry is read. */
export interface ValueProbe {
  /** The value in question; who asks writes it here. */
  readonly value: Buffer;
  /** The answer of now. */
  holds(): boolean;
  /** At most so many of the values that entries have, in their order: the first ones, or those behind a value. */
  heldAfter(value: Buffer | undefined, limit: number): readonly Buffer[];
}

/** Reading side, the same in every process. */
export interface DirectoryReader {
  readonly schema: Schema;
  /** Sequence number of the last change; sees what other processes wrote. */
  readonly usn: number;
  /** LDIF texts that were added to the schema at run time. */
  readonly schemaExtensions: readonly string[];
  /** Names of the top entries. */
  readonly namingContexts: readonly string[];
  /** The entry of that name. Throws LdapError invalidDNSyntax. */
  get(dn: string | Dn): DirectoryEntry | undefined;
  byGuid(guid: string): DirectoryEntry | undefined;
  /** The tombstone of the deletion with this number; undefined when it has lived its time. */
  tombstone(usn: number): DirectoryEntry | undefined;
  /** Name of the nearest ancestor (or the entry itself) that exists; '' when there is none. For matchedDN. */
  nearest(dn: string | Dn): string;
  /** Yields lazily; state between two entries is a position, never an open transaction. Throws LdapError noSuchObject. */
  search(request: SearchRequest): Generator<DirectoryEntry, void, undefined>;
  /** As `search`, but lets other work run in between: never holds the event loop for more than a few milliseconds. */
  searchGently(request: SearchRequest, signal?: AbortSignal): AsyncGenerator<DirectoryEntry, void, undefined>;
  explain(request: SearchRequest): SearchPlan;
  /** Entries whose attribute has this value, by the equality index (any naming context). The fast way for the mail path. */
  lookupEquality(attribute: string, value: string | Buffer): readonly DirectoryEntry[];
  /** For values of so many octets, at most 255, that are compared octet by octet. Throws LdapError inappropriateMatching. */
  valueProbe(attribute: string, octets: number): ValueProbe;
  /** At most `limit` changes after `usn` (default 1000). */
  changesSince(usn: number, limit?: number): Changes;
}

/** Writing side: in the directory process, and in a command beside it for one transaction. A resolved promise means: on disk. */
export interface DirectoryWriter extends DirectoryReader {
  add(dn: string | Dn, attributes: readonly AttributeValues[], options: WriteOptions): Promise<WriteResult>;
  modify(dn: string | Dn, modifications: readonly Modification[], options: WriteOptions): Promise<WriteResult>;
  /** Leaf entries only unless `subtree`. */
  delete(dn: string | Dn, options: WriteOptions & { readonly subtree?: boolean }): Promise<WriteResult>;
  modifyDn(
    dn: string | Dn,
    target: { readonly newRdn: string; readonly deleteOldRdn: boolean; readonly newSuperior?: string | Dn },
    options: WriteOptions,
  ): Promise<WriteResult>;
  /** All or nothing, in order. Throws the LdapError of the operation that failed. */
  batch(operations: Iterable<Operation>, options: WriteOptions): Promise<readonly WriteResult[]>;
  /** Adds descriptions to the schema, for good. Throws RangeError for LDIF that is no schema. */
  extendSchema(ldif: string): Promise<void>;
  /** Called after each commit with what it changed. The returned value ends it. */
  onChange(listener: ChangeListener): Disposable;
}
