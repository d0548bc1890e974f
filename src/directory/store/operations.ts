/**
 * The operations of RFC 4511 §4.6 to §4.9 on the store. Each checks everything first and then writes; both happen inside one
 * transaction, so that nothing changes in between and nothing half done is ever seen.
 */
import type { Clock } from '../../base/index.ts';
import {
  type AttributeValues,
  compileFilter,
  Dn,
  formatGuid,
  formatRdn,
  isBelow,
  LdapError,
  parentKey,
  parseRdn,
} from '../../ldap/index.ts';
import type { Change, Operation, PendingChange, WriteOptions, WriteResult } from './entries/contract.ts';
import { type EntryData, encodeEntry } from './entries/entry-data.ts';
import { EntryDraft } from './entries/entry-draft.ts';
import { GuidSource } from './entries/guid-source.ts';
import { SchemaCheck } from './entries/schema-check.ts';
import { computedKeys, StoredEntry } from './entries/stored-entry.ts';
import { tombstoneOf } from './entries/tombstone.ts';
import { readMeta } from './files/environment.ts';
import { longestKey, rangeBelow } from './indexes/key-ranges.ts';
import type { StoreReader } from './records/store-reader.ts';
import type { StoreWriter } from './records/store-writer.ts';

type Of<K extends Operation['kind']> = Extract<Operation, { kind: K }>;

/** What an operation wrote. */
export interface Outcome {
  readonly result: WriteResult;
  readonly changes: readonly Change[];
}

export class Operations {
  readonly #reader: StoreReader;
  readonly #writer: StoreWriter;
  readonly #clock: Clock;
  readonly #guids = new GuidSource();
  #schemaCheck: SchemaCheck;
  /** Parent of the entry added before, while a transaction does nothing but add: loads add thousands below one. */
  #lastParent: StoredEntry | undefined;

  constructor(reader: StoreReader, writer: StoreWriter, clock: Clock) {
    this.#reader = reader;
    this.#writer = writer;
    this.#clock = clock;
    this.#schemaCheck = new SchemaCheck(reader.schema);
  }

  /** To be called when a transaction begins: what was read in another one is not trusted. */
  begin(): void {
    this.#lastParent = undefined;
  }

  /** Runs one operation within the transaction that is open. Throws LdapError; the transaction is then to be aborted. */
  run(operation: Operation, options: WriteOptions): Outcome {
    if (operation.kind !== 'add') this.#lastParent = undefined;
    switch (operation.kind) {
      case 'add':
        return this.#add(operation, options);
      case 'modify':
        return this.#modify(operation, options);
      case 'delete':
        return this.#delete(operation, options);
      case 'modifyDn':
        return this.#modifyDn(operation, options);
    }
  }

