/** A domain of Active Directory in memory, with the ways of real controllers that Samba does not have. */

import { integer, octets, sequence } from '../../src/directory/face/ber/ber-writer.ts';
import { readDirSync, readPage, writePage } from '../../src/directory/face/ber/control-values.ts';
import { controlOids } from '../../src/edge-sync/source/source-controls.ts';
import { compileFilter, entryFrom, type Filter, formatGuid, parseGuid, type Schema } from '../../src/ldap/index.ts';
import { control, type ScriptedReply, type ScriptedSearch, type Values } from '../lib/scripted-ldap.ts';

export const base = 'DC=corp,DC=example';
const configuration = `CN=Configuration,${base}`;
const service = `CN=NTDS Settings,CN=DC1,CN=Servers,${configuration}`;
const subschema = `CN=Aggregate,CN=Schema,${configuration}`;

interface DomainObject {
  dn: string;
  values: Values;
  usn: number;
  deleted: boolean;
  /** What DirSync names when it gives the object: the attributes that changed. */
  changed: readonly string[];
}

export class ScriptedDomain {
  readonly objects = new Map<string, DomainObject>();
  readonly #schema: Schema;
  /** Searches that came, newest last. */
  readonly searches: ScriptedSearch[] = [];
  usn = 100;
  invocationId = Buffer.alloc(16, 1);
  dirSync = true;
  seesDeleted = true;
  exchange = false;
  /** Entries that a page gives at most, whatever is asked for. */
  pageLimit = 1000;
  /** Values of one attribute that an entry shows at most. */
  rangeLimit = 1500;
  /** Every second page is empty, with a cookie. */
  emptyPages = false;
  /** Sent at the end of each search of the domain. */
  references: readonly string[] = [];
  /** Result of a search of the domain, instead of success, after so many entries. */
  cutOff: { readonly after: number; readonly result: 'sizeLimitExceeded' | 'timeLimitExceeded' } | undefined;
  /** Values of attribute of the configuration: entries by DN. */
  readonly settings = new Map<string, Values>();

  readonly base: string;
  readonly #firstGuid: number;

  /** `at`: name of the domain. `firstGuid`: of its objects, so that those of several domains differ. */
  constructor(schema: Schema, at = base, firstGuid = 1) {
    this.#schema = schema;
    this.base = at;
    this.#firstGuid = firstGuid;
  }

  /** Makes an object; its GUID. */
  add(rdn: string, values: Values, guid = guidOf(this.objects.size + this.#firstGuid)): string {
    this.#touch(guid, { dn: `${rdn},${this.base}`, values, deleted: false }, Object.keys(values));
    return guid;
  }

  set(guid: string, values: Values): void {
    const before = this.#of(guid);
    this.#touch(guid, { ...before, values: { ...before.values, ...values } }, Object.keys(values));
  }

  move(guid: string, dn: string): void {
    this.#touch(guid, { ...this.#of(guid), dn: `${dn},${this.base}` }, ['name', 'parentGUID']);
  }

  delete(guid: string): void {
    this.#touch(
      guid,
      { ...this.#of(guid), dn: `CN=x\\0ADEL:${guid},CN=Deleted Objects,${this.base}`, deleted: true },
      [],
    );
  }

  #of(guid: string): DomainObject {
    const found = this.objects.get(guid);
    if (found === undefined) throw new Error(`no object ${guid}`);
    return found;
  }