  #add({ dn: given, attributes }: Of<'add'>, options: WriteOptions): Outcome {
    const dn = parsed(given);
    if (dn.isRoot) throw new LdapError('entryAlreadyExists', 'the root DSE is there already');
    const key = this.#keyWithinLimits(dn);
    if (this.#reader.idByKey(key) !== undefined)
      throw new LdapError('entryAlreadyExists', `there is an entry '${dn.toString()}' already`);
    const parent = this.#parentOf(dn, key, options);
    const draft = new EntryDraft(this.#reader.schema);
    const { kept, guid } = this.#takeGuid(attributes, options.system === true);
    for (const each of kept) draft.apply({ operation: 'add', ...each }, options.system === true);
    draft.addNaming(dn.rdn);
    this.#check(draft);
    if (options.actor !== '') draft.put('creatorsName', [options.actor]);
    if (options.actor !== '') draft.put('modifiersName', [options.actor]);
    const [usn, now] = [this.#writer.nextUsn(), this.#clock.now()];
    const name = parent === undefined ? dn.toString() : `${formatRdn(dn.rdn)},${parent.dn}`;
    const header = { guid, usnCreated: usn, usnChanged: usn, created: now, changed: now, key, dn: name };
    const after = this.#entry({ ...header, attributes: draft.attributes });
    const pending = {
      kind: 'add',
      after,
      attributes: kept.map(({ attribute }) => this.#primaryName(attribute)),
      name: dn,
    } as const;
    this.#approve(pending, after, options);
    this.#writer.insert(after);
    if (parent === undefined) this.#writer.put('contexts', [...readMeta(this.#reader.environment, 'contexts'), name]);
    return this.#done(pending, options);
  }

  #modify({ dn, modifications, assertion }: Of<'modify'>, options: WriteOptions): Outcome {
    const before = this.#existing(dn);
    const draft = new EntryDraft(this.#reader.schema, before.encoded.toData().attributes);
    this.#assert(before, options);
    if (assertion !== undefined) this.#assert(before, { ...options, assertion });
    for (const modification of modifications) draft.apply(modification, options.system === true);
    draft.checkNaming(Dn.parse(before.dn).rdn);
    this.#check(draft);
    if (draft.values('structuralObjectClass')[0]?.toString() !== before.values('structuralObjectClass')[0]) {
      throw new LdapError('objectClassModsProhibited', 'the structural class of an entry cannot change');
    }
    const after = this.#changed(before, draft, options);
    const attributes = [...new Set(modifications.map(({ attribute }) => this.#primaryName(attribute)))];
    const pending = { kind: 'modify', before, after, attributes } as const;
    this.#approve(pending, undefined, options);
    this.#writer.update(before, after);
    return this.#done(pending, options);
  }

  #delete({ dn, subtree, assertion }: Of<'delete'>, options: WriteOptions): Outcome {
    const target = this.#existing(dn);
    this.#assert(target, options);
    if (assertion !== undefined) this.#assert(target, { ...options, assertion });
    const below = this.#entriesBelow(target);
    if (below.length > 0 && subtree !== true) {
      throw new LdapError('notAllowedOnNonLeaf', `there are entries below '${target.dn}'`);
    }
    const changes: Change[] = [];
    for (const entry of [...below.reverse(), target]) {
      options.authorize?.({ kind: 'delete', before: entry, attributes: [] });
      changes.push(this.#remove(entry, options));
    }
    return { result: { usn: changes.at(-1)?.usn ?? 0, before: target }, changes };
  }

  #modifyDn(operation: Of<'modifyDn'>, options: WriteOptions): Outcome {
    const before = this.#existing(operation.dn);
    this.#assert(before, options);
    if (operation.assertion !== undefined) this.#assert(before, { ...options, assertion: operation.assertion });
    const newRdn = parseRdn(operation.newRdn);
    const superior = this.#superiorOf(before, operation);
    const newDn = `${formatRdn(newRdn)},${superior.dn}`;
    const key = this.#keyWithinLimits(Dn.parse(newDn));
    if (!key.equals(before.encoded.key) && this.#reader.idByKey(key) !== undefined) {
      throw new LdapError('entryAlreadyExists', `there is an entry '${newDn}' already`);
    }
    const draft = new EntryDraft(this.#reader.schema, before.encoded.toData().attributes);
    const oldRdn = Dn.parse(before.dn).rdn;
    if (operation.deleteOldRdn) draft.removeNaming(oldRdn);
    draft.addNaming(newRdn);
    this.#check(draft);
    const after = this.#changed(before, draft, options, { dn: newDn, key });
    const attributes = [...new Set([...oldRdn, ...newRdn].map(({ type }) => this.#primaryName(type)))];
    const pending = { kind: 'modifyDn', before, after, attributes } as const;
    this.#approve(pending, undefined, options);
    const below = this.#entriesBelow(before);
    this.#writer.update(before, after);
    for (const entry of below) this.#move(entry, before, after);
    return this.#done(pending, options);
  }

  /** Gives an entry below a renamed one its new name; it keeps its own sequence numbers, as in Active Directory. */
  #move(entry: StoredEntry, from: StoredEntry, to: StoredEntry): void {
    const { rdns } = Dn.parse(entry.dn);
    const own = rdns.slice(0, rdns.length - Dn.parse(from.dn).rdns.length);
    const key = Buffer.concat([to.encoded.key, entry.encoded.key.subarray(from.encoded.key.length)]);
    if (key.length > longestKey)
      throw new LdapError('adminLimitExceeded', `the new name of '${entry.dn}' would be too long`);
    this.#writer.update(
      entry,
      this.#entry({ ...entry.encoded.toData(), key, dn: `${own.map(formatRdn).join(',')},${to.dn}` }),
    );
  }

  #superiorOf(before: StoredEntry, { newSuperior }: Of<'modifyDn'>): StoredEntry {
    if (newSuperior !== undefined) {
      const superior = this.#existing(newSuperior, 'newSuperior');
      if (superior.encoded.key.equals(before.encoded.key) || isBelow(superior.encoded.key, before.encoded.key)) {
        throw new LdapError('unwillingToPerform', 'an entry cannot move below itself');
      }
      return superior;
    }
    const key = parentKey(before.encoded.key);
    const parent = key === undefined ? undefined : this.#reader.byKey(key);
    if (parent === undefined)
      throw new LdapError('unwillingToPerform', `'${before.dn}' is a naming context and keeps its name`);
    return parent;
  }

  #remove(entry: StoredEntry, options: WriteOptions): Change {
    const [usn, time] = [this.#writer.nextUsn(), this.#clock.now()];
    this.#writer.remove(entry);
    const contexts = readMeta(this.#reader.environment, 'contexts');
    const context = contexts.find((name) => isBelow(entry.encoded.key, this.#reader.keyOf(name)));
    if (context === undefined)
      this.#writer.put(
        'contexts',
        contexts.filter((name) => name !== entry.dn),
      );
    this.#writer.bury(
      tombstoneOf(entry, { usn, time, actor: options.actor, context: context ?? entry.dn }, this.#reader.schema),
    );
    const change: Change = {
      usn,
      kind: 'delete',
      guid: entry.guid,
      dn: entry.dn,
      attributes: [],
      actor: options.actor,
      time,
    };
    this.#writer.log(change, entry.encoded.guid);
    return change;
  }

  /** The entry after a change, with new sequence number, time and modifier. */
  #changed(
    before: StoredEntry,
    draft: EntryDraft,
    { actor }: WriteOptions,
    name?: { dn: string; key: Buffer },
  ): StoredEntry {
    draft.put('modifiersName', actor === '' ? [] : [actor]);
    const { guid, usnCreated, created, dn, key } = before.encoded;
    const header = { guid, usnCreated, usnChanged: this.#writer.nextUsn(), created, changed: this.#clock.now() };
    return this.#entry({ ...header, dn, key, ...name, attributes: draft.attributes });
  }

  #done(pending: PendingChange & { readonly after: StoredEntry }, { actor }: WriteOptions): Outcome {
    const { kind, before, after, attributes } = pending;
    const { usnChanged: usn, changed: time } = after.encoded;
    const moved = kind === 'modifyDn' && before !== undefined ? { oldDn: before.dn } : {};
    const change: Change = { usn, kind, guid: after.guid, dn: after.dn, ...moved, attributes, actor, time };
    this.#writer.log(change, after.encoded.guid);
    return { result: before === undefined ? { usn, after } : { usn, before, after }, changes: [change] };
  }

  #approve(pending: PendingChange, asserted: StoredEntry | undefined, options: WriteOptions): void {
    if (asserted !== undefined) this.#assert(asserted, options);
    options.authorize?.(pending);
  }

  #assert(entry: StoredEntry, { assertion }: WriteOptions): void {
    if (assertion !== undefined && compileFilter(assertion, this.#reader.schema)(entry) !== true) {
      throw new LdapError('assertionFailed', 'the entry does not match the assertion');
    }
  }

  #check(draft: EntryDraft): void {
    if (this.#schemaCheck.schema !== this.#reader.schema) this.#schemaCheck = new SchemaCheck(this.#reader.schema);
    this.#schemaCheck.check(draft);
  }

  #existing(dn: string | Dn, role = 'entry'): StoredEntry {
    const key = this.#reader.keyOf(dn);
    const entry = this.#reader.byKey(key);
    if (entry !== undefined) return entry;
    const matchedDn = this.#reader.nearestTo(key)?.dn ?? '';
    throw new LdapError('noSuchObject', `there is no ${role} '${dn.toString()}'`, { matchedDn });
  }

  #parentOf(dn: Dn, key: Buffer, { newNamingContext }: WriteOptions): StoredEntry | undefined {
    const above = parentKey(key);
    const parent = above === undefined ? undefined : this.#parent(above);
    if (parent !== undefined) return parent;
    const nearest = this.#reader.nearestTo(key);
    if (newNamingContext === true && nearest === undefined) return undefined;
    throw new LdapError('noSuchObject', `there is no entry above '${dn.toString()}'`, { matchedDn: nearest?.dn ?? '' });
  }

  #parent(key: Buffer): StoredEntry | undefined {
    if (this.#lastParent?.encoded.key.equals(key) !== true) this.#lastParent = this.#reader.byKey(key);
    return this.#lastParent;
  }

  #keyWithinLimits(dn: Dn): Buffer {
    for (const { type } of dn.rdn) {
      if (this.#reader.schema.attribute(type) === undefined)
        throw new LdapError('undefinedAttributeType', `the attribute '${type}' is not in the schema`);
    }
    const key = this.#reader.keyOf(dn);
    if (key.length > longestKey)
      throw new LdapError(
        'adminLimitExceeded',
        `the name is too long: ${key.length} octets, ${longestKey} can be kept`,
      );
    return key;
  }

  /** What an export holds beside the client's attributes is taken (GUID) or left out (computed) when the product itself adds. */
  #takeGuid(
    attributes: readonly AttributeValues[],
    system: boolean,
  ): { readonly kept: readonly AttributeValues[]; readonly guid: Buffer } {
    const isComputed = ({ attribute }: AttributeValues): boolean => computedKeys.has(attribute.toLowerCase());
    const [given] = attributes.find(({ attribute }) => attribute.toLowerCase() === 'objectguid')?.values ?? [];
    if (!system) return { kept: attributes, guid: this.#guids.next() };
    if (given !== undefined && given.length !== 16)
      throw new LdapError('invalidAttributeSyntax', 'objectGUID has 16 octets');
    if (given !== undefined && this.#reader.byGuid(formatGuid(given)) !== undefined) {
      throw new LdapError('entryAlreadyExists', `there is an entry with the GUID ${formatGuid(given)} already`);
    }
    return { kept: attributes.filter((each) => !isComputed(each)), guid: given ?? this.#guids.next() };
  }

  #entriesBelow(entry: StoredEntry): StoredEntry[] {
    const keys = [...this.#reader.environment.names.getKeys(rangeBelow(entry.encoded.key))].map((key) =>
      Buffer.from(key),
    );
    return keys.map((key) => this.#reader.byKey(key)).filter((found) => found !== undefined);
  }

  #primaryName(description: string): string {
    return this.#reader.schema.describe(description)?.attribute.name ?? description;
  }

  #entry(data: EntryData): StoredEntry {
    return new StoredEntry(encodeEntry(data), this.#reader);
  }
}

const parsed = (dn: string | Dn): Dn => (typeof dn === 'string' ? Dn.parse(dn) : dn);