  #touch(guid: string, state: Pick<DomainObject, 'dn' | 'values' | 'deleted'>, changed: readonly string[]): void {
    this.usn += 1;
    this.objects.set(guid, { ...state, usn: this.usn, changed });
  }

  readonly script = (search: ScriptedSearch): Iterable<ScriptedReply> => {
    this.searches.push(search);
    return this.#answer(search);
  };

  *#answer(search: ScriptedSearch): Generator<ScriptedReply, void, undefined> {
    const { base: at, controls } = search;
    if (at === '') return yield { entry: '', values: this.#rootDse };
    if (at === service) return yield { entry: service, values: { invocationId: [this.invocationId] } };
    if (at === subschema) return yield { entry: at, values: { attributeTypes: this.#attributeTypes } };
    if (at === configuration) return yield* this.#configuration(search);
    if (at.startsWith('<GUID=')) return yield* this.#one(at.slice(6, -1), search);
    const dirSync = controls.get(controlOids.dirSync);
    if (dirSync !== undefined) return yield* this.#changes(readDirSync(dirSync).cookie, search);
    const named = [...this.objects].find(([, { dn }]) => dn.toLowerCase() === at.toLowerCase());
    if (search.scope === 'base') {
      if (named === undefined) yield { result: 'noSuchObject' };
      else yield* this.#one(named[0], search);
      return;
    }
    yield* this.#page(search);
  }

  get #attributeTypes(): string[] {
    return this.exchange ? ["( 1.2 NAME 'msExchRequireAuthToSendTo' SYNTAX '1' )"] : [];
  }

  get #rootDse(): Values {
    return {
      supportedCapabilities: ['1.2.840.113556.1.4.800'],
      supportedControl: [controlOids.paged, ...(this.dirSync ? [controlOids.dirSync] : [])],
      defaultNamingContext: [this.base],
      namingContexts: [this.base, configuration],
      configurationNamingContext: [configuration],
      subschemaSubentry: [subschema],
      dsServiceName: [service],
      highestCommittedUSN: [String(this.usn)],
    };
  }

  *#configuration({ scope }: ScriptedSearch): Generator<ScriptedReply, void, undefined> {
    if (scope === 'base') return yield { entry: configuration, values: { objectClass: ['configuration'] } };
    for (const [dn, values] of this.settings) yield { entry: `${dn},${configuration}`, values };
  }

  *#one(guid: string, { attributes }: ScriptedSearch): Generator<ScriptedReply, void, undefined> {
    const found = this.objects.get(guid);
    if (found === undefined || found.deleted) return yield { result: 'noSuchObject' };
    yield { entry: found.dn, values: this.#shown(guid, found, attributes) };
  }

  *#changes(cookie: Buffer, { filter, attributes }: ScriptedSearch): Generator<ScriptedReply, void, undefined> {
    if (!this.dirSync) return yield { result: 'insufficientAccessRights', message: 'no right to replicate' };
    const since = Number(cookie.toString() || 0);
    for (const [guid, object] of this.objects) {
      if (object.usn <= since || !this.#matches(filter, guid, object)) continue;
      const whole = this.#shown(guid, object, attributes);
      // DirSync gives what changed and no more.
      const names = ['objectGUID', 'isDeleted', ...object.changed].map((name) => name.toLowerCase());
      const values = Object.fromEntries(Object.entries(whole).filter(([name]) => names.includes(name.toLowerCase())));
      yield { entry: object.dn, values };
    }
    const value = sequence(integer(0), integer(0), octets(String(this.usn)));
    yield { result: 'success', controls: [control(controlOids.dirSync, value)] };
  }

  *#page({ base: at, filter, attributes, controls }: ScriptedSearch): Generator<ScriptedReply, void, undefined> {
    const showDeleted = controls.has(controlOids.showDeleted);
    if (showDeleted && !this.seesDeleted) return;
    const found = [...this.objects].filter(
      ([guid, object]) =>
        object.deleted === showDeleted &&
        object.dn.toLowerCase().endsWith(at.toLowerCase()) &&
        this.#matches(filter, guid, object),
    );
    const asked = controls.get(controlOids.paged);
    const page = asked === undefined ? undefined : readPage(asked);
    const text = page?.cookie.toString() ?? '';
    const [, at0 = '0', empty = ''] = /^(\d+)(e?)$/.exec(text) ?? [];
    const start = Number(at0);
    if (this.emptyPages && empty === '') {
      yield { result: 'success', controls: [control(controlOids.paged, writePage(Buffer.from(`${start}e`)))] };
      return;
    }
    const size = Math.min(page?.size ?? Number.POSITIVE_INFINITY, this.pageLimit);
    const some = found.slice(start, start + size);
    for (const [i, [guid, object]] of some.entries()) {
      if (this.cutOff !== undefined && start + i >= this.cutOff.after) return yield { result: this.cutOff.result };
      yield { entry: object.dn, values: this.#shown(guid, object, attributes) };
    }
    if (this.references.length > 0) yield { reference: this.references };
    const next = start + some.length < found.length ? String(start + some.length) : '';
    if (page !== undefined) {
      yield { result: 'success', controls: [control(controlOids.paged, writePage(Buffer.from(next)))] };
    } else if (next !== '') yield { result: 'sizeLimitExceeded' };
  }

  /** Attributes that were asked for, in ranges where there are many values. */
  #shown(guid: string, object: DomainObject, asked: readonly string[]): Record<string, readonly (string | Buffer)[]> {
    const shown: Record<string, readonly (string | Buffer)[]> = {};
    const all = this.#whole(guid, object);
    for (const request of asked) {
      const [, name = request, from] = /^([^;]+);range=(\d+)-\*$/.exec(request) ?? [];
      const key = Object.keys(all).find((one) => one.toLowerCase() === name.toLowerCase());
      const values = key === undefined ? undefined : all[key];
      if (key === undefined || values === undefined) continue;
      if (values.length <= this.rangeLimit && from === undefined) shown[key] = values;
      else {
        const start = Number(from ?? 0);
        const end = start + this.rangeLimit;
        const last = end >= values.length ? '*' : String(end - 1);
        shown[`${key};range=${start}-${last}`] = values.slice(start, end);
      }
    }
    return shown;
  }

  #whole(guid: string, { values, deleted, usn }: DomainObject): Record<string, readonly (string | Buffer)[]> {
    const own = { objectGUID: [parseGuid(guid)], uSNChanged: [String(usn)] };
    return { ...own, ...(deleted ? { isDeleted: ['TRUE'] } : { name: ['x'], ...values }) };
  }

  #matches(filter: Filter, guid: string, object: DomainObject): boolean {
    // Numbers of updates are no attribute of the schema that is at hand here.
    const since = usnIn(filter);
    if (since !== undefined) return object.usn >= since;
    const values = { objectClass: ['top'], ...this.#whole(guid, object) };
    return compileFilter(filter, this.#schema)(entryFrom(object.dn, values)) === true;
  }
}

function usnIn(filter: Filter): number | undefined {
  if (filter.kind === 'and') return filter.filters.map(usnIn).find((usn) => usn !== undefined);
  if (filter.kind !== 'greaterOrEqual' || filter.attribute.toLowerCase() !== 'usnchanged') return undefined;
  return Number(filter.value.toString());
}

const guidOf = (number: number): string => formatGuid(Buffer.from(number.toString(16).padStart(32, '0'), 'hex'));
